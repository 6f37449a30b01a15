"""The daemon's benchmarks in a smaller form: they pass, and can fail."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from auria_bot.daemon import Daemon
from auria_bot.settings.loading import load
from auria_bot.testing import FakeClock
from tests.applications import fake_application
from tests.factories import add_draft
from tests.publishing import approved, keep_pictures
from tests.scenarios import catch_up, idle, outages, power_cut, takeover, year

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("America/New_York", date(2026, 3, 6)),
        ("America/New_York", date(2026, 10, 30)),
        ("Australia/Lord_Howe", date(2026, 10, 2)),
        ("Pacific/Apia", date(2011, 12, 31)),
    ],
)
def test_days_round_a_clock_change(tmp_path: Path, zone: str, first: date):
    """Each local day has each scheduled run once."""
    count, wrong = year.faults(tmp_path, zone, first=first, days=5)
    assert (count, wrong) == (15, [])


def test_three_days_off():
    """As the policies say."""
    figures, passed = catch_up.measured()
    assert passed, figures


def test_ticks_leave_nothing_behind(tmp_path: Path):
    """Memory does not grow with simulated ticks."""
    assert idle._growth(tmp_path, 500) < idle.MOST_GROWTH


@pytest.mark.slow
@pytest.mark.parametrize("name", ["database", "disk", "growth", "settings"])
@pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR")
def test_an_outage_passes(tmp_path: Path, name: str):
    """The daemon carries on by itself, and the operator was told once, by a real notice."""
    with outages.Listener() as listener:
        well = outages.OUTAGES[name](tmp_path / name, 4.0, listener)
        if well is None:
            pytest.skip("no small disk can be mounted here")
        assert (well, len(listener.titles)) == (True, 1)


@pytest.mark.slow
def test_another_daemon_takes_over():
    """One leader is killed."""
    figures, passed = takeover.measured(1, longest_life=3.0)
    assert passed, figures


@pytest.mark.slow
def test_the_power_goes_out():
    """Three times."""
    figures, wrong = power_cut.month("SQLite", 3)
    assert wrong == [], figures


JOBS = {"backup": 31, "tidy": 32, "digest": 33, "publish": 34, "approve": 35, "refresh": 36}
SETTINGS = """
[channels.folder]
backend = "folder"
[schedule]
approve_after = 1
[schedule.make]
at = []
[schedule.measure]
at = []
[schedule.reconcile]
at = []
"""


@pytest.mark.slow
def test_a_job_ends_with_what_its_command_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Each of the daemon's commands, the real ones, tells what it did; one that fails tells why."""
    for name in [name for name in os.environ if name.startswith("AURIA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AURIA_HOME", str(tmp_path))
    times = "".join(f'[schedule.{job}]\nat = ["*:{minute}"]\n' for job, minute in JOBS.items())
    (tmp_path / "auria.toml").write_text(SETTINGS + times, encoding="utf-8")
    clock = FakeClock(datetime.now(UTC).replace(minute=0))
    with closing(fake_application(tmp_path, clock=clock)) as application:
        approved(application, 1, channels=("folder",))
        Daemon(load=lambda: load(dict(os.environ)), clock=clock).once()
        clock.advance(minutes=40)
        keep_pictures(application, "run-2")
        with application.store.begin() as unit:
            waiting = add_draft(unit, 2, made_at=datetime(2026, 1, 1, tzinfo=UTC))
        Daemon(load=lambda: load(dict(os.environ)), clock=clock).once()
        found = {run.slot.job: (str(run.state), run.summary) for run in application.job_scheduler.history()}
    state, backup = found.pop("backup")
    assert (state, " files, " in backup) == ("done", True)
    state, refresh = found.pop("refresh")
    assert (state, "auria corpus login" in refresh) == ("retry", True)
    assert found == {
        "tidy": ("done", "nothing is old enough to delete"),
        "digest": ("done", "a new digest, 1 notice logged, as notify.addresses is empty"),
        "publish folder": ("done", "1 published"),
        "approve": ("done", f"draft {waiting.id} is approved for folder"),
    }
