"""What may be said of Auria's pictures."""

from __future__ import annotations

from auria_bot.art.captioners.vocabulary_mask import OTHERS, SCENE_WORDS, UNCERTAIN, tells_of_others, tidied


def test_no_word_is_both_allowed_and_telling() -> None:
    """Scene words name no people, animals or made things."""
    assert not SCENE_WORDS & OTHERS


def test_people_and_animals_are_found() -> None:
    """The words that give a caption away come back in order."""
    assert tells_of_others("A brown Dog and a man's kite near the sea") == ("dog", "man's")
    assert tells_of_others("waves under a clear sky") == ()


def test_clumsy_turns_are_tidied_and_others_left_alone() -> None:
    """Templates become phrases that a person would use; the uncertain phrase passes its own rules."""
    assert tidied("a sunflower flower") == "a sunflower"
    assert tidied("slopes and a misty sky") == "mountain slopes under a misty sky"
    assert tidied("a seashore near the sea") == "a seashore"
    assert tidied("a rocky headland near the sea") == "a rocky headland by the sea"
    assert tidied("calm waves under a clear sky") == "calm waves under a clear sky"
    assert not tells_of_others(UNCERTAIN)
