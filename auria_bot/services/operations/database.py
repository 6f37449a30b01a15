"""Work on the database as a whole: its schema, backups of it, restoring one, and its journal.

A restore is refused while a daemon leads, and holds back what may have been published after the backup was made. Until
that is done nothing is published, also if the restore is killed before; repeating it finishes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.domain.draft import DraftState
from auria_bot.errors import AuriaError, InvalidTransition, StorageAway, StoreError
from auria_bot.services.operations.backup_files import UNFINISHED, unfinished_restore
from auria_bot.services.operations.backups import State
from auria_bot.services.publishing.reconciliation import RESTORE, hold_back
from auria_bot.services.schedule.job_scheduler import LENGTH, NAME
from auria_bot.store import engine
from auria_bot.store.rejected import Forgotten
from auria_bot.store.schema import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from auria_bot.domain.draft import Draft
    from auria_bot.services.operations.backup_files import Backup
    from auria_bot.services.operations.backups import Backups, Progress, Restored
    from auria_bot.services.operations.maintenance import Erasure
    from auria_bot.services.publishing.reconciliation import HeldItems
    from auria_bot.settings.schema import Settings
    from auria_bot.store.drafts import Entry
    from auria_bot.store.files import Pictures
    from auria_bot.store.unit_of_work import Store

_MOST_FAULTS = 20  # that a backup's list names

__all__ = ["BackupResult", "DatabaseAdministration", "RestoreResult", "schema_versions", "upgrade_schema"]


def schema_versions(settings: Settings) -> tuple[str | None, str]:
    """The version of the database's schema (None when there is no database yet, which is not created), and the newest.

    Raises:
        DatabaseUnreachable: the server does not answer.
        StoreError: the file is damaged or not a database.
    """
    return engine.current(settings.database_url), HEAD


def upgrade_schema(settings: Settings) -> str:
    """Bring the database's schema up to date; its version.

    Raises:
        SchemaTooNew: the database was written by a newer auria_bot.
        StoreError: it holds tables that are not Auria's.
    """
    return engine.upgrade(settings.database_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupResult:
    """A backup, and the older ones that were deleted after it."""

    backup: Backup
    deleted: tuple[Path, ...] = ()
    problem: str = ""  # why no older ones were deleted
    elsewhere: str = ""  # the bucket of pictures that are not in the backup


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult:
    """A restored backup, and what the operator must decide on again."""

    restored: Restored
    held: HeldItems
    forgotten: int  # verses in the backup that had been forgotten after it was made, and were forgotten again
    remembers: bool  # False if the database before could not tell what it had forgotten
    lost: tuple[str, ...] = ()  # versions of models that are not in service any more, since their files are missing
    elsewhere: str = ""  # the bucket of pictures, which a restore leaves as it is


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
        erasure: Erasure,
        open_store: Callable[[], AbstractContextManager[Store]],
        pictures: Pictures,
        settle_models: Callable[[], tuple[str, ...]],
        clock: Callable[[], datetime],
    ) -> None:
        """Connect them.

        `open_store` opens the database brought up to date; it is called anew after a restore. `settle_models` makes the
        registry of models whole after one, and names the versions that are out of service.
        """
        self._settings, self._backups, self._open_store, self._clock = settings, backups, open_store, clock
        self._erasure, self._settle_models, self._pictures = erasure, settle_models, pictures

    def back_up(
        self,
        folder: Path | None = None,
        *,
        by_hand: bool = True,
        trust: bool = False,
        progress: Progress = lambda _done, _total, _name: None,
    ) -> BackupResult:
        """Make a backup and note it in the journal; in the usual folder, old backups are deleted.

        The backup last restored from stays, and so do those made by hand in the days of daily backups. A state with
        faults is backed up too, but replaces no sound one, unless `trust` says that it is as it should be. `progress`
        is called as in `Backups.make`, and then for the older backups.

        Raises:
            DiskError: there is no room.
            StoreError: the database cannot be copied.
        """
        backup = self._backups.make(
            folder,
            by_hand=by_hand,
            inspect=lambda files, sound: State() if trust else self._inspect(files, sound),
            progress=progress,
        )
        deleted: tuple[Path, ...] = ()
        problem = "; ".join(backup.faults)
        last = self._last_restore()
        if folder is None:
            progress(len(backup.files), len(backup.files), "older backups")
            try:
                deleted = self._backups.rotate(keep={Path(last.details)} if last else set())
            except StoreError as error:
                problem = f"no older backup was deleted: {error}"
        with self._open_store() as store, store.begin() as unit:
            unit.journal.note("backup", details=str(backup.folder), at=self._clock())
        return BackupResult(backup=backup, deleted=deleted, problem=problem, elsewhere=self._pictures.address)

    def restore(self, place: Path, *, force: bool) -> RestoreResult:
        """Restore a backup, forget again what was forgotten, and hold back what may have been published since.

        The place is the backup's folder, or a file in it; `force` overwrites a database, of which a copy is kept.

        Raises:
            InvalidTransition: a daemon is running, or the database is not empty and `force` is not given.
            NotFound: there is no backup.
            StoreError: the backup is not whole.
        """
        if holder := self._leader():
            raise InvalidTransition(f"a daemon is running: {holder}; stop it first, then restore")
        made_at = self._backups.verify(place).made_at
        forgotten, remembers = self._erasure.forgotten(since=made_at)
        left = unfinished_restore(self._settings.home)  # the database may be that of a backup already
        forgotten |= Forgotten.from_json(left) if left else Forgotten()
        restored = self._backups.restore(place, force=force, note=forgotten.to_json())
        lost = self._settle_models() if any(name.startswith("registry/") for name in restored.backup.files) else ()
        with self._open_store() as store:  # this brings an older schema up to date
            with store.begin() as unit:
                again = unit.forgotten.forget(forgotten)
                unit.journal.note(RESTORE, details=str(restored.backup.folder), at=self._clock())
            held = hold_back(store, self._clock, as_of=made_at)
        (self._settings.home / UNFINISHED).unlink()
        return RestoreResult(
            restored=restored,
            held=held,
            forgotten=again,
            remembers=remembers,
            lost=lost,
            elsewhere=self._pictures.address,
        )

    def journal(self, *, draft_id: int | None = None, limit: int = 50) -> Sequence[Entry]:
        """Lines of the journal, the newest first.

        Raises:
            NotFound: there is no such draft.
        """
        with self._open_store() as store, store.read() as unit:
            if draft_id is not None:
                unit.drafts.get(draft_id)
            return unit.journal.list(draft_id=draft_id, limit=limit)

    def _is_elsewhere(self, draft: Draft, name: str) -> bool:
        """Whether a draft's picture is in the bucket, unchanged; one that is away is taken to be."""
        if not self._pictures.address:
            return False
        try:
            self._pictures.check(draft.folder, name, draft.picture_sha256)
        except StorageAway:
            return True
        except AuriaError:
            return False
        return True

    def _leader(self) -> str:
        """The name of a running daemon; "" when there is none, or when the database cannot tell."""
        try:
            found, newest = schema_versions(self._settings)
            if found != newest:
                return ""
            with self._open_store() as store, store.read() as unit:
                lease = unit.leases.valid(NAME, length=LENGTH, now=self._clock())
        except AuriaError:
            return ""
        return lease.holder if lease is not None else ""

    def _last_restore(self) -> Entry | None:
        with self._open_store() as store, store.read() as unit:
            return next((entry for entry in unit.journal.list() if entry.action == RESTORE), None)

    def _inspect(self, files: Mapping[str, tuple[int, str]], sound: Backup | None) -> State:
        """What is missing or different in a backup's files, or in the database compared with an earlier backup."""
        with self._open_store() as store, store.read() as unit:
            drafts = unit.drafts.list()
        faults = []
        for draft in drafts:
            if draft.state is not DraftState.REJECTED and (post := draft.artwork.files.get("post")) is not None:
                _, sha256 = files.get(f"pictures/{draft.folder}/{post.name}", (0, ""))
                if not sha256 and self._is_elsewhere(draft, post.name):
                    continue
                if sha256 != draft.picture_sha256:
                    faults.append(f"the picture of draft {draft.id} is {'damaged' if sha256 else 'missing'}")
        if sound is not None and len(drafts) < sound.drafts:
            last = self._last_restore()
            if last is None or last.at <= sound.made_at:
                faults.append(f"the database has {len(drafts)} drafts, and {sound.folder.name} has {sound.drafts}")
        return State(drafts=len(drafts), faults=tuple(faults[:_MOST_FAULTS]))
