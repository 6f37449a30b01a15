"""The daemon's benchmarks in a smaller form: they pass, and can fail."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

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
    """Each local day has each slot once."""
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
