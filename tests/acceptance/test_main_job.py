"""The main job with the real models, from an empty home to a published post."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from auria_bot.corpus.language.syllables import line_counts
from auria_bot.corpus.language.words import words
from tests.acceptance.commands import ROOT, Operator

NEEDED = ("poet", "painter", "captioner", "stylist", "enlarger", "styles")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all((ROOT / "models" / name / "SHA256SUMS").is_file() for name in NEEDED), reason="models are missing"
    ),
]


def test_a_theme_becomes_a_published_post(tmp_path):
    """Make, look, approve, publish: every command, every file, no fake."""
    operator = Operator(tmp_path / "home", fakes=False, anew=True)
    (made,) = operator.json("make", "--count", "2", "--theme", "autumn rain", "--seed", "17")
    assert not made["failures"]
    assert set(made["steps"]) == {"poem", "mood", "painting", "enlarge", "style", "caption", "words", "finish"}
    drafts = {draft["id"]: draft for draft in operator.json("drafts")}
    assert set(drafts) == {1, 2}
    for draft in drafts.values():
        _check(draft)
    assert drafts[1]["haiku"] != drafts[2]["haiku"]
    assert "▀" in operator.run("show", "1", "--picture", "blocks").stdout
    operator.run("approve", "1")
    operator.run("reject", "2", "--reason", "one is enough")
    (sent,) = operator.json("publish")
    assert sent["state"] == "sent"
    folder = tmp_path / "home" / "published"
    assert drafts[1]["haiku"][0] in (folder / "index.html").read_text(encoding="utf-8")
    (picture,) = folder.glob("posts/*/picture.jpg")
    assert picture.read_bytes() == Path(drafts[1]["pictures"]["post"]).read_bytes()
    (facts,) = folder.glob("posts/*/*.json")
    assert drafts[1]["alt_text"] in json.dumps(json.loads(facts.read_text()), ensure_ascii=False)


def _check(draft: dict) -> None:
    """An artwork is whole: an exact poem, words within their limits, pictures in their sizes, every model by its hash."""
    assert draft["syllables"] == [5, 7, 5]
    for line, wanted in zip(draft["haiku"], (5, 7, 5), strict=True):
        assert wanted in line_counts(words(line))
    assert 20 <= len(draft["alt_text"]) <= 1000
    assert all(line in draft["text"] for line in draft["haiku"])
    assert draft["text"].count("#") <= 5
    assert draft["nudity"] < 0.5
    with Image.open(draft["pictures"]["post"]) as post:
        assert (post.format, post.size) == ("JPEG", (1080, 1350))
    with Image.open(draft["pictures"]["full"]) as full:
        assert full.format == "PNG"
        assert min(full.size) >= 512
    with Image.open(draft["pictures"]["card"]) as card:
        card.load()
    roles = {name.partition(":")[0] for name in draft["models"]}
    assert {"poet", "painter", "stylist", "captioner", "gate", "enlarger"} <= roles
    assert all(len(sha256) == 64 for sha256 in draft["models"].values())
