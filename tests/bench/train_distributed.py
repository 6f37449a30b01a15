"""The benchmark train-distributed: see `tests.scenarios.train_distributed`."""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.train_distributed import measure

__all__ = ["run"]


def run(steps: int = 600, poems: int = 12000, kills: int = 1, seed: int = 20261129) -> Result:
    """Measure with so many updates on so many poems, and so many kills."""
    data = Path(os.environ.get("AURIA_DATA", "../shared/data"))
    with tempfile.TemporaryDirectory(prefix="auria-workers-") as name:
        found = measure(data.absolute(), Path(name), steps=steps, poems=poems, kills=kills, seed=seed)
    losses = ", ".join(f"{loss:.3f}" for loss in found.alone)
    return Result(
        name="train-distributed",
        figures=f"poet, {found.steps} steps of the same batches: validation loss {losses} by one worker (three seeds),"
        f" {found.together:.3f} by two, {found.together - statistics.fmean(found.alone):+.3f} from the mean"
        f" (noise: {found.limit:.3f}); {found.kills} killed, {found.restarts} restarts, the earliest from step"
        f" {found.least:.0f}",
        bar="finishes; loss within 3 standard deviations (at least 3 %) at the same number of samples; resumed from a checkpoint",
        passed=found.is_same and found.steps == steps and found.restarts == found.kills and found.least > 0,
    )
