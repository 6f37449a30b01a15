"""The live studio in a real browser, with and without JavaScript: from a theme to a kept link."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from auria_bot.web.app import create_app
from tests.scenarios.wall import FLAGS, browser_path
from tests.unit.services.visitors.test_studio import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(browser_path() is None, reason="Chromium is not installed: apt-get install chromium")
PATIENCE = 120_000  # milliseconds


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site whose studio is open."""
    application = opened(tmp_path_factory.mktemp("home"))
    server = uvicorn.Server(uvicorn.Config(create_app(application), port=0, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
    application.close()


@pytest.mark.parametrize("is_scripted", [True, False])
def test_a_visitor_watches_and_keeps(site: str, is_scripted: bool) -> None:
    """On a phone, by keyboard alone; the page goes on by itself, and the console stays empty."""
    faults: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=list(FLAGS))
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, java_script_enabled=is_scripted, locale="en-GB"
        )
        page: Any = context.new_page()
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: None if request.url.startswith(site) else faults.append(request.url))
        page.goto(f"{site}/studio")
        page.get_by_label("Theme").focus()
        page.keyboard.type("autumn rain")
        page.keyboard.press("Enter")
        keep = page.get_by_role("button", name="Keep it")
        keep.wait_for(timeout=PATIENCE)
        assert "autumn rain" in page.content()
        box = page.locator("body").bounding_box()
        assert box["x"] + box["width"] <= 390
        keep.focus()
        page.keyboard.press("Enter")
        page.get_by_text("kept for good").wait_for(timeout=PATIENCE)
        browser.close()
    assert faults == []
