"""The benchmark cases: see `tests.scenarios.cases`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.cases import CASES, inputs

__all__ = ["run"]


def run() -> Result:
    """Try every case in a folder of its own."""
    bar, place, wrong = "all right", inputs(), dict[str, str]()
    if not place.is_dir():
        return Result(name="cases", figures=f"no inputs at {place}: set AURIA_CASES", bar=bar, passed=False)
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory(prefix="auria-cases-") as scratch:
            try:
                said = case(Path(scratch), place)
            except Exception as error:  # noqa: BLE001 - a crash is not right
                said = f"{type(error).__name__}: {error}"
        if said:
            wrong[name] = said
            print(f"  {name}: {said}", file=sys.stderr)
    figures = f"{len(CASES) - len(wrong)} of {len(CASES)} right" + (f"; not: {', '.join(wrong)}" if wrong else "")
    return Result(name="cases", figures=figures, bar=bar, passed=not wrong)
