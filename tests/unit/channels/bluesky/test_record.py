"""The record of a post on Bluesky."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auria_bot.channels.bluesky.record import hashtag_facets, post_record, record_key, record_time

TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
DIGITS = "234567abcdefghijklmnopqrstuvwxyz"


@given(st.text())
def test_a_key_is_a_time_of_the_past(key: str) -> None:
    """Whatever the post's own key is: 13 characters, the highest bit 0, a moment of 2023 to 2025."""
    made = record_key(key)
    assert TID.fullmatch(made)
    number = 0
    for digit in made:
        number = number * 32 + DIGITS.index(digit)
    moment = datetime.fromtimestamp((number >> 10) / 1e6, UTC)
    assert datetime(2023, 1, 1, tzinfo=UTC) <= moment < datetime(2026, 1, 1, tzinfo=UTC)


def test_a_key_is_the_same_for_ever() -> None:
    """A later version that made another would post again what an earlier one did; posts have keys of their own."""
    assert record_key("a" * 32) == "3lpiypync3ay3"
    assert len({record_key(str(number)) for number in range(5000)}) == 5000


@given(
    st.lists(
        st.sampled_from(["#haiku", "#俳句", "#Bäume", "#1", "a#b", "池", "👩‍👩‍👧‍👦", " ", "\n", "&#39;", "##x", "é"])
    ).map("".join)
)
def test_a_facet_marks_its_hashtag(text: str) -> None:
    """In the text's bytes, in order and apart from each other."""
    end = 0
    for facet in hashtag_facets(text):
        index, tag = facet["index"], facet["features"][0]["tag"]
        assert text.encode()[index["byteStart"] : index["byteEnd"]].decode() == f"#{tag}"
        assert index["byteStart"] >= end
        end = index["byteEnd"]


def test_what_is_a_hashtag() -> None:
    """A letter after the sign, and no letter before it; one beyond the lexicon's length is none."""
    marked = [
        facet["features"][0]["tag"] for facet in hashtag_facets("#a_1 b#c #1 (#d) &#39; #e, https://x.example/#f")
    ]
    assert marked == ["a_1", "d", "e"]
    assert hashtag_facets("#" + "x" * 65) == []
    assert len(hashtag_facets("#" + "x" * 64)) == 1


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#haiku #100DaysOfHaiku", ["haiku", "100DaysOfHaiku"]),
        ("#2024 #1_000 #!", []),
        ("#wabi-sabi, #rain's", ["wabi-sabi", "rain's"]),
        ("#हिन्दी #俳句。 #été!", ["हिन्दी", "俳句", "été"]),
        ("#a#b", ["a"]),
    ],
)
def test_hashtags_are_those_of_bluesky(text: str, tags: list[str]) -> None:
    """Anything with a letter in it, without the punctuation at its end."""
    assert [facet["features"][0]["tag"] for facet in hashtag_facets(text)] == tags


def test_times_are_utc_to_the_millisecond() -> None:
    """Wherever they come from."""
    at = datetime(2026, 11, 21, 18, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert record_time(at) == "2026-11-21T16:30:15.123Z"


def test_what_is_empty_is_left_out() -> None:
    """No languages, no hashtags; at most three languages."""
    at = datetime(2026, 11, 21, tzinfo=UTC)
    bare = post_record(text="rain", alt_text="", blob={}, size=(4, 5), languages=(), at=at)
    assert sorted(bare) == ["$type", "createdAt", "embed", "text"]
    full = post_record(text="rain #a", alt_text="", blob={}, size=(4, 5), languages=("en", "de", "fr", "ja"), at=at)
    assert full["langs"] == ["en", "de", "fr"]
    assert len(full["facets"]) == 1
