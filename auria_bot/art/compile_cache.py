"""Keeps what a runtime compiled, so that the next cold process need not compile it again.

Files hold their own SHA-256 and are written atomically: a damaged or half-written one is never used. A cache that cannot be written
is no reason to stop. Off until `keep_in` names a folder. Knows bytes; does not know what is in them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from typing import TYPE_CHECKING

from auria_bot import files

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_on", "keep_in", "read", "write"]

_STALE = 30 * 86_400.0  # seconds after which a file that was not used is cleared away
_FOLDER: list[Path] = []
"""The folder, when there is one: what a process computes with does not change while it runs."""


def keep_in(folder: Path | None) -> None:
    """Keep compiled nets in a folder from now on; None stops it."""
    _FOLDER[:] = [] if folder is None else [folder]


def is_on() -> bool:
    """Whether anything is kept."""
    return bool(_FOLDER)


def read(key: str) -> bytes | None:
    """What was kept under a key; None where there is nothing whole."""
    for folder in _FOLDER:
        with contextlib.suppress(OSError):
            path = folder / f"{key}.compiled"
            data = path.read_bytes()
            if hashlib.sha256(data[32:]).digest() == data[:32]:
                os.utime(path)
                return data[32:]
    return None


def write(key: str, data: bytes) -> None:
    """Keep something under a key, and clear away what has not been used for long."""
    for folder in _FOLDER:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.iterdir():
                if time.time() - old.stat().st_mtime > _STALE:
                    old.unlink(missing_ok=True)
            files.write_atomic(folder / f"{key}.compiled", hashlib.sha256(data).digest() + data, durable=False)
