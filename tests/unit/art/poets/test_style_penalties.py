from auria_bot.art.poets.style_penalties import style_penalties


def poem(*lines):
    """Lines as words."""
    return [line.split() for line in lines]


def test_a_clean_poem_has_no_blemish():
    """One season, one hour, few turns."""
    assert style_penalties(poem("still water tonight", "the moon lies down on a leaf", "and does not wake it")) == 0


def test_seasons_and_hours_do_not_mix():
    """Spring in winter is worse than evening in the morning, and both are noticed."""
    spring = style_penalties(poem("spring rain", "the winter hill", "sleeps"))
    hours = style_penalties(poem("morning rain", "the evening hill", "sleeps"))
    assert spring > hours > 0


def test_turns_wear_out():
    """A chain of prepositions, lines that open alike and a second "of" are noticed."""
    assert style_penalties(poem("on the hill of rain", "in the night of the river", "of a house in wind")) > 1.5
    assert style_penalties(poem("the moon", "the hill sleeps", "rain")) > 0


def test_echoes_are_noticed():
    """Sun beside sunlight mars a poem, moonlight beside sun does not."""
    assert style_penalties(poem("sunlight on a leaf", "the cold sun", "rain")) > 0
    assert style_penalties(poem("moonlight on a leaf", "the cold sun", "rain")) == 0
