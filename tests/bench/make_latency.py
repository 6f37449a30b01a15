"""The benchmark make-latency: see `tests.scenarios.make_latency`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.bench.reference import Stopwatch
from tests.scenarios.make_latency import BATCH, EACH, MEMORY, ONE, SEED, make

__all__ = ["run"]


def run(runs: int = 3) -> Result:
    """Measure: the median of several single artworks in new homes and in a used one, and one batch in a new home.

    The very first run only warms the system's file cache.
    """
    watch = Stopwatch()
    with tempfile.TemporaryDirectory(prefix="auria-latency-home-") as folder:
        home = Path(folder)
        make(1, home=home)
        new = [make(1, seed=SEED + number) for number in range(1, runs + 1)]
        used = [make(1, seed=SEED + number, home=home) for number in range(1, runs + 1)]
    one, again = (sorted(each, key=lambda run: run.seconds)[runs // 2] for each in (new, used))
    watch.sample()
    batch = make(BATCH)
    watch.sample()
    further = (batch.seconds - one.seconds) / (BATCH - 1)
    megabytes = max(each.megabytes for each in (*new, *used, batch))
    steps = ", ".join(f"{name} {seconds:.2f}" for name, seconds in one.steps.items())
    in_batch = ", ".join(f"{name} {seconds / BATCH:.2f}" for name, seconds in batch.steps.items())
    first = watch.reference.computed(max(one.seconds, again.seconds))
    each = watch.reference.computed(further)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    figures = (
        f"one in a new home {one.seconds:.2f} s (processor {one.processor:.1f} s; {steps}),"
        f" in a used home {again.seconds:.2f} s (processor {again.processor:.1f} s),"
        f" batch of {BATCH} {batch.seconds / BATCH:.2f} s each, further ones {further:.2f} s"
        f" (processor {batch.processor / BATCH:.1f} s each; {in_batch}), memory {megabytes:.0f} MB; load {load:.1f};"
        f" on the reference machine {first:.2f} s, further ones {each:.2f} s ({watch.reference})"
    )
    return Result(
        name="make-latency",
        figures=figures,
        bar=f"on the reference machine one < {ONE:g} s, further ones < {EACH:g} s; < {MEMORY} MB",
        passed=first < ONE and megabytes < MEMORY and each < EACH,
    )
