import pytest

from auria_bot.corpus.language import verse_rules


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
