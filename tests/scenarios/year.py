"""A simulated year in five time zones, a daily job at 01:30, 02:30 and 23:59: each local day exactly once, whatever the clocks do.

The agenda, the lease and the table of slots are the real ones, the clock is not. Between two slots it stops at odd hours too, where
nothing may be due.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from auria_bot.domain.job_schedule import JobRunState, JobSchedule, instant, times
from auria_bot.services.schedule.job_scheduler import JobScheduler, LeaderElection
from auria_bot.services.schedule.jobs import JobOutcome, JobResult
from auria_bot.testing import FakeClock
from tests.applications import fake_application

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ZONES", "faults"]

ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia")
"""With clock changes of an hour, of half an hour, at other times of the year, and without any."""

SCHEDULES = tuple(JobSchedule(job=f"job at {at}", at=times((at,))) for at in ("01:30", "02:30", "23:59"))
DONE = JobResult(outcome=JobOutcome.DONE)
ODD = timedelta(hours=7, minutes=13)


def faults(folder: Path, zone: str, *, first: date = date(2026, 1, 1), days: int = 365) -> tuple[int, list[str]]:
    """Simulate a range of days in a time zone: how many runs were claimed, and what was wrong."""
    here = ZoneInfo(zone)
    clock = FakeClock(instant(first, time(0), here))
    end = instant(first + timedelta(days=days), time(0), here)
    claimed = Counter[tuple[str, str]]()
    with closing(fake_application(folder, clock=clock)) as application:
        leader = LeaderElection(store=application.store, clock=clock, holder="year", monotonic=lambda: 0.0)
        leader.heartbeat()
        scheduler = JobScheduler(
            store=application.store, clock=clock, schedules=[replace(schedule) for schedule in SCHEDULES], zone=here
        )
        lease = leader.lease
        while clock.now < end and lease is not None:
            for run in scheduler.claim(lease):
                claimed[run.slot.job, run.slot.name[:10]] += 1
                scheduler.settle(run, DONE)
            due = min(scheduled.due for schedule in SCHEDULES if (scheduled := schedule.next(clock.now, here)))
            clock.now = min(due, clock.now + ODD)
        rows = scheduler.history(days=400)
    wanted = {
        (schedule.job, (first + timedelta(days=number)).isoformat()): 1
        for schedule in SCHEDULES
        for number in range(days)
    }
    wrong = [f"{zone}: {key} {claimed[key]} times" for key in {*wanted, *claimed} if claimed[key] != wanted.get(key, 0)]
    wrong += [f"{zone}: {row.slot} is {row.state}" for row in rows if row.state is not JobRunState.DONE]
    return sum(claimed.values()), wrong


def _changes(zone: ZoneInfo) -> int:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    offsets = [(start + timedelta(days=day)).astimezone(zone).utcoffset() for day in range(366)]
    return sum(one != other for one, other in pairwise(offsets))
