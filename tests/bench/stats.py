"""The benchmark stats: see `tests.scenarios.stats`."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.bench.reference import Stopwatch
from tests.scenarios.stats import BAR, CHANNELS, DAYS, RUNS, SAMPLES, build, seconds

__all__ = ["run"]


def run() -> Result:
    """Build the database and time `auria stats` on it."""
    with tempfile.TemporaryDirectory(prefix="auria-stats-") as folder:
        home = Path(folder)
        written = build(home / "auria.db")
        watch = Stopwatch()
        times = seconds(home, runs=RUNS)
        watch.sample()
    wall, spent = (statistics.median(column) for column in zip(*times, strict=True))
    scaled = watch.reference.interpreted(spent)
    posts = DAYS * len(CHANNELS)
    words = (
        f"{posts:,} posts, {written:,} samples: median of {RUNS} runs {wall:.2f} s, {spent:.2f} s of processor time,"
        f" slowest {max(times)[0]:.2f} s; {scaled:.2f} s on the reference machine ({watch.reference})"
    )
    passed = scaled < BAR and written >= SAMPLES
    return Result(
        name="stats", figures=words, bar="under 1 s on the reference machine, the whole process", passed=passed
    )
