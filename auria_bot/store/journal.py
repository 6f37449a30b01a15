"""The journal: who did what to which draft and when. Lines are added, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from auria_bot.store.schema import journal

__all__ = ["Entry", "Journal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the journal."""

    id: int
    at: datetime  # aware, UTC
    who: str
    action: str
    draft_id: int | None
    words: str


class Journal:
    """The journal of one unit of work."""

    def __init__(self, connection: Connection, *, who: str) -> None:
        self._connection, self._who = connection, who

    def note(self, action: str, *, draft_id: int | None = None, words: str = "", at: datetime) -> None:
        """Add a line; it is never changed."""
        self._connection.execute(
            insert(journal).values(at=at, who=self._who[:100], action=action, draft_id=draft_id, words=words)
        )

    def last(self, action: str) -> datetime | None:
        """When something was done last; None where it never was."""
        found: datetime | None = self._connection.scalar(
            select(func.max(journal.c.at)).where(journal.c.action == action)
        )
        return found

    def list(self, *, draft_id: int | None = None, limit: int | None = None) -> Sequence[Entry]:
        """Lines (of one draft, when given), the newest first."""
        wanted = select(journal).order_by(journal.c.id.desc()).limit(limit)
        if draft_id is not None:
            wanted = wanted.where(journal.c.draft_id == draft_id)
        return tuple(Entry(**row) for row in self._connection.execute(wanted).mappings())
