"""An application of fakes with published artworks, for the tests of the web interface."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING
from unittest.mock import patch

from jinja2 import BytecodeCache, Environment
from PIL import Image
from starlette.testclient import TestClient

from auria_bot.domain.artwork import Haiku, Style
from auria_bot.domain.post import PostState, Receipt
from auria_bot.files import sha256_of
from auria_bot.web.app import create_app
from tests.applications import fake_application, own_folder
from tests.factories import NOW, artwork

if TYPE_CHECKING:
    from pathlib import Path
    from types import CodeType
    from typing import Any

    from jinja2.bccache import Bucket

    from auria_bot.bootstrap.application import Application

__all__ = ["exhibited", "publish", "visitor"]

HOST = "http://127.0.0.1:8620"
_FILES = ("painting.png", "full.png", "post.jpg", "card.jpg")


def exhibited(home: Path, count: int = 3, **settings: Any) -> Application:
    """An application with so many published artworks, one a day, the last one the newest.

    In an empty home they are copied from one in which they were published once in this process.
    """
    if count and not (home / "auria.db").exists():
        shutil.copytree(_home_with_artworks(count), home, dirs_exist_ok=True)
        return fake_application(home, **settings)
    application = fake_application(home, **settings)
    for number in range(1, count + 1):
        publish(application, number)
    return application


@cache
def _home_with_artworks(count: int) -> Path:
    home = own_folder() / "home"
    with closing(fake_application(home)) as application:
        for number in range(1, count + 1):
            publish(application, number)
    return home


def publish(
    application: Application,
    number: int = 1,
    *,
    url: str | None = None,
    channel: str = "folder",
    picture: Image.Image | None = None,
    **changes: Any,
) -> int:
    """Publish an artwork as if a channel had sent it; its draft's id."""
    poem = Haiku(
        lines=(f"old pond number {number}", "a frog leaps into the moon", "sound of the water"), syllables=(5, 7, 5)
    )
    style = Style(key=f"style-{number % 2}", title=f"The Wave {number % 2}", artist="G. Courbet", year="1870")
    changes = {"haiku": poem, "style": style, **changes}
    application.settings.home.mkdir(parents=True, exist_ok=True)
    source = application.settings.home / "source.png"
    (picture or Image.linear_gradient("L").convert("RGB").resize((400, 500))).save(source)
    kept = application.pictures.keep(f"run-{number}", dict.fromkeys(_FILES, source))
    at = NOW + timedelta(days=number)
    with application.store.begin() as unit:
        draft = unit.drafts.add(
            artwork(number, **changes), folder=f"run-{number}", picture_sha256=sha256_of(kept / "post.jpg"), made_at=at
        )
        draft = unit.drafts.save(draft.approve((channel,), at))
        draft = unit.drafts.save(draft.schedule())
        unit.posts.add(draft, channel, due=at, picture=str(kept / "post.jpg"), key=f"key-{number}")
        claimed = unit.posts.claim(now=at, lease=timedelta(minutes=5), channels=[channel])[0]
        receipt = Receipt(id=f"r{number}", url=url or f"https://example.org/{number}", at=at)
        sent = replace(claimed.moved(PostState.SENT, receipt=receipt))
        unit.posts.close_attempt(sent, outcome=_sent(), message="", at=at)
    return draft.id


def visitor(application: Application, **options: Any) -> TestClient:
    """A visitor's browser without JavaScript; it keeps cookies, and follows no redirect by itself."""
    with patch("auria_bot.web.rendering.Environment", partial(Environment, bytecode_cache=_TEMPLATES)):
        app = create_app(application)
    return TestClient(app, base_url=HOST, follow_redirects=False, **options)


class _CompiledTemplates(BytecodeCache):
    """Templates as they were compiled for the first site of this process: a site alone takes a tenth of a second for its pages."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


_TEMPLATES = _CompiledTemplates()


def _sent() -> Any:
    from auria_bot.domain.post import Outcome

    return Outcome.SENT
