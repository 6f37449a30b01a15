"""What is asked for where a picture is restyled."""

from __future__ import annotations

import pytest

from auria_bot.domain.restyling import StyleWish
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
