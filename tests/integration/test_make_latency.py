"""The smaller form of the benchmark make-latency."""

from __future__ import annotations

import os

import pytest

from tests.bench.make_latency import MEMORY, ONE, make


@pytest.mark.slow
def test_a_cold_artwork_stays_within_its_memory_and_time() -> None:
    """The models that ship make one artwork in a new home within the budget; wall time is judged only where nothing else computes."""
    quiet = os.getloadavg()[0] < 0.5
    measured = make(1)
    assert measured.megabytes < MEMORY
    assert measured.processor < 2 * ONE  # on two cores
    assert set(measured.steps) == {"poem", "mood", "painting", "enlarge", "style", "caption", "words", "finish"}
    if quiet:
        assert measured.seconds < ONE
