"""Rejected texts in the database, those that the operator accepts all the same, and what is forgotten for good.

What was forgotten are values that can be carried from one database into another and its dumps.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, update

from auria_bot.corpus.item import CorpusItem
from auria_bot.store.corpus import Verses, batches, to_item
from auria_bot.store.dump import Dump
from auria_bot.store.engine import Queries, insert_once
from auria_bot.store.schema import accepted, tombstones, verses

__all__ = ["Forgotten", "ForgottenVerses", "RejectedVerses", "forgotten_in_dump", "held_in_dump"]

_WITHOUT_TEXT = {"lines": "", "syllables": "", "form": "", "season": "", "rejected_at": None}


class RejectedVerses(Queries):
    """Rejected verses, within one unit of work."""

    def counts(self) -> Mapping[str, int]:
        """How many texts each reason rejects, the most frequent first."""
        number = func.count().label("number")
        wanted = select(verses.c.reason, number).where(verses.c.state == "rejected").group_by(verses.c.reason)
        rows = self._connection.execute(wanted.order_by(number.desc(), verses.c.reason))
        return {str(row.reason): int(row.number) for row in rows}

    def sample(self, reason: str, count: int, *, seed: int = 0) -> Sequence[CorpusItem]:
        """Some texts that this reason rejects, those whose lines are kept first; all for a count of 0."""
        here = select(verses).where(verses.c.state == "rejected", verses.c.reason == reason)
        if not count:
            wanted = here.order_by(verses.c.lines == "", verses.c.digest)
            return [to_item(row) for row in self._connection.execute(wanted)]
        # Digests are uniformly distributed, so those after a random point are a random sample.
        point = f"{random.Random(seed).getrandbits(128):032x}"
        found: list[CorpusItem] = []
        for kept in (verses.c.lines != "", verses.c.lines == ""):
            for side in (verses.c.digest >= point, verses.c.digest < point):
                page = here.where(kept, side).order_by(verses.c.digest).limit(count - len(found))
                found += [to_item(row) for row in self._connection.execute(page)] if len(found) < count else []
        return found

    def find(self, digest: str) -> tuple[str, CorpusItem] | None:
        """The state and the text with this digest, or None."""
        row = self._connection.execute(select(verses).where(verses.c.digest == digest)).one_or_none()
        return (str(row.state), to_item(row)) if row is not None else None

    def accepted(self, digests: Collection[str] | None = None) -> Mapping[str, str]:
        """Those of these digests (of all by default) that are accepted, and why they had been rejected."""
        if digests is None:
            return {row.digest: row.reason for row in self._connection.execute(select(accepted))}
        found: dict[str, str] = {}
        for batch in batches(sorted(digests)):
            rows = self._connection.execute(select(accepted).where(accepted.c.digest.in_(batch)))
            found.update({row.digest: row.reason for row in rows})
        return found

    def accept(self, digest: str, *, reason: str, at: datetime) -> bool:
        """Accept a rejected verse; False if it was accepted before. With its lines it is kept at once."""
        row = {"digest": digest, "reason": reason, "at": at}
        new = insert_once(self._connection, accepted, row, unique=("digest",))
        here = (verses.c.digest == digest, verses.c.state == "rejected", verses.c.lines != "")
        self._connection.execute(update(verses).where(*here).values(state="kept", reason="", rejected_at=None))
        return bool(new)

    def revoke(self, digest: str, *, at: datetime, textless: Collection[str] = ()) -> str | None:
        """Reject an accepted verse again; its reason, or None if it was not accepted.

        Of the reasons in `textless` no lines are kept.
        """
        reason: str | None = self._connection.execute(
            delete(accepted).where(accepted.c.digest == digest).returning(accepted.c.reason)
        ).scalar_one_or_none()
        if reason is not None:
            here = (verses.c.digest == digest, verses.c.state == "kept")
            text = _WITHOUT_TEXT if reason in textless else {"rejected_at": at}
            self._connection.execute(update(verses).where(*here).values(state="rejected", reason=reason, **text))
        return reason

    def age_out(self, before: datetime) -> int:
        """Delete the lines of rejected texts that were stored before that time; their number."""
        here = (verses.c.state == "rejected", verses.c.rejected_at < before)
        return int(self._connection.execute(update(verses).where(*here).values(**_WITHOUT_TEXT)).rowcount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """Places, authors and verses that are never imported again, all known by hashes."""

    keys: Mapping[str, datetime] = field(default_factory=dict)  # of places and authors, and since when
    digests: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether anything was forgotten."""
        return bool(self.keys or self.digests)

    def __or__(self, other: Forgotten) -> Forgotten:
        """Both together."""
        return Forgotten(keys={**other.keys, **self.keys}, digests=self.digests | other.digests)

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {"keys": {key: at.isoformat() for key, at in self.keys.items()}, "digests": sorted(self.digests)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Forgotten:
        """What `to_json` wrote."""
        keys = {str(key): _moment(at) for key, at in value["keys"].items()}
        return cls(keys=keys, digests=frozenset(map(str, value["digests"])))


class ForgottenVerses(Queries):
    """What was forgotten, within one unit of work."""

    def all(self) -> Forgotten:
        """Everything that this database has forgotten."""
        digests = select(verses.c.digest).where(verses.c.state == "forgotten")
        return Forgotten(
            keys={row.key: row.at for row in self._connection.execute(select(tombstones))},
            digests=frozenset(self._connection.execute(digests).scalars()),
        )

    def forget(self, forgotten: Forgotten) -> int:
        """Forget it in this database too; return how many verses were deleted."""
        return Verses(self._connection).forget_all(forgotten.keys, forgotten.digests)


def forgotten_in_dump(dump: Dump, file: Path) -> Forgotten:
    """What a dump has forgotten.

    Raises:
        StoreError: it cannot be read.
    """
    return Forgotten(
        keys={key: _moment(at) for key, at in dump.rows(file, "tombstones", ("key", "at")) if key},
        digests=frozenset(
            digest
            for digest, state in dump.rows(file, "verses", ("digest", "state"))
            if digest and state == "forgotten"
        ),
    )


def held_in_dump(dump: Dump, file: Path, *, keys: Collection[str], digests: Collection[str]) -> int:
    """How many verses of these places, authors and digests a dump still holds, also those without their lines.

    Raises:
        StoreError: it cannot be read.
    """
    wanted = set(digests)
    for key, author, digest in dump.rows(file, "sightings", ("key", "author", "digest")):
        if digest and (key in keys or author in keys):
            wanted.add(digest)
    if not wanted:
        return 0
    rows = dump.rows(file, "verses", ("digest", "state"))
    return sum(digest in wanted and state != "forgotten" for digest, state in rows)


def _moment(text: str | None) -> datetime:
    """A time as a dump writes it."""
    found = datetime.fromisoformat(str(text))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
