"""The benchmark cli-start: see `tests.scenarios.cli_start`."""

from __future__ import annotations

import statistics

from tests.bench import Result
from tests.bench.reference import Stopwatch
from tests.scenarios.cli_start import BAR, HEAVY, imported, seconds

__all__ = ["run"]


def run() -> Result:
    """Time 21 runs and look at what they import."""
    watch = Stopwatch()
    times = seconds(21)
    watch.sample()
    wall, spent = (statistics.median(column) for column in zip(*times, strict=True))
    scaled = watch.reference.interpreted(spent)
    heavy = sorted(imported() & set(HEAVY))
    words = (
        f"median of {len(times)} runs: {wall * 1000:.0f} ms, {spent * 1000:.0f} ms of processor time,"
        f" {scaled * 1000:.0f} ms on the reference machine ({watch.reference});"
        f" heavy imports: {', '.join(heavy) or 'none'}"
    )
    return Result(
        name="cli-start",
        figures=words,
        bar=f"under {BAR * 1000:.0f} ms on the reference machine, torch-free",
        passed=scaled < BAR and not heavy,
    )
