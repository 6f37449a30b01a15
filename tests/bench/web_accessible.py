"""The benchmark web-accessible: see `tests.scenarios.web_accessible`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.browser import browser, missing, served
from tests.scenarios.desk import busy_desk, open_to_visitors
from tests.scenarios.web_accessible import examine, has_axe, pages_of
from tests.scenarios.web_journeys import JOURNEYS, walk

__all__ = ["run"]

_BAR = "0 violations of axe-core on every page, in light and dark; no trap, all journeys by keyboard"


def run(schemes: tuple[str, ...] = ("light", "dark")) -> Result:
    """Examine every page on a phone and a large screen, then walk the journeys by keyboard."""
    if reason := missing() or ("" if has_axe() else "axe-playwright-python is not installed"):
        return Result(name="web-accessible", figures=reason, bar=_BAR, passed=False)
    home = Path(tempfile.mkdtemp(prefix="auria-accessible-"))
    application = busy_desk(home)
    open_to_visitors(application)
    try:
        with served(application) as site, browser() as chromium:
            found = examine(chromium, site, pages_of(application), schemes=schemes)
            faults = [
                f"{journey.name}: {fault}"
                for journey in JOURNEYS
                for fault in walk(chromium, journey, by_keyboard=True)
            ]
    finally:
        application.close()
        shutil.rmtree(home, ignore_errors=True)
    wrong = (*found.violations, *found.traps, *faults)
    figures = (
        f"{found.pages} pages in {' and '.join(schemes)} on two screens: {len(found.violations)} violations,"
        f" {len(found.traps)} traps; {len(JOURNEYS)} journeys by keyboard, {len(faults)} faults"
    )
    figures += "".join(f"\n  {one}" for one in wrong[:40])
    return Result(name="web-accessible", figures=figures, bar=_BAR, passed=not wrong)
