"""Keeping house: room on the disk, what is old and not wanted any more, and whether everything that is kept is whole.

Pictures of drafts that were rejected long ago go, their words stay; so do runs that nobody went on with, the log files of
crashes, and what died half written. Nothing that is out, approved or waits is ever touched.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.draft import DraftState
from auria_bot.errors import AuriaError, DiskError, InvalidTransition
from auria_bot.files import sha256_of

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.domain.interfaces import Clock
    from auria_bot.services.studio.run_store import RunStore
    from auria_bot.store.dump import Dump
    from auria_bot.store.files import Pictures
    from auria_bot.store.unit_of_work import Store

__all__ = ["CleanupResult", "DiskSpace", "Maintenance", "room_at"]

_FULL = 100_000_000  # free bytes below which work is about to fail
_EASE = 1.25  # times the bytes below which the disk counts as filling: with so much free it surely does not
_LOGS = timedelta(days=90)  # after which a crash is history


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpace:
    """How much room a disk has."""

    free: int  # bytes
    total: int
    filling: bool  # the operator should know
    tight: bool = False  # not filling, and not far from it
    full: bool  # work is about to fail


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupResult:
    """What was taken away, or would be."""

    pictures: tuple[str, ...] = ()  # folders of rejected drafts
    runs: tuple[str, ...] = ()  # that nobody went on with
    logs: tuple[str, ...] = ()
    staging: int = 0  # folders that a killed run left half written
    size: int = 0  # bytes
    failed: tuple[str, ...] = ()  # what could not be taken away, and why


class Maintenance:
    """Keeps one house.

    Usage::

        upkeep.tidy(dry_run=True).size
        upkeep.check()  # () when all is well
        upkeep.room().filling
    """

    def __init__(
        self,
        *,
        home: Path,
        store: Store,
        pictures: Pictures,
        workspace: RunStore,
        database: Dump,
        clock: Clock,
        rejected_days: float,
        runs_days: float,
        least_free: int,
    ) -> None:
        """Join the collaborators.

        Args:
            home: whose disk is looked at.
            store: where drafts are kept.
            pictures: the drafts' pictures.
            workspace: the runs in the making.
            database: what the store writes to.
            clock: tells the time.
            rejected_days: days after which a rejected draft's pictures go.
            runs_days: days after which an unfinished run goes.
            least_free: bytes below which the disk counts as filling.
        """
        self._home, self._store, self._pictures, self._workspace = home, store, pictures, workspace
        self._database, self._clock, self._least_free = database, clock, least_free
        self._rejected, self._runs = timedelta(days=rejected_days), timedelta(days=runs_days)

    def room(self) -> DiskSpace:
        """The room on the home's disk.

        Raises:
            DiskError: the disk is gone.
        """
        return room_at(self._home, least_free=self._least_free)

    def tidy(self, *, dry_run: bool = False) -> CleanupResult:
        """Take away what is old and not wanted, and write down that it was done.

        Args:
            dry_run: only say what would go.
        """
        failed = list[str]()
        pictures, freed = self._tidy_pictures(failed, dry_run=dry_run)
        runs, size = self._tidy_runs(failed, dry_run=dry_run)
        freed += size
        logs, size = self._tidy_logs(dry_run=dry_run)
        freed += size
        staging = 0 if dry_run else self._pictures.sweep()
        done = CleanupResult(pictures=pictures, runs=runs, logs=logs, staging=staging, size=freed, failed=tuple(failed))
        if not dry_run and (pictures or runs or logs or staging):
            words = f"{len(pictures)} pictures, {len(runs)} runs, {len(logs)} logs, {freed / 1e6:.1f} MB"
            with self._store.begin() as unit:
                unit.journal.note("tidy", details=words, at=self._clock())
        return done

    def check(self) -> tuple[str, ...]:
        """What is wrong with what is kept: the database itself, then every picture that is still wanted, by its hash.

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
                    path = self._pictures.path(draft.folder, file.name)
                    if kind == "post" and sha256_of(path) != draft.picture_sha256:
                        faults.append(
                            f"draft {draft.id}: {file.name} is not the picture that was made; restore a backup"
                        )
            except AuriaError as error:
                faults.append(f"draft {draft.id}: {error}")
        return tuple(faults)

    def _tidy_pictures(self, failed: list[str], *, dry_run: bool) -> tuple[tuple[str, ...], int]:
        """The pictures of drafts that were rejected long ago."""
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
            except AuriaError as error:
                failed.append(str(error))
                continue
            gone.append(draft.folder)
            freed += sizes[draft.folder]
        return tuple(gone), freed

    def _tidy_runs(self, failed: list[str], *, dry_run: bool) -> tuple[tuple[str, ...], int]:
        """Runs that were begun long ago, and which nobody is at work on."""
        before = self._clock() - self._runs
        gone, freed = [], 0
        for name in self._workspace.names():
            files = [file for file in (self._workspace.root / name).rglob("*") if file.is_file()]
            if any(_written(file) >= before for file in files if file.name != "lock"):
                continue
            size = sum(file.stat().st_size for file in files)
            try:
                self._workspace.discard(name, wait=0.0, dry_run=dry_run)
            except InvalidTransition:
                continue  # somebody is at work on it
            except AuriaError as error:
                failed.append(str(error))
                continue
            gone.append(name)
            freed += size
        return tuple(gone), freed

    def _tidy_logs(self, *, dry_run: bool) -> tuple[tuple[str, ...], int]:
        """The files of crashes long ago."""
        before = self._clock() - _LOGS
        old = [file for file in sorted((self._home / "logs").glob("*")) if file.is_file() and _written(file) < before]
        freed = sum(file.stat().st_size for file in old)
        for file in old if not dry_run else ():
            file.unlink(missing_ok=True)
        return tuple(file.name for file in old), freed


def room_at(home: Path, *, least_free: int) -> DiskSpace:
    """The room on a folder's disk, the folder there or not.

    Args:
        home: the folder.
        least_free: bytes below which the disk counts as filling.

    Raises:
        DiskError: the disk is gone.
    """
    there = next((folder for folder in (home, *home.parents) if folder.exists()), home)
    try:
        usage = shutil.disk_usage(there)
    except OSError as error:
        raise DiskError(f"{there} cannot be looked at: {error.strerror or error}; is its disk there?") from error
    filling = usage.free < least_free
    tight = not filling and usage.free < _EASE * least_free
    return DiskSpace(free=usage.free, total=usage.total, filling=filling, tight=tight, full=usage.free < _FULL)


def _written(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
