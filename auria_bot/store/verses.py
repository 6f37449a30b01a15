"""Verses in the database, each once, wherever they were met; what was forgotten stays forgotten.

What a batch does happens in one transaction, and doing it again changes nothing; the order of batches does not matter either.
Knows rows and hashes; does not judge poems.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, extract, func, or_, select, text, update
from sqlalchemy import bindparam as bind

from auria_bot.corpus.item import CorpusItem
from auria_bot.store.schema import sightings, tombstones, verses
from auria_bot.store.upsert import insert_many

__all__ = ["Verses"]

_LOCK = 0x6B696771  # the key of PostgreSQL's advisory lock: one batch at a time
_PORTION = 400  # values of one question: SQLite and PostgreSQL both take many more
_PAGE = 2000  # verses read at a time
_BLANK = {
    "reason": "",
    "lines": "",
    "syllables": "",
    "form": "",
    "season": "",
    "source": "",
    "origin": "",
    "licence": "",
    "subreddit": "",
    "external_id": "",
    "created_at": None,
    "score": None,
    "author": "",
}
"""What is left of a forgotten verse: nothing but its digest."""


class Verses:
    """The verses of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, pieces: Sequence[CorpusItem]) -> list[str]:
        """Keep a batch of texts, each beside what is known already.

        Of two copies the better one is kept (`CorpusItem.standing`). A copy from a place or an author that is to be forgotten takes every
        other copy with it.

        Returns:
            What became of each: "new", "better" than the copy that was known, "known", or "forgotten".
        """
        self._alone()
        buried = self._buried({key for piece in pieces for key in (piece.key, piece.author_key) if key})
        known = self._standing({piece.digest for piece in pieces})
        gone = {piece.digest for piece in pieces if piece.key in buried or piece.author_key in buried}
        gone |= {digest for digest, standing in known.items() if standing is None}
        best: dict[str, CorpusItem] = {}
        for piece in pieces:
            if piece.digest not in gone and (piece.digest not in best or piece.standing < best[piece.digest].standing):
                best[piece.digest] = piece
        fresh = {digest: piece for digest, piece in best.items() if digest not in known}
        better = {
            digest: piece
            for digest, piece in best.items()
            if (held := known.get(digest)) is not None and piece.standing < held.standing
        }
        insert_many(self._connection, verses, [_row(piece) for piece in fresh.values()], unique=("digest",))
        if better:
            change = update(verses).where(verses.c.digest == bind("of"))
            rows = [
                {("of" if name == "digest" else name): value for name, value in _row(piece).items()}
                for piece in better.values()
            ]
            self._connection.execute(change, rows)
        living = {(piece.key, piece.digest): piece.author_key for piece in pieces if piece.digest not in gone}
        insert_many(
            self._connection,
            sightings,
            [{"key": key, "digest": digest, "author": author} for (key, digest), author in living.items()],
            unique=("key", "digest"),
        )
        self._erase(gone - {digest for digest, standing in known.items() if standing is None})
        insert_many(
            self._connection,
            verses,
            [{**_BLANK, "digest": digest, "state": "forgotten"} for digest in sorted(gone - known.keys())],
            unique=("digest",),
        )
        told = []
        for piece in pieces:
            if piece.digest in gone:
                told.append("forgotten")
            elif fresh.get(piece.digest) is piece:
                told.append("new")
            else:
                told.append("better" if better.get(piece.digest) is piece else "known")
        return told

    def bury(self, keys: Iterable[str], *, at: datetime) -> int:
        """Forget every verse of these places and authors, for good; how many were there."""
        self._alone()
        count = 0
        for few in _portions(sorted(set(keys))):
            insert_many(self._connection, tombstones, [{"key": key, "at": at} for key in few], unique=("key",))
            met = select(sightings.c.digest).where(or_(sightings.c.key.in_(few), sightings.c.author.in_(few)))
            count += self._erase(set(self._connection.execute(met).scalars()))
        return count

    def erase(self, digest: str) -> bool:
        """Forget the verse with this digest, for good; whether it was there."""
        self._alone()
        return bool(self._erase({digest}))

    def find(self, digest: str) -> CorpusItem | None:
        """The kept verse with this digest."""
        row = self._connection.execute(
            select(verses).where(verses.c.digest == digest, verses.c.state == "kept")
        ).one_or_none()
        return _piece(row) if row is not None else None

    def kept(self) -> Iterator[CorpusItem]:
        """Every kept verse in the order of their digests, read a page at a time."""
        after = ""
        while True:
            page = self._connection.execute(
                select(verses)
                .where(verses.c.state == "kept", verses.c.digest > after)
                .order_by(verses.c.digest)
                .limit(_PAGE)
            ).all()
            yield from map(_piece, page)
            if len(page) < _PAGE:
                return
            after = page[-1].digest

    def sample(
        self, count: int, *, season: str | None = None, form: str | None = None, seed: int = 0
    ) -> list[CorpusItem]:
        """So many kept verses by chance; the same seed gives the same ones while nothing is added."""
        wanted = select(verses).where(verses.c.state == "kept").order_by(verses.c.digest)
        if season is not None:
            wanted = wanted.where(verses.c.season == season)
        if form is not None:
            wanted = wanted.where(verses.c.form == form)
        chance, found = random.Random(seed), dict[str, CorpusItem]()
        # Digests are evenly spread, so the first verse after a point of chance is a verse by chance.
        for _ in range(4 * count):
            if len(found) >= count:
                break
            point = f"{chance.getrandbits(128):032x}"
            row = self._connection.execute(wanted.where(verses.c.digest >= point).limit(1)).one_or_none()
            if row is not None:
                found.setdefault(row.digest, _piece(row))
        if len(found) < count:
            for row in self._connection.execute(wanted.limit(2 * count)):
                if len(found) < count:
                    found.setdefault(row.digest, _piece(row))
        return list(found.values())

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """How many verses there are by state, and of each state by what it is told by.

        Returns:
            "state"; "reason" of the rejected; "form", "season", "subreddit", "source", "licence", "origin" and "year" of the kept.
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

    def _alone(self) -> None:
        """On PostgreSQL let no other batch in until this transaction ends; on SQLite nobody else writes anyway."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})

    def _buried(self, keys: set[str]) -> set[str]:
        found: set[str] = set()
        for few in _portions(sorted(keys)):
            found.update(self._connection.execute(select(tombstones.c.key).where(tombstones.c.key.in_(few))).scalars())
        return found

    def _standing(self, digests: set[str]) -> dict[str, CorpusItem | None]:
        """What is known of these digests; None for a forgotten one."""
        found: dict[str, CorpusItem | None] = {}
        for few in _portions(sorted(digests)):
            for row in self._connection.execute(select(verses).where(verses.c.digest.in_(few))):
                found[row.digest] = None if row.state == "forgotten" else _piece(row)
        return found

    def _erase(self, digests: set[str]) -> int:
        count = 0
        for few in _portions(sorted(digests)):
            done = self._connection.execute(
                update(verses)
                .where(verses.c.digest.in_(few), verses.c.state != "forgotten")
                .values(state="forgotten", **_BLANK)
            )
            count += done.rowcount
            self._connection.execute(delete(sightings).where(sightings.c.digest.in_(few)))
        return count


def _row(piece: CorpusItem) -> dict[str, Any]:
    """A piece as a row; the text of a rejected one is not kept."""
    return {
        "digest": piece.digest,
        "state": "rejected" if piece.reason else "kept",
        "reason": piece.reason[:40],
        "lines": "\n".join(piece.lines),
        "syllables": " ".join(map(str, piece.syllables)),
        "form": piece.form,
        "season": piece.season,
        "source": piece.source,
        "origin": piece.origin,
        "licence": piece.licence,
        "subreddit": piece.subreddit[:100],
        "external_id": piece.external_id[:200],
        "created_at": piece.created_at,
        "score": None if piece.score is None else max(-(2**31), min(piece.score, 2**31 - 1)),
        "author": piece.author,
    }


def _piece(row: Any) -> CorpusItem:
    return CorpusItem(
        digest=row.digest,
        key="",
        reason=row.reason,
        lines=tuple(row.lines.split("\n")) if row.lines else (),
        syllables=tuple(map(int, row.syllables.split())),
        form=row.form,
        season=row.season,
        source=row.source,
        origin=row.origin,
        licence=row.licence,
        subreddit=row.subreddit,
        external_id=row.external_id,
        created_at=row.created_at,
        score=row.score,
        author=row.author,
    )


def _portions(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(values), _PORTION):
        yield values[at : at + _PORTION]
