"""The benchmark footage: see `tests.scenarios.footage`."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import Result
from tests.scenarios import footage

__all__ = ["run"]

MEMORY = 300  # MB


def run(kills: int = 8) -> Result:
    """Add the clips undisturbed, and `kills` times killed up to three times and begun again."""
    rng = random.Random(footage.SEED)
    with tempfile.TemporaryDirectory(prefix="auria-footage-bench-") as scratch:
        root = Path(scratch)
        files = footage.make_clips(root / "clips")
        began = time.monotonic()
        whole = footage.add(root / "whole", files)
        seconds = time.monotonic() - began
        if whole is None:
            raise RuntimeError("a call that is not killed has an outcome")
        wrong = footage.faults(whole)
        memory = whole.memory
        for number in range(kills):
            moments = [rng.uniform(0.1, 1.0) * seconds for _ in range(1 + number % 3)]
            again = footage.killed_and_begun_again(root / f"killed-{number}", files, moments=moments)
            memory = max(memory, again.memory)
            if again.files != whole.files:
                names = sorted(
                    name for name in {*again.files, *whole.files} if again.files.get(name) != whole.files.get(name)
                )
                wrong.append(f"killed at {moments}: {', '.join(names[:5])} differ")
    for one in wrong:
        print(f"  {one}", file=sys.stderr)
    counts = whole.report["left_out"]
    figures = (
        f"{len(files)} clips: {whole.report['frames']} frames, left out {sum(counts.values())}, refused"
        f" {len(whole.report['refused'])}; {len(wrong)} faults; {kills} killed and begun again; {memory:.0f} MB, {seconds:.0f} s"
    )
    bar = f"right frames or a clear refusal; killed and begun again the same bytes; at most {MEMORY} MB"
    return Result(name="footage", figures=figures, bar=bar, passed=not wrong and memory <= MEMORY)
