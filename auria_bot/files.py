"""Files: SHA-256, atomic and durable writes, locks between processes, and the disk's errors in plain sentences.

Every file that is replaced is written beside itself first and renamed over the old one, so that a reader sees the old
content or the new content, never half of it. A durable write is also flushed, the file and its folder, so that it
survives a power cut; content that can be computed again need not be durable.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.errors import DiskError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "acquire_lock",
    "atomic_path",
    "check_target",
    "disk_errors",
    "end_of",
    "file_lock",
    "flush",
    "output_path",
    "readable_name",
    "remove_strays",
    "scratch_folder",
    "sha256_of",
    "write_atomic",
    "write_json",
]

_POLL = 0.01  # seconds between two attempts to take a lock
_LONGEST = 100  # bytes of a name, and of its suffix, in that of a file that is being written
_STRAY = ".new-"  # how the name of a file that is being written begins
_ABANDONED = 86_400.0  # seconds after which a file that nobody wrote meanwhile belongs to a process that was killed
_SCRATCH = "auria-work-"  # how the name of a folder for a while begins
_YOUNG = 60.0  # seconds in which such a folder may not be locked yet


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal.

    Raises:
        NotFound: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror or error}") from None


def readable_name(path: Path) -> str:
    """A file's name as text that can be stored and printed; bytes that are no UTF-8 are read as Windows-1252."""
    name = os.fsencode(path.name)
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("cp1252", errors="replace")


@contextlib.contextmanager
def atomic_path(path: Path, *, mode: int | None = 0o600, durable: bool = True) -> Iterator[Path]:
    """A new, empty file to write into, which replaces `path` at the end of the block, or is removed if that fails.

    Usage::

        with atomic_path(target) as scratch:
            image.save(scratch, format="PNG")

    Args:
        path: the file to replace, in an existing folder; where it is a link, the file that it leads to is replaced.
        mode: the file's permissions from the first moment on; None leaves them to the umask.
        durable: flush the file and its folder to the disk.

    Raises:
        OSError: it cannot be written, or is no file, such as a folder or a device; what is there is unchanged.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EISDIR, "is no file", str(path))
    scratch = path.with_name(f"{_STRAY}{_shortened(path.name)}-{secrets.token_hex(4)}{_shortened(path.suffix)}")
    handle = os.open(scratch, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode & 0o600)
    wanted = stat.S_IMODE(os.fstat(handle).st_mode) if mode is None else mode
    os.close(handle)
    try:
        yield scratch
        if stat.S_IMODE(scratch.stat().st_mode) != wanted:  # some writers make a file of their own, as safetensors does
            scratch.chmod(wanted)
        if durable:
            flush(scratch)
        scratch.replace(path)
        if durable:
            flush(path.parent)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def output_path(path: Path, *, mode: int | None = None, durable: bool = True) -> Iterator[Path]:
    """Write a file where the operator wants it, as `atomic_path` does; its folder is made where it is missing.

    What calls that were killed left beside it is removed after a day.

    Raises:
        DiskError: it cannot be written; what is there is unchanged.
    """
    with disk_errors(path):
        folder, name = os.path.split(os.path.realpath(path))
        Path(folder).mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # in a folder that is shared, they may be another user's
            remove_strays(Path(folder), name, old_only=True)
        with atomic_path(path, mode=mode, durable=durable) as scratch:
            yield scratch


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder in the system's temporary folder, removed at the end; those that killed processes left are removed.

    Raises:
        DiskError: there is no temporary folder that can be written, or its disk is full.
    """
    import tempfile

    try:
        folder = Path(tempfile.mkdtemp(prefix=_SCRATCH))
    except OSError as error:
        raise DiskError(f"no temporary folder can be used: {error.strerror}; set TMPDIR to one") from None
    lock = None
    try:
        _remove_abandoned(folder.parent)
        lock = acquire_lock(folder / ".lock", wait=0.0)
        yield folder
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        advice = f"{error.strerror}; free some space, or set TMPDIR to a folder on another disk"
        raise DiskError(f"{error.filename or folder.parent} cannot be written: {advice}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _remove_abandoned(root: Path) -> None:
    """Remove the folders of `scratch_folder` of this user whose processes were killed."""
    for folder in root.glob(f"{_SCRATCH}*"):
        with contextlib.suppress(OSError):
            found = folder.lstat()
            if time.time() - found.st_mtime < _YOUNG or (os.name == "posix" and found.st_uid != os.getuid()):
                continue
            lock = acquire_lock(folder / ".lock", wait=0.0)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _shortened(name: str) -> str:
    """As much of a name as leaves room for what is added to it; file systems take 255 bytes."""
    return os.fsencode(name)[:_LONGEST].decode(errors="ignore")


def write_atomic(path: Path, content: bytes | str, *, mode: int | None = 0o600, durable: bool = True) -> None:
    """Replace a file's content; a text is written as UTF-8, its line ends unchanged. See `atomic_path`.

    Raises:
        OSError: it cannot be written; the old file is unchanged.
    """
    with atomic_path(path, mode=mode, durable=durable) as scratch:
        scratch.write_bytes(content.encode() if isinstance(content, str) else content)


def write_json(path: Path, value: Any, *, pretty: bool = False, mode: int | None = 0o600, durable: bool = True) -> None:
    """Replace a file by a value's JSON: compact, or indented with sorted keys. See `atomic_path`.

    Raises:
        OSError: it cannot be written; the old file is unchanged.
    """
    if pretty:
        text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    else:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    write_atomic(path, text, mode=mode, durable=durable)


def check_target(path: Path) -> None:
    """Make sure, before work that takes long, that a file can be written there.

    Raises:
        DiskError: something else than a file is there, or its folder cannot be made or written.
    """
    with disk_errors(path):
        if path.exists() and not path.is_file():
            raise OSError(errno.EISDIR, "is no file", str(path))
        folder = next(parent for parent in Path(os.path.realpath(path)).parents if parent.exists())
        if not folder.is_dir():
            raise OSError(errno.ENOTDIR, "is no folder", str(path))
        probe = folder / f"{_STRAY}{secrets.token_hex(4)}"
        os.close(os.open(probe, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        probe.unlink()


def remove_strays(folder: Path, name: str = "", *, old_only: bool = False) -> None:
    """Remove what killed writers left in a folder: of a file, or of all.

    Without `old_only`, files, and only while nobody writes them; with it, files and folders to which nobody has written
    for a day.

    Raises:
        OSError: one cannot be removed.
    """
    begin = f"{_STRAY}{_shortened(name)}-" if name else _STRAY
    for stray in folder.glob(f"{_STRAY}*"):
        with contextlib.suppress(FileNotFoundError):  # its writer has just finished
            if stray.name.startswith(begin) and not (old_only and time.time() - stray.lstat().st_mtime < _ABANDONED):
                if stray.is_symlink() or not stray.is_dir():
                    stray.unlink()
                elif old_only:
                    shutil.rmtree(stray)


def flush(path: Path) -> None:
    """Make a file's content, or a folder's entries, survive a power cut; Windows cannot flush folders.

    Raises:
        OSError: the disk reports an error.
    """
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def acquire_lock(path: Path, *, wait: float | None = None, mode: int = 0o600) -> int | None:
    """Take an exclusive lock between processes and threads.

    Args:
        path: the lock's file, made where it is missing and never removed.
        wait: seconds to wait for another holder; None waits until the lock is free.
        mode: the permissions of a new file.

    Returns:
        A descriptor. The lock is held until it is closed, in a child process that inherited it too; the end of a
        process closes it. None where another holder kept the lock for longer than `wait`.

    Raises:
        OSError: the file cannot be opened.
    """
    import filelock

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, mode)
    until = None if wait is None else time.monotonic() + wait
    try:
        while not filelock.lock_descriptor(descriptor, blocking=False):
            if until is not None and time.monotonic() >= until:
                os.close(descriptor)
                return None
            time.sleep(_POLL)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock during a block; see `acquire_lock`.

    Raises:
        OSError: the lock's file cannot be opened.
    """
    descriptor = acquire_lock(path)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def end_of(descriptor: int, *, limit: int = 1 << 16) -> bytes:
    """The last bytes of an open file, wherever it is being read or written; nothing where it is no file."""
    with contextlib.suppress(OSError):
        return os.pread(descriptor, limit, max(0, os.fstat(descriptor).st_size - limit))
    return b""


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's errors into one that names the file and says what to do.

    Raises:
        DiskError: the disk is full, read-only or not writable.
    """
    try:
        yield
    except OSError as error:
        named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else path
        if named.name.startswith(".") or named.parent.name.startswith("."):
            named = path  # a temporary file's name says nothing
        raise DiskError(f"{named} cannot be written: {_advice(error)}") from error


def _advice(error: OSError) -> str:
    permission = "no permission; change the folder's owner or set AURIA_HOME to another place"
    occupied = "a file is where a folder is needed; move it away"
    return {
        errno.ENOSPC: "the disk is full; free some space and try again",
        errno.EDQUOT: "your disk quota is used up; free some space and try again",
        errno.EROFS: "the disk is read-only; make it writable or set AURIA_HOME to another place",
        errno.EACCES: permission,
        errno.EPERM: permission,
        errno.ENOTDIR: occupied,
        errno.EEXIST: occupied,
        errno.EISDIR: "what is there is no file; choose another name",
    }.get(error.errno or 0, f"{error.strerror or error}; check the disk")
