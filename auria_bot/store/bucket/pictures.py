"""The pictures of drafts in a bucket, with copies of those in use on the disk.

    pictures/FOLDER/SHA256-NAME    a file, named by its hash: writing it twice is harmless
    pictures/FOLDER/files.json     sizes and hashes by name; written last and once: a folder is whole or not there

What is read is copied to `<home>/cache/pictures`, compared with its hash, and kept until newer copies need the room.
What lies in `<home>/pictures` from the time before the bucket is used where it is, until it is moved.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from auria_bot.errors import AuriaError, InvalidTransition, NotFound, StorageAway
from auria_bot.files import atomic_path, disk_errors, sha256_of, write_atomic
from auria_bot.store.bucket.client import Bucket
from auria_bot.store.files import Pictures, check_name, folder_sizes

__all__ = ["BucketPictures"]

_LIST: Final = "files.json"
_LOCAL_LIST: Final = ".files.json"
_KEY: Final = re.compile(r"pictures/([^/]+)/(?:([0-9a-f]{64})-)?([^/]+)")
_YOUNG: Final = 3600.0  # seconds since its last use for which a copy is never removed
_LISTING_AGE: Final = 60.0  # seconds for which a listing of the bucket is used again


class BucketPictures(Pictures):
    """The pictures of every draft. Safe for use by several threads and processes.

    Usage::

        pictures = BucketPictures(home, Bucket(...), limit=2_000_000_000)
        pictures.keep("run-1", {"full.png": path})
        pictures.path("run-1", "full.png")
    """

    def __init__(self, home: Path, bucket: Bucket, *, limit: int) -> None:
        """Copies on the disk take at most `limit` bytes, beside those that were used in the last hour."""
        super().__init__(home)
        self.bucket, self._limit = bucket, limit
        self.address = bucket.address
        self._index: dict[str, dict[str, tuple[int, str]]] = {}
        self._indexed = float("-inf")

    def keep(self, folder: str, files: Mapping[str, Path]) -> Path:
        """Write files (name to source) to a new folder of the bucket; repeating it is harmless.

        Raises:
            InputError: a name that is not a plain file name.
            NotFound: a source is missing.
            InvalidTransition: the folder exists with other contents.
            StorageAway: the bucket cannot be reached; what was written so far is used when it is repeated.
            DiskError: the disk is full, read-only or not writable.
        """
        for name in (folder, *files):
            check_name(name)
        if (self.root / folder).is_dir():  # from the time before the bucket
            return super().keep(folder, files)
        listed = self.upload(folder, files)
        with disk_errors(self.copies):
            (self.copies / folder).mkdir(parents=True, exist_ok=True)
            write_atomic(self.copies / folder / _LOCAL_LIST, listed, durable=False)
            for name, source in files.items():
                with atomic_path(self.copies / folder / name, durable=False) as scratch:
                    shutil.copyfile(source, scratch)
        self._trim()
        return self.copies / folder

    def keep_on_disk(self, folder: str, files: Mapping[str, Path]) -> Path:
        """Copy files into a new folder of the disk, atomically, from where they are used instead of the bucket's."""
        return super().keep(folder, files)

    def upload(self, folder: str, files: Mapping[str, Path]) -> bytes:
        """Write files to a folder of the bucket, without copies; its list. Raises what `keep` does."""
        if missing := [str(source) for source in files.values() if not source.is_file()]:
            raise NotFound(f"missing: {', '.join(missing)}")
        wanted = {name: (source.stat().st_size, sha256_of(source)) for name, source in files.items()}
        known, content = self._files(folder), json.dumps({"files": wanted}, sort_keys=True).encode()
        if known is None:
            there = dict(self.bucket.files(f"pictures/{folder}"))
            for name, (size, sha256) in wanted.items():
                if there.get(key := _key(folder, name, sha256)) != size:
                    self.bucket.put(key, files[name])
            if not self.bucket.put(f"pictures/{folder}/{_LIST}", content, once=True):
                known = self._files(folder)
        if known is not None and known != wanted:
            raise InvalidTransition(
                f"{self.address}/pictures/{folder} is there already and holds something else; it is never overwritten"
            )
        return content

    def path(self, folder: str, name: str) -> Path:
        """Where a copy of a file lies, which is made from the bucket where there is none.

        Raises:
            InputError: a name that is not a plain file name.
            NotFound: it is neither on the disk nor in the bucket.
            StorageAway: the bucket cannot be reached, or gives other bytes than were written.
            DiskError: the disk cannot be written.
        """
        if (self.root / folder).is_dir():
            return super().path(folder, name)
        size, sha256 = self._known(folder, name)
        copy = self.copies / folder / name
        try:
            os.utime(copy.parent)  # from now on nobody removes it
            is_there = copy.stat().st_size == size
        except FileNotFoundError:
            is_there = False
        if not is_there:
            self.bucket.download(_key(folder, name, sha256), copy, sha256=sha256)
            self._trim()
        return copy

    def place(self, folder: str, name: str) -> Path:
        """Where a file of a draft lies or would lie; it may be missing, or out of reach."""
        try:
            return self.path(folder, name)
        except AuriaError:
            return self.copies / folder / name

    def shown(self, folder: str, name: str) -> str:
        """The path of a file or of its copy, or its address in the bucket."""
        if (self.root / folder).is_dir() or (self.copies / folder / name).is_file():
            return str(self.path(folder, name))
        return f"{self.address}/{_key(folder, name, self._known(folder, name)[1])}"

    def check(self, folder: str, name: str, sha256: str = "") -> None:
        """Make sure, by a listing of the bucket, that a file is there, and by its name that it has this hash.

        Raises:
            NotFound: it is missing.
            InvalidTransition: it has another hash.
            StorageAway: the bucket cannot be reached.
        """
        if (self.root / folder).is_dir():
            super().check(folder, name, sha256)
            return
        found = self.folders().get(folder, {}).get(name)
        if found is None:
            raise NotFound(f"{self.address}/pictures/{folder} has no {name}; put it back from a copy of the bucket")
        if sha256 and found[1] != sha256:
            raise InvalidTransition(f"{name} in {self.address} is not the picture that was made")

    def remove(self, folder: str) -> None:
        """Delete a draft's folder wherever it is; a missing one is no error."""
        super().remove(folder)
        keys = [key for key, _ in self.bucket.files(f"pictures/{folder}")]
        self.bucket.delete(sorted(keys, key=lambda key: not key.endswith(f"/{_LIST}")))
        self._index.pop(folder, None)
        shutil.rmtree(self.copies / folder, ignore_errors=True)

    def sizes(self) -> dict[str, int]:
        """Size in bytes of every draft's folder, by its name, in the bucket and on the disk."""
        kept = {folder: sum(size for size, _ in files.values()) for folder, files in self.folders().items()}
        return kept | super().sizes()

    def sweep(self) -> int:
        """Delete what crashed processes left on the disk; return how many folders."""
        for stray in self.copies.glob("*/.new-*"):
            with contextlib.suppress(FileNotFoundError):  # its writer has just finished
                if time.time() - stray.stat().st_mtime > _YOUNG:
                    stray.unlink()
        return super().sweep()

    def folders(self) -> Mapping[str, Mapping[str, tuple[int, str]]]:
        """Sizes and hashes of the files of every complete folder in the bucket, as it was listed in the last minute."""
        if time.monotonic() - self._indexed > _LISTING_AGE:
            found, complete = defaultdict[str, dict[str, tuple[int, str]]](dict), set[str]()
            for key, size in self.bucket.files("pictures"):
                if (match := _KEY.fullmatch(key)) is None:
                    continue
                if match[2]:
                    found[match[1]][match[3]] = (size, match[2])
                elif match[3] == _LIST:
                    complete.add(match[1])
            self._index = {folder: files for folder, files in found.items() if folder in complete}
            self._indexed = time.monotonic()
        return self._index

    def verify(self, folder: str) -> None:
        """Read every file of a folder from the bucket and compare its hash, whatever copies there are.

        Raises:
            NotFound: there is no such folder, or it lacks a file.
            StorageAway: the bucket cannot be reached, or gives other bytes.
        """
        scratch = self.copies / folder / ".new-verified"
        try:
            for name, (_, sha256) in (self._files(folder) or {}).items():
                self.bucket.download(_key(folder, name, sha256), scratch, sha256=sha256)
        finally:
            scratch.unlink(missing_ok=True)

    def _known(self, folder: str, name: str) -> tuple[int, str]:
        check_name(folder)
        check_name(name)
        if (found := (self._files(folder) or {}).get(name)) is None:
            raise NotFound(f"{self.address}/pictures/{folder}/{name} is missing; put it back from a copy of the bucket")
        return found

    def _files(self, folder: str) -> dict[str, tuple[int, str]] | None:
        """Sizes and hashes of a folder's files by name; None where the folder is not in the bucket."""
        local = self.copies / folder / _LOCAL_LIST
        try:
            content = local.read_bytes()
        except OSError:
            try:
                content = self.bucket.read(f"pictures/{folder}/{_LIST}")
            except NotFound:
                return None
        try:
            rows = json.loads(content)["files"]
            found = {str(name): (int(size), str(sha256)) for name, (size, sha256) in rows.items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            local.unlink(missing_ok=True)
            raise StorageAway(
                f"{self.address}/pictures/{folder}/{_LIST} is damaged; put it back from a copy of the bucket"
            ) from None
        if not local.is_file():
            with disk_errors(local):
                local.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(local, content, durable=False)
        return found

    def _trim(self) -> None:
        """Remove the copies that were not used for longest, until the others fit."""
        try:
            sizes = folder_sizes(self.copies)
            ages = sorted(((self.copies / name).stat().st_mtime, name) for name in sizes)
        except FileNotFoundError:  # another process removes some
            return
        total = sum(sizes.values())
        for used, folder in ages:
            if total <= self._limit or time.time() - used < _YOUNG:
                return
            shutil.rmtree(self.copies / folder, ignore_errors=True)
            total -= sizes[folder]


def _key(folder: str, name: str, sha256: str) -> str:
    return f"pictures/{folder}/{sha256}-{name}"
