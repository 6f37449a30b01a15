"""The page of captions in a real browser: by mouse, by touch, by keys, and without JavaScript.

Needs Chromium, as Debian's package or in $CHROMIUM; skips without it. A stand-in answers for the model server.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from auria_bot.services.captions.client import CaptionClient
from auria_bot.settings.captions import CaptionSettings
from tests.browser import browser, missing, served
from tests.exhibited import exhibited
from tests.scenarios.web_accessible import has_axe, violations_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing() or "a browser")]


def _encoded(picture: Image.Image, kind: str) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


def _answer() -> dict[str, Any]:
    grid = [[0.0] * 7 for _ in range(7)]
    grid[0][0] = 1.0
    veil = _encoded(Image.new("LA", (28, 28), (0, 180)), "PNG")
    return {
        "model": {"name": "captioner", "version": "v3", "sha256": "ab" * 32},
        "width": 400,
        "height": 300,
        "picture": _encoded(Image.new("RGB", (400, 300), "teal"), "JPEG"),
        "captions": [
            {
                "text": text,
                "confidence": 0.5,
                "words": [{"text": word, "attention": grid, "veil": veil} for word in text.lower()[:-1].split()],
            }
            for text in ("A black dog runs.", "A brown cat sits.")
        ],
    }


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """A site with the page switched on."""
    made = exhibited(tmp_path_factory.mktemp("home"), 1)
    made.settings = made.settings.model_copy(update={"captions": CaptionSettings(page=True)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CaptionClient, "caption", lambda *_, **__: _answer())
        yield made
    made.close()


@pytest.fixture(scope="module")
def site(application: Application) -> Iterator[str]:
    """Its address."""
    with served(application) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser."""
    with browser() as found:
        yield found


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """What a visitor brings."""
    Image.new("RGB", (400, 300), "teal").save(tmp_path / "mine.png")
    return tmp_path / "mine.png"


def _shown(page: Any) -> list[str]:
    """The veils that are seen."""
    found: list[str] = page.eval_on_selector_all(
        ".veil", "all => all.filter(one => getComputedStyle(one).opacity > 0.5).map(one => one.id)"
    )
    return found


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_words_show_their_regions(site: str, chromium: Any, picture: Path, width: int, scheme: str) -> None:
    """By pointing, by tapping, by focus and arrow keys; Escape shows the whole picture; nothing is refused or loaded elsewhere."""
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", locale="en-GB"
    )
    page, faults = context.new_page(), list[str]()
    page.on("console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith((site, "data:")) else faults.append(request.url),
    )
    page.goto(f"{site}/captions")
    page.set_input_files("#picture", picture)
    page.click("form.bring button")
    page.wait_for_selector(".stage")
    words = page.locator(".best .word")
    assert words.all_inner_texts() == ["A", "black", "dog", "runs"]
    assert words.nth(2).get_attribute("aria-label") == "dog, upper left"
    assert _shown(page) == []
    if has_axe():
        faults += violations_in(page, f"caption {scheme} {width}")
    words.nth(2).hover()
    assert _shown(page) == ["seen-3"]
    page.mouse.move(1, 1)
    assert _shown(page) == []
    words.nth(1).focus()
    page.keyboard.press("ArrowRight")
    assert _shown(page) == ["seen-3"]
    page.keyboard.press("Enter")
    page.locator("#correction").focus()
    assert _shown(page) == ["seen-3"]
    page.keyboard.press("Escape")
    assert _shown(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults == []
    context.close()


def test_everything_works_without_javascript(site: str, chromium: Any, picture: Path, application: Application) -> None:
    """A picture is brought, a word's region is shown by its link, and a rating is sent with the picture."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False, locale="de-DE")
    page = context.new_page()
    page.goto(f"{site}/captions")
    page.set_input_files("#picture", picture)
    page.click("form.bring button")
    page.locator(".best .word").nth(3).click()
    assert page.url.endswith("#seen-4")
    assert page.locator("#seen-4:target").count() == 1
    page.locator(".stars label").nth(4).click()
    page.fill("#correction", "a black dog by the sea")
    page.check("input[name=consent]")
    page.click(".rating button")
    assert "Danke" in page.locator(".thanks").inner_text()
    kept = application.caption_ratings.recent(limit=1)[0]
    assert (kept.stars, kept.correction, bool(kept.picture)) == (5, "a black dog by the sea", True)
    context.close()
