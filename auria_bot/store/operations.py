"""Job runs, leases, paused channels, notices to the operator and the figures of the metrics in the database.

A job run is one row for each job and scheduled time; the first claim wins. A lease is held by one holder at a time.
On PostgreSQL lease times come from the server, so that machines whose clocks differ agree; on SQLite they are the
caller's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, or_, select, update

from auria_bot.domain.job_schedule import BEGIN, JobRun, JobRunState, Lease, ScheduledTime
from auria_bot.domain.notice import WEBHOOK, Notice, PendingNotification, RecordedNotice
from auria_bot.domain.post import Outcome, Pause, PostState
from auria_bot.store.engine import Queries, insert_once
from auria_bot.store.files import path_from_home, path_in_home
from auria_bot.store.schema import attempts, channels, leases, notices, posts, slots, steps

__all__ = ["Channels", "JobRuns", "Leases", "Metrics", "Notices"]

_FAR = timedelta(days=2)  # longer than any delay before a retry


class JobRuns(Queries):
    """Job runs, within one unit of work."""

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


class Leases(Queries):
    """Leases, within one unit of work."""

    def get(self, name: str) -> Lease | None:
        """A lease, expired or not; None if it was never taken."""
        row = self._connection.execute(select(leases).where(leases.c.name == name)).mappings().one_or_none()
        return None if row is None else Lease(**row)

    def valid(self, name: str, *, length: timedelta, now: datetime) -> Lease | None:
        """A lease that somebody holds, by the same rules as `take`; None if it is free."""
        lease, now = self.get(name), self.time(now)
        return lease if lease is not None and now < lease.until <= now + length + length else None

    def take(self, name: str, *, holder: str, length: timedelta, now: datetime) -> Lease | None:
        """Take a lease that is free or expired; None if someone holds it.

        One that is valid for longer than twice `length` was written by a clock that was ahead, and counts as expired.
        """
        row = {"name": name, "holder": "", "fencing": 0, "until": _LONG_AGO, "heartbeat": _LONG_AGO}
        insert_once(self._connection, leases, row, unique=("name",))
        now = self.time(now)
        free = or_(leases.c.until <= now, leases.c.until > now + length + length)
        taken = (
            update(leases)
            .where(leases.c.name == name, free)
            .values(holder=holder, fencing=leases.c.fencing + 1, until=now + length, heartbeat=now)
        )
        return self.get(name) if self._connection.execute(taken).rowcount else None

    def renew(self, lease: Lease, *, length: timedelta, now: datetime) -> Lease | None:
        """Extend a lease, also an expired one that nobody took; None if it changed hands."""
        now = self.time(now)
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

    def time(self, now: datetime) -> datetime:
        """The time by which leases count: the database server's where there is one, else `now`."""
        if self._connection.dialect.name != "postgresql":
            return now
        server_time: datetime = self._connection.execute(select(func.clock_timestamp())).scalar_one()
        return server_time.astimezone(UTC)


def _mine(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (leases.c.name == lease.name, leases.c.holder == lease.holder, leases.c.fencing == lease.fencing)


class Channels(Queries):
    """Pauses of channels, within one unit of work."""

    def paused(self) -> Sequence[Pause]:
        """Every current pause, by channel name."""
        wanted = select(channels).where(channels.c.paused_at.is_not(None)).order_by(channels.c.name)
        return tuple(
            Pause(name=row.name, at=row.paused_at, by=row.paused_by, reason=row.reason)
            for row in self._connection.execute(wanted)
        )

    def pause(self, name: str, *, reason: str, by: str, at: datetime) -> None:
        """Pause a channel; an existing pause is replaced."""
        row = {"name": name, "paused_at": at, "paused_by": by[:100], "reason": reason}
        if not insert_once(self._connection, channels, row, unique=("name",)):
            self._connection.execute(update(channels).where(channels.c.name == name).values(**row))

    def resume(self, name: str) -> bool:
        """End a channel's pause; return whether it was paused."""
        paused = (channels.c.name == name, channels.c.paused_at.is_not(None))
        done = self._connection.execute(update(channels).where(*paused).values(paused_at=None, paused_by="", reason=""))
        return done.rowcount == 1


class Notices(Queries):
    """Notices, within one unit of work."""

    def __init__(self, connection: Connection, *, home: Path) -> None:
        super().__init__(connection)
        self._home = home

    def add(self, notice: Notice, *, at: datetime, send: bool = True) -> bool:
        """Insert a notice to be sent; return whether it is new: one of the same kind and subject is left unchanged.

        With `send` false, another notice covers it.
        """
        row = {
            "kind": notice.kind,
            "subject": notice.subject,
            "at": at,
            "title": notice.title,
            "words": notice.body,
            "picture": path_in_home(notice.picture, self._home),
            "tries": 0,
            "next_at": at if send else None,
            "told": [],
        }
        return insert_once(self._connection, notices, row, unique=("kind", "subject"))

    def list(self, *, limit: int = 200) -> Sequence[RecordedNotice]:
        """The stored notices to the operator, the latest first, without those dismissed or covered by another one."""
        latest = select(notices).where(*_LISTED).order_by(notices.c.at.desc(), notices.c.id.desc()).limit(limit)
        return tuple(
            RecordedNotice(
                id=row.id, at=row.at, tries=row.tries, is_delivered=row.next_at is None, notice=self._notice(row)
            )
            for row in self._connection.execute(latest)
        )

    def dismiss(self, notice_id: int) -> Notice | None:
        """Neither list nor send a notice any more while its occasion lasts; None where no such notice is listed."""
        dismissed = update(notices).where(notices.c.id == notice_id, *_LISTED).values(tries=0, next_at=None)
        row = self._connection.execute(dismissed.returning(notices)).one_or_none()
        return None if row is None else self._notice(row)

    def _notice(self, row: Row[Any]) -> Notice:
        return Notice(
            kind=row.kind,
            subject=row.subject,
            title=row.title,
            body=row.words,
            picture=path_from_home(row.picture, self._home),
        )

    def subjects(self, kind: str) -> Sequence[str]:
        """The subjects of the stored notices of a kind."""
        return tuple(self._connection.scalars(select(notices.c.subject).where(notices.c.kind == kind)))

    def recorded_at(self, kind: str) -> Mapping[str, datetime]:
        """When each notice of a kind was stored, by subject."""
        rows = self._connection.execute(select(notices.c.subject, notices.c.at).where(notices.c.kind == kind))
        return {row.subject: row.at for row in rows}

    def forget(self, kind: str, subjects: Collection[str]) -> None:
        """Delete the notices of past occasions, so that they are sent again when the occasion returns."""
        self._connection.execute(delete(notices).where(notices.c.kind == kind, notices.c.subject.in_(sorted(subjects))))

    def forget_sent(self, kind: str, *, before: datetime) -> None:
        """Delete old notices of a kind."""
        old = (notices.c.kind == kind, notices.c.at < before)
        self._connection.execute(delete(notices).where(*old))

    def has_due(self, *, now: datetime, webhooks: bool = False) -> bool:
        """Whether a notice is due to be sent: to the operator, or to `webhooks`."""
        found = select(notices.c.id).where(_is_due(now), _is_event(wanted=webhooks)).limit(1)
        return self._connection.execute(found).one_or_none() is not None

    def claim_due(self, *, now: datetime, until: datetime, webhooks: bool = False) -> Sequence[PendingNotification]:
        """Claim the notices due to be sent, oldest first; nobody else gets them before `until`.

        They are those for the operator, or those for `webhooks`.
        """
        due = select(notices.c.id).where(_is_due(now), _is_event(wanted=webhooks)).order_by(notices.c.id)
        ids = [*self._connection.scalars(due.with_for_update(skip_locked=True))]
        rows = self._connection.execute(
            update(notices)
            .where(notices.c.id.in_(ids))
            .values(tries=notices.c.tries + 1, next_at=until)
            .returning(notices)
        )
        found = [
            PendingNotification(id=row.id, tries=row.tries, delivered=tuple(row.told), notice=self._notice(row))
            for row in rows
        ]
        return sorted(found, key=lambda pending: pending.id)

    def record_delivery(
        self, pending: PendingNotification, *, delivered: Collection[str], next_at: datetime | None
    ) -> None:
        """Store who received a notice, and when to retry; None if it is complete.

        Nothing is stored if the notice was deleted meanwhile, also if SQLite reused its id.
        """
        same = (
            notices.c.id == pending.id,
            notices.c.kind == pending.notice.kind,
            notices.c.subject == pending.notice.subject,
            notices.c.tries >= pending.tries,
        )
        self._connection.execute(update(notices).where(*same).values(told=sorted(delivered), next_at=next_at))


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Due, or deferred for so long that the clock must have been ahead."""
    return or_(notices.c.next_at <= now, notices.c.next_at > now + _FAR)


def _is_event(*, wanted: bool) -> ColumnElement[bool]:
    return notices.c.kind == WEBHOOK if wanted else notices.c.kind != WEBHOOK


_LISTED = (or_(notices.c.tries > 0, notices.c.next_at.is_not(None)), _is_event(wanted=False))


class Metrics(Queries):
    """Counts and times, within one unit of work."""

    def attempts(self) -> Mapping[tuple[str, str], int]:
        """Number of ended attempts by channel and outcome."""
        by = (posts.c.channel, attempts.c.outcome)
        ended = select(*by, func.count()).join_from(attempts, posts).where(attempts.c.outcome.is_not(None))
        rows = self._connection.execute(ended.group_by(*by))
        return {(str(channel), str(outcome)): int(number) for channel, outcome, number in rows}

    def last_troubles(self) -> Mapping[str, tuple[datetime, int, str]]:
        """For each channel whose last attempt failed: when, with which post, and what the platform answered."""
        ended = select(posts.c.channel, attempts.c.post_id, attempts.c.ended_at, attempts.c.outcome, attempts.c.words)
        number = func.row_number().over(
            partition_by=posts.c.channel, order_by=(attempts.c.ended_at.desc(), attempts.c.post_id.desc())
        )
        last = ended.add_columns(number.label("number")).join_from(attempts, posts)
        last_of = last.where(attempts.c.outcome.is_not(None), attempts.c.ended_at.is_not(None)).subquery()
        fine = [str(Outcome.SENT), str(Outcome.WITHDRAWN)]
        wanted = (
            select(last_of).where(last_of.c.number == 1, last_of.c.outcome.not_in(fine)).order_by(last_of.c.channel)
        )
        rows = self._connection.execute(wanted)
        return {str(row.channel): (row.ended_at, int(row.post_id), str(row.words)) for row in rows}

    def due_since(self) -> Mapping[str, datetime]:
        """When the first waiting post of each channel is due, possibly in the future; without paused channels."""
        paused = select(channels.c.name).where(channels.c.paused_at.is_not(None))
        waiting = (posts.c.state == PostState.WAITING, posts.c.channel.not_in(paused))
        rows = self._connection.execute(
            select(posts.c.channel, func.min(posts.c.due)).where(*waiting).group_by(posts.c.channel)
        )
        return {str(channel): due for channel, due in rows}

    def record_step(self, step: str, *, seconds: float, times: int) -> None:
        """Add the time that a step of the studio took."""
        insert_once(self._connection, steps, {"name": step, "seconds": 0.0, "times": 0}, unique=("name",))
        more = {"seconds": steps.c.seconds + seconds, "times": steps.c.times + times}
        self._connection.execute(update(steps).where(steps.c.name == step).values(more))

    def steps(self) -> Mapping[str, tuple[float, int]]:
        """Total seconds and number of executions of each step of the studio."""
        return {str(row.name): (row.seconds, row.times) for row in self._connection.execute(select(steps))}
