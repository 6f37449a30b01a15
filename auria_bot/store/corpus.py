"""Verses, Reddit bookmarks and corpus versions in the database.

Each verse is stored once, wherever it was found; a forgotten verse stays forgotten. Adding a batch is one transaction,
is idempotent, and the order of batches does not matter.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import bindparam as bind
from sqlalchemy import delete, extract, func, or_, select, text, update

from auria_bot.corpus.item import CorpusItem
from auria_bot.corpus.verses import CorpusVersion
from auria_bot.store.engine import Queries, insert_many, insert_once
from auria_bot.store.schema import accepted, bookmarks, corpora, sightings, tombstones, verses

__all__ = ["Bookmarks", "CorpusVersions", "Verses", "batches", "to_item"]

_Value = TypeVar("_Value")
_LOCK = 0x6B696771  # the key of PostgreSQL's advisory lock: one batch at a time
_BATCH = 400  # values per query; both databases allow many more
_PAGE = 2000  # verses read at a time
_BLANK = {
    column.name: None if column.nullable else ""
    for column in verses.columns
    if column.name not in {"id", "digest", "state"}
}
"""The columns of a forgotten verse: only its digest remains."""


class Verses(Queries):
    """Verses, within one unit of work."""

    def add(self, items: Sequence[CorpusItem]) -> list[str]:
        """Add a batch of items.

        Of two copies the better one is kept (`CorpusItem.standing`). A copy from a deleted source or author deletes
        every other copy too.

        Returns:
            For each item "new", "better" (it replaced a known copy), "known" or "forgotten".
        """
        self._alone()
        deleted = self._deleted({key for item in items for key in (item.key, item.author_key) if key})
        known = self._known({item.digest for item in items})
        gone = {item.digest for item in items if item.key in deleted or item.author_key in deleted}
        gone |= {digest for digest, standing in known.items() if standing is None}
        best: dict[str, CorpusItem] = {}
        for item in items:
            if item.digest not in gone and (item.digest not in best or item.standing < best[item.digest].standing):
                best[item.digest] = item
        fresh = {digest: item for digest, item in best.items() if digest not in known}
        better = {
            digest: item
            for digest, item in best.items()
            if (held := known.get(digest)) is not None and item.standing < held.standing
        }
        insert_many(self._connection, verses, [_row(item) for item in fresh.values()], unique=("digest",))
        if better:
            change = update(verses).where(verses.c.digest == bind("of"))
            rows = [
                {("of" if name == "digest" else name): value for name, value in _row(item).items()}
                for item in better.values()
            ]
            self._connection.execute(change, rows)
        self._restore_lines([item for item in best.values() if item.digest not in fresh.keys() | better.keys()], known)
        living = {(item.key, item.digest): item.author_key for item in items if item.digest not in gone}
        insert_many(
            self._connection,
            sightings,
            [{"key": key, "digest": digest, "author": author} for (key, digest), author in living.items()],
            unique=("key", "digest"),
        )
        self._erase(gone - {digest for digest, standing in known.items() if standing is None})
        self._keep_out(gone - known.keys())
        results = []
        for item in items:
            if item.digest in gone:
                results.append("forgotten")
            elif fresh.get(item.digest) is item:
                results.append("new")
            else:
                results.append("better" if better.get(item.digest) is item else "known")
        return results

    def forget(self, keys: Iterable[str], *, at: datetime) -> int:
        """Delete every verse of these sources and authors permanently; return how many were deleted."""
        self._alone()
        count = 0
        for batch in batches(sorted(set(keys))):
            insert_many(self._connection, tombstones, [{"key": key, "at": at} for key in batch], unique=("key",))
            count += self._erase(set(self.digests(batch)))
        return count

    def forget_all(self, keys: Mapping[str, datetime], digests: Iterable[str]) -> int:
        """Forget what another database forgot: places and authors since a time, and verses; how many were here."""
        self._alone()
        rows = [{"key": key, "at": at} for key, at in keys.items()]
        insert_many(self._connection, tombstones, rows, unique=("key",))
        known = set(digests)
        for batch in batches(sorted(keys)):
            known |= set(self.digests(batch))
        count = self._erase(known)
        self._keep_out(known - self._known(known).keys())
        return count

    def digests(self, keys: Sequence[str]) -> Sequence[str]:
        """The digests of the verses of these places and authors, at most as many as a query takes."""
        met = select(sightings.c.digest).where(or_(sightings.c.key.in_(keys), sightings.c.author.in_(keys)))
        return list(dict.fromkeys(self._connection.execute(met.order_by(sightings.c.digest)).scalars()))

    def forget_digest(self, digest: str) -> bool:
        """Delete the verse with this digest permanently; return whether it was there."""
        self._alone()
        return bool(self._erase({digest}))

    def find(self, digest: str) -> CorpusItem | None:
        """The kept verse with this digest, or None."""
        row = self._connection.execute(
            select(verses).where(verses.c.digest == digest, verses.c.state == "kept")
        ).one_or_none()
        return to_item(row) if row is not None else None

    def kept(self) -> Iterator[CorpusItem]:
        """Iterate over the kept verses in order of their digests, reading a page at a time."""
        after = ""
        while True:
            page = self._connection.execute(
                select(verses)
                .where(verses.c.state == "kept", verses.c.digest > after)
                .order_by(verses.c.digest)
                .limit(_PAGE)
            ).all()
            yield from map(to_item, page)
            if len(page) < _PAGE:
                return
            after = page[-1].digest

    def sample(
        self, count: int, *, season: str | None = None, form: str | None = None, seed: int = 0
    ) -> list[CorpusItem]:
        """A random sample of kept verses; the same seed gives the same ones until verses are added."""
        wanted = select(verses).where(verses.c.state == "kept").order_by(verses.c.digest)
        if season is not None:
            wanted = wanted.where(verses.c.season == season)
        if form is not None:
            wanted = wanted.where(verses.c.form == form)
        chance, found = random.Random(seed), dict[str, CorpusItem]()
        # Digests are uniformly distributed, so the first verse after a random point is a random verse.
        for _ in range(4 * count):
            if len(found) >= count:
                break
            point = f"{chance.getrandbits(128):032x}"
            row = self._connection.execute(wanted.where(verses.c.digest >= point).limit(1)).one_or_none()
            if row is not None:
                found.setdefault(row.digest, to_item(row))
        if len(found) < count:
            for row in self._connection.execute(wanted.limit(2 * count)):
                if len(found) < count:
                    found.setdefault(row.digest, to_item(row))
        return list(found.values())

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Count verses by state and, within a state, by its attributes.

        Returns:
            "state"; "reason" of the rejected; "form", "season", "subreddit", "source", "licence", "origin" and "year"
            of the kept.
        """
        year = extract("year", verses.c.created_at)
        kept = verses.c.state == "kept"
        wanted: dict[str, tuple[Any, Any]] = {
            "state": (verses.c.state, None),
            "reason": (verses.c.reason, verses.c.state == "rejected"),
            "year": (year, kept),
            **{name: (verses.c[name], kept) for name in ("form", "season", "subreddit", "source", "licence", "origin")},
        }
        found: dict[str, dict[str, int]] = {}
        for name, (column, condition) in wanted.items():
            query = select(column.label("name"), func.count().label("number")).group_by(column)
            if condition is not None:
                query = query.where(condition)
            rows = {
                str("" if row.name is None else row.name): int(row.number) for row in self._connection.execute(query)
            }
            found[name] = dict(sorted(rows.items(), key=lambda item: (-item[1], item[0])))
        found["year"] = dict(sorted((name.removesuffix(".0"), number) for name, number in found["year"].items()))
        return found

    def reddit_posts(
        self, after: int, *, since: datetime | None, until: datetime | None, limit: int
    ) -> Sequence[tuple[int, str]]:
        """One page of the Reddit posts whose lines are stored, in a stable order.

        Args:
            after: position of the last post of the page before; 0 to begin.
            since: only posts created at or after this time.
            until: only posts created before this time.

        Returns:
            Position and Reddit id (without "t3_") of each post.
        """
        wanted = select(verses.c.id, verses.c.external_id).where(
            verses.c.lines != "", verses.c.id > after, verses.c.source == "reddit", verses.c.external_id != ""
        )
        if since is not None:
            wanted = wanted.where(verses.c.created_at >= since)
        if until is not None:
            wanted = wanted.where(verses.c.created_at < until)
        rows = self._connection.execute(wanted.order_by(verses.c.id).limit(limit))
        return [(int(row.id), str(row.external_id)) for row in rows]

    def _restore_lines(self, items: Sequence[CorpusItem], known: Mapping[str, CorpusItem | None]) -> None:
        """Store the lines of rejected verses anew that were read again after theirs had been deleted."""
        for item in items:
            if (
                item.reason
                and item.lines
                and (held := known[item.digest]) is not None
                and held.reason
                and not held.lines
            ):
                names = ("reason", "lines", "syllables", "form", "season", "rejected_at")
                values = {name: value for name, value in _row(item).items() if name in names}
                self._connection.execute(update(verses).where(verses.c.digest == item.digest).values(**values))

    def _alone(self) -> None:
        """Take PostgreSQL's advisory lock until the transaction ends; SQLite allows one writer anyway."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})

    def _deleted(self, keys: set[str]) -> set[str]:
        found: set[str] = set()
        for batch in batches(sorted(keys)):
            found.update(
                self._connection.execute(select(tombstones.c.key).where(tombstones.c.key.in_(batch))).scalars()
            )
        return found

    def _known(self, digests: set[str]) -> dict[str, CorpusItem | None]:
        found: dict[str, CorpusItem | None] = {}
        for batch in batches(sorted(digests)):
            for row in self._connection.execute(select(verses).where(verses.c.digest.in_(batch))):
                found[row.digest] = None if row.state == "forgotten" else to_item(row)
        return found

    def _keep_out(self, digests: set[str]) -> None:
        """Insert verses that are unknown here as forgotten ones."""
        blank = [{**_BLANK, "digest": digest, "state": "forgotten"} for digest in sorted(digests)]
        insert_many(self._connection, verses, blank, unique=("digest",))

    def _erase(self, digests: set[str]) -> int:
        count = 0
        for batch in batches(sorted(digests)):
            done = self._connection.execute(
                update(verses)
                .where(verses.c.digest.in_(batch), verses.c.state != "forgotten")
                .values(state="forgotten", **_BLANK)
            )
            count += done.rowcount
            for table in (sightings, accepted):
                self._connection.execute(delete(table).where(table.c.digest.in_(batch)))
        return count


def _row(item: CorpusItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in _BLANK} | {
        "digest": item.digest,
        "state": "rejected" if item.reason else "kept",
        "reason": item.reason[:40],
        "lines": "\n".join(item.lines),
        "syllables": " ".join(map(str, item.syllables)),
        "subreddit": item.subreddit[:100],
        "external_id": item.external_id[:200],
        "score": None if item.score is None else max(-(2**31), min(item.score, 2**31 - 1)),
    }


def to_item(row: Any) -> CorpusItem:
    """A verse from its row, without the hashes of its place and author."""
    values: dict[str, Any] = {name: getattr(row, name) for name in ("digest", *_BLANK)}
    lines, syllables = tuple(row.lines.split("\n")) if row.lines else (), tuple(map(int, row.syllables.split()))
    return CorpusItem(**values | {"key": "", "lines": lines, "syllables": syllables})


def batches(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """Values in parts that fit into a query."""
    for at in range(0, len(values), _BATCH):
        yield values[at : at + _BATCH]


class Bookmarks(Queries):
    """How far each Reddit listing was read, within one unit of work."""

    def get(self, subreddit: str, listing: str) -> str | None:
        """The mark up to which a listing was read; None if it never was."""
        here = (bookmarks.c.subreddit == subreddit.lower(), bookmarks.c.listing == listing)
        found: str | None = self._connection.execute(select(bookmarks.c.mark).where(*here)).scalar_one_or_none()
        return found

    def put(self, subreddit: str, listing: str, mark: str, *, at: datetime) -> None:
        """Store the mark up to which a listing was read."""
        row = {"subreddit": subreddit.lower(), "listing": listing, "mark": mark, "at": at}
        if not insert_once(self._connection, bookmarks, row, unique=("subreddit", "listing")):
            here = (bookmarks.c.subreddit == subreddit.lower(), bookmarks.c.listing == listing)
            self._connection.execute(update(bookmarks).where(*here).values(mark=mark, at=at))

    def all(self) -> Mapping[tuple[str, str], tuple[str, datetime]]:
        """Every mark and when it was stored, by subreddit and listing."""
        wanted = select(bookmarks).order_by(bookmarks.c.subreddit, bookmarks.c.listing)
        return {(row.subreddit, row.listing): (row.mark, row.at) for row in self._connection.execute(wanted)}


class CorpusVersions(Queries):
    """Versions of the corpus, within one unit of work."""

    def add(self, version: CorpusVersion) -> None:
        """Insert a version; an existing one of that name is left unchanged."""
        insert_once(self._connection, corpora, asdict(version), unique=("name",))

    def list(self) -> Sequence[CorpusVersion]:
        """Every version, newest first."""
        wanted = select(corpora).order_by(corpora.c.made_at.desc(), corpora.c.name)
        return tuple(CorpusVersion(**row) for row in self._connection.execute(wanted).mappings())
