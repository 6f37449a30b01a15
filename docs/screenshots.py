"""Photograph the web pages for README.md.

`AURIA_HOME=HOME make screenshots` writes docs/web/*.webp, of a copy of that home: all drafts but the oldest four are
approved and published to the folder channel. It needs the extra `web`, Playwright and Chromium.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import io
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from auria_bot.bootstrap.application import build
from auria_bot.settings.loading import load
from tests.browser import browser, served

ROOT = Path(__file__).resolve().parents[1]
_WAITING = 4  # drafts that are left for the desk
_NAME = "ada"
_PAGES = {  # name: (path, whether one signs in before, width, height, colour scheme)
    "gallery": ("/", False, 1280, 900, "light"),
    "artwork": ("/artworks/{shown}", False, 820, 1180, "dark"),
    "desk": ("/desk/drafts/{waiting}", True, 390, 844, "light"),
    "studio": ("/studio", False, 390, 844, "dark"),
}


def main() -> None:
    """Write the four pictures."""
    with tempfile.TemporaryDirectory(prefix="auria-screenshots-") as scratch:
        home = Path(scratch) / "home"
        shutil.copytree(os.environ["AURIA_HOME"], home)
        os.environ["AURIA_HOME"], os.environ["AURIA_WEB__STUDIO"] = str(home), "true"
        application = build(load())
        drafts = sorted(draft.id for draft in application.review.drafts(["made"]))
        shown = drafts[_WAITING:]
        application.review.approve(shown, channels=["folder"])
        application.publisher.publish(shown, channels=["folder"])  # a copy sends nothing of what waits to a platform
        password = secrets.token_urlsafe(12)
        application.accounts.add(_NAME, password)
        with browser() as found, served(application) as address:
            for name, (path, signs_in, width, height, scheme) in _PAGES.items():
                page = found.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                if signs_in:
                    _sign_in(page, address, password)
                page.goto(address + path.format(shown=shown[-3], waiting=drafts[3]))
                page.wait_for_load_state("networkidle")
                _save(page.screenshot(), ROOT / "docs" / "web" / f"{name}.webp")
                page.close()
        application.close()


def _sign_in(page: Any, address: str, password: str) -> None:
    page.goto(f"{address}/desk/sign-in")
    page.fill("input[name=name]", _NAME)
    page.fill("input[name=password]", password)
    page.click("form button")
    page.wait_for_load_state("networkidle")


def _save(content: bytes, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    with Image.open(io.BytesIO(content)) as picture:
        picture.convert("RGB").save(target, quality=82, method=6)


if __name__ == "__main__":
    main()
