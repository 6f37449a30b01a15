"""Maintenance of the home: free disk space, deletion of what is old and unused, and checks of what is stored.

Deleted are pictures of drafts rejected long ago (their text stays), unfinished runs, crash logs, databases that a
restore kept aside, lines of rejected verse, and files left half written. Nothing that is published, approved or waiting
is ever touched. Copies of the database that still hold what was forgotten (backups, and files kept aside by a restore)
can be rewritten without these texts; a restore needs none of this: what was forgotten is forgotten again.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.domain.draft import DraftState
from auria_bot.errors import AuriaError, DiskError, InvalidTransition, StorageAway
from auria_bot.store.rejected import Forgotten, ForgottenVerses, forgotten_in_dump, held_in_dump

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from contextlib import AbstractContextManager

    from auria_bot.domain.interfaces import Clock
    from auria_bot.services.operations.backups import Backups
    from auria_bot.services.studio.run_store import RunStore
    from auria_bot.store.dump import Dump
    from auria_bot.store.files import Pictures
    from auria_bot.store.unit_of_work import Store

__all__ = ["CleanupResult", "Copies", "DiskSpace", "Erasure", "Maintenance", "Rewritten", "disk_space_at"]

_FULL = 100_000_000  # free bytes below which work is about to fail
_MARGIN = 1.25  # times the least free bytes, below which the disk is neither filling nor surely not
_LOG_AGE = timedelta(days=90)
_ASIDE_AGE = timedelta(days=30)  # after a restore, of the database before it
_ASIDE = re.compile(r"before-restore-(\d{8}T\d{6}Z)-.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpace:
    """The space on a disk."""

    free: int  # bytes
    total: int
    filling: bool  # the operator should know
    tight: bool = False  # not filling, but close to it
    full: bool  # work is about to fail


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupResult:
    """What was deleted, or would be."""

    pictures: tuple[str, ...] = ()  # folders of rejected drafts
    runs: tuple[str, ...] = ()  # unfinished ones
    logs: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()  # databases kept by a restore
    texts: int = 0  # rejected verses whose lines were deleted
    staging: int = 0  # folders left half written by killed processes
    size: int = 0  # bytes
    failed: tuple[str, ...] = ()  # what could not be deleted, and why


class Maintenance:
    """Maintains one home.

    Usage::

        maintenance.tidy(dry_run=True).size
        maintenance.check()  # () when all is well
        maintenance.disk_space().filling
    """

    def __init__(
        self,
        *,
        home: Path,
        store: Store,
        pictures: Pictures,
        copies: Path,
        workspace: RunStore,
        database: Dump,
        clock: Clock,
        rejected_days: float,
        runs_days: float,
        texts_days: float,
        least_free: int,
    ) -> None:
        """Days are counted from the rejection and from the last write; below `least_free` bytes the disk is filling.

        `copies` has a folder of smaller copies for each picture, named by its hash.
        """
        self._home, self._store, self._pictures, self._workspace = home, store, pictures, workspace
        self._copies = copies
        self._database, self._clock, self._least_free = database, clock, least_free
        self._rejected, self._runs = timedelta(days=rejected_days), timedelta(days=runs_days)
        self._texts = timedelta(days=texts_days)

    def disk_space(self) -> DiskSpace:
        """The space on the home's disk.

        Raises:
            DiskError: the disk cannot be read.
        """
        return disk_space_at(self._home, least_free=self._least_free)

    def tidy(self, *, dry_run: bool = False) -> CleanupResult:
        """Delete what is old and unused, and record it in the journal.

        A dry run only reports what would be deleted.
        """
        failed = list[str]()
        pictures, pictures_size = self._tidy_pictures(failed, dry_run=dry_run)
        runs, runs_size = self._tidy_runs(failed, dry_run=dry_run)
        logs, logs_size = self._tidy_logs(dry_run=dry_run)
        aside, aside_size = self._tidy_aside(dry_run=dry_run)
        freed = pictures_size + runs_size + logs_size + aside_size
        staging, texts = 0, 0
        if not dry_run:
            staging = self._pictures.sweep()
            with self._store.begin() as unit:
                texts = unit.rejected.age_out(self._clock() - self._texts)
        done = CleanupResult(
            pictures=pictures,
            runs=runs,
            logs=logs,
            aside=aside,
            texts=texts,
            staging=staging,
            size=freed,
            failed=tuple(failed),
        )
        if not dry_run and (pictures or runs or logs or aside or texts or staging):
            details = f"{len(pictures)} pictures, {len(runs)} runs, {len(logs)} logs, {freed / 1e6:.1f} MB"
            with self._store.begin() as unit:
                unit.journal.note("tidy", details=details, at=self._clock())
        return done

    def check(self) -> tuple[str, ...]:
        """Faults of what is stored: of the database, then of every picture still in use, by its hash.

        Of pictures in a bucket, hashes are those of the listing; a storage that is away is the only fault then.

        Raises:
            StoreError: the database cannot be read at all.
        """
        faults = list(self._database.faults())
        if faults:
            return tuple(faults)
        with self._store.read() as unit:
            drafts = unit.drafts.list([state for state in DraftState if state is not DraftState.REJECTED])
        for draft in reversed(drafts):
            try:
                for kind, file in draft.artwork.files.items():
                    self._pictures.check(draft.folder, file.name, draft.picture_sha256 if kind == "post" else "")
            except StorageAway as error:
                return (str(error),)
            except AuriaError as error:
                faults.append(f"draft {draft.id}: {error}")
        return tuple(faults)

    def _tidy_pictures(self, failed: list[str], *, dry_run: bool) -> tuple[tuple[str, ...], int]:
        before = self._clock() - self._rejected
        sizes = self._pictures.sizes()
        with self._store.read() as unit:
            drafts = unit.drafts.list([DraftState.REJECTED])
        gone, freed = [], 0
        for draft in drafts:
            if draft.folder not in sizes or (draft.decided_at or draft.made_at) >= before:
                continue
            try:
                if not dry_run:
                    self._pictures.remove(draft.folder)
                    shutil.rmtree(self._copies / draft.picture_sha256, ignore_errors=True)
            except AuriaError as error:
                failed.append(str(error))
                continue
            gone.append(draft.folder)
            freed += sizes[draft.folder]
        return tuple(gone), freed

    def _tidy_runs(self, failed: list[str], *, dry_run: bool) -> tuple[tuple[str, ...], int]:
        """Delete unfinished runs last written long ago that no process works on; their names and bytes."""
        before = self._clock() - self._runs
        gone, freed = [], 0
        for name in self._workspace.local_names():
            folder = self._workspace.root / name
            files = _seen(Path(parent, file) for parent, _, names in os.walk(folder) for file in names)
            if any(_written(status) >= before for file, status in files if file.name != "lock"):
                continue
            size = sum(status.st_size for _, status in files)
            try:
                self._workspace.discard(name, wait=0.0, dry_run=dry_run)
            except InvalidTransition:
                continue  # a process works on it
            except AuriaError as error:
                failed.append(str(error))
                continue
            gone.append(name)
            freed += size
        return tuple(gone), freed

    def _tidy_logs(self, *, dry_run: bool) -> tuple[tuple[str, ...], int]:
        before = self._clock() - _LOG_AGE
        files = _seen(sorted((self._home / "logs").glob("*")))
        return _removed([one for one in files if _written(one[1]) < before], dry_run=dry_run)

    def _tidy_aside(self, *, dry_run: bool) -> tuple[tuple[str, ...], int]:
        """Delete the databases that restores kept aside a month ago, with their journal files."""
        before = self._clock() - _ASIDE_AGE
        old = [
            (file, status)
            for file, status in _seen(sorted(self._home.glob("before-restore-*")))
            if (found := _ASIDE.fullmatch(file.name)) and _stamped(found[1]) < before
        ]
        return _removed(old, dry_run=dry_run)


def disk_space_at(home: Path, *, least_free: int) -> DiskSpace:
    """The space on a folder's disk, whether the folder exists or not.

    Below `least_free` bytes it counts as filling.

    Raises:
        DiskError: the disk cannot be read.
    """
    existing = next((folder for folder in (home, *home.parents) if folder.exists()), home)
    try:
        usage = shutil.disk_usage(existing)
    except OSError as error:
        raise DiskError(f"{existing} cannot be read: {error.strerror or error}; is its disk mounted?") from error
    filling = usage.free < least_free
    tight = not filling and usage.free < _MARGIN * least_free
    return DiskSpace(free=usage.free, total=usage.total, filling=filling, tight=tight, full=usage.free < _FULL)


def _seen(files: Iterable[Path]) -> list[tuple[Path, os.stat_result]]:
    """The regular files with their status; those that vanish meanwhile, or cannot be looked at, are left out."""
    found = []
    for file in files:
        with contextlib.suppress(OSError):
            status = file.stat()
            if stat.S_ISREG(status.st_mode):
                found.append((file, status))
    return found


def _removed(files: Sequence[tuple[Path, os.stat_result]], *, dry_run: bool) -> tuple[tuple[str, ...], int]:
    """Delete files; their names and bytes."""
    for file, _ in files if not dry_run else ():
        file.unlink(missing_ok=True)
    return tuple(file.name for file, _ in files), sum(status.st_size for _, status in files)


def _written(status: os.stat_result) -> datetime:
    return datetime.fromtimestamp(status.st_mtime, tz=UTC)


def _stamped(stamp: str) -> datetime:
    """The time in a file's name; a name that is no time never becomes old."""
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """The copies that hold a text, and those that could not be read."""

    holding: tuple[Path, ...] = ()  # folders of backups, and files
    unreadable: tuple[str, ...] = ()  # each with the reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """The copies that were rewritten, and those that could not be."""

    done: tuple[Path, ...] = ()
    failed: tuple[str, ...] = ()  # each with the reason


class Erasure:
    """Finds forgotten texts in copies of one database, and deletes them there.

    Usage::

        found = erasure.copies(keys=[...], digests=[...])
        erasure.rewrite(found.holding)
    """

    def __init__(
        self, *, home: Path, backups: Backups, database: Dump, open_store: Callable[[], AbstractContextManager[Store]]
    ) -> None:
        self._home, self._backups, self._database, self._open_store = home, backups, database, open_store

    def forgotten(self, *, since: datetime) -> tuple[Forgotten, bool]:
        """What was forgotten up to now, and whether the database could tell.

        If it cannot, being lost or damaged, the backups made since then tell what they know.
        """
        if self._database.exists:
            try:
                with self._open_store() as store, store.read() as unit:
                    return unit.forgotten.all(), True
            except AuriaError:
                pass
        found = Forgotten()
        for backup in self._backups.list():
            if backup.made_at > since:
                try:
                    found |= forgotten_in_dump(self._database, backup.folder / backup.database)
                except AuriaError:
                    continue
        return found, False

    def copies(self, *, keys: Collection[str], digests: Collection[str]) -> Copies:
        """The copies that still hold texts of these places, authors and digests."""
        holding, unreadable = [], []
        for place, file in self._places():
            try:
                if held_in_dump(self._database, file, keys=keys, digests=digests):
                    holding.append(place)
            except AuriaError as error:
                unreadable.append(f"{place}: {error}")
        return Copies(holding=tuple(holding), unreadable=tuple(unreadable))

    def rewrite(self, places: Sequence[Path]) -> Rewritten:
        """Delete everything that was forgotten from these copies; the rest of them stays as it is."""
        with self._open_store() as store, store.read() as unit:
            forgotten = unit.forgotten.all()

        def rewrite(file: Path, target: Path) -> None:
            self._database.rewrite(file, target, lambda connection: ForgottenVerses(connection).forget(forgotten))

        done, failed = [], []
        backups = {backup.folder: backup for backup in self._backups.list()}
        for place in places:
            try:
                if place in backups:
                    self._backups.replace_database(backups[place], rewrite)
                else:
                    self._backups.replace_copy(place, rewrite)
            except AuriaError as error:
                failed.append(f"{place}: {error}")
            else:
                done.append(place)
        return Rewritten(done=tuple(done), failed=tuple(failed))

    def _places(self) -> Sequence[tuple[Path, Path]]:
        """Each copy, and the file of its database."""
        kept = [(backup.folder, backup.folder / backup.database) for backup in self._backups.list()]
        aside = sorted(self._home.glob(f"before-restore-*-{self._database.name}"), reverse=True)
        return [*kept, *((file, file) for file in aside if file.is_file() and not file.is_symlink())]
