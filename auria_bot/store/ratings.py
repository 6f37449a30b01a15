"""Ratings of captions in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, insert, select

from auria_bot.domain.rating import Rating
from auria_bot.store.engine import Queries
from auria_bot.store.schema import ratings

__all__ = ["Ratings"]


class Ratings(Queries):
    """Ratings, within one unit of work."""

    def add(self, row: Mapping[str, Any]) -> Rating:
        """Insert a rating; one of the same caption, picture and source is replaced."""
        same = [ratings.c[name] == row[name] for name in ("picture_sha256", "caption", "source")]
        self._connection.execute(delete(ratings).where(*same))
        added = self._connection.execute(insert(ratings).values(**row).returning(ratings.c.id)).scalar_one()
        return Rating(id=int(added), **row)

    def count(self) -> int:
        """How many there are."""
        return int(self._connection.execute(select(func.count()).select_from(ratings)).scalar_one())

    def recent(self, *, limit: int | None = None) -> tuple[Rating, ...]:
        """Ratings, the newest first."""
        wanted = select(ratings).order_by(ratings.c.id.desc()).limit(limit)
        return tuple(Rating(**row) for row in self._connection.execute(wanted).mappings())

    def remove(self, rating_id: int) -> Rating | None:
        """Delete a rating; None if there is none with that id."""
        gone = self._connection.execute(delete(ratings).where(ratings.c.id == rating_id).returning(*ratings.c))
        row = gone.mappings().one_or_none()
        return None if row is None else Rating(**row)

    def keeps(self, picture: str) -> bool:
        """Whether any rating keeps this picture."""
        wanted = select(ratings.c.id).where(ratings.c.picture == picture).limit(1)
        return self._connection.execute(wanted).one_or_none() is not None
