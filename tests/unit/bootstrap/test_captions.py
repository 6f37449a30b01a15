"""What the caption service is composed of."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from auria_bot.bootstrap.application import build
from auria_bot.domain.artwork import Haiku
from auria_bot.domain.model_requests import PictureRequest, PoemRequest
from auria_bot.settings.captions import CaptionSettings
from auria_bot.settings.schema import Settings
from auria_bot.settings.sections import BackendSettings
from tests.scenarios.caption_serve import another_version

if TYPE_CHECKING:
    from pathlib import Path


def test_the_pool_serves_what_is_promoted(tmp_path: Path) -> None:
    """The installed captioner until another version is promoted."""
    application = build(Settings(home=tmp_path, captions=CaptionSettings(threads=1)))
    with closing(application.caption_pool()) as pool:
        pool.start()
        assert (pool.model or {})["version"] == "installed"
    application.model_registry.promote("captioner", another_version(tmp_path))
    with closing(application.caption_pool()) as pool:
        pool.start()
        assert (pool.model or {})["version"] == "v1"


def test_receipts_of_the_page_are_those_of_the_ratings(tmp_path: Path) -> None:
    """Whoever asks and whoever rates use one key."""
    with closing(build(Settings(home=tmp_path))) as application:
        assert application.caption_front._receipts is application.caption_ratings.receipts


def test_the_model_server_makes_with_what_the_settings_choose(tmp_path: Path) -> None:
    """Poems and pictures by the settings' backends; a version that is promoted counts as a change."""
    fake = BackendSettings(backend="fake")
    application = build(Settings(home=tmp_path, poet=fake, painter=fake, safety_filter=fake, enlarger=fake))
    pools, soon = application.serving_pools(), time.monotonic() + 60
    (poem,) = pools.poems.submit(PoemRequest(seed=3), deadline=soon).result()["poems"]
    picture = pools.pictures.submit(PictureRequest(haiku=Haiku.from_json(poem)), deadline=soon).result()
    assert picture.startswith(b"\xff\xd8\xff")
    before = application._served_makers()
    assert application._served_makers() == before
    application.model_registry.promote("captioner", another_version(tmp_path))
    assert application._served_makers() != before
    for pool in (pools.captions, pools.styles, pools.poems, pools.pictures):
        pool.close()
