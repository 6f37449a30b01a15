"""The exhibition in a browser, in small; the benchmark `wall` runs it for an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scenarios.wall import browser_path, watch

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(browser_path() is None, reason="Chromium is not installed: apt-get install chromium")


def test_the_wall_is_never_blank_and_adds_no_node(tmp_path: Path) -> None:
    """Each artwork is shown; without a server it goes on, and there is no error."""
    found = watch(tmp_path, works=3, seconds=3.0, clock=0.3)
    assert found.faults == ()
    assert found.blank == 0
    assert found.nodes[0] == found.nodes[1]
    assert found.works == 3
    assert found.offline_changes >= 3
