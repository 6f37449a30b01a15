"""The benchmark web-attacks: see `tests.scenarios.web_attacks`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.attacked_site import attacked
from tests.scenarios.web_attacks import CASES

__all__ = ["run"]


def run() -> Result:
    """Try every attack on one running site, one after the other, and look whether it still serves its pages."""
    reached = dict[str, str]()
    with tempfile.TemporaryDirectory(prefix="auria-web-attacks-") as scratch, attacked(Path(scratch)) as site:
        for name, case in CASES.items():
            try:
                found = case(site) or (
                    "" if site.ask("GET", "/").status == 200 else "the gallery is not served any more"
                )
            except Exception as error:  # noqa: BLE001 - a crash is no refusal
                found = f"{type(error).__name__}: {error}"
            if found:
                reached[name] = found
        leaks = site.leaks()
    for name, found in (*reached.items(), *(("leak", one) for one in leaks[:20])):
        print(f"  {name}: {found[:400]}", file=sys.stderr)
    figures = f"{len(CASES) - len(reached)} of {len(CASES)} attacks refused, {len(leaks)} leaks in {len(site.answers):,} answers"
    return Result(
        name="web-attacks",
        figures=figures + (f"; not: {', '.join(reached)}" if reached else ""),
        bar="every one refused as documented, nothing leaks, the site stays up",
        passed=not reached and not leaks,
    )
