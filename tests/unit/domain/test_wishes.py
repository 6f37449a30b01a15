"""What is asked of the model server."""

from __future__ import annotations

import pytest

from auria_bot.domain.artwork import Haiku
from auria_bot.domain.wishes import PictureWish, PoemWish, StyleWish
from auria_bot.errors import InputError


def test_a_wish_survives_the_way_through_a_query() -> None:
    """With its defaults where nothing is said."""
    wish = StyleWish(style="Claude Monet", mode="oil", strength=0.25, seed=7)
    assert StyleWish.from_query(wish.to_query()) == wish
    assert StyleWish.from_query({"style": " Claude  Monet "}) == StyleWish(style="Claude Monet")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "must be named"),
        ({"style": "x" * 121}, "120 characters"),
        ({"style": "x", "mode": "gouache"}, "known: oil"),
        ({"style": "x", "strength": "much"}, "number of 0 to 1"),
        ({"style": "x", "strength": "nan"}, "out of range"),
        ({"style": "x", "strength": "1.5"}, "out of range"),
        ({"style": "x", "seed": "-1"}, "out of range"),
        ({"style": "x", "seed": "1.5"}, "whole number"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, str], message: str) -> None:
    """The message says what is wrong."""
    with pytest.raises(InputError, match=message):
        StyleWish.from_query(given)


POEM = b'{"lines": ["rain begins again", "the pond keeps every ripple", "nobody looks up"], "syllables": [5, 7, 5]}'


def test_poems_are_wished_for_by_a_query() -> None:
    """With its defaults where nothing is said; blanks around the theme do not count."""
    assert PoemWish.from_query({}) == PoemWish(theme=None, mood=None, count=1, seed=0)
    given = {"theme": " autumn rain ", "mood": "serene", "count": "3", "seed": "7"}
    assert PoemWish.from_query(given) == PoemWish(theme="autumn rain", mood="serene", count=3, seed=7)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": "0"}, "1 to 10 are possible"),
        ({"count": "many"}, "'many' is no whole number"),
        ({"theme": "x" * 1000}, "the theme has 1000 characters"),
        ({"mood": "sideways"}, "sideways"),
        ({"seed": "-1"}, "out of range"),
    ],
)
def test_no_poem_of_that_kind(given: dict[str, str], message: str) -> None:
    """The message says what is wrong."""
    with pytest.raises(InputError, match=message):
        PoemWish.from_query(given)


def test_a_picture_is_wished_for_by_its_poem() -> None:
    """The body is the poem as JSON."""
    wish = PictureWish.from_query({"seed": "2"}, POEM)
    assert (wish.haiku.lines[0], wish.seed) == ("rain begins again", 2)
    assert isinstance(wish.haiku, Haiku)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"rain", "must be JSON"),
        (b"[1]", "must be JSON"),
        (b'{"lines": ["a"], "syllables": [5]}', "three lines"),
        (POEM.replace(b"nobody looks up", b"x" * 200), "1 to 120 characters"),
        (POEM.replace(b"nobody looks up", b" "), "1 to 120 characters"),
        (b"\xff", "must be JSON"),
    ],
)
def test_what_is_no_poem_is_refused(body: bytes, message: str) -> None:
    """The message says what is expected."""
    with pytest.raises(InputError, match=message):
        PictureWish.from_query({}, body)
