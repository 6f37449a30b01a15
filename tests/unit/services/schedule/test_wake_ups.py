"""The daemon is woken for its heartbeat, at scheduled times and for retries, and by no leap of the clock more than once."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from auria_bot.domain.job_schedule import JobSchedule, times
from auria_bot.services.schedule.wake_ups import CHECK, DelayTrigger, ScheduleTrigger, WakeUps

if TYPE_CHECKING:
    import pytest

UTC_ZONE = ZoneInfo("UTC")
NEVER = JobSchedule(job="backup", at=())


def soon() -> datetime:
    """A moment ahead."""
    return datetime.now(UTC) + timedelta(milliseconds=50)


def test_a_leap_of_the_clock_is_one_wake_up():
    """Not one for every heartbeat that it left out, which would be a hundred million."""
    now = datetime.now(UTC)
    trigger = DelayTrigger(timedelta(seconds=3))
    assert trigger.get_next_fire_time(now - timedelta(days=9999), now) == now + timedelta(seconds=3)


def test_a_scheduled_time_that_clocks_leap_over_is_after_the_leap():
    """In the operator's time zone; a job without times has none."""
    trigger = ScheduleTrigger(JobSchedule(job="make", at=times(("02:30",))), ZoneInfo("Europe/Berlin"))
    day = datetime(2026, 3, 29, tzinfo=UTC)
    assert trigger.get_next_fire_time(None, day) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert trigger.get_next_fire_time(day, datetime(2026, 3, 29, 1, tzinfo=UTC)) == datetime(
        2026, 3, 30, 0, 30, tzinfo=UTC
    )
    assert ScheduleTrigger(NEVER, UTC_ZONE).get_next_fire_time(None, day) is None


def test_the_heartbeat_goes_on_until_it_says_so():
    """From at once; in the thread that called `run`."""
    beats: list[int] = []

    def heartbeat() -> bool:
        beats.append(len(beats))
        return len(beats) < 3

    WakeUps(heartbeat=heartbeat, dispatch=lambda: True, every=0.01).run()
    assert beats[:3] == [0, 1, 2]


def test_a_retry_wakes_once():
    """At its moment; a later plan under the same name replaces it."""
    woken: list[str] = []
    wake_ups = WakeUps(
        heartbeat=lambda: len(woken) == 0, dispatch=lambda: bool(woken.append("retry")) or True, every=0.02
    )
    wake_ups.at("retry make", datetime.now(UTC) + timedelta(days=1))
    wake_ups.at("retry make", soon())
    wake_ups.run()
    assert woken == ["retry"]


class _Soon(JobSchedule):
    """A schedule whose next time is always a moment ahead."""

    def next(self, after: datetime, zone: ZoneInfo):
        """Fifty milliseconds later."""
        from auria_bot.domain.job_schedule import ScheduledTime

        return ScheduledTime(job=self.job, name="soon", due=after + timedelta(milliseconds=50))


def test_scheduled_times_wake_the_daemon():
    """Those of the last plan; a dispatch can end it, too."""
    woken: list[int] = []

    def dispatch() -> bool:
        woken.append(len(woken))
        return len(woken) < 2

    wake_ups = WakeUps(heartbeat=lambda: True, dispatch=dispatch, every=0.02)
    wake_ups.plan([NEVER], UTC_ZONE)
    wake_ups.plan([NEVER, _Soon(job="make", at=())], UTC_ZONE)
    wake_ups.run()
    assert woken[:2] == [0, 1]
    assert timedelta(seconds=1) < CHECK


def test_a_plan_made_while_the_daemon_is_awake_holds():
    """The times of the plan before are not asked for again."""
    asked: list[str] = []

    class Asked(_Soon):
        def next(self, after: datetime, zone: ZoneInfo):
            asked.append(self.job)
            return super().next(after, zone)

    def dispatch() -> bool:
        asked.clear()
        woken.append(len(woken))
        if len(woken) == 1:
            wake_ups.plan([Asked(job="new", at=())], UTC_ZONE)
        return len(woken) < 3

    woken: list[int] = []
    wake_ups = WakeUps(heartbeat=lambda: True, dispatch=dispatch, every=0.02)
    wake_ups.plan([Asked(job="old", at=())], UTC_ZONE)
    wake_ups.run()
    assert set(asked) == {"new"}


def test_a_clock_that_was_set_back_keeps_nothing_from_waking(monkeypatch: pytest.MonkeyPatch):
    """A heartbeat that was planned for an hour that came again is made up for at once."""
    beats: list[float] = []

    def heartbeat() -> bool:
        beats.append(time.monotonic())
        return len(beats) < 3

    planned = DelayTrigger.get_next_fire_time
    monkeypatch.setattr(
        DelayTrigger,
        "get_next_fire_time",
        lambda self, previous, now: planned(self, previous, now) + timedelta(hours=1),
    )
    WakeUps(heartbeat=heartbeat, dispatch=lambda: True, every=0.02).run()
    assert len(beats) >= 3
