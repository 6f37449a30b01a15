"""Copies of the database that still hold what was forgotten: backups, and files kept aside by a restore.

They can be rewritten without these texts. A restore needs none of this: what was forgotten is forgotten again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.errors import AuriaError
from auria_bot.files import disk_errors
from auria_bot.store.forgetting import Forgotten, ForgottenVerses, forgotten_in_dump, held_in_dump

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from auria_bot.services.operations.backups import Backups
    from auria_bot.store.dump import Dump
    from auria_bot.store.unit_of_work import Store

__all__ = ["Copies", "Erasure", "Rewritten"]


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
        self,
        *,
        home: Path,
        backups: Backups,
        database: Dump,
        open_store: Callable[[], AbstractContextManager[Store]],
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
        done, failed = [], []
        backups = {backup.folder: backup for backup in self._backups.list()}
        for place in places:
            try:
                if place in backups:
                    self._backups.replace_database(
                        backups[place], lambda file, target: self._write(file, target, forgotten)
                    )
                else:
                    fresh = place.with_name(f".rewritten-{place.name}")
                    with disk_errors(place):
                        fresh.unlink(missing_ok=True)
                        self._write(place, fresh, forgotten)
                        fresh.replace(place)
            except AuriaError as error:
                failed.append(f"{place}: {error}")
            else:
                done.append(place)
        return Rewritten(done=tuple(done), failed=tuple(failed))

    def _write(self, file: Path, target: Path, forgotten: Forgotten) -> None:
        self._database.rewrite(file, target, lambda connection: ForgottenVerses(connection).forget(forgotten))

    def _places(self) -> Sequence[tuple[Path, Path]]:
        """Each copy, and the file of its database."""
        kept = [(backup.folder, backup.folder / backup.database) for backup in self._backups.list()]
        aside = sorted(self._home.glob(f"before-restore-*-{self._database.name}"), reverse=True)
        return [*kept, *((file, file) for file in aside if file.is_file() and not file.is_symlink())]
