import pytest
from hypothesis import given
from hypothesis import strategies as st

from auria_bot.corpus.language.words import (
    END,
    LINE,
    SPECIALS,
    START,
    UNKNOWN,
    Vocabulary,
    folded,
    models_folder,
    spoken,
    table,
    words,
)
from auria_bot.errors import ModelMissing

VOCABULARY = Vocabulary(words=(*SPECIALS, "the", "moon", "i"))


def test_words_are_folded():
    """Case, accents, curly quotes, hyphens and punctuation do not matter; numbers stay visible."""
    assert words("The caf\N{LATIN SMALL LETTER E WITH ACUTE}\N{RIGHT SINGLE QUOTATION MARK}s moon-lit night, 3!") == [
        "the",
        "cafe's",
        "moon",
        "lit",
        "night",
        "3",
    ]


def test_spoken_keeps_the_first_person_tall():
    """A published line is lower case but for I and its contractions."""
    assert spoken(["then", "i", "know", "i'm", "it"]) == "then I know I'm it"


def test_a_poem_survives_the_numbers():
    """Known words come back in their lines; unknown ones as <unk>."""
    numbers = VOCABULARY.encode([["the", "moon"], ["i", "dragonfly"]])
    assert numbers == [START, 4, 5, LINE, 6, UNKNOWN, END]
    assert VOCABULARY.decode(numbers) == [["the", "moon"], ["i", "<unk>"]]


def test_a_vocabulary_survives_its_file():
    """Reading the file gives the same words in the same order."""
    assert Vocabulary.parse(VOCABULARY.text()) == VOCABULARY


@given(st.text())
def test_folding_twice_is_folding_once(text):
    """The words of a text are those of its folded form."""
    assert words(" ".join(words(text))) == words(text)
    assert folded(folded(text)) == folded(text)


def test_shipped_tables_are_found():
    """The tables of words lie in the models' folder."""
    assert table("words", "syllables.z").parent.parent == models_folder()


def test_a_missing_table_is_told():
    """A table that is not shipped raises ModelMissing with its name."""
    with pytest.raises(ModelMissing, match="none"):
        table("words", "none.z")
