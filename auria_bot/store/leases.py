"""Leases in the database: taken by one at a time, renewed by its holder alone. Knows rows; does not know what they are for.

On PostgreSQL times are the server's, so that machines whose clocks differ agree; on SQLite, which is one machine's, they are
the caller's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from auria_bot.domain.lease import Lease
from auria_bot.store.schema import leases
from auria_bot.store.upsert import insert_once

__all__ = ["Leases"]

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Leases:
    """The leases of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> Lease | None:
        """A lease as it stands, whether it ran out or not."""
        row = self._connection.execute(select(leases).where(leases.c.name == name)).mappings().one_or_none()
        return None if row is None else Lease(**row)

    def take(self, name: str, *, holder: str, length: timedelta, now: datetime) -> Lease | None:
        """Take a lease that is free, or ran out; None where somebody has it.

        One that would hold for longer than `length` was written by a clock that was ahead, and counts as run out.
        """
        row = {"name": name, "holder": "", "fencing": 0, "until": _LONG_AGO, "heartbeat": _LONG_AGO}
        insert_once(self._connection, leases, row, unique=("name",))
        now = self._now(now)
        free = or_(leases.c.until <= now, leases.c.until > now + length + length)
        taken = (
            update(leases)
            .where(leases.c.name == name, free)
            .values(holder=holder, fencing=leases.c.fencing + 1, until=now + length, heartbeat=now)
        )
        return self.get(name) if self._connection.execute(taken).rowcount else None

    def renew(self, lease: Lease, *, length: timedelta, now: datetime) -> Lease | None:
        """Hold a lease for longer, also one that ran out and that nobody took; None where it changed hands."""
        now = self._now(now)
        renewed = update(leases).where(*_mine(lease)).values(until=now + length, heartbeat=now)
        return self.get(lease.name) if self._connection.execute(renewed).rowcount else None

    def release(self, lease: Lease) -> bool:
        """Let go of a lease, so that another may have it at once; whether it was still this holder's."""
        done = self._connection.execute(update(leases).where(*_mine(lease)).values(until=_LONG_AGO))
        return bool(done.rowcount)

    def holds(self, lease: Lease) -> bool:
        """Whether nobody took the lease since; nobody can until the unit of work ends."""
        held = select(leases.c.name).where(*_mine(lease)).with_for_update()
        return self._connection.execute(held).one_or_none() is not None

    def _now(self, now: datetime) -> datetime:
        if self._connection.dialect.name != "postgresql":
            return now
        told: datetime = self._connection.execute(select(func.clock_timestamp())).scalar_one()
        return told.astimezone(UTC)


def _mine(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (leases.c.name == lease.name, leases.c.holder == lease.holder, leases.c.fencing == lease.fencing)
