"""The benchmark hostile-input: see `tests.scenarios.hostile_input`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.hostile_input import CASES, Victim, attack

__all__ = ["run"]


def run() -> Result:
    """Every case, on the real models."""
    with tempfile.TemporaryDirectory() as scratch:
        wrongs = attack(Victim(home=Path(scratch) / "home"), list(CASES))
    for name, wrong in wrongs.items():
        print(f"  {name}: {wrong}", file=sys.stderr)
    words = f"{len(CASES) - len(wrongs)} of {len(CASES)} cases as documented" + (
        f"; not: {', '.join(wrongs)}" if wrongs else ""
    )
    return Result(
        name="hostile-input",
        figures=words,
        bar="a clear error each, exit code as documented, nothing lost",
        passed=not wrongs,
    )
