"""Work on the database as a whole: its schema, backups of it, restoring one, and its journal.

A restore is refused while a daemon leads, and holds back what may have been published after the backup was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.errors import AuriaError, InvalidTransition
from auria_bot.services.publishing.reconciliation import RESTORE, hold_back
from auria_bot.services.schedule.job_scheduler import NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from auria_bot.services.operations.backups import Backup, Backups, Restored
    from auria_bot.services.publishing.reconciliation import HeldItems
    from auria_bot.settings.schema import Settings
    from auria_bot.store.drafts import Entry
    from auria_bot.store.unit_of_work import Store

__all__ = ["BackupResult", "DatabaseAdministration", "RestoreResult", "schema_versions", "upgrade_schema"]


def schema_versions(settings: Settings) -> tuple[str | None, str]:
    """The version of the database's schema (None when there is no database yet, which is not created), and the newest.

    Raises:
        DatabaseUnreachable: the server does not answer.
        StoreError: the file is damaged or not a database.
    """
    from auria_bot.store import engine
    from auria_bot.store.schema import HEAD

    return engine.current(settings.database_url), HEAD


def upgrade_schema(settings: Settings) -> str:
    """Bring the database's schema up to date; its version.

    Raises:
        SchemaTooNew: the database was written by a newer auria_bot.
        StoreError: it holds tables that are not Auria's.
    """
    from auria_bot.store import engine

    return engine.upgrade(settings.database_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupResult:
    """A backup, and the older ones that were deleted after it."""

    backup: Backup
    deleted: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult:
    """A restored backup, and what the operator must decide on again."""

    restored: Restored
    held: HeldItems


class DatabaseAdministration:
    """Backups, restoring and the journal of one database.

    Usage::

        administration.back_up()
        administration.restore(folder, force=True)
    """

    def __init__(
        self,
        *,
        settings: Settings,
        backups: Backups,
        open_store: Callable[[], AbstractContextManager[Store]],
        clock: Callable[[], datetime],
    ) -> None:
        """`open_store` opens the database brought up to date; it is called anew after a restore."""
        self._settings, self._backups, self._open_store, self._clock = settings, backups, open_store, clock

    def back_up(self, folder: Path | None = None) -> BackupResult:
        """Make a backup and note it in the journal; in the usual folder, old backups are deleted.

        Raises:
            DiskError: there is no room.
            StoreError: the database cannot be copied.
        """
        backup = self._backups.make(folder)
        deleted = () if folder else self._backups.rotate()
        with self._open_store() as store, store.begin() as unit:
            unit.journal.note("backup", details=str(backup.folder), at=self._clock())
        return BackupResult(backup=backup, deleted=deleted)

    def restore(self, place: Path, *, force: bool) -> RestoreResult:
        """Restore a backup, and hold back what may have been published since.

        The place is the backup's folder, or a file in it; `force` overwrites a database, of which a copy is kept.

        Raises:
            InvalidTransition: a daemon is running, or the database is not empty and `force` is not given.
            NotFound: there is no backup.
            StoreError: the backup is not whole.
        """
        if holder := self._leader():
            raise InvalidTransition(f"a daemon is running: {holder}; stop it first, then restore")
        restored = self._backups.restore(place, force=force)
        with self._open_store() as store:  # this brings an older schema up to date
            with store.begin() as unit:
                unit.journal.note(RESTORE, details=str(restored.backup.folder), at=self._clock())
            held = hold_back(store, self._clock, as_of=restored.backup.made_at)
        return RestoreResult(restored=restored, held=held)

    def journal(self, *, draft_id: int | None = None, limit: int = 50) -> Sequence[Entry]:
        """Lines of the journal, the newest first.

        Raises:
            NotFound: there is no such draft.
        """
        with self._open_store() as store, store.read() as unit:
            if draft_id is not None:
                unit.drafts.get(draft_id)
            return unit.journal.list(draft_id=draft_id, limit=limit)

    def _leader(self) -> str:
        """The name of a running daemon; "" when there is none, or when the database cannot tell."""
        try:
            found, newest = schema_versions(self._settings)
            if found != newest:
                return ""
            with self._open_store() as store, store.read() as unit:
                lease = unit.leases.get(NAME)
        except AuriaError:
            return ""
        return lease.holder if lease is not None and lease.until > self._clock() else ""
