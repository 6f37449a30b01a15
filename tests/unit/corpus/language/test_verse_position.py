from auria_bot.corpus.language.verse_position import KINDS, POSITIONS, kind_of, positions
from auria_bot.corpus.language.words import END, LINE, START


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
