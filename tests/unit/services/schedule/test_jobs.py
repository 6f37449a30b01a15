"""A job's commands follow from how things stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.job_schedule import PUBLISH, JobRun, JobRunState, JobSchedule, ScheduledTime, times
from auria_bot.services.operations.maintenance import DiskSpace
from auria_bot.services.publishing.reconciliation import RESTORE
from auria_bot.services.schedule.jobs import JobPlanner, per_day
from tests.factories import add_draft
from tests.publishing import approved

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeChannel, FakeClock

DUE = datetime(2026, 11, 21, 9, tzinfo=UTC)


def planner(house: Application, clock: FakeClock, **changes) -> JobPlanner:
    """Three drafts ahead, one a day."""
    values = {"unfinished": lambda: (), "per_day": 1, "ahead": 3, "low": 2, **changes}
    return JobPlanner(store=house.store, clock=clock, **values)


def claim(job: str, tries: int = 1) -> JobRun:
    """A slot of nine o'clock."""
    return JobRun(slot=ScheduledTime(job=job, name="2026-11-21T09:00", due=DUE), state=JobRunState.RUNNING, tries=tries)


def test_what_is_missing_is_made(house: Application, clock: FakeClock) -> None:
    """And nothing more; a run that was broken off is gone on with once."""
    one = planner(house, clock, unfinished=lambda: ("run-1",))
    for_a_day = ("make", "--count", "1", "--season", "now")
    assert one.plan(claim("make")).commands == (for_a_day,) * 3
    assert one.plan(claim("make", 2)).commands == (("make", "--resume"),)
    assert one.plan(claim("make", 3)).commands == (for_a_day,) * 3
    two = planner(house, clock, per_day=2, ahead=3)
    assert [command[2] for command in two.plan(claim("make", 2)).commands] == ["2", "2", "2"]
    for number in (1, 2):
        with house.store.begin() as unit:
            add_draft(unit, number + 10)
        approved(house, number)
        stock = one.inventory()
        assert (stock.made, stock.approved, stock.is_low) == (number, number, number < 2)
    assert one.plan(claim("make")).reason == "enough drafts are ready"


def test_a_full_disk_holds_back_what_writes_much(house: Application, clock: FakeClock) -> None:
    """Not what posts: that needs no room to speak of."""
    one = planner(house, clock, disk_space=lambda: DiskSpace(free=50_000_000, total=10**9, filling=True, full=True))
    for job in ("make", "refresh", "backup"):
        plan = one.plan(claim(job))
        assert (plan.postponed, plan.commands) == (True, ())
        assert plan.reason == "postponed: only 50 MB are free on the disk"
    assert one.plan(claim("measure")).commands == (("measure", "--json"),)
    roomy = planner(house, clock, disk_space=lambda: DiskSpace(free=10**9, total=10**9, filling=False, full=False))
    assert len(roomy.plan(claim("make")).commands) == 3


def test_drafts_that_nobody_decided_on_are_approved(house: Application, clock: FakeClock) -> None:
    """After their time, one by one, and only where the operator wants it."""
    with house.store.begin() as unit:
        for number in (1, 2):
            add_draft(unit, number, made_at=clock())
    assert planner(house, clock).plan(claim("approve")).commands == ()
    one = planner(house, clock, approve_after=timedelta(hours=12))
    assert one.plan(claim("approve")).reason == "no draft waited long enough"
    clock.advance(hours=12)
    assert one.plan(claim("approve")).commands == (("approve", "1"), ("approve", "2"))


def test_what_a_backup_brought_back_is_not_approved_by_itself(house: Application, clock: FakeClock) -> None:
    """It may have gone out after the backup was made; what is made later is."""
    with house.store.begin() as unit:
        add_draft(unit, 1, made_at=clock())
        unit.journal.note(RESTORE, at=clock())
    clock.advance(hours=1)
    with house.store.begin() as unit:
        add_draft(unit, 2, made_at=clock())
    clock.advance(hours=13)
    assert planner(house, clock, approve_after=timedelta(hours=12)).plan(claim("approve")).commands == (
        ("approve", "2"),
    )


def test_a_post_for_each_slot(house: Application, clock: FakeClock, channel: FakeChannel) -> None:
    """The oldest approved draft that is meant for the channel, or the post that waits there already."""
    job, one = f"{PUBLISH}fake", planner(house, clock)
    assert one.plan(claim(job)).reason == "nothing is approved"
    approved(house, 1, channels=("folder",))
    assert one.plan(claim(job)).reason == "nothing is approved"
    for number in (2, 3):
        approved(house, number)
    (command,) = one.plan(claim(job)).commands
    assert command == (
        "publish",
        "2",
        "--channel",
        "fake",
        "--once",
        "--since",
        "2026-11-21T09:00:00.000000+0000",
        "--json",
    )
    house.publisher.publish([2, 3], limit=1)
    assert one.plan(claim(job)).commands[0][1] == "3"
    assert one.inventory().approved == 2
    house.publisher.pause("fake", reason="a holiday")
    assert one.plan(claim(job)).reason == "fake is paused: a holiday"


def test_a_post_that_may_be_out_holds_up_its_own_slot_only(
    house: Application, clock: FakeClock, channel: FakeChannel
) -> None:
    """The slot's command looks for it; the next day's goes on with the next draft."""
    for number in (1, 2):
        approved(house, number)
    channel.plan("late")
    assert planner(house, clock).plan(claim("reconcile")).reason == "the outcome of every post is known"
    house.publisher.publish([1])
    assert planner(house, clock).plan(claim("reconcile")).commands == (("publish", "--look-up", "--json"),)
    assert planner(house, clock).plan(claim(f"{PUBLISH}fake")).commands[0][1] == "1"
    tomorrow = claim(f"{PUBLISH}fake").evolve(
        slot=ScheduledTime(job=f"{PUBLISH}fake", name="", due=DUE + timedelta(days=1))
    )
    assert planner(house, clock).plan(tomorrow).commands[0][1] == "2"


def test_the_other_jobs_are_single_commands(house: Application, clock: FakeClock) -> None:
    """Further ones are named by whoever joins the parts; one that nobody knows is let be."""
    one = planner(house, clock, more={"tidy": ("db", "tidy")})
    assert one.plan(claim("measure")).commands == (("measure", "--json"),)
    assert one.plan(claim("refresh")).commands == (("corpus", "refresh", "--json"),)
    assert one.plan(claim("tidy")).commands == (("db", "tidy"),)
    assert one.plan(claim("dance")).reason == "there is no such job any more"


def test_what_a_day_uses_up() -> None:
    """The channel that posts most often says it; other jobs do not count."""
    daily = JobSchedule(job=f"{PUBLISH}x", at=times(("18:00",)))
    often = JobSchedule(job=f"{PUBLISH}bluesky", at=times(("9:00", "18:00")), days=frozenset({5, 6}))
    assert per_day([]) == 1
    assert per_day([often]) == 1
    assert per_day([daily, often, JobSchedule(job="measure", at=times(("*:00",)))]) == 1
    assert per_day([JobSchedule(job=f"{PUBLISH}x", at=times(("9:00", "18:00")))]) == 2
