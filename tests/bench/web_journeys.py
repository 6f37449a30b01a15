"""The benchmark web-journeys: see `tests.scenarios.web_journeys`."""

from __future__ import annotations

from tests.bench import Result
from tests.browser import browser, missing
from tests.scenarios.web_journeys import JOURNEYS, walk

__all__ = ["run"]

_BAR = "all pass, also without JavaScript where a page promises it; no error on the console"


def run() -> Result:
    """Walk every journey on a screen of 390 pixels, with JavaScript and without."""
    if reason := missing():
        return Result(name="web-journeys", figures=reason, bar=_BAR, passed=False)
    walked, faults = 0, list[str]()
    with browser() as chromium:
        for journey in JOURNEYS:
            for script in (True, False) if journey.without_script else (True,):
                walked += 1
                kind = "" if script else " without JavaScript"
                faults += [f"{journey.name}{kind}: {fault}" for fault in walk(chromium, journey, script=script)]
    figures = f"{walked} walks of {len(JOURNEYS)} journeys, {len(faults)} faults" + "".join(
        f"; {one}" for one in faults
    )
    return Result(name="web-journeys", figures=figures, bar=_BAR, passed=not faults)
