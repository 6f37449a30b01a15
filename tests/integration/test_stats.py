"""The smaller form of the benchmark stats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scenarios import stats

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_a_year_of_posts_is_reported(tmp_path: Path) -> None:
    """The command reads a database with thousands of samples and prints its tables."""
    assert stats.build(tmp_path / "auria.db", days=110, samples=20_000) == 20_000
    assert len(stats.seconds(tmp_path, runs=1)) == 1
