"""Writes a file in one stroke, by one writer at a time: others see it as it was or as it is, and nothing is lost between.

Knows files; does not know what stands in them.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["file_lock", "write", "write_atomic"]


@contextlib.contextmanager
def file_lock(lock: Path) -> Iterator[None]:
    """Be the only one who holds this lock, in this process and in others; a killed one lets go.

    Raises:
        OSError: the lock's file cannot be made.
    """
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_atomic(file: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Put a content in a file's place: a reader sees the old file or the new one, never half of it.

    Args:
        file: whose folder is there.
        content: all of it.
        mode: the file's permissions, which it has from its first moment on.
        durable: be sure that the content is on the disk before it takes the file's place; what can be made anew need not be.

    Raises:
        OSError: it cannot be written; what stood there stands there still.
    """
    handle, scratch = tempfile.mkstemp(dir=file.parent, prefix=_scratch(file))  # made with 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        if mode != 0o600:
            Path(scratch).chmod(mode)
        Path(scratch).replace(file)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def write(file: Path, text: str, *, mode: int = 0o600) -> None:
    """Put a text in a file's place, and be sure that it stays there; who writes must be `alone`.

    A link is followed: it leads to where its owner really keeps the file, such as an encrypted disk.

    Args:
        file: whose folder is there.
        text: written as UTF-8, its line ends as they are.
        mode: the file's permissions, which it has from its first moment on.

    Raises:
        OSError: it cannot be written; what stood there stands there still.
    """
    file = Path(os.path.realpath(file))
    for stray in file.parent.glob(f"{_scratch(file)}*"):  # of a writer that was killed
        stray.unlink(missing_ok=True)
    write_atomic(file, text.encode(), mode=mode)
    if sys.platform != "win32":
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _scratch(file: Path) -> str:
    return f".new-{file.name}-"
