"""What Instagram takes, and when two captions are the same."""

from __future__ import annotations

import pytest

from auria_bot.channels.instagram.captions import LIMITS, fit_caption, same_caption
from auria_bot.errors import Rejected

POEM = "first snow —\nthe pond keeps\none star"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (POEM, True),
        ("first snow — the pond keeps one star ", True),
        ("First snow -\n\nthe pond keeps\none star", True),
        ("first snow —\nthe pond keeps\none moon", False),
        ("", False),
    ],
)
def test_captions_are_compared_by_their_letters(other: str, same: bool) -> None:
    """Blanks, dashes and capitals may differ; a word may not."""
    assert same_caption(POEM, other) is same


def test_captions_without_letters_are_compared_as_they_are() -> None:
    """Two different pictures of words are not the same."""
    assert same_caption("🌙 🌊", "🌙  🌊")
    assert not same_caption("🌙", "🌊")


def test_accents_may_be_written_in_two_ways() -> None:
    """Composed or not, it is the same letter."""
    assert same_caption("été", "e\u0301te\u0301")


@pytest.mark.parametrize(
    ("text", "fits"), [("x" * 2200, True), ("x" * 2201, False), ("🌙" * 1100, True), ("🌙" * 1101, False)]
)
def test_characters_are_counted_as_the_app_does(text: str, fits: bool) -> None:
    """A sign beyond the first plane counts twice."""
    if fits:
        assert fit_caption(text, "", name="ig").text == text
    else:
        with pytest.raises(Rejected, match="2200"):
            fit_caption(text, "", name="ig")


def test_five_hashtags_are_sent() -> None:
    """Though the platform takes thirty."""
    fitted = fit_caption(f"{POEM}\n\n#a #b #c #d #e #f", "", name="ig")
    assert fitted.dropped == ("#f",)
    assert LIMITS.hashtags == 5
