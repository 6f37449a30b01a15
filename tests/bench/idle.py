"""The benchmark idle: see `tests.scenarios.idle`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.idle import MOST_GROWTH, MOST_MEMORY, MOST_TIME, _growth, _idle

__all__ = ["run"]


def run(seconds: float = 600.0, ticks: int = 100_000) -> Result:
    """Measure a real daemon for so long, then another's growth."""
    root = Path(tempfile.mkdtemp(prefix="auria-idle-"))
    try:
        memory, share, scrapes, faults = _idle(root, seconds)
        growth = _growth(root, ticks)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    figures = (
        f"{memory:.1f} MB resident, {share:.3f} % of a core over {seconds:g} s with {scrapes} scrapes, {len(faults)} wrong answers,"
        f" {growth:+.2f} MB over {ticks:,} simulated ticks"
    )
    for fault in faults:
        print(f"  {fault}", file=sys.stderr)
    bar = f"under {MOST_MEMORY:g} MB, under {MOST_TIME:g} %, right answers, under {MOST_GROWTH:g} MB"
    passed = memory < MOST_MEMORY and share < MOST_TIME and growth < MOST_GROWTH and scrapes > 0 and not faults
    return Result(name="idle", figures=figures, bar=bar, passed=passed)
