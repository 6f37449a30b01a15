"""Which jobs are due: claims runs for the leading daemon, records their results and makes up for missed times.

A run is claimed by a row that is unique for its job and scheduled time, in the transaction that checks the lease: a
daemon that lost the lease claims nothing. Of the times that were missed while no daemon ran, at most the latest of each
job is made up for. Times that a changed schedule adds count from then on, as those of a new job do.

One daemon leads at a time, by a lease in the database that a heartbeat renews; a second one waits and takes over. A
daemon whose heartbeat did not reach the database for the length of the lease no longer counts as the leader, by a
clock that nobody can set; what it still tries to record carries its old fencing number and is refused.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.job_schedule import BEGIN, CatchUp, JobRun, JobRunState, ScheduledTime
from auria_bot.errors import InvalidTransition, NotFound
from auria_bot.services.schedule.jobs import SUMMARY_LIMIT, JobOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from auria_bot.domain.interfaces import Clock
    from auria_bot.domain.job_schedule import JobSchedule, Lease
    from auria_bot.services.schedule.jobs import JobResult
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = [
    "HEARTBEAT",
    "LENGTH",
    "MAX_STARTS",
    "MISSED_LIMIT",
    "NAME",
    "RETRY_DELAYS",
    "JobScheduler",
    "LeaderElection",
    "own_name",
]

RETRY_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180))
"""How long to wait before each retry of a failed run; after the last one it is given up."""

MAX_STARTS = 20
"""How often a run is started whose daemon dies during it each time."""

MISSED_LIMIT = timedelta(days=14)
"""Times that were missed longer ago are not even recorded."""

_KEPT = timedelta(days=400)  # how long results are kept
_RECHECK = timedelta(days=1)  # after which a job without times in the coming days is looked at again

_OPEN = {JobRunState.RUNNING, JobRunState.RETRY, JobRunState.ASKED}
_END_STATES = {
    JobOutcome.DONE: JobRunState.DONE,
    JobOutcome.FAILED: JobRunState.FAILED,
    JobOutcome.POSTPONED: JobRunState.SKIPPED,
}
_MISSED_STATES = {CatchUp.RUN: JobRunState.RUNNING, CatchUp.SKIP: JobRunState.SKIPPED, CatchUp.ASK: JobRunState.ASKED}
_MISSED = {
    CatchUp.RUN: "missed, and made up for",
    CatchUp.SKIP: "missed",
    CatchUp.ASK: "missed; make up for it? auria schedule --run JOB, or --skip JOB",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quiet:
    """A span in which no time of a job comes due, as long as the last known one is the same."""

    known: datetime
    begin: datetime
    end: datetime


class JobScheduler:
    """Claims what is due and records what became of it.

    Usage::

        for run in scheduler.claim(lease, busy=running): start(run)
        scheduler.settle(run, JobResult(outcome=JobOutcome.FAILED, summary="the platform is away"))
    """

    def __init__(self, *, store: Store, clock: Clock, schedules: Sequence[JobSchedule], zone: ZoneInfo) -> None:
        self._store, self._clock, self.zone = store, clock, zone
        self.schedules: Mapping[str, JobSchedule] = {schedule.job: schedule for schedule in schedules}
        self._quiet = dict[str, _Quiet]()
        self._begun = clock()  # the schedules are these since then

    def claim(self, lease: Lease, *, busy: Collection[ScheduledTime] = ()) -> tuple[JobRun, ...]:
        """The runs to start now, each recorded as running; at most one of each job.

        `busy` are the scheduled times that this daemon is working on.

        Raises:
            InvalidTransition: another daemon has the lease; nothing was claimed.
        """
        now, claimed = self._clock(), list[JobRun]()
        with self._store.begin() as unit:
            if not unit.leases.holds(lease):
                raise InvalidTransition("another daemon has taken over")
            open_runs = dict[str, JobRun]()
            for run in unit.job_runs.list(_OPEN):
                if run.slot not in busy and self._is_wanted(unit, run, open_runs, now):
                    open_runs[run.slot.job] = run
            busy_jobs, latest = {scheduled.job for scheduled in busy}, unit.job_runs.latest(until=now)
            for schedule in self.schedules.values():
                if schedule.job not in busy_jobs:
                    known = latest.get(schedule.job)
                    claimed += self._claim_job(unit, schedule, open_runs.get(schedule.job), known, lease)
        return tuple(claimed)

    def settle(self, run: JobRun, result: JobResult) -> JobRun:
        """Record the result of a run; one that failed is retried later, unless it was retried too often.

        Returns:
            The run as recorded; unchanged where another daemon took it over.
        """
        now = self._clock()
        state, again = _END_STATES[result.outcome], None
        if state is JobRunState.FAILED and run.tries <= len(RETRY_DELAYS):
            state, again = JobRunState.RETRY, now + RETRY_DELAYS[run.tries - 1]
        return self._save(run, run.evolve(state=state, ended_at=now, again_at=again, summary=result.summary))

    def release(self, run: JobRun, reason: str) -> JobRun:
        """Give up a run that was interrupted; it is started again as soon as a daemon leads."""
        now = self._clock()
        return self._save(run, run.evolve(state=JobRunState.RETRY, ended_at=now, again_at=now, summary=reason))

    def decide(self, job: str, *, run: bool) -> JobRun:
        """Record the operator's decision on a job's missed time.

        Raises:
            NotFound: no missed time of that job waits for a decision.
        """
        now = self._clock()
        with self._store.begin() as unit:
            asked = [found for found in unit.job_runs.list({JobRunState.ASKED}) if found.slot.job == job]
            if not asked:
                raise NotFound(f"no missed time of {job[:120]!r} waits for your decision; `auria schedule` lists them")
            if run:
                decided = asked[0].evolve(
                    state=JobRunState.RETRY, again_at=now, summary="to be made up for: your decision"
                )
            else:
                decided = asked[0].evolve(state=JobRunState.SKIPPED, ended_at=now, summary="skipped: your decision")
            unit.job_runs.save(decided, was=asked[0])
            details = f"{job} of {decided.slot.name}: {decided.summary}"
            unit.journal.note("catch up" if run else "let go", details=details, at=now)
        return decided

    def leader(self) -> Lease | None:
        """The lease of the daemon that leads, or led last; None when none ever did."""
        with self._store.read() as unit:
            return unit.leases.get(NAME)

    def is_working(self) -> bool:
        """Whether a daemon that is alive is running a job."""
        with self._store.read() as unit:
            is_led = unit.leases.valid(NAME, length=LENGTH, now=self._clock()) is not None
            return is_led and bool(unit.job_runs.list({JobRunState.RUNNING}, limit=1))

    def is_led(self) -> bool:
        """Whether a daemon leads now."""
        with self._store.read() as unit:
            return unit.leases.valid(NAME, length=LENGTH, now=self._clock()) is not None

    def last_done(self) -> Mapping[str, datetime]:
        """When each job was done last."""
        with self._store.read() as unit:
            return unit.job_runs.done_at()

    def asked(self) -> Mapping[str, str]:
        """The missed times that wait for the operator's decision, by job."""
        with self._store.read() as unit:
            return {run.slot.job: run.slot.name for run in unit.job_runs.list({JobRunState.ASKED})}

    def upcoming(self, *, days: float = 7) -> tuple[ScheduledTime, ...]:
        """The scheduled times of the coming days, in order."""
        now = self._clock()
        until = now + timedelta(days=days)
        found = (time for schedule in self.schedules.values() for time in schedule.slots(now, until, self.zone))
        return tuple(sorted(found, key=lambda scheduled: (scheduled.due, scheduled.job)))

    def history(self, *, days: float = 7) -> tuple[JobRun, ...]:
        """The runs of the last days and older ones that are still open, the latest first."""
        with self._store.read() as unit:
            recent = unit.job_runs.list(since=self._clock() - timedelta(days=days))
            still_open = unit.job_runs.list(_OPEN)
        return (*recent, *(run for run in still_open if run not in recent))

    def forget_old(self) -> int:
        """Delete the records of runs of long ago; how many."""
        with self._store.begin() as unit:
            return unit.job_runs.forget(before=self._clock() - _KEPT)

    def _claim_job(
        self, unit: Unit, schedule: JobSchedule, run: JobRun | None, known: datetime | None, lease: Lease
    ) -> Iterator[JobRun]:
        now = self._clock()
        orphaned = run is not None and run.state is JobRunState.RUNNING  # its daemon died
        missed = orphaned or (run is not None and _is_retry_missed(run, schedule, now))
        if known is None:
            self._count_from(unit, schedule, now)
        elif run is not None and orphaned and now - run.slot.due <= schedule.grace:
            yield from self._restart(unit, run, lease, now)
        elif fresh := self._record_due(unit, schedule, known, lease, now):
            self._replace(unit, run, fresh[-1], now)
            yield from (new for new in fresh if new.state is JobRunState.RUNNING)
        elif run is not None and missed and schedule.catch_up is not CatchUp.RUN:
            asks = schedule.catch_up is CatchUp.ASK
            state = JobRunState.ASKED if asks else JobRunState.FAILED
            summary = f"{'interrupted' if orphaned else run.summary}; {_MISSED[schedule.catch_up]}"[-SUMMARY_LIMIT:]
            changed = run.evolve(state=state, ended_at=None if asks else now, again_at=None, summary=summary)
            unit.job_runs.save(changed, was=run)
        elif run is not None and (orphaned or (run.state is JobRunState.RETRY and _is_retry_due(run, now))):
            yield from self._restart(unit, run, lease, now)

    def _count_from(self, unit: Unit, schedule: JobSchedule, now: datetime) -> None:
        """Record that a job's times, and which, count from now on, also where a clock that was ahead did so later."""
        start = ScheduledTime(job=schedule.job, name=BEGIN, due=now)
        begin = JobRun(slot=start, state=JobRunState.DONE, ended_at=now, summary=schedule.described(self.zone))
        if not unit.job_runs.add(begin) and (recorded := unit.job_runs.get(schedule.job, BEGIN)) is not None:
            unit.job_runs.save(begin, was=recorded)

    def _is_wanted(self, unit: Unit, run: JobRun, later: Mapping[str, JobRun], now: datetime) -> bool:
        """Whether an open run is its job's latest and the job is still scheduled; any other is recorded as skipped."""
        scheduled = run.slot.job in self.schedules
        if scheduled and run.slot.job not in later:
            return True
        reason = "a later time replaced it" if scheduled else "this job is no longer scheduled"
        unit.job_runs.save(run.evolve(state=JobRunState.SKIPPED, ended_at=now, summary=reason), was=run)
        return False

    def _restart(self, unit: Unit, run: JobRun, lease: Lease, now: datetime) -> Iterator[JobRun]:
        """Claim a run that was started before, unless that was too often."""
        if run.tries >= MAX_STARTS:
            summary = f"given up: it was interrupted {run.tries} times"
            unit.job_runs.save(run.evolve(state=JobRunState.FAILED, ended_at=now, summary=summary), was=run)
            return
        claimed = run.evolve(
            state=JobRunState.RUNNING,
            tries=run.tries + 1,
            fencing=lease.fencing,
            started_at=run.started_at or now,
            ended_at=None,
            again_at=None,
        )
        unit.job_runs.save(claimed, was=run)
        yield claimed

    def _record_due(
        self, unit: Unit, schedule: JobSchedule, known: datetime, lease: Lease, now: datetime
    ) -> list[JobRun]:
        """Record the times that came due since the last known one; at most one of them is to run now."""
        quiet = self._quiet.get(schedule.job)
        if quiet is not None and quiet.known == known and quiet.begin <= now < quiet.end:
            return []
        # Where clocks leap over two times, both are due at the same moment.
        since = max(known - timedelta(seconds=1), now - MISSED_LIMIT)
        begin = unit.job_runs.get(schedule.job, BEGIN)
        former = begin.summary if begin is not None else ""
        times = schedule.slots(since, now, self.zone, former=former, changed=self._begun)
        due = [scheduled for scheduled in times if unit.job_runs.get(schedule.job, scheduled.name) is None]
        due.sort(key=lambda scheduled: (scheduled.due, scheduled.name))
        late = [scheduled for scheduled in due if now - scheduled.due > schedule.grace]
        on_time = due[len(late) :]
        if on_time:
            chosen, state, reason = on_time[0], JobRunState.RUNNING, ""  # the others follow when this one has ended
        elif late:
            chosen, state, reason = late.pop(), _MISSED_STATES[schedule.catch_up], _MISSED[schedule.catch_up]
        else:
            if former != schedule.described(self.zone):
                self._count_from(unit, schedule, max(known, min(self._begun, now)) if former else known)
            following = schedule.next(now, self.zone)
            end = now + _RECHECK if following is None else following.due
            self._quiet[schedule.job] = _Quiet(known=known, begin=now, end=end)
            return []
        skipped = {"state": JobRunState.SKIPPED, "ended_at": now, "summary": f"missed; {chosen.name} stands for it"}
        runs = [JobRun(slot=scheduled, state=JobRunState.SKIPPED).evolve(**skipped) for scheduled in late]
        run = JobRun(slot=chosen, state=state, summary=reason)
        if state is JobRunState.RUNNING:
            run = run.evolve(tries=1, fencing=lease.fencing, started_at=now)
        elif state is JobRunState.SKIPPED:
            run = run.evolve(ended_at=now)
        return [new for new in (*runs, run) if unit.job_runs.add(new)]

    def _replace(self, unit: Unit, run: JobRun | None, later: JobRun, now: datetime) -> None:
        """Close an open run, now that a later time of its job is due."""
        if run is not None and later.state is not JobRunState.SKIPPED:
            summary = f"{run.summary}; {later.slot.name} replaced it".removeprefix("; ")[-SUMMARY_LIMIT:]
            state = JobRunState.FAILED if run.state is JobRunState.RETRY else JobRunState.SKIPPED
            unit.job_runs.save(run.evolve(state=state, ended_at=now, again_at=None, summary=summary), was=run)

    def _save(self, was: JobRun, run: JobRun) -> JobRun:
        with self._store.begin() as unit:
            return run if unit.job_runs.save(run, was=was) else was


def _is_retry_due(run: JobRun, now: datetime) -> bool:
    """Whether it is time for a retry; one further away than the longest delay was planned by a clock that was ahead."""
    again = run.again_at or now
    return again <= now or again > now + RETRY_DELAYS[-1]


def _is_retry_missed(run: JobRun, schedule: JobSchedule, now: datetime) -> bool:
    """Whether a retry is later than the job's grace; a run that the operator asked for (it has not ended) never is."""
    late = now - (run.again_at or now)
    return run.state is JobRunState.RETRY and run.ended_at is not None and late > schedule.grace


NAME = "daemon"
"""The lease's name."""

LENGTH = timedelta(seconds=10)
"""How long a lease lasts without a heartbeat: with HEARTBEAT, a second daemon takes over within 13 seconds."""

HEARTBEAT = 3.0
"""Seconds between two heartbeats of the leader, and between two attempts of a waiting daemon."""


class LeaderElection:
    """One daemon's part in the election.

    Usage::

        election.heartbeat()       # every HEARTBEAT seconds
        if election.lease: ...     # this daemon leads
        election.release()
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        holder: str,
        length: timedelta = LENGTH,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`holder` is this daemon's unique name; `clock` counts where the database has no clock of its own."""
        self.store, self.holder = store, holder
        self._clock, self._length, self._monotonic = clock, length, monotonic
        self._lease: Lease | None = None
        self._valid_until = 0.0

    @property
    def lease(self) -> Lease | None:
        """The lease, as long as it is certainly this daemon's."""
        return self._lease if self._monotonic() < self._valid_until else None

    def heartbeat(self) -> bool:
        """Renew the lease, or take it where it is free; whether this daemon leads.

        Raises:
            StoreError, DiskError: the database cannot be used; the lease is this daemon's until it runs out.
        """
        # A holder whose answer came too late asks once more: that another program locked the database for a while is no
        # reason to drop the work.
        return self._acquire() or (self._lease is not None and self._acquire())

    def _acquire(self) -> bool:
        """Renew or take the lease; whether it is certainly this daemon's."""
        # Counted from before the question: a slow answer must not lengthen the lease.
        asked_at, now = self._monotonic(), self._clock()
        with self.store.begin() as unit:
            renewed = self._lease and unit.leases.renew(self._lease, length=self._length, now=now)
            lease = renewed or unit.leases.take(NAME, holder=self.holder, length=self._length, now=now)
        self._lease = lease
        self._valid_until = asked_at + self._length.total_seconds()
        return self.lease is not None

    def release(self) -> None:
        """Give up the lease, so that another daemon can take it at once.

        Raises:
            StoreError, DiskError: the database cannot be used; the lease runs out by itself.
        """
        lease, self._lease = self._lease, None
        if lease is not None:
            with self.store.begin() as unit:
                unit.leases.release(lease)

    def current(self) -> Lease | None:
        """The lease as recorded, whoever holds it."""
        with self.store.read() as unit:
            return unit.leases.get(NAME)


def own_name() -> str:
    """A unique name for this process: machine, process id, and a random part, for process ids come again."""
    return f"{socket.gethostname()[:100]}:{os.getpid()}:{secrets.token_hex(4)}"
