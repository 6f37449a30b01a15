"""Job runs and leases in the database.

A job run is one row for each job and scheduled time; the first claim wins. A lease is held by one holder at a time.
On PostgreSQL lease times come from the server, so that machines whose clocks differ agree; on SQLite they are the
caller's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, or_, select, update

from auria_bot.domain.job_schedule import BEGIN, JobRun, JobRunState, Lease, ScheduledTime
from auria_bot.store.engine import insert_once
from auria_bot.store.schema import leases, slots

__all__ = ["JobRuns", "Leases"]


class JobRuns:
    """Job runs, within one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, run: JobRun) -> bool:
        """Insert a run; return whether it is new: an existing one is left unchanged."""
        return insert_once(self._connection, slots, _row(run), unique=("job", "slot"))

    def save(self, run: JobRun, *, was: JobRun) -> bool:
        """Update a run unless it changed since `was`; return whether it was updated."""
        unchanged = (
            slots.c.job == was.slot.job,
            slots.c.slot == was.slot.name,
            slots.c.state == was.state,
            slots.c.fencing == was.fencing,
            slots.c.tries == was.tries,
        )
        return bool(self._connection.execute(update(slots).where(*unchanged).values(_row(run))).rowcount)

    def get(self, job: str, name: str) -> JobRun | None:
        """The run of a slot, or None."""
        row = self._connection.execute(select(slots).where(slots.c.job == job, slots.c.slot == name)).one_or_none()
        return None if row is None else _run(row)

    def latest(self, *, until: datetime) -> dict[str, datetime]:
        """When the last known slot of each job was due, up to `until`; the BEGIN row counts as one."""
        return self._of_each_job(slots.c.due, slots.c.due <= until)

    def list(
        self, states: Collection[JobRunState] = (), *, since: datetime | None = None, limit: int | None = None
    ) -> Sequence[JobRun]:
        """Runs in those states (all if empty), last due first."""
        wanted = select(slots).where(slots.c.slot != BEGIN).order_by(slots.c.due.desc(), slots.c.job, slots.c.slot)
        if states:
            wanted = wanted.where(slots.c.state.in_([str(state) for state in states]))
        if since is not None:
            wanted = wanted.where(slots.c.due >= since)
        return tuple(_run(row) for row in self._connection.execute(wanted.limit(limit)))

    def done_at(self) -> dict[str, datetime]:
        """When the last successful run of each job ended."""
        return self._of_each_job(slots.c.ended_at, slots.c.state == JobRunState.DONE, slots.c.slot != BEGIN)

    def done_due(self) -> dict[str, datetime]:
        """When the last successful run of each job was due."""
        return self._of_each_job(slots.c.due, slots.c.state == JobRunState.DONE, slots.c.slot != BEGIN)

    def _of_each_job(self, column: ColumnElement[Any], *wanted: ColumnElement[bool]) -> dict[str, datetime]:
        """A column of each job's last due run that matches, by a skip scan of the index."""
        jobs = select(func.min(slots.c.job).label("job")).cte("jobs", recursive=True)
        after = select(func.min(slots.c.job)).where(slots.c.job > jobs.c.job).scalar_subquery()
        jobs = jobs.union_all(select(after).where(jobs.c.job.is_not(None)))
        last = select(column).where(slots.c.job == jobs.c.job, *wanted).order_by(slots.c.due.desc()).limit(1)
        found = select(jobs.c.job, last.scalar_subquery()).where(jobs.c.job.is_not(None))
        return {str(job): at for job, at in self._connection.execute(found) if at is not None}

    def forget(self, *, before: datetime) -> int:
        """Delete ended runs due before then, except the last of each job; return how many."""
        ended = (JobRunState.DONE, JobRunState.FAILED, JobRunState.SKIPPED)
        newer = slots.alias("newer")
        later = select(newer.c.job).where(newer.c.job == slots.c.job, newer.c.due > slots.c.due).exists()
        old = delete(slots).where(slots.c.due < before, slots.c.state.in_([str(state) for state in ended]), later)
        return self._connection.execute(old).rowcount


def _row(run: JobRun) -> dict[str, object]:
    return {
        "job": run.slot.job,
        "slot": run.slot.name,
        "due": run.slot.due,
        "state": run.state,
        "tries": run.tries,
        "fencing": run.fencing,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "again_at": run.again_at,
        "words": run.summary,
    }


def _run(row: Row[Any]) -> JobRun:
    return JobRun(
        slot=ScheduledTime(job=row.job, name=row.slot, due=row.due),
        state=JobRunState(row.state),
        tries=row.tries,
        fencing=row.fencing,
        started_at=row.started_at,
        ended_at=row.ended_at,
        again_at=row.again_at,
        summary=row.words,
    )


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Leases:
    """Leases, within one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> Lease | None:
        """A lease, expired or not; None if it was never taken."""
        row = self._connection.execute(select(leases).where(leases.c.name == name)).mappings().one_or_none()
        return None if row is None else Lease(**row)

    def take(self, name: str, *, holder: str, length: timedelta, now: datetime) -> Lease | None:
        """Take a lease that is free or expired; None if someone holds it.

        One that is valid for longer than twice `length` was written by a clock that was ahead, and counts as expired.
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
        """Extend a lease, also an expired one that nobody took; None if it changed hands."""
        now = self._now(now)
        renewed = update(leases).where(*_mine(lease)).values(until=now + length, heartbeat=now)
        return self.get(lease.name) if self._connection.execute(renewed).rowcount else None

    def release(self, lease: Lease) -> bool:
        """Free a lease at once; return whether it was still this holder's."""
        done = self._connection.execute(update(leases).where(*_mine(lease)).values(until=_LONG_AGO))
        return bool(done.rowcount)

    def holds(self, lease: Lease) -> bool:
        """Whether the lease is still this holder's; it is locked until the unit of work ends."""
        held = select(leases.c.name).where(*_mine(lease)).with_for_update()
        return self._connection.execute(held).one_or_none() is not None

    def _now(self, now: datetime) -> datetime:
        if self._connection.dialect.name != "postgresql":
            return now
        server_time: datetime = self._connection.execute(select(func.clock_timestamp())).scalar_one()
        return server_time.astimezone(UTC)


def _mine(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (leases.c.name == lease.name, leases.c.holder == lease.holder, leases.c.fencing == lease.fencing)
