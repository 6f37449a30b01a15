"""A notice stays until it is said, and is settled as itself alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import event

from auria_bot.domain.job_schedule import BEGIN, JobRun, JobRunState, ScheduledTime
from auria_bot.domain.notice import Notice
from auria_bot.domain.post import Outcome, PostState
from auria_bot.settings.schema import Settings
from auria_bot.store.unit_of_work import Store
from tests.factories import NOW, add_draft

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.domain.notice import PendingNotification


LATER = NOW + timedelta(minutes=5)


def notice(subject: str, kind: str = "disk_filling") -> Notice:
    """Something to say."""
    return Notice(kind=kind, subject=subject, title="t", body="w")


def taken(store: Store) -> list[PendingNotification]:
    """What is to be said now."""
    with store.begin() as unit:
        return list(unit.notices.claim_due(now=NOW, until=LATER))


def test_an_occasion_that_is_over_settles_no_other(store: Store):
    """While one is said it may end and another come, to which SQLite gives the same number: that one is still to be said."""
    for next_one in (notice("other"), notice("home")):
        with store.begin() as unit:
            unit.notices.add(notice("home"), at=NOW)
        (telling,) = taken(store)
        with store.begin() as unit:
            unit.notices.forget("disk_filling", {"home"})
            unit.notices.add(next_one, at=NOW)
        with store.begin() as unit:
            unit.notices.record_delivery(telling, delivered=["a"], next_at=None)
        (left,) = taken(store)
        assert (left.notice, left.delivered) == (next_one, ())
        with store.begin() as unit:
            unit.notices.record_delivery(left, delivered=["a"], next_at=None)
            assert not unit.notices.has_due(now=LATER)
            unit.notices.forget("disk_filling", {next_one.subject})


def test_what_a_clock_ahead_put_off_is_said(store: Store):
    """A notice that would wait for longer than two days was written by a clock that was wrong."""
    with store.begin() as unit:
        unit.notices.add(notice("home"), at=NOW + timedelta(days=700))
        # The longest delay before a retry, as a machine wrote it whose clock is a second ahead.
        unit.notices.add(notice("soon"), at=NOW + timedelta(hours=24, seconds=1))
    with store.read() as unit:
        assert unit.notices.has_due(now=NOW)
    assert [one.notice.subject for one in taken(store)] == ["home"]
    assert taken(store) == []


def test_attempts_are_counted_by_channel_and_outcome(store: Store):
    """An open attempt does not count."""
    with store.begin() as unit:
        draft = add_draft(unit)
        for channel in ("a", "b"):
            unit.posts.add(draft, channel, due=NOW, picture="p.jpg", key=channel)
        first, _ = unit.posts.claim(now=NOW, lease=timedelta(minutes=1), channels=["a", "b"], limit=2)
        unit.posts.close_attempt(first.moved(PostState.WAITING), outcome=Outcome.THROTTLED, message="wait", at=NOW)
        assert unit.metrics.attempts() == {("a", "throttled"): 1}


def test_the_first_due_post_of_each_channel(store: Store):
    """A paused channel's posts are left out."""
    with store.begin() as unit:
        for number in (1, 2):
            draft = add_draft(unit, number)
            for channel in ("a", "b"):
                due = NOW + timedelta(hours=number)
                unit.posts.add(draft, channel, due=due, picture="p.jpg", key=f"{channel}{number}")
        unit.channels.pause("b", reason="a holiday", by="operator", at=NOW)
        assert unit.metrics.due_since() == {"a": NOW + timedelta(hours=1)}


def test_steps_add_up(store: Store):
    """Seconds and times of a step are sums over all runs."""
    with store.begin() as unit:
        unit.metrics.record_step("poem", seconds=1.5, times=1)
        unit.metrics.record_step("poem", seconds=0.5, times=2)
        assert unit.metrics.steps() == {"poem": (2.0, 3)}


def claim(day: int, job: str = "make", **changes) -> JobRun:
    """A run at the same hour of another day."""
    due = NOW + timedelta(days=day)
    slot = ScheduledTime(job=job, name=f"{due:%Y-%m-%dT%H:%M}", due=due)
    return JobRun(slot=slot, **{"state": JobRunState.RUNNING, "tries": 1, "fencing": 3, **changes})


def test_the_first_claim_wins(store: Store):
    """A second daemon cannot claim the same scheduled time."""
    with store.begin() as unit:
        assert unit.job_runs.add(claim(0))
        assert not unit.job_runs.add(claim(0, fencing=4))
        assert unit.job_runs.add(claim(0, job="measure"))
        assert unit.job_runs.get("make", claim(0).slot.name) == claim(0)
        assert unit.job_runs.get("make", "never") is None


def test_a_change_needs_the_slot_as_it_was(store: Store):
    """What another daemon took over is not overwritten."""
    done = claim(0, state=JobRunState.DONE, ended_at=NOW, summary="3 drafts")
    with store.begin() as unit:
        unit.job_runs.add(claim(0))
        assert not unit.job_runs.save(done, was=claim(0, fencing=2))
        assert unit.job_runs.save(done, was=claim(0))
        assert not unit.job_runs.save(claim(0), was=claim(0))
        assert unit.job_runs.list() == (done,)


def test_lists_leave_the_beginning_out(store: Store):
    """The last due stands first; the beginning counts as the latest where there is nothing else."""
    begin = JobRun(slot=ScheduledTime(job="tidy", name=BEGIN, due=NOW), state=JobRunState.DONE, ended_at=NOW)
    done = claim(1, state=JobRunState.DONE, ended_at=NOW + timedelta(days=1))
    with store.begin() as unit:
        for one in (begin, claim(0), done, claim(9)):
            unit.job_runs.add(one)
        assert unit.job_runs.list() == (claim(9), done, claim(0))
        assert unit.job_runs.list({JobRunState.RUNNING}, limit=1) == (claim(9),)
        assert unit.job_runs.list(since=NOW + timedelta(hours=1)) == (claim(9), done)
        assert unit.job_runs.latest(until=NOW + timedelta(days=2)) == {"make": done.slot.due, "tidy": NOW}
        assert unit.job_runs.done_at() == {"make": NOW + timedelta(days=1)}


def test_what_is_old_is_forgotten(store: Store):
    """Old runs are deleted, except open ones and the last of each job."""
    with store.begin() as unit:
        ended = [claim(day, state=JobRunState.DONE) for day in range(3)]
        for one in (*ended, claim(0, job="measure", state=JobRunState.SKIPPED), claim(-1)):
            unit.job_runs.add(one)
        assert unit.job_runs.forget(before=NOW + timedelta(days=9)) == 2
        assert {(one.slot.job, one.slot.due) for one in unit.job_runs.list()} == {
            ("make", ended[2].slot.due),
            ("measure", NOW),
            ("make", NOW - timedelta(days=1)),
        }


def test_a_year_of_slots_is_not_read_for_the_last_of_each_job(tmp_path: Path):
    """Each job's last time is found by steps in the index, so that looking costs the same after a year."""
    with Store.open(Settings(home=tmp_path)) as store:
        with store.begin() as unit:
            for job in ("make", "measure", "tidy"):
                for day in range(300):
                    state = JobRunState.DONE if day < 290 and job != "tidy" else JobRunState.FAILED
                    unit.job_runs.add(claim(day, job=job, state=state, ended_at=NOW + timedelta(days=day, hours=1)))
        steps: list[int] = []

        def count(connection, *_: object) -> None:
            connection.set_progress_handler(lambda: steps.append(1), 100)

        store.close()
        event.listen(store._engine, "connect", count)
        with store.read() as unit:
            steps.clear()
            assert unit.job_runs.latest(until=NOW + timedelta(days=200)) == dict.fromkeys(
                ("make", "measure", "tidy"), NOW + timedelta(days=200)
            )
            assert len(steps) < 10
            assert unit.job_runs.done_due() == dict.fromkeys(("make", "measure"), NOW + timedelta(days=289))
            assert unit.job_runs.done_at() == dict.fromkeys(("make", "measure"), NOW + timedelta(days=289, hours=1))


def test_each_job_has_its_own_last_time(store: Store):
    """On either database; a job of which nothing ended well has none."""
    with store.begin() as unit:
        assert unit.job_runs.latest(until=NOW) == unit.job_runs.done_at() == unit.job_runs.done_due() == {}
        for job, day, state in (("a", 0, "done"), ("a", 1, "failed"), ("b", 2, "running"), ("c", 3, "done")):
            unit.job_runs.add(claim(day, job=job, state=JobRunState(state), ended_at=NOW))
        days = {"a": 1, "b": 2, "c": 3}
        assert unit.job_runs.latest(until=NOW + timedelta(days=9)) == {
            job: NOW + timedelta(days=day) for job, day in days.items()
        }
        assert unit.job_runs.done_at() == {"a": NOW, "c": NOW}
        assert unit.job_runs.done_due() == {"a": NOW, "c": NOW + timedelta(days=3)}


LENGTH = timedelta(seconds=10)


def test_one_holder_at_a_time(store: Store):
    """A second waits until the first lets go; what the first then does is refused."""
    now = datetime.now(UTC)
    with store.begin() as unit:
        assert unit.leases.get("daemon") is None
        first = unit.leases.take("daemon", holder="a", length=LENGTH, now=now)
        assert (first.holder, first.fencing) == ("a", 1)
        assert first.until - first.heartbeat == LENGTH
        assert unit.leases.take("daemon", holder="b", length=LENGTH, now=now) is None
        assert unit.leases.holds(first)
        renewed = unit.leases.renew(first, length=LENGTH, now=now + timedelta(seconds=3))
        assert renewed.fencing == 1
        assert renewed.until >= first.until
        assert unit.leases.release(first)
        second = unit.leases.take("daemon", holder="b", length=LENGTH, now=now)
        assert (second.holder, second.fencing) == ("b", 2)
        assert not unit.leases.holds(first)
        assert unit.leases.renew(first, length=LENGTH, now=now) is None
        assert not unit.leases.release(first)
        assert unit.leases.get("daemon") == second


def test_a_lease_that_ran_out_is_free(store: Store):
    """Its holder may renew an expired lease that was not taken."""
    now = datetime.now(UTC)
    with store.begin() as unit:
        first = unit.leases.take("daemon", holder="a", length=timedelta(0), now=now)
        assert unit.leases.renew(first, length=timedelta(0), now=now) is not None
        later = now + timedelta(seconds=1)
        assert unit.leases.take("daemon", holder="b", length=LENGTH, now=later).fencing == 2
        assert unit.leases.renew(first, length=LENGTH, now=later) is None


def test_a_lease_from_a_clock_that_was_ahead_is_free(store: Store):
    """A lease that claims to last longer than its length is free."""
    now = datetime.now(UTC)
    with store.begin() as unit:
        unit.leases.take("daemon", holder="a", length=timedelta(days=400), now=now)
        assert unit.leases.take("daemon", holder="b", length=LENGTH, now=now).holder == "b"


def test_machines_whose_clocks_differ_agree(store: Store):
    """On PostgreSQL the server's clock counts, not the caller's."""
    now = datetime.now(UTC)
    with store.begin() as unit:
        unit.leases.take("daemon", holder="a", length=LENGTH, now=now)
        other = unit.leases.take("daemon", holder="b", length=LENGTH, now=now + timedelta(seconds=15))
        is_server_s = not store.url.startswith("sqlite")
        assert (other is None) is is_server_s
