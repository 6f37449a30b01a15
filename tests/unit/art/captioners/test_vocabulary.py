"""Captions to numbers and back; the words allowed for Auria's pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from auria_bot.art.captioners.vocabulary import (
    END,
    NAMED,
    NON_NATURE_WORDS,
    SCENE_WORDS,
    UNCERTAIN,
    UNKNOWN,
    Vocabulary,
    join_names,
    name_colours,
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


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 255, 255), "white"),
        ((0, 0, 0), "black"),
        ((128, 128, 128), "grey"),
        ((200, 20, 30), "red"),
        ((20, 40, 90), "dark blue"),
        ((160, 195, 225), "pale blue"),
        ((235, 120, 30), "orange"),
        ((60, 135, 60), "green"),
        ((120, 75, 42), "brown"),
        ((230, 150, 180), "pink"),
        ((0, 0, 128), "dark blue"),
        ((0, 0, 255), "blue"),
        ((255, 0, 0), "red"),
    ],
)
def test_flat_colours_have_their_names(rgb: tuple[int, int, int], name: str) -> None:
    """A picture of one colour is named by it, with its whole share."""
    assert name_colours(Image.new("RGB", (64, 40), rgb)) == [(name, pytest.approx(1.0))]


def test_shares_order_the_names() -> None:
    """The larger area comes first, and specks are left out."""
    picture = Image.new("RGB", (100, 100), (20, 40, 90))
    picture.paste((235, 120, 30), (0, 0, 100, 30))
    picture.paste((255, 255, 255), (0, 0, 10, 10))
    assert [name for name, _ in name_colours(picture)] == ["dark blue", "orange"]


def test_near_relatives_are_named_once() -> None:
    """White and pale grey next to each other are one impression."""
    picture = Image.new("RGB", (100, 100), (255, 255, 255))
    picture.paste((190, 190, 190), (0, 0, 100, 40))
    assert [name for name, _ in name_colours(picture)] == ["white"]


def test_any_picture_has_one_to_three_names() -> None:
    """Noise still gets names, and only those of the list."""
    noise = np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    names = [name for name, _ in name_colours(Image.fromarray(noise))]
    assert 1 <= len(names) <= 3
    assert set(names) <= set(NAMED)


def test_phrase_joins_as_english_does() -> None:
    """Commas, then "and"."""
    assert [join_names(x) for x in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
