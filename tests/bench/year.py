"""The benchmark year: see `tests.scenarios.year`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.bench import Result
from tests.scenarios.year import SCHEDULES, ZONES, _changes, faults

__all__ = ["run"]


def run() -> Result:
    """Live through 2026 in every zone."""
    root = Path(tempfile.mkdtemp(prefix="auria-year-"))
    count, wrong = 0, list[str]()
    try:
        for zone in ZONES:
            found, told = faults(root / zone.replace("/", "-"), zone)
            count, wrong = count + found, wrong + told
    finally:
        shutil.rmtree(root, ignore_errors=True)
    for words in wrong[:20]:
        print(f"  {words}", file=sys.stderr)
    changes = sum(_changes(ZoneInfo(zone)) for zone in ZONES)
    figures = f"{len(ZONES)} zones, {changes} clock changes, {count} slots of {len(ZONES) * len(SCHEDULES) * 365}, {len(wrong)} skipped or doubled"
    return Result(name="year", figures=figures, bar="every local day exactly one of each daily job", passed=not wrong)
