"""The benchmark web-weight: see `tests.scenarios.web_weight`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from statistics import median

from tests.bench import Result
from tests.browser import browser, missing, served
from tests.scenarios.desk import busy_desk, open_to_visitors
from tests.scenarios.web_accessible import pages_of, sign_in
from tests.scenarios.web_weight import first_picture, hang_a_painting, weigh

__all__ = ["run"]

MOST_BYTES, MOST_SHIFT, MOST_SECONDS = 100_000, 0.1, 1.0
_BAR = "at most 100 kB without pictures, no other host, layout shift at most 0.1, first picture under 1 s on 3G"


def run(times: int = 5) -> Result:
    """Weigh every page on a phone and a large screen; load the newest artwork so many times, and take the median."""
    if reason := missing():
        return Result(name="web-weight", figures=reason, bar=_BAR, passed=False)
    home = Path(tempfile.mkdtemp(prefix="auria-weight-"))
    application = busy_desk(home)
    open_to_visitors(application)
    newest = hang_a_painting(application)
    try:
        with served(application) as site, browser() as chromium:
            found = []
            for width in (390, 1440):
                context = chromium.new_context(viewport={"width": width, "height": 900}, locale="en-GB")
                page = context.new_page()
                sign_in(page, site)
                found += weigh(page, site, (newest, *pages_of(application)))
                context.close()
            first_picture(chromium, site, newest)  # makes the smaller copies
            seconds = median(first_picture(chromium, site, newest) for _ in range(times))
    finally:
        application.close()
        shutil.rmtree(home, ignore_errors=True)
    heaviest, unsteady = max(found, key=lambda one: one.size), max(found, key=lambda one: one.shift)
    others = sorted({host for one in found for host in one.others})
    figures = (
        f"{len(found)} pages, the heaviest {heaviest.size / 1000:.1f} kB ({heaviest.path}), other hosts: {', '.join(others) or 'none'},"
        f" largest shift {unsteady.shift:.3f} ({unsteady.path}), first picture after {seconds:.2f} s"
    )
    passed = heaviest.size <= MOST_BYTES and not others and unsteady.shift <= MOST_SHIFT and seconds < MOST_SECONDS
    return Result(name="web-weight", figures=figures, bar=_BAR, passed=passed)
