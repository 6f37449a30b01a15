"""Composes the schedule: which jobs are due, and what each has to do."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from auria_bot.bootstrap.studio import StudioServices

if TYPE_CHECKING:
    from auria_bot.services.schedule.job_scheduler import JobScheduler
    from auria_bot.services.schedule.jobs import JobPlanner

__all__ = ["ScheduleServices"]


class ScheduleServices(StudioServices):
    """The job scheduler and the job planner."""

    @cached_property
    def job_scheduler(self) -> JobScheduler:
        """Decides which jobs are due, and records their runs."""
        from auria_bot.services.schedule.job_scheduler import JobScheduler

        return JobScheduler(
            store=self.store,
            clock=self.clock,
            schedules=self.settings.schedule.rules(self.settings.channels),
            zone=self.zone,
        )

    @cached_property
    def job_planner(self) -> JobPlanner:
        """Decides what a due job has to do."""
        from auria_bot.services.operations.maintenance import disk_space_at
        from auria_bot.services.schedule.jobs import JobPlanner, per_day

        chosen, least_free = self.settings.schedule, self.settings.maintenance.min_free_mb * 1_000_000
        return JobPlanner(
            store=self.store,
            clock=self.clock,
            unfinished=self.runs.names,
            per_day=per_day(chosen.rules(self.settings.channels)),
            ahead=chosen.days_ahead,
            low=chosen.low_stock_days,
            approve_after=timedelta(hours=chosen.approve_after) if chosen.approve_after else None,
            disk_space=partial(disk_space_at, self.settings.home, least_free=least_free),
        )
