"""What was forgotten for good, as values that can be carried from one database into another and its dumps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, select

from auria_bot.store.corpus import Verses
from auria_bot.store.dump import Dump
from auria_bot.store.schema import tombstones, verses

__all__ = ["Forgotten", "ForgottenVerses", "forgotten_in_dump", "held_in_dump"]


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


class ForgottenVerses:
    """What was forgotten, within one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

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
    """How many texts of these places, authors and digests a dump still holds.

    Raises:
        StoreError: it cannot be read.
    """
    wanted = set(digests)
    for key, author, digest in dump.rows(file, "sightings", ("key", "author", "digest")):
        if digest and (key in keys or author in keys):
            wanted.add(digest)
    if not wanted:
        return 0
    return sum(bool(lines) and digest in wanted for digest, lines in dump.rows(file, "verses", ("digest", "lines")))


def _moment(text: str | None) -> datetime:
    """A time as a dump writes it."""
    found = datetime.fromisoformat(str(text))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
