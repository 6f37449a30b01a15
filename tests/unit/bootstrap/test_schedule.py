"""The schedule as the settings describe it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from tests.house import fake_house

if TYPE_CHECKING:
    from pathlib import Path


def test_every_channel_has_its_own_posting_job(tmp_path: Path) -> None:
    """Beside the jobs of the house; all in the operator's time zone."""
    with closing(fake_house(tmp_path)) as app:
        assert {"make", "publish folder", "publish fake"} <= app.job_scheduler.schedules.keys()
        assert str(app.job_scheduler.zone) == "UTC"
        assert app.job_planner.inventory().approved == 0
