"""The named moods and their parents."""

from __future__ import annotations

import pytest

from auria_bot.domain.mood import EMOTIONS, MOODS, find_mood
from auria_bot.errors import UnknownName


def test_every_mood_has_a_wikiart_parent_and_sane_weights() -> None:
    """Parents are emotions of WikiArt Emotions; weights stay in their ranges."""
    assert len(EMOTIONS) == 20
    for name, mood in MOODS.items():
        assert name == mood.name
        assert mood.parent in EMOTIONS
        assert -1 <= mood.valence <= 1
        assert -1 <= mood.arousal <= 1
        assert 0 < mood.strength <= 1
        assert len(mood.words) >= 8


def test_find_is_forgiving_of_case_and_space() -> None:
    """A mood is found whatever its case."""
    assert find_mood(" Serene ") is MOODS["serene"]


def test_an_unknown_mood_lists_the_known_and_never_echoes_a_flood() -> None:
    """The message names the known moods and stays short for a long input."""
    with pytest.raises(UnknownName, match="known: awed") as caught:
        find_mood("x" * 10_000)
    assert len(str(caught.value)) < 600
