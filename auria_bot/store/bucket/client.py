"""Files in a bucket of an S3-compatible storage: whole or not at all, by keys below one prefix.

The client is obstore. It signs requests, repeats those that fail for a moment, and finds credentials in Amazon's
variables or on Amazon's machines where the operator gives none.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from auria_bot.errors import BackendMissing, NotFound, StorageAway
from auria_bot.files import disk_errors, flush

if TYPE_CHECKING:
    from obstore import GetResult
    from obstore.store import S3Store

    from auria_bot.secret_store import SecretStore
    from auria_bot.settings.storage import StorageSettings

__all__ = ["Bucket"]

log = logging.getLogger(__name__)

_ATTEMPTS: Final = 4  # of a request that fails for a moment
_CONNECT: Final = 5.0  # seconds
_PART: Final = 8 << 20  # bytes of a file that are sent at a time
_CHUNK: Final = 1 << 20  # bytes read at a time
_PAUSE: Final = 2.0  # seconds for which a storage that did not answer is not asked again
_TRIES: Final = 2  # downloads of a file that arrives with another hash
_TYPES: Final = {"jpg": "image/jpeg", "png": "image/png", "mp4": "video/mp4", "webm": "video/webm"} | {
    "json": "application/json",
    "jsonl": "application/jsonl",
}


class Bucket:
    """A bucket, below a prefix. Safe for use by several threads; nothing is asked before it is used.

    Usage::

        bucket = Bucket(settings.storage, secrets=SecretStore(home, "storage"))
        bucket.put("pictures/7/full.png", Path("full.png"))
        bucket.download("pictures/7/full.png", target, sha256="...")
    """

    def __init__(self, settings: StorageSettings, *, secrets: SecretStore) -> None:
        """`secrets` hold `access_key` and `secret_key`, and where there is one `session_token`; all are optional."""
        self.address = settings.pictures
        self._settings, self._secrets, self._lock = settings, secrets, threading.Lock()
        self._silent_until = 0.0  # monotonic
        self._silence: StorageAway | None = None

    @property
    def _store(self) -> S3Store:
        if self._silence is not None and time.monotonic() < self._silent_until:
            raise self._silence  # many files are asked for in a row: waiting for each would take minutes
        with self._lock:
            return self._opened

    @cached_property
    def _opened(self) -> S3Store:
        try:
            from obstore.store import S3Store
        except ImportError:
            raise BackendMissing(
                "storage.pictures names a bucket, which needs a package: pip install 'auria-bot[s3]'"
            ) from None
        bucket, _, prefix = self.address.removeprefix("s3://").partition("/")
        chosen = self._settings
        names = {"access_key_id": "access_key", "secret_access_key": "secret_key", "session_token": "session_token"}
        given = {option: value for option, name in names.items() if (value := self._secrets.get(name))}
        if chosen.endpoint:
            given["endpoint"] = chosen.endpoint
        with self._answers():
            return S3Store(
                bucket,
                prefix=prefix or None,
                region=chosen.region,
                virtual_hosted_style_request=not chosen.endpoint and "." not in bucket,
                client_options={
                    "allow_http": chosen.endpoint.startswith("http://"),
                    "connect_timeout": timedelta(seconds=min(_CONNECT, chosen.timeout)),
                    "read_timeout": timedelta(seconds=chosen.timeout),
                    "timeout": timedelta(hours=1),  # of a whole file
                },
                retry_config={"max_retries": _ATTEMPTS - 1, "retry_timeout": timedelta(seconds=3 * chosen.timeout)},
                **given,  # type: ignore[arg-type]  # the options are strings
            )

    def put(self, key: str, source: Path | bytes, *, once: bool = False) -> bool:
        """Write a file; whether it was written.

        With `once` nothing is written where the key exists, whoever comes first.

        Raises:
            StorageAway: the storage does not answer, or refuses.
            NotFound: the source is missing.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        if isinstance(source, Path) and not source.is_file():
            raise NotFound(f"{source} is missing")
        kind = _TYPES.get(key.rpartition(".")[2], "application/octet-stream")
        with self._answers(writing=True):
            try:
                obstore.put(
                    self._store,
                    key,
                    source,
                    attributes={"Content-Type": kind},
                    mode="create" if once else None,
                    chunk_size=_PART,
                    max_concurrency=2,
                )
            except (AlreadyExistsError, PreconditionError):
                return False
        return True

    def read(self, key: str) -> bytes:
        """The content of a small file.

        Raises:
            NotFound: there is none.
            StorageAway: the storage does not answer, or refuses.
        """
        import obstore

        with self._answers():
            return bytes(obstore.get(self._store, key).bytes())

    def download(self, key: str, target: Path, *, sha256: str = "") -> None:
        """Copy a file to the disk, where it appears whole or not at all, and with this hash if one is given.

        Raises:
            NotFound: there is none.
            StorageAway: the storage does not answer, or what it gives has another hash, twice.
            DiskError: the disk cannot be written.
        """
        import obstore

        scratch, found = target.with_name(f".new-{uuid4().hex}"), ""
        try:
            for left in reversed(range(_TRIES)):
                with self._answers():
                    answer = obstore.get(self._store, key)
                try:
                    with self._answers(), disk_errors(target):
                        found = _saved(answer, scratch)
                except StorageAway:  # the connection broke on the way
                    if not left:
                        raise
                    self._silence = None
                    continue
                if found == (sha256 or found):
                    with disk_errors(target):
                        flush(scratch)
                        scratch.replace(target)
                    return
                log.warning("%s/%s arrived with another hash", self.address, key)
        finally:
            scratch.unlink(missing_ok=True)
        raise StorageAway(
            f"{self.address}/{key} is not what was written: its SHA-256 is {found[:12]}..., not {sha256[:12]}...;"
            " put the file back from a copy of the bucket"
        )

    def files(self, prefix: str) -> Iterator[tuple[str, int]]:
        """The keys below a prefix, which ends with no "/", and their sizes in bytes.

        Raises:
            StorageAway: the storage does not answer, or refuses.
        """
        import obstore

        with self._answers():
            for page in obstore.list(self._store, prefix):
                yield from ((str(row["path"]), int(row["size"])) for row in page)

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders right below a prefix.

        Raises:
            StorageAway: the storage does not answer, or refuses.
        """
        import obstore

        with self._answers():
            found = obstore.list_with_delimiter(self._store, prefix)
        return sorted(str(path).rpartition("/")[2] for path in found["common_prefixes"])

    def delete(self, keys: Iterable[str]) -> None:
        """Delete files; a missing one is no error.

        Raises:
            StorageAway: the storage does not answer, or refuses.
        """
        import obstore

        with self._answers(writing=True):
            for key in keys:
                obstore.delete(self._store, key)

    def check(self) -> None:
        """Write a small file, read it and delete it.

        Raises:
            StorageAway: one of it does not work.
            BackendMissing: obstore is not installed.
        """
        key, content = f"check-{uuid4().hex}", b"auria"
        self.put(key, content, once=True)
        try:
            if self.put(key, b"other", once=True):
                raise StorageAway(f"{self.address} overwrites what must be written once (If-None-Match is ignored)")
            if self.read(key) != content:
                raise StorageAway(f"{self.address} gives back something else than was written")
        finally:
            self.delete([key])

    @contextmanager
    def _answers(self, *, writing: bool = False) -> Iterator[None]:
        """Turn the client's errors into ours, which name no key and no secret."""
        try:
            from obstore.exceptions import BaseError
        except ImportError:
            BaseError = OSError  # type: ignore[misc,assignment] # noqa: N806 - opening the store says what is missing
        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise self._away(error, writing=writing) from None
            raise NotFound(f"{self.address} has no such file") from None
        except (BaseError, PermissionError, ConnectionError, TimeoutError) as error:
            raise self._away(error, writing=writing) from None

    def _away(self, error: Exception, *, writing: bool) -> StorageAway:
        text = str(error)
        status = re.search(r"status code: (\d{3})", text)
        code = re.search(r"<Code>(\w{1,60})</Code>", text)
        where = self._settings.endpoint or "Amazon S3"
        if status or code:
            told = " ".join(found[1] for found in (status, code) if found)
            return StorageAway(f"{where} refuses to {'write to' if writing else 'read'} {self.address}: {told}")
        reason = "no answer in time" if "timed out" in text.lower() or "timeout" in text.lower() else ""
        if "credential" in text.lower() or "169.254." in text:
            reason = "no credentials; set AURIA_SECRET_STORAGE_ACCESS_KEY and AURIA_SECRET_STORAGE_SECRET_KEY"
        reason = reason or "the connection failed or broke"
        self._silence = StorageAway(f"{where} does not answer for {self.address} ({reason})")
        self._silent_until = time.monotonic() + _PAUSE
        return self._silence


def _saved(answer: GetResult, target: Path) -> str:
    """Write an answer to a file; its SHA-256."""
    digest = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        for chunk in answer.stream(min_chunk_size=_CHUNK):
            file.write(chunk)
            digest.update(chunk)
    return digest.hexdigest()
