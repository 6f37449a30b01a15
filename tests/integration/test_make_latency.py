"""The smaller form of the benchmark make-latency."""

from __future__ import annotations

import pytest

from tests.scenarios.make_latency import MEMORY, make


@pytest.mark.slow
def test_a_cold_artwork_stays_within_its_memory() -> None:
    """The models that ship make one artwork in a new home within the budget of memory, by every step once."""
    measured = make(1)
    assert measured.megabytes < MEMORY
    assert set(measured.steps) == {"poem", "mood", "painting", "enlarge", "style", "caption", "words", "finish"}
