import pytest

from auria_bot.corpus.language import verse_rules
from auria_bot.corpus.language.verse_rules import KINDS, POSITIONS, kind_of, positions
from auria_bot.corpus.language.words import END, LINE, START


@pytest.mark.parametrize("last", ["the", "of", "my", "and", "is", "I'm".lower(), "very", "she"])
def test_leaning_words_do_not_end_lines(last):
    """A line that ends in a word leaning on the next is a bad break."""
    assert verse_rules.bad_breaks([["rain", "on", last], ["old", "stones"], ["silence"]]) == [0]


def test_the_last_line_may_end_in_an_adverb():
    """The words "passing by" may end a poem, not a line before."""
    assert verse_rules.bad_breaks([["geese", "passing", "by"], ["rain"], ["geese", "passing", "by"]]) == [0]
    assert verse_rules.bad_breaks([["rain"], [], ["by"]]) == [1, 2]


def test_repetitions_are_found():
    """A line said twice, a word said at once again, a content word said thrice."""
    rain = ["rain", "falls"]
    assert verse_rules.repetitions([rain, ["on", "stone"], rain])
    assert verse_rules.repetitions([["the", "the", "moon"]]) == ["the the"]
    assert verse_rules.repetitions([["moon", "on"], ["a", "moon"], ["the", "moon", "here"]]) == ["moon"]
    assert verse_rules.repetitions([["the", "moon"], ["the", "lake"], ["the", "hill"]]) == []


def test_positions_count_lines_and_syllables():
    """A position tells the line and its syllables so far, and never leaves its table."""
    counts = [2, 0, 0, 0, 1, 3]
    assert positions([START, 4, 5, LINE, 4], counts) == [0, 1, 4, 12, 13]
    assert max(positions([START, *[5, 5, 5, 5, 5, LINE] * 6, END], counts)) < POSITIONS


def test_every_kind_has_a_number():
    """Haiku are told apart by form, tier and nature; other verse is a kind of its own."""
    assert KINDS[kind_of("575", "poets", 9)] == "575 poets 2"
    assert KINDS[kind_of("free", "reddit", 0)] == "free reddit 0"
    assert KINDS[kind_of("free", "verse", 1)] == "tercet"
