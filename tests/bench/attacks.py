"""The benchmark attacks: see `tests.scenarios.attacks`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.attacks import CASES

__all__ = ["run"]


def run() -> Result:
    """Try every attack in a folder of its own."""
    reached = {}
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as scratch:
            try:
                said = case(Path(scratch))
            except Exception as error:  # noqa: BLE001 - a crash is no refusal
                said = f"{type(error).__name__}: {error}"
        if said:
            reached[name] = said
            print(f"  {name}: {said}", file=sys.stderr)
    figures = f"{len(CASES) - len(reached)} of {len(CASES)} attacks refused"
    return Result(
        name="attacks",
        figures=figures + (f"; not: {', '.join(reached)}" if reached else ""),
        bar="none succeeds",
        passed=not reached,
    )
