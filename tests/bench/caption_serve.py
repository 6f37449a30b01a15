"""The benchmark caption-serve: see `tests.scenarios.caption_serve`."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.caption_serve import change_under_load, measure

__all__ = ["run"]

MOST_MORE, LEAST_SHARE, MOST_SECONDS = 0.010, 0.9, 1.0


def run(count: int = 60) -> Result:
    """Measure one client alone and eight at a time, then promote a version under load."""
    root = Path(tempfile.mkdtemp(prefix="auria-caption-serve-"))
    try:
        speed = measure(root / "speed", count=count, clients=8)
        change = change_under_load(root / "change", clients=8, after=count)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    more, share = speed.alone_served - speed.alone_inside, speed.rate_served / speed.rate_inside
    figures = (
        f"alone {speed.alone_served * 1000:.1f} ms, in process {speed.alone_inside * 1000:.1f} ms;"
        f" 8 at a time {speed.rate_served:.1f} a second, {len(os.sched_getaffinity(0))} threads in process"
        f" {speed.rate_inside:.1f} ({share:.2f}), p99 {speed.slowest * 1000:.0f} ms, {speed.failures} failed;"
        f" change of version under load: {change.failures} of {change.answers} failed"
    )
    passed = (
        more <= MOST_MORE
        and share >= LEAST_SHARE
        and speed.slowest < MOST_SECONDS
        and not speed.failures
        and not change.failures
        and len(change.versions) == 2
    )
    bar = (
        f"alone at most {MOST_MORE * 1000:.0f} ms more, 8 at a time at least {LEAST_SHARE} of it and p99 under"
        f" {MOST_SECONDS:.0f} s, 0 failed"
    )
    return Result(name="caption-serve", figures=figures, bar=bar, passed=passed)
