"""Backups: each is a folder with a copy of the database, every picture, and a list of all files with their hashes.

    <folder>/auria-20261121T180000Z/backup.json     time, database, and each file's size and SHA-256
    <folder>/auria-20261121T180000Z/auria.db        or auria.dump for PostgreSQL
    <folder>/auria-20261121T180000Z/pictures/...    unchanged ones are hard links to the backup before

A backup appears complete or not at all. The database is copied first: pictures are stored before their draft is, so
none is missing. Secrets and settings are not included.

A backup may come from a stranger. Whatever its list says, only regular files are restored, and only the database and
`pictures/FOLDER/FILE`; each is copied into the home and compared with the list before anything is replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.errors import DiskError, InvalidTransition, NotFound, StoreError
from auria_bot.files import disk_errors, file_lock, flush, sha256_of, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auria_bot.domain.interfaces import Clock
    from auria_bot.store.dump import Dump

__all__ = ["Backup", "Backups", "Restored"]

_LIST = "backup.json"
_DATABASES = ("auria.db", "auria.dump")
_PICTURE = re.compile(r"pictures/[^./\\\x00-\x1f][^/\\\x00-\x1f]*/(?!\.\.?$)[^/\\\x00-\x1f]+")
_LIST_LIMIT = 256 << 20  # bytes of a list, for a million pictures
_NAME = re.compile(r"auria-(\d{8}T\d{6}Z)")
_STAMP = "%Y%m%dT%H%M%SZ"
_STAGING = ".staging-"
_RESTORING = ".restoring-"  # in the home
_LOCK = ".backups.lock"  # in the home
_SPARE = 50_000_000  # bytes that a backup leaves free
_CHUNK = 1 << 20  # bytes copied at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup, as described by its list."""

    folder: Path
    made_at: datetime  # aware, UTC
    database: str  # the name of the copy's file
    files: dict[str, tuple[int, str]] = field(repr=False)  # bytes and SHA-256, by path

    @property
    def size(self) -> int:
        """Bytes, including those shared with other backups."""
        return sum(size for size, _ in self.files.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The result of restoring a backup."""

    backup: Backup
    pictures: int  # restored ones, which were missing or different
    aside: Path | None  # where the earlier database is kept


class Backups:
    """The backups of one home.

    Usage::

        made = backups.make()
        backups.rotate()
        backups.restore(made.folder, force=True)
    """

    def __init__(self, *, home: Path, folder: Path, database: Dump, clock: Clock, daily: int, weekly: int) -> None:
        """`daily` and `weekly` are the days and weeks of which the newest backup is kept."""
        self._home, self.folder, self._database, self._clock = home, folder, database, clock
        self._daily, self._weekly = daily, weekly

    def list(self, folder: Path | None = None) -> Sequence[Backup]:
        """The backups in a folder, the newest first; incomplete ones are left out."""
        found = []
        for place in (folder or self.folder).glob("auria-*"):
            if _NAME.fullmatch(place.name):
                with suppress(StoreError, NotFound):
                    found.append(_read(place))
        return sorted(found, key=lambda backup: backup.made_at, reverse=True)

    def make(self, folder: Path | None = None) -> Backup:
        """Make a backup, verified.

        Raises:
            DiskError: there is not enough space; the unfinished backup is deleted.
            StoreError: the database cannot be copied.
        """
        with self._locked():
            return self._make(folder or self.folder)

    def _make(self, root: Path) -> Backup:
        now = self._clock().astimezone(UTC).replace(microsecond=0)
        target = root / f"auria-{now.strftime(_STAMP)}"
        earlier = next(iter(self.list(root)), None)
        staging = root / f"{_STAGING}{target.name}"
        with disk_errors(root), ExitStack() as tidy:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for stale in root.glob(f"{_STAGING}*"):
                shutil.rmtree(stale)
            if target.exists():
                raise InvalidTransition(f"{target} exists already; wait a second and try again")
            self._check_space(root, earlier)
            tidy.callback(shutil.rmtree, staging, ignore_errors=True)
            staging.mkdir(mode=0o700)
            self._database.save(staging / self._database.name)
            self._database.verify(staging / self._database.name)
            files = {self._database.name: _measured(staging / self._database.name)} | self._pictures(staging, earlier)
            listed: dict[str, Any] = {"made_at": now.isoformat(), "database": self._database.name, "files": files}
            write_json(staging / _LIST, listed)
            staging.rename(target)
        return _read(target)

    def rotate(self) -> tuple[Path, ...]:
        """Delete old backups: the newest of each of the last days and weeks stays, and always the newest of all."""
        if not self.folder.is_dir():
            return ()
        with self._locked():
            return self._rotate()

    def _rotate(self) -> tuple[Path, ...]:
        listed, now = self.list(), self._clock()
        # Backups dated by a clock that was ahead stay, and replace no others.
        found = [backup for backup in listed if backup.made_at <= now]
        kept = {backup.folder for backup in listed if backup.made_at > now} | {backup.folder for backup in found[:1]}
        for least, period in ((self._daily, "%Y-%m-%d"), (self._weekly, "%G-%V")):
            newest: dict[str, Path] = {}
            for backup in found:
                newest.setdefault(backup.made_at.strftime(period), backup.folder)
            kept |= set(list(newest.values())[:least])
        gone = tuple(backup.folder for backup in found if backup.folder not in kept)
        for place in gone:
            staged = place.with_name(f"{_STAGING}{place.name}")
            with disk_errors(place):
                place.rename(staged)
                shutil.rmtree(staged)
        return gone

    def verify(self, place: Path) -> Backup:
        """Read all of a backup and compare every file with its list.

        Raises:
            NotFound: there is no backup.
            StoreError: a file is missing, is no regular file, or differs.
        """
        backup = _read(place if place.is_dir() else place.parent)
        for name, expected in backup.files.items():
            file = backup.folder / name
            if not os.path.lexists(file):
                raise StoreError(f"{file} is missing; take another backup: {self._others(backup)}")
            if not _is_regular(backup.folder, name):
                raise StoreError(f"{file} is a link or no regular file; take another backup: {self._others(backup)}")
            if file.stat().st_size != expected[0] or sha256_of(file) != expected[1]:
                raise StoreError(f"{file} is damaged; take another backup: {self._others(backup)}")
        self._database.verify(backup.folder / backup.database)
        return backup

    def restore(self, place: Path, *, force: bool = False) -> Restored:
        """Restore a backup's database and pictures; pictures that are not in it stay.

        The place is the backup's folder, or a file in it; `force` overwrites a database, of which a copy is kept.

        Raises:
            NotFound: there is no backup.
            StoreError: it is incomplete, or of another kind of database; nothing was changed.
            InvalidTransition: the database is not empty, and `force` is not given.
            DiskError: the disk cannot be written.
        """
        backup = self.verify(place)
        stamp = self._clock().astimezone(UTC).strftime(_STAMP)
        aside = self._home / f"before-restore-{stamp}-{backup.database}"
        changed = self._changed(backup)
        with self._locked(), disk_errors(self._home):
            for stale in self._home.glob(f"{_RESTORING}*"):
                shutil.rmtree(stale)
            with tempfile.TemporaryDirectory(prefix=_RESTORING, dir=self._home) as staging:
                copies = _staged(backup, [backup.database, *changed], Path(staging))
                # The database first: it refuses to be overwritten before anything is changed.
                self._database.restore(copies[backup.database], force=force, aside=aside, named=place)
                for name in changed:
                    target = self._home / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    copies[name].replace(target)
                    flush(target.parent)
        return Restored(backup=backup, pictures=len(changed), aside=aside if aside.exists() else None)

    def _changed(self, backup: Backup) -> Sequence[str]:
        """The pictures that the home lacks, or has with other content."""
        found = []
        for name, (size, sha256) in backup.files.items():
            target = self._home / name
            if name == backup.database or (
                _is_regular(self._home / "pictures", name.partition("/")[2])
                and target.stat().st_size == size
                and sha256_of(target) == sha256
            ):
                continue
            if target.is_dir() or target.parent.is_symlink():
                raise StoreError(f"{target} cannot be replaced: its folder is a link, or it is a folder; move it away")
            found.append(name)
        return found

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let only one process make or rotate backups of this home, so that an unfinished backup is a stale one."""
        with disk_errors(self._home):
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            with file_lock(self._home / _LOCK):
                yield

    def _check_space(self, root: Path, earlier: Backup | None) -> None:
        known = earlier.files if earlier else {}
        needed = self._database.size + _SPARE
        for name, file in self._kept():
            with suppress(FileNotFoundError):  # a rejected draft's may be deleted meanwhile
                needed += file.stat().st_size if name not in known else 0
        free = shutil.disk_usage(root).free
        if free < needed:
            raise DiskError(
                f"{root}: a backup needs {needed / 1e6:.0f} MB and {free / 1e6:.0f} MB are free; free some space, or"
                " set maintenance.backup_folder to a folder on another disk"
            )

    def _kept(self) -> Sequence[tuple[str, Path]]:
        root = self._home / "pictures"
        files = (file for file in sorted(root.glob("[!.]*/*")) if file.is_file() and not file.is_symlink())
        return [(f"pictures/{file.parent.name}/{file.name}", file) for file in files]

    def _pictures(self, staging: Path, earlier: Backup | None) -> dict[str, tuple[int, str]]:
        files = {}
        for name, source in self._kept():
            target = staging / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # deleted meanwhile, too
                files[name] = _shared(source, target, earlier, name) or _copied(source, target)
        return files

    def _others(self, backup: Backup) -> str:
        names = [other.folder.name for other in self.list(backup.folder.parent) if other.folder != backup.folder]
        return ", ".join(names[:5]) or "there is no other"


def _read(place: Path) -> Backup:
    """A backup's list."""
    if not (place / _LIST).exists():
        raise NotFound(f"{place} is no backup: it has no {_LIST}; auria db backups lists them")
    if not _is_regular(place, _LIST) or (place / _LIST).stat().st_size > _LIST_LIMIT:
        raise StoreError(f"{place / _LIST} is a link, no regular file, or too long; take another backup")
    try:
        value = json.loads((place / _LIST).read_text(encoding="utf-8"))
        files = {str(name): (int(size), str(sha256)) for name, (size, sha256) in value["files"].items()}
        backup = Backup(
            folder=place,
            made_at=datetime.fromisoformat(value["made_at"]).astimezone(UTC),
            database=value["database"],
            files=files,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise StoreError(f"{place / _LIST} cannot be read ({error}); take another backup") from None
    if backup.database not in _DATABASES or backup.database not in files:
        raise StoreError(f"{place / _LIST} names no database of a backup; take another backup")
    for name in files:
        if name != backup.database and not _PICTURE.fullmatch(name):
            raise StoreError(f"{place / _LIST} names {name[:80]!r}, which no backup contains; take another backup")
    return backup


def _is_regular(folder: Path, name: str) -> bool:
    """Whether a path in a folder is a regular file that no link leads to."""
    path = folder
    for part in Path(name).parts:
        path /= part
        if path.is_symlink():
            return False
    return path.is_file()


def _staged(backup: Backup, names: Sequence[str], staging: Path) -> dict[str, Path]:
    """Copies of a backup's files, each compared with the list while it was read."""
    copies = {}
    for number, name in enumerate(names):
        copy = staging / str(number)
        if not _is_regular(backup.folder, name) or _copied(backup.folder / name, copy) != backup.files[name]:
            raise StoreError(f"{backup.folder / name} changed while it was read; take another backup")
        copies[name] = copy
    return copies


def _shared(source: Path, target: Path, earlier: Backup | None, name: str) -> tuple[int, str] | None:
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


def _copied(source: Path, target: Path) -> tuple[int, str]:
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


def _measured(file: Path) -> tuple[int, str]:
    return file.stat().st_size, sha256_of(file)
