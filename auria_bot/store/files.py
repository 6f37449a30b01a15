"""Finished pictures on disk, one folder per draft, and their paths as the database stores them.

`bucket.pictures` keeps them in a bucket instead. Files are copied into a staging folder, flushed to the disk, and the
folder is renamed into place: it appears whole or not at all. Paths in the database are relative to the home, so that
the home may be moved.
"""

from __future__ import annotations

import contextlib
import errno
import filecmp
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from auria_bot.errors import InputError, InvalidTransition, NotFound
from auria_bot.files import disk_errors, flush, sha256_of

__all__ = ["Pictures", "check_name", "folder_sizes", "path_from_home", "path_in_home"]

_STAGING = ".staging-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
_STALE = 86_400.0  # seconds after which a staging folder belongs to a run that died
_CHUNK = 1 << 20  # bytes copied at a time


class Pictures:
    """The pictures of every draft, under `root`."""

    address: str = ""
    """Where else pictures are kept; "" for the disk alone."""

    def __init__(self, home: Path) -> None:
        self.root = home / "pictures"
        self.copies = home / "cache" / "pictures"
        """Copies of what is kept elsewhere."""

    def keep(self, folder: str, files: Mapping[str, Path]) -> Path:
        """Copy files (name to source) into a new folder, atomically; repeating it is harmless.

        Raises:
            InputError: a name that is not a plain file name.
            NotFound: a source is missing.
            InvalidTransition: the folder exists with other contents.
            DiskError: the disk is full, read-only or not writable.
        """
        for name in (folder, *files):
            check_name(name)
        missing = [str(source) for source in files.values() if not source.is_file()]
        if missing:
            raise NotFound(f"missing: {', '.join(missing)}")
        target = self.root / folder
        if target.is_dir():
            return _same(target, files)
        staging = self.root / f"{_STAGING}{folder}-{uuid4().hex}"
        with disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            try:
                staging.mkdir()
                for name, source in files.items():
                    _copy(source, staging / name)
                flush(staging)
                try:
                    staging.rename(target)
                except OSError as error:
                    # Another process was faster: its folder must hold the same.
                    if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                        return _same(target, files)
                    raise
                flush(self.root)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
        return target

    def path(self, folder: str, name: str) -> Path:
        """Where a file of a draft lies.

        Raises:
            InputError: a name that is not a plain file name.
            NotFound: it does not lie there.
        """
        check_name(folder)
        check_name(name)
        found = self.root / folder / name
        linked = found.parent.is_symlink() or found.is_symlink()  # nothing else can lead out, given such names
        if linked and not found.resolve().is_relative_to(self.root.resolve()):
            raise InputError(f"{found} leads out of {self.root}")
        if not found.is_file():
            raise NotFound(f"{found} is missing; put it back from a backup")
        return found

    def place(self, folder: str, name: str) -> Path:
        """Where a file of a draft lies or would lie; it may be missing, or out of reach."""
        return self.root / folder / name

    def shown(self, folder: str, name: str) -> str:
        """The absolute path of a file of a draft, or its address elsewhere, without copying it from there.

        Raises:
            InputError: a name that is not a plain file name.
            NotFound: it is not there.
        """
        return str(self.path(folder, name))

    def here(self, path: str) -> str:
        """A path that `path` gave, perhaps on another machine or before the pictures were moved, as it is now.

        Raises:
            NotFound: the file is missing.
            StorageAway: it is kept elsewhere, and cannot be reached.
        """
        for root in (self.root, self.copies):
            if path and Path(path).parent.parent == root:
                return str(self.path(Path(path).parent.name, Path(path).name).absolute())
        return path

    def check(self, folder: str, name: str, sha256: str = "") -> None:
        """Make sure that a file of a draft is there, and whole where its hash is given.

        Raises:
            NotFound: it is missing.
            InvalidTransition: it has another hash.
            StorageAway: it is kept elsewhere, and cannot be reached.
        """
        path = self.path(folder, name)
        if sha256 and sha256_of(path) != sha256:
            raise InvalidTransition(f"{name} is not the picture that was made; restore a backup")

    def remove(self, folder: str) -> None:
        """Delete a draft's folder; a missing one is no error.

        Raises:
            InputError: a name that is not a plain file name.
            DiskError: the disk is read-only or not writable.
        """
        check_name(folder)
        away = self.root / f"{_STAGING}{folder}-{uuid4().hex}"
        with disk_errors(self.root):
            try:
                (self.root / folder).rename(away)
            except FileNotFoundError:
                return
            shutil.rmtree(away)

    def sizes(self) -> dict[str, int]:
        """Size in bytes of every draft's folder, by its name."""
        return folder_sizes(self.root)

    def sweep(self) -> int:
        """Delete staging folders older than a day, which crashed processes left; return how many."""
        count = 0
        for staging in self.root.glob(f"{_STAGING}*"):
            with contextlib.suppress(FileNotFoundError):  # its run has just finished
                if time.time() - staging.stat().st_mtime > _STALE:
                    shutil.rmtree(staging, ignore_errors=True)
                    count += 1
        return count


def folder_sizes(root: Path) -> dict[str, int]:
    """Size in bytes of every folder in a folder, by its name, without those that begin with a dot.

    What another process deletes meanwhile counts as far as it was seen.
    """
    sizes = {}
    for folder in sorted(root.glob("[!.]*")):
        if folder.is_dir():
            sizes[folder.name] = 0
            with contextlib.suppress(FileNotFoundError):
                for file in folder.iterdir():
                    sizes[folder.name] += file.stat().st_size
    return sizes


def check_name(name: str) -> None:
    """Make sure that a name can be that of a folder or of a file.

    Raises:
        InputError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name[:60]!r} is not the name of a file of Auria's: letters, digits, '.', '_' and '-'")


def path_in_home(path: str, home: Path) -> str:
    """A path as the database stores it: relative to the home, with "/"; unchanged if it lies elsewhere or is empty."""
    return Path(path).relative_to(home).as_posix() if path and Path(path).is_relative_to(home) else path


def path_from_home(stored: str, home: Path) -> str:
    """The absolute path of a stored one; "" stays empty."""
    return str(home / stored) if stored else ""


def _same(target: Path, files: Mapping[str, Path]) -> Path:
    there = {entry.name for entry in target.iterdir()}
    if there != set(files) or any(not filecmp.cmp(files[name], target / name, shallow=False) for name in there):
        raise InvalidTransition(f"{target} is there already and holds something else; it is never overwritten")
    return target


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("xb") as write:
        shutil.copyfileobj(read, write, _CHUNK)
    flush(target)
