"""What is asked of the model server."""

from __future__ import annotations

import pytest

from auria_bot.domain.artwork import Haiku
from auria_bot.domain.model_requests import PictureRequest, PoemRequest, StyleRequest
from auria_bot.errors import InputError


def test_a_wish_survives_the_way_through_a_query() -> None:
    """With its defaults where nothing is said."""
    request = StyleRequest(style="Claude Monet", mode="oil", strength=0.25, seed=7)
    assert StyleRequest.from_query(request.to_query()) == request
    assert StyleRequest.from_query({"style": " Claude  Monet "}) == StyleRequest(style="Claude Monet")


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
        StyleRequest.from_query(given)


POEM = b'{"lines": ["rain begins again", "the pond keeps every ripple", "nobody looks up"], "syllables": [5, 7, 5]}'


def test_poems_are_wished_for_by_a_query() -> None:
    """With its defaults where nothing is said; blanks around the theme do not count."""
    assert PoemRequest.from_query({}) == PoemRequest(theme=None, mood=None, count=1, seed=0)
    given = {"theme": " autumn rain ", "mood": "serene", "count": "3", "seed": "7"}
    assert PoemRequest.from_query(given) == PoemRequest(theme="autumn rain", mood="serene", count=3, seed=7)


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
        PoemRequest.from_query(given)


def test_a_picture_is_wished_for_by_its_poem() -> None:
    """The body is the poem as JSON."""
    request = PictureRequest.from_query({"seed": "2"}, POEM)
    assert (request.haiku.lines[0], request.seed) == ("rain begins again", 2)
    assert isinstance(request.haiku, Haiku)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"rain", "must be JSON"),
        (b"[1]", "must be JSON"),
        (b'{"lines": ["a"], "syllables": [5]}', "three lines"),
        (POEM.replace(b"nobody looks up", b"x" * 200), "1 to 120 characters"),
        (POEM.replace(b"nobody looks up", b" "), "1 to 120 characters"),
        (b"\xff", "must be JSON"),
        (b"[" * 4000, "must be JSON"),
        (b'{"lines": ["a", "b", "c"], "syllables": [5, Infinity, 5]}', "must be JSON"),
    ],
)
def test_what_is_no_poem_is_refused(body: bytes, message: str) -> None:
    """The message says what is expected."""
    with pytest.raises(InputError, match=message):
        PictureRequest.from_query({}, body)
