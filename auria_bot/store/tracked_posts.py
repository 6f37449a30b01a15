"""The posts on Reddit whose poems are kept, to look whether they still stand. Knows rows; does not know Reddit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from auria_bot.store.schema import verses

__all__ = ["TrackedPosts"]


class TrackedPosts:
    """The posts of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(
        self, after: int, *, since: datetime | None, until: datetime | None, limit: int
    ) -> Sequence[tuple[int, str]]:
        """Some posts of an age, in a lasting order.

        Args:
            after: the place of the last one before; 0 to begin.
            since: none that was written earlier.
            until: none that was written then or later.
            limit: how many.

        Returns:
            The place and the id, without the "t3_", of each.
        """
        wanted = select(verses.c.id, verses.c.external_id).where(
            verses.c.state == "kept", verses.c.id > after, verses.c.source == "reddit", verses.c.external_id != ""
        )
        if since is not None:
            wanted = wanted.where(verses.c.created_at >= since)
        if until is not None:
            wanted = wanted.where(verses.c.created_at < until)
        rows = self._connection.execute(wanted.order_by(verses.c.id).limit(limit))
        return [(int(row.id), str(row.external_id)) for row in rows]
