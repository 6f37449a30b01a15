"""How far Reddit was read, and the versions of the corpus. Knows rows; does not know what a mark means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from auria_bot.corpus.versions import CorpusVersion
from auria_bot.store.schema import bookmarks, corpora
from auria_bot.store.upsert import insert_once

__all__ = ["Bookmarks", "CorpusVersions"]


class Bookmarks:
    """The bookmarks of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, subreddit: str, listing: str) -> str | None:
        """The mark where a listing was left; None for one that was never read."""
        here = (bookmarks.c.subreddit == subreddit.lower(), bookmarks.c.listing == listing)
        found: str | None = self._connection.execute(select(bookmarks.c.mark).where(*here)).scalar_one_or_none()
        return found

    def put(self, subreddit: str, listing: str, mark: str, *, at: datetime) -> None:
        """Leave a listing here."""
        row = {"subreddit": subreddit.lower(), "listing": listing, "mark": mark, "at": at}
        if not insert_once(self._connection, bookmarks, row, unique=("subreddit", "listing")):
            here = (bookmarks.c.subreddit == subreddit.lower(), bookmarks.c.listing == listing)
            self._connection.execute(update(bookmarks).where(*here).values(mark=mark, at=at))

    def all(self) -> Mapping[tuple[str, str], tuple[str, datetime]]:
        """Every mark and when it was left, by subreddit and listing."""
        wanted = select(bookmarks).order_by(bookmarks.c.subreddit, bookmarks.c.listing)
        return {(row.subreddit, row.listing): (row.mark, row.at) for row in self._connection.execute(wanted)}


class CorpusVersions:
    """The versions of the corpus, of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, edition: CorpusVersion) -> None:
        """Keep a version's name; one that is there already stays as it is."""
        row: dict[str, Any] = {
            "name": edition.name,
            "made_at": edition.made_at,
            "verses": edition.verses,
            "sha256": edition.sha256,
            "settings": dict(edition.settings),
        }
        insert_once(self._connection, corpora, row, unique=("name",))

    def list(self) -> Sequence[CorpusVersion]:
        """Every version, the newest first."""
        wanted = select(corpora).order_by(corpora.c.made_at.desc(), corpora.c.name)
        return tuple(CorpusVersion(**row) for row in self._connection.execute(wanted).mappings())
