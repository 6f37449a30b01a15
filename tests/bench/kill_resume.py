"""The benchmark kill-resume: see `tests.scenarios.kill_resume`."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.kill_resume import SEED, VICTIMS, Trial, figures, reference, trial

__all__ = ["run"]


def run(runs: int = 50, real: int = 20) -> Result:
    """Measure: `runs` killed runs, of which `real` are made by the real models."""
    rng = random.Random(SEED)
    root = Path(tempfile.mkdtemp(prefix="auria-kill-"))
    trials: list[Trial] = []
    for kind, number in (("fake", runs - real), ("real", real)):
        if not number:
            continue
        expected, seconds = reference(root / kind, real=kind == "real")
        for each in range(number):
            victim, moment = VICTIMS[each % 3], rng.uniform(0.0, 1.0) * seconds
            if each % 10 == 9:
                moment = -rng.uniform(0.02, 0.5)
            trials.append(trial(root / f"{kind}-{each}", expected, moment=moment, victim=victim, real=kind == "real"))
    bad = [one for one in trials if one.faults]
    for one in bad:
        print(f"  killed {one.victim} at {one.moment} s: {'; '.join(one.faults)}", file=sys.stderr)
    if not bad:
        shutil.rmtree(root)
    return Result(
        name="kill-resume",
        figures=f"{figures(trials)}; {real} with the real models",
        bar=f"all of {runs}: nothing lost, nothing half-written, each finished",
        passed=not bad and len(trials) == runs > 0,
    )
