"""What pages weigh: the small form of the benchmark web-weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import browser, missing, served
from tests.scenarios.desk import busy_desk, open_to_visitors
from tests.scenarios.web_accessible import sign_in
from tests.scenarios.web_weight import first_picture, hang_a_painting, weigh

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


def test_the_heaviest_pages_are_light_and_do_not_move(tmp_path: Path) -> None:
    """At most 100 kB without pictures, no other host, and nothing moves when the font comes late."""
    application = busy_desk(tmp_path)
    open_to_visitors(application)
    newest = hang_a_painting(application)
    draft = application.review.drafts(["made"])[0].id
    with served(application) as site, browser() as chromium:
        page = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB").new_page()
        sign_in(page, site)
        found = weigh(page, site, (newest, "/api", "/wall", "/desk/calendar", f"/desk/drafts/{draft}"))
        assert first_picture(chromium, site, newest) > 0
    application.close()
    assert [one for one in found if one.size > 100_000 or one.others or one.shift > 0.1] == []
