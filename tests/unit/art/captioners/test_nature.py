"""What may be said of Auria's pictures."""

from __future__ import annotations

from auria_bot.art.captioners.nature import OTHERS, SCENE_WORDS, tells_of_others


def test_no_word_is_both_allowed_and_telling() -> None:
    """Scene words name no people, animals or made things."""
    assert not SCENE_WORDS & OTHERS


def test_people_and_animals_are_found() -> None:
    """The words that give a caption away come back in order."""
    assert tells_of_others("A brown Dog and a man's kite near the sea") == ("dog", "man's")
    assert tells_of_others("waves under a clear sky") == ()
