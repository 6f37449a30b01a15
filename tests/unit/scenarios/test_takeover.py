"""The benchmark takeover judges by what there is in the end."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from auria_bot.domain.job_schedule import JobRun, JobRunState, ScheduledTime
from auria_bot.services.publishing.publisher import LEASE
from tests.applications import fake_application
from tests.publishing import approved
from tests.scenarios.takeover import JOB, _leases_run_out, _verdict

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def _slots(application: Application, *minutes: int) -> None:
    """Runs of those minutes: the first was replaced, the others are done."""
    with application.store.begin() as unit:
        for minute in minutes:
            due = NOW.replace(minute=minute)
            state = JobRunState.FAILED if minute == minutes[0] else JobRunState.DONE
            slot = ScheduledTime(job=JOB, name=f"2026-11-21T09:{minute:02}", due=due)
            unit.job_runs.add(JobRun(slot=slot, state=state))


def test_a_post_whose_worker_was_killed_explains_a_slot(tmp_path: Path) -> None:
    """The slot was replaced, and its post is out once when the lease has run out; without a killed worker it fails."""
    with closing(fake_application(tmp_path, clock=lambda: NOW)) as application:
        for number in (1, 2):
            approved(application, number, channels=("folder",))
        application.post_creator.schedule()
        with application.store.begin() as unit:
            unit.posts.claim(now=application.clock(), lease=LEASE, channels=("folder",))
        application.publisher.publish(limit=1)
        _leases_run_out(application)
        _slots(application, 0, 1)
        words, well = _verdict(application)
        assert (well, "1 replaced after 1 workers were killed over a post" in words) == (True, True)
        _slots(application, 3)
        assert not _verdict(application)[1]


def test_a_slot_that_is_not_done_without_a_reason_fails(tmp_path: Path) -> None:
    """No worker was killed over a post."""
    with closing(fake_application(tmp_path, clock=lambda: NOW)) as application:
        approved(application, 1, channels=("folder",))
        application.publisher.publish()
        _slots(application, 0, 1)
        words, well = _verdict(application)
        assert (well, "1 replaced after 0 workers" in words) == (False, True)
