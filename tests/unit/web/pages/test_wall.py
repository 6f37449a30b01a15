"""The exhibition's routes; `tests.scenarios.wall` runs it in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.exhibited import exhibited, publish, visitor

if TYPE_CHECKING:
    from pathlib import Path


def test_the_newest_artwork_is_there_without_javascript(tmp_path: Path) -> None:
    """With its poem and alt text; the page loads itself again."""
    application = exhibited(tmp_path, 2)
    page = visitor(application).get("/wall").text
    assert "old pond number 2" in page
    assert "/pictures/2/400.avif 400w" in page
    assert '<noscript><meta http-equiv="refresh" content="40"></noscript>' in page
    assert page.count('<article class="layer') == 2
    publish(application, 3)
    application.gallery._checked = float("-inf")
    assert "old pond number 3" in visitor(application).get("/wall").text


def test_the_list_has_what_is_shown(tmp_path: Path) -> None:
    """The newest first, at most forty, with the widths that are offered."""
    works = visitor(exhibited(tmp_path, 42)).get("/wall/works.json").json()["works"]
    assert [work["id"] for work in works[:2]] == [42, 41]
    assert len(works) == 40
    assert works[0]["lines"][0] == "old pond number 42"
    assert (works[0]["width"], works[0]["height"], works[0]["widths"]) == (400, 500, [320, 400])


def test_an_empty_gallery_says_so(tmp_path: Path) -> None:
    """Until something is published."""
    browser = visitor(exhibited(tmp_path, 0))
    assert "still bare" in browser.get("/wall").text
    assert browser.get("/wall/works.json").json() == {"works": []}


def test_the_service_worker_is_for_the_wall_alone(tmp_path: Path) -> None:
    """Its scope is named by the server; the rest of the site has none."""
    answer = visitor(exhibited(tmp_path, 1)).get("/wall/worker.js")
    assert answer.headers["service-worker-allowed"] == "/wall"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"
