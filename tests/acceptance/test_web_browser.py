"""The gallery in a real browser: no error on the console, no request elsewhere, no shift, no trap, on a phone and a large screen.

Needs Chromium, as Debian's package or in $CHROMIUM; skips without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import browser, missing, served
from tests.exhibited import HOST, exhibited

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = ("/", "/browse", "/search?q=frog", "/moods/serene", "/artworks/2-old-pond-number-2")
SHIFTS = """() => new Promise(done => new PerformanceObserver(list => done(list.getEntries().reduce((sum, one) => sum + one.value, 0)))
    .observe({type: "layout-shift", buffered: true}) || setTimeout(() => done(0), 300))"""

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a served gallery with three works."""
    application = exhibited(tmp_path_factory.mktemp("home"), 3)
    with served(application) as address:
        yield address
    application.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser."""
    with browser() as found:
        yield found


@pytest.mark.parametrize("width", [390, 820, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_whole_on_every_screen(site: str, chromium: Any, width: int, scheme: str) -> None:
    """Without JavaScript: no error, no other host, nothing wider than the screen, every picture seen."""
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=False, locale="en-GB"
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("request", lambda request: None if request.url.startswith(site) else faults.append(request.url))
    for path in PAGES:
        page.goto(site + path, wait_until="load")
        assert page.locator("h1").count() == 1, path
        box = page.locator("body").bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width
    assert [fault for fault in faults if HOST not in fault] == []
    context.close()


def test_nothing_shifts_and_pages_are_light(site: str, chromium: Any) -> None:
    """At most 100 kB without pictures, and a layout shift under 0.1."""
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    for path in PAGES:
        page = context.new_page()
        weights: list[int] = []
        page.on("response", lambda answer: weights.append(_weight(answer)))  # noqa: B023 - the page ends before the next
        page.goto(site + path, wait_until="networkidle")
        assert page.evaluate(SHIFTS) < 0.1, path
        assert sum(weights) < 100_000, path
        page.close()
    context.close()


def _weight(answer: Any) -> int:
    """Bytes of an answer on the wire; pictures weigh nothing here."""
    if "/pictures/" in answer.url:
        return 0
    return int(answer.headers.get("content-length", 0))


def test_the_keyboard_reaches_every_work(site: str, chromium: Any) -> None:
    """From the skip link by Tab to each work; Enter opens it."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(site)
    seen = []
    for _ in range(14):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.getAttribute('href')"))
    assert seen[0] == "#content"
    assert [f"/artworks/{number}-old-pond-number-{number}" for number in (3, 2, 1)] == [
        one for one in seen if one and one.startswith("/artworks/")
    ]
    page.locator("a[href='/artworks/1-old-pond-number-1']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/artworks/1-old-pond-number-1")
    context.close()
