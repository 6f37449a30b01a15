"""Every scheduled run happens once; missed ones are caught up as the operator configured."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from auria_bot.domain.job_schedule import CatchUp, JobRunState, JobSchedule, times
from auria_bot.errors import DatabaseUnreachable, InvalidTransition, NotFound
from auria_bot.services.schedule.job_scheduler import (
    HEARTBEAT,
    LENGTH,
    MAX_STARTS,
    NAME,
    RETRY_DELAYS,
    JobScheduler,
    LeaderElection,
    own_name,
)
from auria_bot.services.schedule.jobs import JobOutcome, JobResult
from auria_bot.store.operations import JobRuns

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.job_schedule import JobRun, Lease
    from auria_bot.testing import FakeClock


UTC_ZONE = ZoneInfo("UTC")
DONE = JobResult(outcome=JobOutcome.DONE)
AWAY = JobResult(outcome=JobOutcome.FAILED, summary="away")
MAKE = JobSchedule(job="make", at=times(("04:00",)))


@pytest.fixture
def lease(application: Application, clock: FakeClock) -> Lease:
    """The leader's."""
    leader = LeaderElection(store=application.store, clock=clock, holder="a")
    leader.heartbeat()
    return leader.lease


def agenda(application: Application, clock: FakeClock, *schedules: JobSchedule) -> JobScheduler:
    """An agenda in UTC that has looked once, so that its slots count from now on."""
    return JobScheduler(store=application.store, clock=clock, schedules=schedules, zone=UTC_ZONE)


def told(one: JobScheduler, **over: float) -> list[tuple[str, str, str]]:
    """Job, local time and state of every run, the first first."""
    return [(claim.slot.job, claim.slot.name[5:], str(claim.state)) for claim in reversed(one.history(**over))]


def test_slots_count_from_the_first_look_on(application: Application, clock: FakeClock, lease: Lease):
    """Times before the first daemon are not caught up; from then on each is claimed once."""
    one = agenda(application, clock, MAKE)
    assert one.claim(lease) == ()
    clock.advance(hours=18)
    assert one.claim(lease) == ()
    clock.advance(hours=1)
    (claim,) = one.claim(lease)
    assert (claim.slot.name, claim.state, claim.tries, claim.fencing) == ("2026-11-22T04:00", JobRunState.RUNNING, 1, 1)
    assert one.claim(lease, busy=[claim.slot]) == ()
    done = one.settle(claim, JobResult(outcome=JobOutcome.DONE, summary="3 drafts"))
    assert (done.state, done.summary, done.ended_at) == (JobRunState.DONE, "3 drafts", clock())
    assert one.claim(lease) == ()
    assert told(one) == [("make", "11-22T04:00", "done")]


def test_who_leads_and_what_was_done_last_is_known(application: Application, clock: FakeClock):
    """Nobody and nothing before the first daemon; a leader's lease is known after its end, too."""
    one = agenda(application, clock, MAKE)
    assert (one.leader(), one.last_done()) == (None, {})
    election = LeaderElection(store=application.store, clock=clock, holder="a")
    assert election.heartbeat()
    one.claim(election.lease)
    clock.advance(hours=19)
    election.heartbeat()
    (claim,) = one.claim(election.lease)
    one.settle(claim, DONE)
    assert one.last_done() == {"make": clock()}
    clock.advance(hours=24)
    lease = one.leader()
    assert lease is not None
    assert (lease.holder, lease.until < clock()) == ("a", True)


def test_a_deposed_daemon_claims_nothing(application: Application, clock: FakeClock, lease: Lease):
    """Its number is no longer the lease's, and what it had is no longer its own."""
    one = agenda(application, clock, MAKE)
    one.claim(lease)
    clock.advance(hours=19)
    (claim,) = one.claim(lease)
    second = LeaderElection(store=application.store, clock=clock, holder="b")
    assert second.heartbeat()
    with pytest.raises(InvalidTransition, match="another daemon"):
        one.claim(lease)
    (taken,) = one.claim(second.lease)
    assert (taken.slot, taken.tries, taken.fencing) == (claim.slot, 2, 2)
    assert one.settle(claim, DONE).state is JobRunState.RUNNING
    assert one.settle(taken, DONE).state is JobRunState.DONE


@pytest.mark.parametrize(
    ("policy", "state", "claimed"), [("run", "running", 1), ("skip", "skipped", 0), ("ask", "asked", 0)]
)
def test_three_days_off(
    application: Application, clock: FakeClock, lease: Lease, policy: str, state: str, claimed: int
):
    """At most the latest missed run is caught up, by the policy; the others are dropped."""
    one = agenda(application, clock, replace(MAKE, catch_up=CatchUp(policy)))
    one.claim(lease)
    clock.advance(days=3, hours=1)
    found = one.claim(lease)
    assert len(found) == claimed
    assert told(one) == [
        ("make", "11-22T04:00", "skipped"),
        ("make", "11-23T04:00", "skipped"),
        ("make", "11-24T04:00", state),
    ]
    assert one.claim(lease, busy=[claim.slot for claim in found]) == ()


def test_the_operator_is_asked(application: Application, clock: FakeClock, lease: Lease):
    """The operator answers yes or no; the next scheduled run ends an older question."""
    one = agenda(application, clock, replace(MAKE, catch_up=CatchUp.ASK))
    one.claim(lease)
    for run in (True, False):
        clock.advance(days=2)
        assert one.claim(lease) == ()
        assert one.asked() == {"make": one.history()[0].slot.name}
        assert one.decide("make", run=run).state is (JobRunState.RETRY if run else JobRunState.SKIPPED)
        assert [one.settle(claim, DONE).state for claim in one.claim(lease)] == ([JobRunState.DONE] if run else [])
    with pytest.raises(NotFound, match="auria schedule"):
        one.decide("make", run=True)
    clock.advance(days=2)
    one.claim(lease)
    clock.advance(hours=19)
    (fresh,) = one.claim(lease)
    assert told(one)[-2:] == [("make", "11-27T04:00", "skipped"), ("make", "11-28T04:00", "running")]
    assert fresh.slot.name == "2026-11-28T04:00"


def test_a_failed_slot_is_tried_again(application: Application, clock: FakeClock, lease: Lease):
    """After a minute, five and so on; then it is given up."""
    one = agenda(application, clock, MAKE)
    one.claim(lease)
    clock.advance(hours=19)
    for number, wait in enumerate(RETRY_DELAYS, start=1):
        (claim,) = one.claim(lease)
        assert claim.tries == number
        assert one.settle(claim, AWAY).again_at == clock() + wait
        assert one.claim(lease) == ()
        clock.advance(seconds=wait.total_seconds())
    (claim,) = one.claim(lease)
    assert one.settle(claim, AWAY).state is JobRunState.FAILED
    clock.advance(hours=6)
    assert one.claim(lease) == ()


def test_a_slot_that_is_held_back_is_neither_done_nor_tried_again(
    application: Application, clock: FakeClock, lease: Lease
):
    """A run that is held back is done by the next scheduled one."""
    one = agenda(application, clock, MAKE)
    one.claim(lease)
    clock.advance(hours=19)
    (claim,) = one.claim(lease)
    assert (
        one.settle(claim, JobResult(outcome=JobOutcome.POSTPONED, summary="the disk is full")).state
        is JobRunState.SKIPPED
    )
    assert one.claim(lease) == ()
    clock.advance(days=1)
    assert [found.slot.name for found in one.claim(lease)] == ["2026-11-23T04:00"]


def test_the_next_slot_overtakes_a_failed_one(application: Application, clock: FakeClock, lease: Lease):
    """Both are never worked on at once."""
    one = agenda(application, clock, JobSchedule(job="measure", at=times(("*:30",))))
    one.claim(lease)
    clock.advance(hours=1)
    one.settle(*one.claim(lease), AWAY)
    clock.advance(hours=1)
    (claim,) = one.claim(lease)
    assert claim.slot.name == "2026-11-21T10:30"
    assert told(one) == [("measure", "11-21T09:30", "failed"), ("measure", "11-21T10:30", "running")]


def test_work_that_was_broken_off_goes_on(application: Application, clock: FakeClock, lease: Lease):
    """A daemon that stops in order releases its run; that of one that was killed is found running."""
    one = agenda(application, clock, MAKE)
    one.claim(lease)
    clock.advance(hours=19)
    (claim,) = one.claim(lease)
    released = one.release(claim, "the daemon stopped")
    assert (released.state, released.tries) == (JobRunState.RETRY, 1)
    for _ in range(MAX_STARTS - 1):
        (claim,) = one.claim(lease)
    assert claim.tries == MAX_STARTS
    assert one.claim(lease) == ()
    assert told(one) == [("make", "11-22T04:00", "failed")]


@pytest.mark.parametrize(("policy", "state"), [("run", "running"), ("skip", "failed"), ("ask", "asked")])
def test_work_that_was_broken_off_long_ago(
    application: Application, clock: FakeClock, lease: Lease, policy: str, state: str
):
    """Counts as missed; what came due meanwhile takes its place."""
    one = agenda(application, clock, replace(MAKE, catch_up=CatchUp(policy)))
    one.claim(lease)
    clock.advance(hours=19)
    one.claim(lease)
    clock.advance(hours=5)
    one.claim(lease)
    assert told(one) == [("make", "11-22T04:00", state)]
    clock.advance(days=1)
    one.claim(lease)
    states = [row[2] for row in told(one)]
    assert states[1] == {"run": "running", "skip": "skipped", "ask": "asked"}[policy]
    assert states[0] != "running"


def test_a_job_that_is_gone_is_let_go(application: Application, clock: FakeClock, lease: Lease):
    """Open runs of a job that no longer exists are dropped."""
    agenda(application, clock, MAKE).claim(lease)
    clock.advance(hours=19)
    agenda(application, clock, MAKE).claim(lease)
    other = agenda(application, clock, JobSchedule(job="measure", at=times(("*:00",))))
    assert other.claim(lease) == ()
    assert told(other) == [("make", "11-22T04:00", "skipped")]


def test_two_slots_at_one_moment(application: Application, clock: FakeClock, lease: Lease):
    """Where clocks leap over both, they come one after the other."""
    clock.now = datetime(2026, 3, 29, 0, 50, tzinfo=UTC)
    zone = ZoneInfo("Europe/London")
    schedule = JobSchedule(job="make", at=times(("01:10", "01:40")))
    one = JobScheduler(store=application.store, clock=clock, schedules=[schedule], zone=zone)
    one.claim(lease)
    clock.advance(minutes=11)
    for name in ("2026-03-29T01:10", "2026-03-29T01:40"):
        (claim,) = one.claim(lease)
        assert (claim.slot.name, claim.slot.due) == (name, datetime(2026, 3, 29, 1, tzinfo=UTC))
        one.settle(claim, DONE)
    assert one.claim(lease) == ()


def test_a_look_at_a_job_that_is_not_due_asks_for_no_run_of_it(
    application: Application, clock: FakeClock, lease: Lease, monkeypatch: pytest.MonkeyPatch
):
    """Until its next time comes, a job costs no query of its own; then it is claimed."""
    asked = list[str]()
    get = JobRuns.get

    def counted(self: JobRuns, job: str, name: str) -> JobRun | None:
        asked.append(name)
        return get(self, job, name)

    one = agenda(application, clock, MAKE)
    one.claim(lease)
    one.claim(lease)
    monkeypatch.setattr(JobRuns, "get", counted)
    clock.now += timedelta(seconds=1)
    assert one.claim(lease) == ()
    assert asked == []
    clock.now += timedelta(days=1)
    assert len(one.claim(lease)) == 1
    assert asked != []


@pytest.mark.parametrize("moved", ["09:00", "05:00"])
def test_a_time_that_was_moved_to_one_already_past_was_not_missed(
    application: Application, clock: FakeClock, lease: Lease, moved: str
):
    """Neither before the time of today nor after it: nothing runs at once, or twice a day; tomorrow it does."""
    earlier = replace(MAKE, at=times(("18:00" if moved == "09:00" else "04:00",)))
    one = agenda(application, clock, earlier)
    one.claim(lease)
    clock.now = datetime(2026, 11, 22, 10, tzinfo=UTC)
    for claim in one.claim(lease):
        one.settle(claim, DONE)
    other = agenda(application, clock, replace(earlier, at=times((moved,))))
    assert other.claim(lease) == ()
    assert other.claim(lease) == ()
    clock.advance(days=1)
    (claim,) = agenda(application, clock, replace(earlier, at=times((moved,)))).claim(lease)
    assert claim.slot.name == f"2026-11-23T{moved}"


def test_a_time_that_stays_in_a_changed_schedule_was_missed(application: Application, clock: FakeClock, lease: Lease):
    """It is made up for, whatever else the schedule has now; a time of another day was none."""
    agenda(application, clock, MAKE).claim(lease)
    clock.advance(days=1)
    changed = replace(MAKE, at=times(("02:00", "04:00")))
    (claim,) = agenda(application, clock, changed).claim(lease)
    assert (claim.slot.name, claim.summary) == ("2026-11-22T04:00", "missed, and made up for")


def test_a_clock_that_was_far_ahead_stops_nothing(application: Application, clock: FakeClock, lease: Lease):
    """What was written for a time to come does not count before it comes."""
    one = agenda(application, clock, MAKE)
    one.claim(lease)
    clock.advance(days=700)
    for claim in one.claim(lease):
        one.settle(claim, DONE)
    clock.advance(days=-700)
    for _ in range(3):
        clock.advance(days=1)
        for claim in one.claim(lease):
            one.settle(claim, DONE)
    assert Counter(row[2] for row in told(one) if row[1].startswith("11-2")) == {"done": 3}


def test_a_beginning_that_a_clock_ahead_wrote_is_moved(application: Application, clock: FakeClock, lease: Lease):
    """A machine that starts with a wrong clock works from when the clock is right, not from the time it once showed."""
    one = agenda(application, clock, MAKE)
    clock.advance(days=700)
    one.claim(lease)
    clock.advance(days=-700)
    assert one.claim(lease) == ()
    clock.advance(hours=19)
    (claim,) = one.claim(lease)
    assert claim.slot.name == "2026-11-22T04:00"


def test_a_try_that_a_clock_ahead_put_off_is_due(application: Application, clock: FakeClock, lease: Lease):
    """Nothing waits for longer than the longest wait there is."""
    one = agenda(application, clock, MAKE)
    one.claim(lease)
    clock.advance(hours=19)
    (claim,) = one.claim(lease)
    clock.advance(days=300)
    one.settle(claim, AWAY)
    clock.advance(days=-300)
    assert [again.tries for again in one.claim(lease)] == [2]


@pytest.mark.parametrize(("policy", "state"), [("run", "running"), ("skip", "failed"), ("ask", "asked")])
@pytest.mark.parametrize("failed", [False, True])
def test_a_try_that_was_missed_for_long(
    application: Application, clock: FakeClock, lease: Lease, policy: str, state: str, failed: bool
):
    """A run whose daemon stopped, or that was to be retried, is caught up days later only by its policy."""
    weekly = replace(MAKE, catch_up=CatchUp(policy), days=frozenset({6}))
    one = agenda(application, clock, weekly)
    one.claim(lease)
    clock.advance(hours=19)
    (claim,) = one.claim(lease)
    if failed:
        one.settle(claim, AWAY)
    else:
        one.release(claim, "the daemon stopped")
    clock.advance(days=3)
    assert [again.tries for again in one.claim(lease)] == ([2] if policy == "run" else [])
    assert told(one) == [("make", "11-22T04:00", state)]
    if policy == "ask":
        one.decide("make", run=True)
        clock.advance(days=2)
        assert [again.tries for again in one.claim(lease)] == [2]


def test_the_coming_week(application: Application, clock: FakeClock):
    """In order."""
    one = agenda(application, clock, MAKE, JobSchedule(job="tidy", at=times(("05:00",)), days=frozenset({6})))
    coming = one.upcoming()
    assert len(coming) == 8
    assert list(coming) == sorted(coming, key=lambda slot: slot.due)


def test_old_slots_are_forgotten(application: Application, clock: FakeClock, lease: Lease):
    """After more than a year."""
    one = agenda(application, clock, MAKE)
    one.claim(lease)
    clock.advance(hours=19)
    one.settle(*one.claim(lease), DONE)
    clock.advance(days=1)
    one.settle(*one.claim(lease), DONE)
    assert one.forget_old() == 0
    clock.advance(days=401)
    assert one.forget_old() == 2  # the beginning and the first; the last stays


def test_when_a_slot_was_first_begun_is_kept(application: Application, clock: FakeClock, lease: Lease):
    """What it did since then is its own, however often it is begun again."""
    one = agenda(application, clock, MAKE)
    one.claim(lease)
    clock.advance(hours=19)
    (claim,) = one.claim(lease)
    first = clock()
    clock.advance(minutes=5)
    (again,) = one.claim(lease)
    assert (claim.started_at, again.started_at, again.tries) == (first, first, 2)


def leader(application: Application, clock: FakeClock, name: str) -> LeaderElection:
    """A daemon's leadership, whose steady clock is the fake one too."""
    return LeaderElection(store=application.store, clock=clock, holder=name, monotonic=lambda: clock().timestamp())


def test_a_second_waits_until_the_first_is_gone(application: Application, clock: FakeClock):
    """While the leader renews its lease the second daemon waits; then it takes over within 13 seconds."""
    first, second = leader(application, clock, "a"), leader(application, clock, "b")
    assert first.heartbeat()
    for _ in range(5):
        clock.advance(seconds=HEARTBEAT)
        assert first.heartbeat()
        assert not second.heartbeat()
    waited = 0.0
    while not second.heartbeat():
        clock.advance(seconds=HEARTBEAT)
        waited += HEARTBEAT
    assert waited <= 13
    assert first.lease is None
    assert second.current() == second.lease
    assert (second.lease.holder, second.lease.fencing, second.lease.name) == ("b", 2, NAME)
    assert not first.heartbeat()


def test_one_who_lets_go_is_followed_at_once(application: Application, clock: FakeClock):
    """And letting go twice does no harm."""
    first, second = leader(application, clock, "a"), leader(application, clock, "b")
    first.heartbeat()
    first.release()
    first.release()
    assert first.lease is None
    assert second.heartbeat()


def test_a_daemon_without_a_database_is_no_leader_after_a_while(application: Application, clock: FakeClock):
    """It may work on until the lease runs out, and leads again when the database is back."""
    first = leader(application, clock, "a")
    first.heartbeat()
    whole, first.store = first.store, Away()
    clock.advance(seconds=HEARTBEAT)
    with pytest.raises(DatabaseUnreachable):
        first.heartbeat()
    assert first.lease is not None
    clock.advance(seconds=LENGTH.total_seconds())
    assert first.lease is None
    first.store = whole
    assert first.heartbeat()
    assert first.lease.fencing == 1


@pytest.mark.parametrize(("second", "leads"), [(1.0, True), (LENGTH.total_seconds(), False)])
def test_an_answer_that_takes_too_long_makes_no_leader(
    application: Application, clock: FakeClock, second: float, leads: bool
):
    """The lease counts from before the question; it is asked once more, and that answer counts."""
    late = LENGTH.total_seconds()
    ticks = iter([0.0, late, late, late + second])
    slow = LeaderElection(
        store=application.store, clock=clock, holder="a", length=LENGTH, monotonic=lambda: next(ticks)
    )
    assert slow.heartbeat() is leads


def test_names_are_unlike():
    """Two of one process too."""
    assert own_name() != own_name()
    assert timedelta(seconds=HEARTBEAT) < LENGTH / 3 + timedelta(seconds=1)


class Away:
    """A database that does not answer."""

    def begin(self):
        """Never begins."""
        raise DatabaseUnreachable

    read = begin
