"""When the daemon wakes up: APScheduler with triggers for the heartbeat, the jobs' scheduled times and their retries.

A wake-up says that something may be due; what is due, the table of runs decides. A lost or repeated wake-up therefore
does no harm.
"""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers import SchedulerNotRunningError
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.date import DateTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from zoneinfo import ZoneInfo

    from auria_bot.domain.job_schedule import JobSchedule

__all__ = ["CHECK", "DelayTrigger", "ScheduleTrigger", "WakeUps"]

CHECK = timedelta(minutes=1)
"""How often to check for what no trigger knows: the operator's decisions, another daemon's retries, a changed clock."""


class DelayTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires a fixed time after now, however far the clock was set forward meanwhile.

    APScheduler's IntervalTrigger would count every interval that a leap of years left out.
    """

    def __init__(self, delay: timedelta) -> None:
        self._delay = delay

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        """The next moment, later than `now`."""
        return now + self._delay


class ScheduleTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires at a job's scheduled times; a time that clocks leap over is right after the leap, unlike CronTrigger's."""

    def __init__(self, schedule: JobSchedule, zone: ZoneInfo) -> None:
        self._schedule, self._zone = schedule, zone

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime | None:
        """The next scheduled time, later than `now`; None for a job that has none."""
        scheduled = self._schedule.next(now, self._zone)
        return scheduled.due if scheduled else None


class WakeUps:
    """Calls the daemon when something may be due, in the thread that calls `run`.

    Usage::

        wake_ups = WakeUps(heartbeat=daemon.heartbeat, dispatch=daemon.dispatch, every=HEARTBEAT)
        wake_ups.plan(schedules, zone)
        wake_ups.run()
    """

    def __init__(self, *, heartbeat: Callable[[], bool], dispatch: Callable[[], bool], every: float) -> None:
        """`heartbeat` is called every `every` seconds, `dispatch` where a job may be due; False ends `run`."""
        self._every, self._dispatch, self._due = every, dispatch, OrTrigger([])
        self._over = threading.Event()
        self._last = time.monotonic()
        # All calls are made in one thread: this executor runs a job where the scheduler runs.
        self._scheduler = BlockingScheduler(timezone=UTC, executors={"default": DebugExecutor()})
        self._add("heartbeat", heartbeat, DelayTrigger(timedelta(seconds=every)), next_run_time=datetime.now(UTC))

    def plan(self, schedules: Iterable[JobSchedule], zone: ZoneInfo) -> None:
        """Wake up at these times from now on, instead of those planned before; and once a minute."""
        # Always the same trigger object: after a call APScheduler stores its job again, also one replaced meanwhile.
        self._due.triggers = [DelayTrigger(CHECK), *(ScheduleTrigger(schedule, zone) for schedule in schedules)]
        self._add("due", self._dispatch, self._due)

    def at(self, name: str, moment: datetime) -> None:
        """Wake up once at a moment, instead of the one planned before under this name."""
        self._add(name, self._dispatch, DateTrigger(moment, timezone=UTC))

    def run(self) -> None:
        """Make the calls until one of them returns False."""
        guard = threading.Thread(target=self._guard, name="wake-up-guard", daemon=True)
        guard.start()
        try:
            self._scheduler.start()
        finally:
            self._over.set()
            guard.join()

    def _add(self, name: str, call: Callable[[], bool], trigger: BaseTrigger, **options: datetime) -> None:
        def wake() -> None:
            self._last = time.monotonic()
            if not call():
                self._over.set()

        self._scheduler.add_job(
            wake, trigger, id=name, replace_existing=True, misfire_grace_time=None, coalesce=True, **options
        )

    def _guard(self) -> None:
        """Wake the scheduler where the clock was set back, and end it when all is over: a call cannot end it."""
        while not self._over.wait(2 * self._every):
            if time.monotonic() - self._last > 2 * self._every:
                for job in self._scheduler.get_jobs():
                    with contextlib.suppress(JobLookupError):  # a retry's that has just been made
                        job.modify(next_run_time=datetime.now(UTC))
        with contextlib.suppress(SchedulerNotRunningError):
            self._scheduler.shutdown(wait=False)
