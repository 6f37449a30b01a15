"""The pages before axe-core and the Tab key: the small form of the benchmark web-accessible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import browser, missing, served
from tests.scenarios.desk import busy_desk, open_to_visitors
from tests.scenarios.web_accessible import examine, has_axe, pages_of

if TYPE_CHECKING:
    from pathlib import Path

REASON = missing() or ("" if has_axe() else "axe-playwright-python is not installed")

pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)


@pytest.mark.parametrize("part", range(3))
def test_every_page_is_accessible_on_a_phone(tmp_path: Path, part: int) -> None:
    """No violation in light, and the Tab key reaches everything and comes to an end."""
    application = busy_desk(tmp_path)
    open_to_visitors(application)
    with served(application) as site, browser() as chromium:
        found = examine(chromium, site, pages_of(application)[part::3], widths=(390,), schemes=("light",))
    application.close()
    assert found.violations == ()
    assert found.traps == ()
