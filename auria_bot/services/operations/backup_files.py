"""The files of a backup: its list, and copies that are compared with it.

A backup may come from a stranger. Whatever its list says, only regular files are read, and only the database and what
`backup_contents` accepts.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.errors import NotFound, StoreError
from auria_bot.files import atomic_path, flush, sha256_of
from auria_bot.services.operations.backup_contents import is_accepted

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "LIST",
    "REPLACED",
    "STAGING",
    "UNFINISHED",
    "Backup",
    "copied",
    "is_regular",
    "measured",
    "placed",
    "read_backup",
    "shared",
    "staged",
    "sweep",
    "unfinished_restore",
]

LIST = "backup.json"
"""The file that describes a backup."""

UNFINISHED = ".restoring.json"
"""The file in the home that is there from the moment a restore replaces the database until it is done."""

STAGING = ".staging-"
"""What the name of an unfinished backup begins with, before that of the finished one."""

REPLACED = ".replaced-"
"""What the name of a backup begins with whose new version is being put in its place."""

_DATABASES = ("auria.db", "auria.dump")
_LIST_LIMIT = 256 << 20  # bytes of a list, for a million pictures
_CHUNK = 1 << 20  # bytes copied at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup, as described by its list."""

    folder: Path
    made_at: datetime  # aware, UTC
    database: str  # the name of the copy's file
    files: dict[str, tuple[int, str]] = field(repr=False)  # bytes and SHA-256, by path
    by_hand: bool = False  # made by the operator's command, not by the daemon
    drafts: int = 0  # in the database
    faults: tuple[str, ...] = ()  # of the state it was made of; such a backup replaces no other

    @property
    def size(self) -> int:
        """Bytes, including those shared with other backups."""
        return sum(size for size, _ in self.files.values())


def read_backup(place: Path) -> Backup:
    """A backup, from its list.

    Raises:
        NotFound: there is no backup.
        StoreError: its list cannot be read, or names what no backup contains.
    """
    if not os.path.lexists(place):
        raise NotFound(f"there is no {place}; auria db backups lists the backups")
    if not (place / LIST).exists():
        raise NotFound(f"{place} is no backup: it has no {LIST}; auria db backups lists them")
    if not is_regular(place, LIST) or (place / LIST).stat().st_size > _LIST_LIMIT:
        raise StoreError(f"{place / LIST} is a link, no regular file, or too long; take another backup")
    try:
        value = json.loads((place / LIST).read_text(encoding="utf-8"))
        files = {str(name): (int(size), str(sha256)) for name, (size, sha256) in value["files"].items()}
        backup = Backup(
            folder=place,
            made_at=datetime.fromisoformat(value["made_at"]).astimezone(UTC),
            database=value["database"],
            files=files,
            by_hand=value.get("by_hand") is True,
            drafts=int(value.get("drafts", 0)),
            faults=tuple(str(fault)[:300] for fault in value.get("faults", ())[:20]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise StoreError(f"{place / LIST} cannot be read ({error}); take another backup") from None
    if backup.database not in _DATABASES or backup.database not in files:
        raise StoreError(f"{place / LIST} names no database of a backup; take another backup")
    for name in files:
        if name != backup.database and not is_accepted(name):
            raise StoreError(f"{place / LIST} names {name[:80]!r}, which no backup contains; take another backup")
    return backup


def unfinished_restore(home: Path) -> dict[str, Any]:
    """What a restore that goes on, or was interrupted, noted: its `folder`, and what was forgotten; empty if none."""
    try:
        found = json.loads((home / UNFINISHED).read_text(encoding="utf-8"))
        return {"folder": str(found["folder"]), "keys": dict(found["keys"]), "digests": list(found["digests"])}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError):  # a power cut may leave it empty
        return {"folder": "FOLDER", "keys": {}, "digests": []}


def is_regular(folder: Path, name: str) -> bool:
    """Whether a path in a folder is a regular file that no link leads to."""
    path = folder
    for part in Path(name).parts:
        path /= part
        if path.is_symlink():
            return False
    return path.is_file()


def staged(backup: Backup, names: Sequence[str], staging: Path) -> dict[str, Path]:
    """Copies of a backup's files, each compared with the list while it was read."""
    copies = {}
    for number, name in enumerate(names):
        copy = staging / str(number)
        if not is_regular(backup.folder, name) or copied(backup.folder / name, copy) != backup.files[name]:
            raise StoreError(f"{backup.folder / name} changed while it was read; take another backup")
        copies[name] = copy
    return copies


def shared(source: Path, target: Path, earlier: Backup | None, name: str) -> tuple[int, str] | None:
    """Link a file to the backup before; None where that does not have it unchanged."""
    known = earlier.files.get(name) if earlier else None
    if earlier is None or known is None:
        return None
    before, now = earlier.folder / name, source.stat()
    try:
        then = before.stat()
        if (then.st_size, then.st_mtime_ns) != (now.st_size, now.st_mtime_ns) or then.st_size != known[0]:
            return None
        os.link(before, target)
    except OSError:  # some file systems have no hard links
        return None
    return known


def copied(source: Path, target: Path) -> tuple[int, str]:
    """Copy a file with its time, flushed to the disk; its size and hash."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as read, target.open("wb") as written:
        while chunk := read.read(_CHUNK):
            written.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    flush(target)
    status = source.stat()
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    target.chmod(stat.S_IMODE(status.st_mode) & 0o644 | 0o600)
    return size, digest.hexdigest()


def placed(source: Path, target: Path) -> None:
    """Move a file into place, also onto another disk; there is the old one or the new one at any time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with atomic_path(target, mode=stat.S_IMODE(source.stat().st_mode), durable=False) as scratch:
            copied(source, scratch)
    flush(target.parent)


def measured(file: Path) -> tuple[int, str]:
    """The bytes and the SHA-256 of a file."""
    return file.stat().st_size, sha256_of(file)


def sweep(root: Path) -> None:
    """Finish or undo the replacement of a backup that was interrupted, and delete what else was left half written."""
    for old in root.glob(f"{REPLACED}auria-*"):
        place = root / old.name.removeprefix(REPLACED)
        fresh = root / f"{STAGING}{place.name}"
        if not place.exists() and (fresh / LIST).is_file():  # the list is written last: the new version is complete
            fresh.rename(place)
        if place.exists():
            shutil.rmtree(old)
        else:
            old.rename(place)
    for stale in root.glob(f"{STAGING}auria-*"):  # the folder may be the operator's, with other things
        shutil.rmtree(stale)
