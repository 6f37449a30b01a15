"""What is due: claims slots for the leader, keeps what came of them, and makes up for missed ones as the operator wished.

A slot is claimed by a row that only one can write, together with a look at the lease: so a daemon that was deposed claims
nothing. Of slots that were missed while no daemon ran, at most the latest of each job is made up for. Knows slots, rules and the
lease; does not know what a job does.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.job_schedule import BEGIN, CatchUp, JobRun, JobRunState, ScheduledTime
from auria_bot.errors import InvalidTransition, NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from auria_bot.domain.interfaces import Clock
    from auria_bot.domain.job_schedule import JobSchedule, Lease
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = ["BACK_OFF", "LOOK_AGAIN", "LOOK_BACK", "MOST_TRIES", "MOST_WORDS", "JobScheduler"]

BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180))
"""How long to wait before each further try of a slot that failed; then it is given up."""

MOST_TRIES = 20
"""How often a slot is begun whose daemon dies over it each time."""

LOOK_BACK = timedelta(days=14)
"""Slots that were missed longer ago are not even written down."""

LOOK_AGAIN = timedelta(minutes=1)
"""When to look at the latest: the operator may have decided on a slot, or the clock was set."""

KEPT = timedelta(days=400)  # how long it is known what became of a slot

MOST_WORDS = 500
"""Characters that are kept of what a job said."""


class JobScheduler:
    """The leader's agenda.

    Usage::

        for claim in agenda.claim(lease, busy=running): start(claim)
        agenda.settle(claim, failed="the platform is away")
    """

    def __init__(self, *, store: Store, clock: Clock, rules: Sequence[JobSchedule], zone: ZoneInfo) -> None:
        """Join the collaborators.

        Args:
            store: where slots are kept.
            clock: tells the time.
            rules: when each job's slots are.
            zone: the operator's time zone.
        """
        self._store, self._clock, self._zone = store, clock, zone
        self.rules: Mapping[str, JobSchedule] = {rule.job: rule for rule in rules}

    def claim(self, lease: Lease, *, busy: Collection[ScheduledTime] = ()) -> tuple[JobRun, ...]:
        """The slots to work on now, each written down as running; one a job at a time.

        Args:
            lease: the leader's.
            busy: the slots that this daemon is at work on.

        Raises:
            InvalidTransition: another daemon has the lease; nothing was claimed.
        """
        now, claimed = self._clock(), list[JobRun]()
        with self._store.begin() as unit:
            if not unit.leases.holds(lease):
                raise InvalidTransition("another daemon has taken over")
            waiting = dict[str, JobRun]()
            for old in unit.job_runs.list({JobRunState.RUNNING, JobRunState.RETRY, JobRunState.ASKED}):
                if old.slot not in busy:
                    waiting |= {old.slot.job: old} if self._stands(unit, old, waiting, now) else {}
            at_work, latest = {slot.job for slot in busy}, unit.job_runs.latest(until=now)
            for rule in self.rules.values():
                if rule.job not in at_work:
                    begun = latest.get(rule.job)
                    claimed += self._due(unit, rule, waiting.get(rule.job), begun, lease)
        return tuple(claimed)

    def settle(self, claim: JobRun, *, words: str = "", failed: bool = False, held: bool = False) -> JobRun:
        """Keep what came of a slot; one that failed is tried again later, if it was not tried too often.

        Args:
            claim: the slot.
            words: what came of it.
            failed: it did not come to a good end.
            held: nothing was done, for this was not the time for it; the next slot does it.

        Returns:
            The slot as it stands; as it was where another daemon took it over.
        """
        now = self._clock()
        state = JobRunState.FAILED if failed else JobRunState.SKIPPED if held else JobRunState.DONE
        again = None
        if failed and claim.tries <= len(BACK_OFF):
            state, again = JobRunState.RETRY, now + BACK_OFF[claim.tries - 1]
        return self._save(claim, claim.evolve(state=state, ended_at=now, again_at=again, words=words[:MOST_WORDS]))

    def release(self, claim: JobRun, words: str) -> JobRun:
        """Let a slot go whose work was broken off: it is taken up again as soon as a daemon runs."""
        now = self._clock()
        return self._save(claim, claim.evolve(state=JobRunState.RETRY, ended_at=now, again_at=now, words=words))

    def decide(self, job: str, *, run: bool) -> JobRun:
        """The operator's word on a slot that was missed.

        Raises:
            NotFound: no slot of that job waits for one.
        """
        now = self._clock()
        with self._store.begin() as unit:
            asked = [one for one in unit.job_runs.list({JobRunState.ASKED}) if one.slot.job == job]
            if not asked:
                raise NotFound(f"no missed slot of {job[:120]!r} waits for your word; `auria schedule` shows them all")
            decided = asked[0].evolve(state=JobRunState.SKIPPED, ended_at=now, words="let go by the operator")
            if run:
                decided = asked[0].evolve(
                    state=JobRunState.RETRY, again_at=now, words="the operator wants it made up for"
                )
            unit.job_runs.save(decided, was=asked[0])
        return decided

    def asked(self) -> Mapping[str, str]:
        """The names of missed slots that wait for the operator's word, by their jobs."""
        with self._store.read() as unit:
            return {one.slot.job: one.slot.name for one in unit.job_runs.list({JobRunState.ASKED})}

    def coming(self, *, days: float = 7) -> tuple[ScheduledTime, ...]:
        """The slots of the coming days, the first first."""
        now = self._clock()
        found = (
            slot for rule in self.rules.values() for slot in rule.slots(now, now + timedelta(days=days), self._zone)
        )
        return tuple(sorted(found, key=lambda slot: (slot.due, slot.job)))

    def history(self, *, days: float = 7) -> tuple[JobRun, ...]:
        """What became of the slots of the last days, and of older ones that are still open; the last first."""
        with self._store.read() as unit:
            recent = unit.job_runs.list(since=self._clock() - timedelta(days=days))
            still = unit.job_runs.list({JobRunState.RUNNING, JobRunState.RETRY, JobRunState.ASKED})
        return (*recent, *(one for one in still if one not in recent))

    def next_look(self) -> datetime:
        """When something may be due next."""
        now = self._clock()
        dues = [slot.due for rule in self.rules.values() if (slot := rule.next(now, self._zone))]
        return min([now + LOOK_AGAIN, *dues])

    def tidy(self) -> int:
        """Forget what became of slots long ago; how many."""
        with self._store.begin() as unit:
            return unit.job_runs.forget(before=self._clock() - KEPT)

    def _due(
        self, unit: Unit, rule: JobSchedule, old: JobRun | None, begun: datetime | None, lease: Lease
    ) -> Iterator[JobRun]:
        """What of a job is to be worked on now, if anything.

        Args:
            unit: the unit of work.
            rule: the job's.
            old: its slot that is still open.
            begun: when its last known slot was due; None for a job that was never met.
            lease: the leader's.
        """
        now = self._clock()
        orphan = old is not None and old.state is JobRunState.RUNNING  # its daemon died
        missed = orphan or (old is not None and _went_by(old, rule, now))
        if begun is None:
            self._count_from(unit, rule, now)
        elif old is not None and orphan and now - old.slot.due <= rule.grace:
            yield from self._again(unit, old, lease, now)
        elif fresh := self._fresh(unit, rule, begun, lease, now):
            self._overtake(unit, old, fresh, now)
            yield from (one for one in fresh if one.state is JobRunState.RUNNING)
        elif old is not None and missed and rule.catch_up is not CatchUp.RUN:
            asked = rule.catch_up is CatchUp.ASK
            state = JobRunState.ASKED if asked else JobRunState.FAILED
            words = f"{'broken off' if orphan else old.words}; {_MISSED[rule.catch_up]}"[-MOST_WORDS:]
            unit.job_runs.save(
                old.evolve(state=state, ended_at=None if asked else now, again_at=None, words=words), was=old
            )
        elif old is not None and (orphan or (old.state is JobRunState.RETRY and _may_begin(old, now))):
            yield from self._again(unit, old, lease, now)

    def _count_from(self, unit: Unit, rule: JobSchedule, now: datetime) -> None:
        """Say that a job's slots count from now on; also where that was said by a clock that was ahead."""
        begin = JobRun(slot=ScheduledTime(job=rule.job, name=BEGIN, due=now), state=JobRunState.DONE, ended_at=now)
        if not unit.job_runs.add(begin) and (known := unit.job_runs.get(rule.job, BEGIN)) is not None:
            unit.job_runs.save(begin, was=known)

    def _stands(self, unit: Unit, old: JobRun, waiting: Mapping[str, JobRun], now: datetime) -> bool:
        """Whether an open slot is still wanted: its job is, and it is the job's last one. Else it is let go."""
        if old.slot.job in self.rules and old.slot.job not in waiting:
            return True
        words = (
            "a later one took its place" if old.slot.job in self.rules else "this job is not in the schedule any more"
        )
        unit.job_runs.save(old.evolve(state=JobRunState.SKIPPED, ended_at=now, words=words), was=old)
        return False

    def _again(self, unit: Unit, old: JobRun, lease: Lease, now: datetime) -> Iterator[JobRun]:
        """Claim a slot that was begun before, unless that was too often."""
        if old.tries >= MOST_TRIES:
            words = f"given up: it was broken off {old.tries} times"
            unit.job_runs.save(old.evolve(state=JobRunState.FAILED, ended_at=now, words=words), was=old)
            return
        taken = old.evolve(
            state=JobRunState.RUNNING,
            tries=old.tries + 1,
            fencing=lease.fencing,
            started_at=old.started_at or now,
            ended_at=None,
            again_at=None,
        )
        unit.job_runs.save(taken, was=old)
        yield taken

    def _fresh(self, unit: Unit, rule: JobSchedule, begun: datetime, lease: Lease, now: datetime) -> list[JobRun]:
        """Write down the slots that came due since the last known one: at most one of them to run."""
        # Two slots can be due at the same moment, where clocks leap over both.
        since = max(begun - timedelta(seconds=1), now - LOOK_BACK)
        due = [slot for slot in rule.slots(since, now, self._zone) if unit.job_runs.get(rule.job, slot.name) is None]
        due.sort(key=lambda slot: (slot.due, slot.name))
        late = [slot for slot in due if now - slot.due > rule.grace]
        on_time = due[len(late) :]
        written = list[JobRun]()
        if on_time:
            chosen, state = on_time[0], JobRunState.RUNNING  # the others stay for when this one is done
        elif late:
            chosen = late.pop()
            state = _CATCH_UP[rule.catch_up]
        else:
            return written
        for slot in late:
            words = f"missed; {chosen.name} stands for it"
            written.append(JobRun(slot=slot, state=JobRunState.SKIPPED, ended_at=now, words=words))
        words = "" if on_time else _MISSED[rule.catch_up]
        running = {"tries": 1, "fencing": lease.fencing, "started_at": now} if state is JobRunState.RUNNING else {}
        ended = {"ended_at": now} if state is JobRunState.SKIPPED else {}
        written.append(JobRun(slot=chosen, state=state, words=words).evolve(**running, **ended))
        return [one for one in written if unit.job_runs.add(one)]

    def _overtake(self, unit: Unit, old: JobRun | None, fresh: Sequence[JobRun], now: datetime) -> None:
        """Let an open slot go, now that a later one of its job is there."""
        if old is not None and fresh[-1].state is not JobRunState.SKIPPED:
            words = f"{old.words}; {fresh[-1].slot.name} took its place".removeprefix("; ")[-MOST_WORDS:]
            state = JobRunState.FAILED if old.state is JobRunState.RETRY else JobRunState.SKIPPED
            unit.job_runs.save(old.evolve(state=state, ended_at=now, again_at=None, words=words), was=old)

    def _save(self, was: JobRun, claim: JobRun) -> JobRun:
        with self._store.begin() as unit:
            return claim if unit.job_runs.save(claim, was=was) else was


def _may_begin(old: JobRun, now: datetime) -> bool:
    """Whether it is time for a slot's next try; one that is put off for longer than ever was so by a clock that was ahead."""
    again = old.again_at or now
    return again <= now or again > now + BACK_OFF[-1]


def _went_by(old: JobRun, rule: JobSchedule, now: datetime) -> bool:
    """Whether a slot's next try was missed as its time may be; what the operator wished for (it has not ended) is not."""
    return old.state is JobRunState.RETRY and old.ended_at is not None and now - (old.again_at or now) > rule.grace


_CATCH_UP = {CatchUp.RUN: JobRunState.RUNNING, CatchUp.SKIP: JobRunState.SKIPPED, CatchUp.ASK: JobRunState.ASKED}
_MISSED = {
    CatchUp.RUN: "missed, and made up for",
    CatchUp.SKIP: "missed",
    CatchUp.ASK: "missed; shall it be made up for? auria schedule --run JOB, or --skip JOB",
}
