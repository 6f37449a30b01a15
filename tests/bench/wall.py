"""The benchmark wall: see `tests.scenarios.wall`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.wall import browser_path, watch

__all__ = ["run"]

MOST_GROWTH = 0.05  # of the heap, from the first half of the time to the second


def run(minutes: float = 60.0) -> Result:
    """Watch the wall, which changes twice a second, for so many minutes."""
    bar = f"heap flat to {MOST_GROWTH:.0%}, no node more, no blank frame, goes on off-line, no error"
    if browser_path() is None:
        return Result(name="wall", figures="Chromium is not installed: apt-get install chromium", bar=bar, passed=False)
    root = Path(tempfile.mkdtemp(prefix="auria-wall-"))
    try:
        found = watch(root, works=40, seconds=60 * minutes, clock=0.5)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    figures = (
        f"{minutes:g} min: {found.changes} changes of {found.works} works, {found.frames} frames, {found.blank} blank,"
        f" heap {min(found.heaps) / 1e6:.2f} to {max(found.heaps) / 1e6:.2f} MB ({found.growth:+.1%}),"
        f" {found.nodes[0]} and {found.nodes[1]} nodes, {found.offline_changes} changes off-line, {len(found.faults)} errors"
    )
    passed = (
        found.growth <= MOST_GROWTH
        and found.nodes[0] == found.nodes[1]
        and not found.blank
        and not found.faults
        and found.offline_changes >= 3
    )
    return Result(name="wall", figures=figures, bar=bar, passed=passed)
