"""Haiku are values that survive JSON."""

from __future__ import annotations

import pytest

from auria_bot.domain.haiku import Haiku
from auria_bot.errors import InputError

POEM = Haiku(
    lines=("first frost on the pond", "a crow settles on the fence", "and the fence settles"),
    syllables=(5, 7, 5),
)


def test_round_trip() -> None:
    """A haiku comes back from JSON as it was."""
    assert Haiku.from_json(POEM.to_json()) == POEM


def test_forms() -> None:
    """Text is three lines, str is one, and only 5-7-5 is exact."""
    assert POEM.text.count("\n") == 2
    assert str(POEM).count(" / ") == 2
    assert POEM.is_exact
    assert not Haiku(lines=POEM.lines, syllables=(5, 8, 5)).is_exact


@pytest.mark.parametrize(
    "value", [{}, {"lines": ["a", "b"], "syllables": [1, 1]}, {"lines": ["a", "b", "c"], "syllables": [1]}]
)
def test_from_json_refuses_what_is_no_haiku(value: dict[str, object]) -> None:
    """Anything but three lines with three counts is refused."""
    with pytest.raises(InputError, match="three lines"):
        Haiku.from_json(value)
