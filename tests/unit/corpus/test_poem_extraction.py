"""Poems are read out of titles and bodies, and prose is not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auria_bot.corpus.poem_extraction import cleaned, read_poem

POND = ("old silent pond", "a frog jumps into the pond", "splash and silence again")


@pytest.mark.parametrize(
    "separator",
    [" / ", "/", " // ", "\n", "\r\n", " | ", "|", "\\", " ~ ", " • ", "\N{LINE SEPARATOR}", "\N{FULLWIDTH SOLIDUS}"],
)
def test_lines_are_parted_in_many_ways(separator: str) -> None:
    """With spaces round it or without."""
    assert read_poem(separator.join(POND)).lines == POND


@pytest.mark.parametrize("separator", [" - ", " – ", " — ", "—", " -- ", "; "])  # noqa: RUF001
def test_dashes_part_lines_only_where_they_surely_do(separator: str) -> None:
    """Verse in form, yes; a title with two dashes, no."""
    formal = ("an old silent pond", "a frog jumps into the pond", "splash silence again")
    assert read_poem(separator.join(formal)).lines == formal
    assert not read_poem(separator.join(("Haiku", "weekly thread", "please read the rules"))).lines


def test_a_dash_within_a_line_stays() -> None:
    """It belongs to the poem."""
    found = read_poem("day's first train whistle / radiators wheesh - dogs stretch / hills in silhouette")
    assert found.lines[1] == "radiators wheesh - dogs stretch"


@pytest.mark.parametrize(
    "title",
    [
        "[OC] {}",
        "{} [haiku]",
        "Haiku: {}",
        "Haiku #12 - {}",
        "{} (my first haiku, feedback welcome)",
        "{} / - Basho",
        "{} (OC)",
        "My first haiku: {}",
        "{} / #haiku #frog",
    ],
)
def test_what_stands_beside_a_poem_is_kept_apart(title: str) -> None:
    """Tags, labels, remarks and signatures."""
    assert read_poem(title.format(" / ".join(POND))).lines == POND


def test_entities_emoji_and_invisible_characters_go() -> None:
    """Smart quotes become straight ones."""
    found = read_poem(
        "you &amp; me \U0001f438/a frog\N{RIGHT SINGLE QUOTATION MARK}s\u200b leap into the\u00a0pond/\u202e“splash” and silence"
    )
    assert found.lines == ("you & me", "a frog's leap into the pond", '"splash" and silence')


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("Weekly haiku thread", "not three lines"),
        ("24/7/365", "without words"),
        ("a/b", "not three lines"),
        ("one / two / three / four / five", "more than three"),
        ("yes / no / no", "too short"),
        ("see https://x.com / and / this", "address"),
        ("Shoe Fling - (x-post from/r/webcomics)", "subreddit"),
        ("Has anyone read his/her new book? I/we loved it", "alternatives"),
        ("What was your weirdest childhood belief/viewpoint/long held misunderstanding?", "alternatives"),
        (" / ".join(["word " * 13] * 3), "too long for verse"),
        ("x" * 700, "too long"),
        (" / ".join(["an incomprehensible administration"] * 3), "too long for a poem"),
    ],
)
def test_what_is_no_poem_has_a_reason(title: str, reason: str) -> None:
    """Said in words for the report."""
    found = read_poem(title)
    assert not found.lines
    assert reason in found.reason


@pytest.mark.parametrize(
    "body",
    [
        "\n".join(POND),
        "  \n".join(POND),
        "an old silent pond\n\na frog jumps into the pond\n\nsplash silence again",
        "\n".join(f"> {line}" for line in POND),
        "&gt; " + "\n&gt; ".join(POND),
        " / ".join(POND),
        "*" + "*\n*".join(POND) + "*",
        "\\\n".join(POND),
        "I wrote this one in spring, thoughts?\n\n" + "\n".join(POND) + "\n\nThank you",
    ],
)
def test_a_poem_in_the_body_is_found_where_the_title_has_none(body: str) -> None:
    """With its markup and remarks taken off."""
    found = read_poem("Frog", body)
    assert len(found.lines) == 3
    assert "frog jumps into the pond" in found.lines[1]


def test_prose_and_several_poems_in_a_body_are_none() -> None:
    """And a poem in the title wins over the body."""
    both = "\n".join(POND)
    assert read_poem("Frogs", f"{both}\n\n{both}").reason == "not three lines"
    assert not read_poem(
        "Rules", "Please read the rules before you post anything at all, and be kind to everybody."
    ).lines
    assert not read_poem("Event", "Dates: 12-02\nSections: 4\nPrize: gems").lines
    assert read_poem(" / ".join(POND), "\n".join(POND[::-1])).lines == POND


@given(st.text(max_size=400), st.text(max_size=400))
def test_whatever_is_read_nothing_hidden_comes_out(title: str, body: str) -> None:
    """Three lines of visible characters, or a reason."""
    found = read_poem(title, body)
    assert bool(found.lines) != bool(found.reason)
    assert len(found.lines) in {0, 3}
    for line in found.lines:
        assert line.strip() == line != ""
        assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in line)


@given(st.text(max_size=300))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    """Entities apart, which are unescaped one level at a time."""
    once = cleaned(text)
    if "&" not in once:
        assert cleaned(once) == once


def test_one_word_may_be_a_last_line() -> None:
    """Slashes without spaces part lines of very different lengths too; alternatives stand in the middle."""
    assert read_poem("first snow/on the half-finished/bridge").lines == ("first snow", "on the half-finished", "bridge")
    assert read_poem("what was your strangest childhood belief/viewpoint/habit of all").reason == "alternatives"


@pytest.mark.parametrize(
    "title",
    [
        "24/7 the rain / the gutter sings all the night / to nobody home",
        "half past 1/2 moon / hangs above the empty field / a dog barks at it",
        "AC/DC plays / the neighbor mows his lawn now / summer is here, loud",
        "walking w/ my dog / the frozen lake is singing / under our slow feet",
    ],
)
def test_slashes_within_words_part_no_lines(title):
    """Where slashes with spaces on both sides give three lines."""
    assert read_poem(title).lines == tuple(title.split(" / "))


@pytest.mark.parametrize("atom", [" ", "\n", "\t", "a-", "/ ", "(", "[a", "> ", "\u3000", "a@", "&#32;"], ids=repr)
@pytest.mark.parametrize("place", ["title", "body"])
def test_no_post_makes_the_extraction_slow(atom: str, place: str):
    """Two hundred thousand characters: what is looked at is bounded, whatever comes."""
    text = "x" + atom * (200_000 // len(atom)) + "x"
    found = read_poem(**{"title": "x", "body": "", place: text})
    assert found.lines == ()
    assert len(cleaned(text)) <= 2400


def test_spaces_around_separators_belong_to_no_line():
    """Wide ones neither."""
    for mark in ("/", "|", "\n", "\r\n \r\n", ";"):
        found = read_poem(f"an old silent pond \u3000{mark}  a frog jumps into the pond{mark} \tsplash! silence again ")
        assert found.lines == ("an old silent pond", "a frog jumps into the pond", "splash! silence again"), mark
