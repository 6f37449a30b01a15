"""The exhibition in Chromium, at speed: its memory, its nodes, that it is never blank, and that it goes on off-line.

Needs Playwright and Chromium, as Debian's package or in $CHROMIUM.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn

from auria_bot.web.app import create_app
from tests.exhibited import exhibited

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Watched", "browser_path", "watch"]

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--js-flags=--expose-gc")
SAMPLES = 10  # of the heap
# At every frame: whether a picture that is loaded is seen, and how often it has changed.
OBSERVE = """() => {
  window.frames_ = 0; window.blank = 0; window.seen = new Set(); window.changes = 0;
  let before = null;
  const look = () => {
    window.frames_ += 1;
    const shown = [...document.querySelectorAll('.layer')].filter(layer => Number(getComputedStyle(layer).opacity) === 1
      && getComputedStyle(layer).visibility === 'visible').map(layer => layer.querySelector('img'));
    if (!shown.some(image => image.complete && image.naturalWidth > 0)) window.blank += 1;
    const now = document.querySelector('.layer.shown:not(.top) img')?.currentSrc;
    if (now && now !== before) { window.changes += 1; before = now; if (window.seen.size < 500) window.seen.add(now); }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""

COUNTS = "({changes: window.changes, blank: window.blank, frames: window.frames_})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was seen of the wall."""

    heaps: tuple[int, ...]  # bytes that JavaScript uses after a collection, over time
    nodes: tuple[int, int]  # in the document, before and after
    frames: int
    blank: int  # frames without a picture
    changes: int
    works: int  # different pictures that were shown
    offline_changes: int
    faults: tuple[str, ...]  # on the console

    @property
    def growth(self) -> float:
        """The share by which the heap's second half is larger than its first, on average."""
        half = len(self.heaps) // 2
        before, after = self.heaps[:half], self.heaps[half:]
        return sum(after) / len(after) / (sum(before) / len(before)) - 1


def browser_path() -> str | None:
    """The installed Chromium."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def watch(root: Path, *, works: int, seconds: float, clock: float) -> Watched:
    """Show so many artworks for so many seconds, each for `clock` seconds, then without a server."""
    from playwright.sync_api import sync_playwright

    application = exhibited(root, works)
    server = uvicorn.Server(uvicorn.Config(create_app(application), port=0, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.05)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path(), args=list(FLAGS))
            try:
                return _watched(browser, f"{address}/wall?seconds={clock:g}", seconds, works * clock, server, thread)
            finally:
                browser.close()
    finally:
        server.should_exit = True
        thread.join()
        application.close()


def _watched(
    browser: Any, address: str, seconds: float, turn: float, server: uvicorn.Server, thread: threading.Thread
) -> Watched:
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address, wait_until="load")
    _until(page, "document.querySelector('.layer.shown img').complete", 60)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.evaluate(OBSERVE)
    wanted = page.evaluate("fetch('/wall/works.json').then(answer => answer.json()).then(found => found.works.length)")
    _until(page, f"window.seen.size >= {wanted}", 60 + 20 * turn)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    nodes, heaps = _count(page), list[int]()
    until = time.monotonic() + seconds
    for _ in range(SAMPLES):
        threading.Event().wait(max(0.0, until - time.monotonic()) / max(1, SAMPLES - len(heaps)))
        devtools.send("HeapProfiler.collectGarbage")
        metrics = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
        heaps.append(int(metrics["JSHeapUsedSize"]))
    online, expected = page.evaluate(COUNTS), len(faults)
    server.should_exit = True
    thread.join()
    page.reload(wait_until="load")  # also a browser that is started anew without a server
    page.evaluate(OBSERVE)
    _until(page, "window.changes >= 3", 60 + 20 * turn)
    offline = page.evaluate(COUNTS)
    return Watched(
        heaps=tuple(heaps),
        nodes=(nodes, _count(page)),
        frames=online["frames"] + offline["frames"],
        blank=online["blank"] + offline["blank"],
        changes=online["changes"],
        works=wanted,
        offline_changes=offline["changes"],
        faults=tuple(faults[:expected]),
    )


def _count(page: Any) -> int:
    return int(page.evaluate("document.querySelectorAll('*').length"))


def _until(page: Any, condition: str, seconds: float) -> None:
    """Wait for a condition in the page, whose policy forbids Playwright's own way.

    Raises:
        TimeoutError: it is not met.
    """
    until = time.monotonic() + seconds
    while not page.evaluate(condition):
        if time.monotonic() > until:
            raise TimeoutError(f"{condition} is not met within {seconds:g} s")
        threading.Event().wait(0.1)
