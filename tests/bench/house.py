"""The benchmark house: the source of the program in figures, and nothing in it that was retired."""

from __future__ import annotations

import sys

from tests.bench import Result
from tests.scenarios.house import survey

__all__ = ["run"]

MOST_MODULES = 240


def run() -> Result:
    """Measure; where something forbidden stands is said on stderr."""
    found = survey()
    for name, places in found.forbidden().items():
        for place in places:
            print(f"{name}: {place}", file=sys.stderr)
    return Result(
        name="house",
        figures=found.figures(),
        bar=f"0 of each; at most {MOST_MODULES} modules",
        passed=found.modules <= MOST_MODULES and not any(found.forbidden().values()),
    )
