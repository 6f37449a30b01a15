"""The corpus as the settings describe it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from auria_bot.bootstrap.application import build
from auria_bot.settings.schema import Settings
from tests.applications import fake_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_the_corpus_obeys_the_settings(tmp_path: Path) -> None:
    """Allowed words are compared as the filter spells them, and Reddit is reached where the settings say."""
    settings = fake_settings(tmp_path).model_dump() | {
        "corpus": {
            "allowed_words": ("Damn It",),
            "reddit": {"user": "me", "max_wait": 3, "api_url": "http://localhost:1"},
        }
    }
    with closing(build(Settings.model_validate(settings))) as app:
        assert app._filter_rules().allow == {"damn it"}
        assert (app.reddit.access.user, app.reddit.access.max_wait) == ("me", 3)
        assert app.reddit.access.api_url == "http://localhost:1"
