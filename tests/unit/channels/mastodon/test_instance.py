"""What a Mastodon server says that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.channels.mastodon.instance import InstanceLimits, InstanceLimitsCache, plain_text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("rain", 4),
        ("👩‍👩‍👧‍👦 é e\u0301 池", 7),
        ("see https://example.org/a/very/long/address/that/goes/on?and=on#and-on now", 4 + 23 + 4),
        ("see https://example.org.", 4 + 23 + 1),
        ("(http://example.org/a)", 1 + 23 + 1),
        ("https://localhost/x", 19),
        ("https://example.org/池の音", 23 + 3),
        ("thanks @friend@mastodon.example!", 15),
        ("a@b.example", 11),
    ],
)
def test_characters_are_counted_as_mastodon_does(text: str, characters: int) -> None:
    """An address counts 23, a name without its server, an emoji of many parts one."""
    assert InstanceLimits().count(text) == characters


def test_what_a_server_leaves_out_is_as_usual() -> None:
    """Whatever it answers, limits are positive numbers."""
    full = {
        "configuration": {
            "statuses": {"max_characters": 5000, "characters_reserved_per_url": 30},
            "media_attachments": {"description_limit": 900, "image_size_limit": 1000, "image_matrix_limit": 10_000},
        }
    }
    read = InstanceLimits.read(full, instance="https://a.example", at=5.0)
    assert (read.characters, read.url_characters, read.picture_bytes) == (5000, 30, 1000)
    assert (read.limits().picture_pixels, read.limits().alt_characters, read.instance, read.read_at) == (
        100,
        900,
        "https://a.example",
        5.0,
    )
    assert read.count("https://example.org") == 30
    for odd in ({}, {"configuration": None}, {"configuration": {"statuses": {"max_characters": "many"}}}):
        assert InstanceLimits.read(odd, instance="", at=0.0) == InstanceLimits()
    assert InstanceLimits.read({"max_toot_chars": 1000}, instance="", at=0.0).characters == 1000


@pytest.mark.parametrize("kept", ["", "{", "[]", "{}", '{"instance": "https://a.example", "characters": 0}'])
def test_a_damaged_memory_is_none(tmp_path: Path, kept: str) -> None:
    """It is written anew."""
    path = tmp_path / "channels" / "m.json"
    path.parent.mkdir()
    path.write_text(kept)
    memory = InstanceLimitsCache(path, "https://a.example")
    assert memory.recall() is None
    limits = InstanceLimits(instance="https://a.example", characters=7)
    memory.remember(limits)
    assert memory.recall() == limits
    assert InstanceLimitsCache(path, "https://b.example").recall() is None
    assert [each.name for each in path.parent.iterdir()] == ["m.json"]


def test_a_memory_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    """The limits are read again another time."""
    (tmp_path / "channels").write_text("a file in the way")
    memory = InstanceLimitsCache(tmp_path / "channels" / "m.json", "https://a.example")
    memory.remember(InstanceLimits(instance="https://a.example"))
    assert memory.recall() is None


def test_words_are_read_from_html() -> None:
    """As a server writes them: paragraphs, links, hidden parts of addresses, escaped signs."""
    content = (
        '<p>rain &amp; &lt;ponds&gt;<br />night</p><p>— Auria <a href="https://m.example/tags/haiku" class="hashtag">#'
        '<span>haiku</span></a> <a href="https://example.org/x"><span class="invisible">https://</span>'
        '<span>example.org/x</span><span class="invisible"></span></a></p>'
    )
    assert plain_text(content) == "rain & <ponds> night — Auria #haiku https://example.org/x"
