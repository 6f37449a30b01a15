"""Backups: each is a folder with a copy of the database, its files, and a list of all with their hashes.

    <folder>/auria-20261121T180000Z/backup.json     time, database, and each file's size and SHA-256
    <folder>/auria-20261121T180000Z/auria.db        or auria.dump for PostgreSQL
    <folder>/auria-20261121T180000Z/pictures/...    unchanged ones are hard links to the backup before
    <folder>/auria-20261121T180000Z/visitors, ratings, registry    likewise; see backup_contents

A backup appears complete or not at all. The database is copied first: pictures are stored before their draft is, so
none is missing. Secrets and settings are not included.

A backup may come from a stranger. Whatever its list says, only regular files are restored, and only the database and
what `backup_contents` accepts; each is copied into the home and compared with the list, and records are checked, before
anything is replaced.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from auria_bot.errors import AuriaError, DiskError, InvalidTransition, NotFound, RestoreBroken, StoreError
from auria_bot.files import disk_errors, file_lock, flush, sha256_of, write_json
from auria_bot.services.operations.backup_contents import ModelFiles, check_record, contents
from auria_bot.services.operations.backup_files import (
    LIST,
    REPLACED,
    STAGING,
    UNFINISHED,
    Backup,
    copied,
    is_regular,
    measured,
    placed,
    read_backup,
    shared,
    staged,
    sweep,
)
from auria_bot.services.visitors.works import removed_works

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from auria_bot.domain.interfaces import Clock
    from auria_bot.store.dump import Dump

__all__ = ["Backups", "Inspect", "Progress", "Restored", "State", "retained"]

_NAME = re.compile(r"auria-(\d{8}T\d{6}Z)")
_STAMP = "%Y%m%dT%H%M%SZ"
_SCRATCH = ".restoring-"  # in the home
_LOCK = ".backups.lock"  # in the home
_SPARE = 50_000_000  # bytes that a backup leaves free


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The state that a backup was made of."""

    drafts: int = 0
    faults: tuple[str, ...] = ()  # what is missing or damaged in it


Inspect: TypeAlias = "Callable[[Mapping[str, tuple[int, str]], Backup | None], State]"
"""From the files of a new backup, and the newest sound one before it, the state that it was made of."""

Progress: TypeAlias = "Callable[[int, int, str], None]"
"""Is called with how many are done, how many there are, and what comes next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The result of restoring a backup."""

    backup: Backup
    files: tuple[str, ...]  # restored ones beside the database, which were missing or different
    aside: Path | None  # where the earlier database is kept

    @property
    def pictures(self) -> int:
        """How many pictures of drafts were restored."""
        return sum(name.startswith("pictures/") for name in self.files)


class Backups:
    """The backups of one home.

    Usage::

        made = backups.make(by_hand=True)
        backups.rotate(keep={last_restored})
        backups.restore(made.folder, force=True)
    """

    def __init__(
        self,
        *,
        home: Path,
        folder: Path,
        database: Dump,
        clock: Clock,
        daily: int,
        weekly: int,
        models: ModelFiles = ModelFiles.IN_SERVICE,
    ) -> None:
        """`daily` and `weekly` are the days and weeks of which the newest backup is kept."""
        self._home, self.folder, self._database, self._clock = home, folder, database, clock
        self._daily, self._weekly, self._models = daily, weekly, models

    def list(self, folder: Path | None = None) -> Sequence[Backup]:
        """The backups in a folder, the newest first; incomplete ones are left out."""
        found = []
        for place in (folder or self.folder).glob("auria-*"):
            if _NAME.fullmatch(place.name):
                with suppress(StoreError, NotFound):
                    found.append(read_backup(place))
        return sorted(found, key=lambda backup: backup.made_at, reverse=True)

    def make(
        self,
        folder: Path | None = None,
        *,
        by_hand: bool = False,
        inspect: Inspect | None = None,
        progress: Progress = lambda _done, _total, _name: None,
    ) -> Backup:
        """Make a backup, verified.

        Args:
            folder: where; the usual folder by default.
            by_hand: made by the operator: it is kept as long as daily backups are.
            inspect: says what is wrong with the state; a backup of such a state replaces no other.
            progress: is called with the files that are done, all files, and what comes next.

        Raises:
            DiskError: there is not enough space; the unfinished backup is deleted.
            StoreError: the database cannot be copied.
        """
        with self._locked():
            return self._make(folder or self.folder, by_hand=by_hand, inspect=inspect, progress=progress)

    def _make(self, root: Path, *, by_hand: bool, inspect: Inspect | None, progress: Progress) -> Backup:
        now = self._clock().astimezone(UTC).replace(microsecond=0)
        target = root / f"auria-{now.strftime(_STAMP)}"
        listed = self.list(root)
        earlier = next(iter(listed), None)
        with disk_errors(root), ExitStack() as tidy:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            sweep(root)
            if target.exists():
                raise InvalidTransition(f"{target} exists already; wait a second and try again")
            self._check_space(root, earlier)
            staging = root / f"{STAGING}{target.name}"
            tidy.callback(shutil.rmtree, staging, ignore_errors=True)
            staging.mkdir(mode=0o700)
            progress(0, 1, self._database.name)
            self._database.save(staging / self._database.name)
            self._database.verify(staging / self._database.name)
            files = {self._database.name: measured(staging / self._database.name)}
            files |= self._copies(staging, earlier, progress)
            sound = next((backup for backup in listed if not backup.faults), None)
            state = inspect(files, sound) if inspect is not None else State()
            value: dict[str, Any] = {
                "made_at": now.isoformat(),
                "database": self._database.name,
                "by_hand": by_hand,
                "drafts": state.drafts,
                "faults": list(state.faults),
                "files": files,
            }
            write_json(staging / LIST, value)
            staging.rename(target)
        return read_backup(target)

    def rotate(self, *, keep: Collection[Path] = ()) -> tuple[Path, ...]:
        """Delete old backups, after the newest sound one was verified; those in `keep` stay.

        Of each of the last days and weeks the newest sound one stays, those made by hand in these days, always the
        newest of all, and of those with faults the newest of each day since the newest sound one.

        Raises:
            StoreError: the newest sound backup is damaged; nothing was deleted.
        """
        if not self.folder.is_dir():
            return ()
        with self._locked():
            return self._rotate(keep)

    def _rotate(self, keep: Collection[Path]) -> tuple[Path, ...]:
        listed, now = self.list(), self._clock()
        # Backups dated by a clock that was ahead stay, and replace no others.
        found = [backup for backup in listed if backup.made_at <= now]
        kept = retained(found, daily=self._daily, weekly=self._weekly) | set(keep)
        gone = tuple(backup.folder for backup in found if backup.folder not in kept)
        if gone and (sound := next((backup for backup in found if not backup.faults), None)):
            self.verify(sound.folder)
        for place in gone:
            hidden = place.with_name(f"{STAGING}{place.name}")
            with disk_errors(place):
                place.rename(hidden)
                shutil.rmtree(hidden)
        return gone

    def replace_database(self, backup: Backup, rewrite: Callable[[Path, Path], None]) -> None:
        """Give a backup another copy of its database; `rewrite` writes it, from the present one's path.

        Raises:
            StoreError: it cannot be written; the backup is unchanged.
            DiskError: the disk cannot be written.
        """
        place = backup.folder
        staging, old = place.with_name(f"{STAGING}{place.name}"), place.with_name(f"{REPLACED}{place.name}")
        with self._locked(), disk_errors(place), ExitStack() as tidy:
            sweep(place.parent)
            tidy.callback(shutil.rmtree, staging, ignore_errors=True)
            staging.mkdir(mode=0o700)
            for name in backup.files:
                if name != backup.database:
                    (staging / name).parent.mkdir(parents=True, exist_ok=True)
                    if shared(place / name, staging / name, backup, name) is None:
                        copied(place / name, staging / name)
            rewrite(place / backup.database, staging / backup.database)
            self._database.verify(staging / backup.database)
            value = json.loads((place / LIST).read_text(encoding="utf-8"))
            value["files"][backup.database] = measured(staging / backup.database)
            write_json(staging / LIST, value)
            place.rename(old)
            staging.rename(place)
            shutil.rmtree(old)

    def replace_copy(self, file: Path, rewrite: Callable[[Path, Path], None]) -> None:
        """The same for a database that a restore kept aside.

        Raises:
            StoreError: it cannot be written; the file is unchanged.
            DiskError: the disk cannot be written.
        """
        with self._scratch() as staging:
            rewrite(file, staging / file.name)
            (staging / file.name).replace(file)
            flush(file.parent)

    def verify(self, place: Path) -> Backup:
        """Read all of a backup and compare every file with its list.

        Raises:
            NotFound: there is no backup.
            StoreError: a file is missing, is no regular file, or differs.
        """
        backup = read_backup(place.parent if place.is_file() else place)
        for name, expected in backup.files.items():
            file = backup.folder / name
            if not os.path.lexists(file):
                raise StoreError(f"{file} is missing; take another backup: {self._others(backup)}")
            if not is_regular(backup.folder, name):
                raise StoreError(f"{file} is a link or no regular file; take another backup: {self._others(backup)}")
            if file.stat().st_size != expected[0] or sha256_of(file) != expected[1]:
                raise StoreError(f"{file} is damaged; take another backup: {self._others(backup)}")
        self._database.verify(backup.folder / backup.database)
        return backup

    def restore(self, place: Path, *, force: bool = False, note: Mapping[str, Any] | None = None) -> Restored:
        """Restore a backup's database and files; files that are not in it stay.

        The place is the backup's folder, or a file in it; `force` overwrites a database, of which a copy is kept. With
        a `note` for `unfinished_restore`, nothing is published from now on until the caller removes UNFINISHED.

        Raises:
            NotFound: there is no backup.
            StoreError: it is incomplete, of another kind of database, or of another registry; nothing was changed.
            InvalidTransition: the database is not empty, and `force` is not given.
            DiskError: the disk cannot be written.
        """
        backup = self.verify(place)
        stamp = self._clock().astimezone(UTC).strftime(_STAMP)
        aside = self._home / f"before-restore-{stamp}-{backup.database}"
        changed = self._changed(backup)
        with self._scratch() as staging:
            copies = staged(backup, [backup.database, *changed], staging)
            for name in changed:
                check_record(name, copies[name])
                self._check_version(name, copies[name])
            # The database first: it refuses to be overwritten before anything is changed.
            is_new = note is not None and not (self._home / UNFINISHED).exists()
            if note is not None:
                write_json(self._home / UNFINISHED, {"folder": str(backup.folder), **note})
            try:
                self._database.restore(copies[backup.database], force=force, aside=aside, named=place)
            except RestoreBroken:
                raise
            except AuriaError:  # the database is as it was
                if is_new:
                    (self._home / UNFINISHED).unlink()
                raise
            for name in changed:
                placed(copies[name], self._home / name)
        return Restored(backup=backup, files=tuple(changed), aside=aside if aside.exists() else None)

    def _changed(self, backup: Backup) -> Sequence[str]:
        """The files that the home lacks, or has with other content, without artworks that their visitors deleted."""
        found, removed = [], removed_works(self._home / "visitors")
        for name, (size, sha256) in backup.files.items():
            if name == backup.database or (name.startswith("visitors/") and name.split("/")[1] in removed):
                continue
            target, (top, _, rest) = self._home / name, name.partition("/")
            if is_regular(self._home / top, rest) and target.stat().st_size == size and sha256_of(target) == sha256:
                continue
            folders = [self._home / top / part for part in list(Path(rest).parents)[:-1]]
            if target.is_dir() or any(folder.is_symlink() for folder in folders):
                raise StoreError(f"{target} cannot be replaced: its folder is a link, or it is a folder; move it away")
            found.append(name)
        return found

    def _check_version(self, name: str, copy: Path) -> None:
        """Refuse the record of a model's version where the home has another version of that name."""
        target = self._home / name
        if not (name.startswith("registry/") and name.endswith("/version.json")) or not target.is_file():
            return
        with suppress(ValueError, KeyError, TypeError):  # a damaged record in the home is replaced
            if json.loads(target.read_bytes())["sha256"] != json.loads(copy.read_bytes())["sha256"]:
                raise StoreError(
                    f"{target.parent} is another version than that of the backup; move {self._home / 'registry'} away"
                )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let only one process make or rotate backups of this home, so that an unfinished backup is a stale one."""
        with disk_errors(self._home):
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            with file_lock(self._home / _LOCK):
                yield

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """A folder in the home for copies, alone; those that killed processes left are deleted."""
        with self._locked(), disk_errors(self._home):
            for stale in self._home.glob(f"{_SCRATCH}*"):
                shutil.rmtree(stale)
            with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=self._home) as folder:
                yield Path(folder)

    def _check_space(self, root: Path, earlier: Backup | None) -> None:
        known = earlier.files if earlier else {}
        needed = self._database.size + _SPARE
        for name, file in contents(self._home, self._models):
            with suppress(FileNotFoundError):  # a rejected draft's may be deleted meanwhile
                needed += file.stat().st_size if name not in known else 0
        free = shutil.disk_usage(root).free
        if free < needed:
            raise DiskError(
                f"{root}: a backup needs {needed / 1e6:.0f} MB and {free / 1e6:.0f} MB are free; free some space, or"
                " set maintenance.backup_folder to a folder on another disk"
            )

    def _copies(self, staging: Path, earlier: Backup | None, progress: Progress) -> dict[str, tuple[int, str]]:
        files, found = {}, contents(self._home, self._models)
        for number, (name, source) in enumerate(found, start=1):
            progress(number, 1 + len(found), name)
            target = staging / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # deleted meanwhile, too
                files[name] = shared(source, target, earlier, name) or copied(source, target)
        return files

    def _others(self, backup: Backup) -> str:
        names = [other.folder.name for other in self.list(backup.folder.parent) if other.folder != backup.folder]
        return ", ".join(names[:5]) or "there is no other"


def retained(found: Sequence[Backup], *, daily: int, weekly: int) -> set[Path]:
    """Which backups (the newest first) a rotation keeps, for that many days and weeks."""
    kept = {backup.folder for backup in found[:1]}
    sound = [backup for backup in found if not backup.faults]
    faulty = [backup for backup in found if backup.faults and (not sound or backup.made_at > sound[0].made_at)]
    days: list[str] = []
    for chosen, least, period in ((sound, daily, "%Y-%m-%d"), (sound, weekly, "%G-%V"), (faulty, daily, "%Y-%m-%d")):
        newest: dict[str, Path] = {}
        for backup in chosen:
            newest.setdefault(backup.made_at.strftime(period), backup.folder)
        kept |= set(list(newest.values())[:least])
        days = days or list(newest)[:least]
    return kept | {
        backup.folder for backup in found if backup.by_hand and days and f"{backup.made_at:%Y-%m-%d}" >= days[-1]
    }
