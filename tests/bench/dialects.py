"""The benchmark dialects: see `tests.scenarios.dialects`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.platforms.fediverse import DIALECTS
from tests.scenarios.dialects import speak

__all__ = ["run"]


def run() -> Result:
    """Each dialect."""
    passed, wrong = [], list[str]()
    with tempfile.TemporaryDirectory(prefix="auria-dialects-") as root:
        for name in DIALECTS:
            (folder := Path(root) / name).mkdir()
            found = speak(name, folder)
            wrong += found
            passed += [] if found else [name]
    for one in wrong:
        print(f"  {one}", file=sys.stderr)
    return Result(
        name="dialects",
        figures=f"{len(passed)} of {len(DIALECTS)} pass: {', '.join(passed)}",
        bar="each dialect: check, publish, cut answers, find, measure",
        passed=not wrong,
    )
