"""The benchmark reddit: see `tests.scenarios.reddit`."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.reddit import SEED, Tally, trial

__all__ = ["run"]


def run(trials: int = 12, posts: int = 420, rounds: int = 3, kills: int = 5) -> Result:
    """Measure."""
    root, tally = Path(tempfile.mkdtemp(prefix="auria-reddit-")), Tally()
    rng = random.Random(SEED)
    for number in range(trials):
        before = len(tally.wrong)
        trial(root / f"{number}", rng, tally, posts=posts, rounds=rounds, kills=kills)
        for one in tally.wrong[before:]:
            print(f"  trial {number}, {one}", file=sys.stderr)
        if len(tally.wrong) > 10:  # it is broken; more of it tells no more
            break
    shutil.rmtree(root, ignore_errors=True)
    figures = (
        f"{tally.posts} posts, {tally.deleted} of them deleted, removed or held; {tally.rounds} rounds of {tally.runs} runs, {tally.kills} killed,"
        f" {tally.requests} requests, {tally.faults.total()} faults of {len(tally.faults)} kinds; {len(tally.wrong)} things wrong"
    )
    return Result(
        name="reddit",
        figures=figures,
        bar="nothing missed, nothing twice, deletions forgotten",
        passed=not tally.wrong and tally.kills > 0,
    )
