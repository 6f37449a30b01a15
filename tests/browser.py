"""A real browser, and a web server beside it, for the tests and benchmarks of the web interface."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from typing import TYPE_CHECKING, Any

from auria_bot.web.app import create_app
from auria_bot.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import uvicorn

    from auria_bot.bootstrap.application import Application

__all__ = ["CHROMIUM", "browser", "missing", "running", "served"]

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
"""The program: Debian's package, or what the variable names."""

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def missing() -> str:
    """Why no browser can be used; "" if one can."""
    try:
        import playwright.sync_api  # noqa: F401 - only whether it is there
    except ImportError:
        return "playwright is not installed"
    return "" if CHROMIUM else "Chromium is not installed: apt-get install chromium"


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """A Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        try:
            yield found
        finally:
            found.close()


@contextlib.contextmanager
def served(application: Application) -> Iterator[str]:
    """The address at which an application's pages are served by a thread of this process."""
    with running(WebServer(create_app(application))) as site:
        yield site


@contextlib.contextmanager
def running(server: uvicorn.Server) -> Iterator[str]:
    """The address of a server that is run by a thread of this process."""
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the web server did not start")
        threading.Event().wait(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
