"""Hashtags fit the poem, and the shipped table is the one that the list makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from auria_bot.art.checkpoint import read_json
from auria_bot.art.hashtags import ALWAYS, CLOSING, MOOD_TAGS, TAGS, Hashtags
from auria_bot.art.minilm import MiniLM
from auria_bot.corpus.language.content_filter import blocked_words
from auria_bot.corpus.language.words import models_folder
from auria_bot.domain.artwork import Haiku
from auria_bot.domain.mood import MOODS
from auria_bot.errors import ModelMissing

if TYPE_CHECKING:
    from pathlib import Path


def _poem(text: str) -> Haiku:
    first, second, third = text.split(" / ")
    return Haiku(lines=(first, second, third), syllables=(5, 7, 5))


@pytest.fixture(scope="module")
def hashtags() -> Hashtags:
    """With the shipped table."""
    return Hashtags(models_folder() / "hashtags")


@pytest.mark.parametrize(
    ("text", "among"),
    [
        ("old pond by the path / a frog leaps into water / the sound of the splash", {"#Frog", "#Pond"}),
        (
            "autumn wind again / the last red leaf lets go and / falls into the stream",
            {"#Autumn", "#AutumnLeaves", "#Wind"},
        ),
        (
            "moonlight on the quay / the river carries the light / into the long night",
            {"#Moonlight", "#River", "#Night"},
        ),
        ("crows on a bare branch / far away the temple bell / and then nothing more", {"#Crow", "#Temple"}),
    ],
)
def test_subjects_fit_the_poem(hashtags: Hashtags, text: str, among: set[str]) -> None:
    """The nearest tag is one that a reader would expect."""
    assert hashtags.similar(_poem(text))[0].text in among


def test_choice_is_the_same_every_time_without_doubles(hashtags: Hashtags) -> None:
    """#haiku first, #AIArt last, five at most, and a mood's tag that is also a subject stands once."""
    poem = _poem("a wild storm tonight / thunder over the dark hills / the storm breaks the pines")
    tags = hashtags.choose(poem, mood="stormy")
    assert tags == hashtags.choose(poem, mood="stormy")
    assert tags[0] == ALWAYS
    assert tags[-1] == CLOSING
    assert len(tags) == len(set(tags)) <= 5
    assert "#Storm" in tags


@pytest.mark.parametrize("most", range(6))
def test_never_more_than_asked_for(hashtags: Hashtags, most: int) -> None:
    """A platform that takes fewer gets the first ones."""
    assert len(hashtags.choose(_poem("rain / on / snow"), mood="still", most=most)) == most


def test_every_mood_has_a_tag() -> None:
    """And every tag is camel case, decent and pronounceable."""
    assert set(MOOD_TAGS) == set(MOODS)
    for tag in (*TAGS, *MOOD_TAGS.values()):
        assert tag.isalpha()
        assert tag[0].isupper()
        assert not blocked_words(tag)


def test_the_table_is_that_of_the_list() -> None:
    """Names in order, and vectors as MiniLM gives them for a few glosses."""
    folder = models_folder() / "hashtags"
    assert read_json(folder / "tags.json") == list(TAGS)
    vectors = np.load(folder / "vectors.npy").astype(np.float32)
    some = [0, 41, len(TAGS) - 1]
    fresh = MiniLM().encode([list(TAGS.values())[place] for place in some])
    assert ((vectors[some] * fresh).sum(1) > 0.999).all()


def test_a_missing_table_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    """The message says what to do."""
    with pytest.raises(ModelMissing, match="reinstall"):
        Hashtags(tmp_path).similar(_poem("rain / on / snow"))
