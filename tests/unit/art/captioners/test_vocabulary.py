"""Captions to numbers and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auria_bot.art.captioners.vocabulary import END, UNKNOWN, Vocabulary, tokenise


def test_tokens_are_lower_case_words_without_marks() -> None:
    """Hyphens and apostrophes inside a word stay, all other marks go."""
    assert tokenise("A tri-colored Dog's ball , 3 '' cats !") == ["a", "tri-colored", "dog's", "ball", "3", "cats"]


@given(st.lists(st.sampled_from(["sea", "sky", "rock", "zebra"]), max_size=8))
def test_known_words_come_back(words: list[str]) -> None:
    """Encoding and decoding gives the known words, in order, and drops the unknown."""
    vocabulary = Vocabulary(words=("rock", "sea", "sky"))
    numbers = vocabulary.encode(" ".join(words))
    assert vocabulary.decode(numbers) == [word for word in words if word != "zebra"]
    assert numbers.count(UNKNOWN) == words.count("zebra")


def test_decoding_stops_at_the_end() -> None:
    """What follows the end is not said."""
    vocabulary = Vocabulary(words=("sea", "sky"))
    assert vocabulary.decode([4, END, 5]) == ["sea"]
    assert len(vocabulary) == 6
