"""`auria edit`, `show`, `restyle` and `repaint`: texts of channels, versions, and words that are kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.cli.terminal import prompts
from tests.applications import add_drafts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.draft import Draft

Auria = Any


@pytest.fixture(autouse=True)
def _draft(tmp_path: Path) -> None:
    """One draft in the home, before the application opens it."""
    add_drafts(tmp_path / "home")


def test_a_text_for_one_channel(application: Application, auria: Auria) -> None:
    """Shown with the draft and in JSON; an empty one gives the common text back; a channel must exist."""
    assert auria("edit", "1", "--channel", "fake", "--text", "rain on ponds")[0] == 0
    assert "rain on ponds" in auria("show", "1", "--picture", "none")[1]
    shown = json.loads(auria("show", "1", "--json")[1])
    assert shown["channel_texts"] == {"fake": "rain on ponds"}
    assert shown["text"] == application.review.draft(1).artwork.post_text
    auria("approve", "1", "-c", "fake", "-c", "folder")
    (own, common) = json.loads(auria("publish", "--dry-run", "--json")[1])
    assert (own["channel"], own["text"], own["characters"]) == ("fake", "rain on ponds", 13)
    assert common["text"] == shown["text"]
    assert json.loads(auria("edit", "1", "--channel", "fake", "--text", "", "--json")[1])[0]["channel_texts"] == {}
    code, _, err = auria("edit", "1", "--channel", "myspace", "--text", "rain")
    assert code == 2
    assert "myspace" in err


def test_the_editor_has_the_channel_s_text_too(
    application: Application, auria: Auria, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It begins as the common text; left as it is, it is no text of its own."""
    seen = []

    def edited(before: prompts.EditedTexts, save: Callable[[prompts.EditedTexts], Draft]) -> Draft:
        seen.append(before)
        return save(
            prompts.EditedTexts(text=before.text, alt_text="A pond.", channel_texts={"fake": texts.pop(0)}),
        )

    text = application.review.draft(1).text
    texts = [text, "rain on ponds"]
    monkeypatch.setattr(prompts, "edit", edited)
    auria("edit", "1", "--channel", "fake")
    assert application.review.draft(1).channel_texts == {}
    auria("edit", "1", "--channel", "fake")
    assert application.review.draft(1).channel_texts == {"fake": "rain on ponds"}
    assert [one.channel_texts for one in seen] == [{"fake": text}] * 2


def test_versions_are_listed_and_words_kept(application: Application, auria: Auria) -> None:
    """What was kept is said; --fresh-words writes all anew; either version can be approved."""
    auria("edit", "1", "--text", "my own words")
    code, _, err = auria("restyle", "1", "--style", "fake-05")
    assert code == 0
    assert "kept as you edited it: text" in err
    assert "choose the other: auria approve 1" in err
    assert json.loads(auria("show", "2", "--json")[1])["text"] == "my own words"
    _, _, err = auria("repaint", "1", "--fresh-words")
    assert "kept" not in err
    out = auria("show", "2", "--picture", "none")[1]
    assert "versions" in out
    versions = json.loads(auria("show", "2", "--json")[1])["versions"]
    assert versions == [
        {"id": 1, "state": "rejected"},
        {"id": 2, "state": "made"},
        {"id": 3, "state": "made"},
    ]
    assert auria("approve", "1", "-c", "folder")[0] == 0
    assert next(one["state"] for one in json.loads(auria("show", "1", "--json")[1])["versions"]) == "approved"
