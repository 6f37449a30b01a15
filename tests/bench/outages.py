"""The benchmark outages: see `tests.scenarios.outages`."""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import Result
from tests.scenarios.outages import OUTAGES, Listener

__all__ = ["run"]


def run(seconds: float = 300.0) -> Result:
    """Live through each outage."""
    root, found, untried = Path(tempfile.mkdtemp(prefix="auria-outages-")), dict[str, tuple[bool, int]](), list[str]()
    try:
        for name, outage in OUTAGES.items():
            with Listener() as listener:
                well = outage(root / name, seconds, listener)
                time.sleep(1)
                if well is None:
                    untried.append(name)
                else:
                    found[name] = well, len(listener.titles)
                print(f"  {name}: {', '.join(listener.titles)}", file=sys.stderr)
    finally:
        shutil.rmtree(root, ignore_errors=True)
        for name in ("auria_bot", "auria_bot.daemon"):
            logging.getLogger(name).handlers.clear()
    figures = ", ".join(
        f"{name} {'carried on' if well else 'STUCK'}, told {count}x" for name, (well, count) in found.items()
    ) + "".join(f", {name} not tried: nothing can be mounted here" for name in untried)
    passed = all(well and count == 1 for well, count in found.values())
    return Result(name="outages", figures=figures, bar="carries on by itself, told once each", passed=passed)
