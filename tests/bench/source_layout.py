"""The benchmark source-layout: sizes of the source, and names and phrases that were retired."""

from __future__ import annotations

import sys

from tests.bench import Result
from tests.scenarios.source_layout import RELEASED_LINES, survey

__all__ = ["run"]

MOST_MODULES = 240
FEWER_LINES = 2000  # than the release before, for the same behaviour


def run() -> Result:
    """Measure; where something forbidden stands is said on stderr."""
    found, most_lines = survey(), RELEASED_LINES - FEWER_LINES
    for name, places in found.forbidden().items():
        for place in places:
            print(f"{name}: {place}", file=sys.stderr)
    return Result(
        name="source-layout",
        figures=found.figures(),
        bar=f"0 of each; for the same behaviour at most {MOST_MODULES} modules and {most_lines:,} lines",
        passed=found.modules - found.new_modules <= MOST_MODULES
        and found.lines - found.new_lines <= most_lines
        and not any(found.forbidden().values()),
    )
