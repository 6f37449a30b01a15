"""Captions to numbers and back; the words allowed for Auria's pictures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auria_bot.art.captioners.vocabulary import (
    END,
    NON_NATURE_WORDS,
    SCENE_WORDS,
    UNCERTAIN,
    UNKNOWN,
    Vocabulary,
    non_nature_words,
    polished,
    tokenise,
)


def test_tokens_are_lower_case_words_without_marks() -> None:
    """Hyphens and apostrophes inside a word stay, other marks are removed."""
    assert tokenise("A tri-colored Dog's ball , 3 '' cats !") == ["a", "tri-colored", "dog's", "ball", "3", "cats"]


@given(st.lists(st.sampled_from(["sea", "sky", "rock", "zebra"]), max_size=8))
def test_known_words_come_back(words: list[str]) -> None:
    """Encoding and decoding gives the known words, in order, and drops the unknown."""
    vocabulary = Vocabulary(words=("rock", "sea", "sky"))
    numbers = vocabulary.encode(" ".join(words))
    assert vocabulary.decode(numbers) == [word for word in words if word != "zebra"]
    assert numbers.count(UNKNOWN) == words.count("zebra")


def test_decoding_stops_at_the_end() -> None:
    """Numbers after the end are not decoded."""
    vocabulary = Vocabulary(words=("sea", "sky"))
    assert vocabulary.decode([4, END, 5]) == ["sea"]
    assert len(vocabulary) == 6


def test_scene_words_and_non_nature_words_are_disjoint() -> None:
    """Scene words name no people, animals or made things."""
    assert not SCENE_WORDS & NON_NATURE_WORDS


def test_people_and_animals_are_found() -> None:
    """Words for people, animals and made things are returned in order."""
    assert non_nature_words("A brown Dog and a man's kite near the sea") == ("dog", "man's")
    assert non_nature_words("waves under a clear sky") == ()


def test_template_phrases_are_reworded() -> None:
    """Phrases of the templates are reworded, other captions stay; the uncertain description passes its own rules."""
    assert polished("a sunflower flower") == "a sunflower"
    assert polished("slopes and a misty sky") == "mountain slopes under a misty sky"
    assert polished("a seashore near the sea") == "a seashore"
    assert polished("a rocky headland near the sea") == "a rocky headland by the sea"
    assert polished("calm waves under a clear sky") == "calm waves under a clear sky"
    assert not non_nature_words(UNCERTAIN)
