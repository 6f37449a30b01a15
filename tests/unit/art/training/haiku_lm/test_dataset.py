import numpy as np

from auria_bot.art.training.haiku_lm.dataset import LabelledHaiku, header_of, read_haiku
from auria_bot.corpus.language.syllables import fits

POEM = LabelledHaiku(
    lines=(
        ("first", "snow", "on", "the", "pond"),
        ("a", "crow", "waits", "for", "the", "morning"),
        ("in", "the", "winter", "dusk"),
    ),
    published=True,
    nature=True,
    group="first snow",
)


def test_only_haiku_in_form_are_read(haiku_data):
    """The splits share no poem, every poem is 5-7-5, and what is free stays out."""
    found = read_haiku(haiku_data)
    parts = [found.train, found.validation, found.test]
    assert all(parts)
    assert all(fits(poem.lines) for part in parts for poem in part)
    texts = [{poem.lines for poem in part} for part in parts]
    assert not texts[0] & (texts[1] | texts[2])


def test_folds_part_the_poems(haiku_data):
    """Every poem is in one fold, versions of one poem in the same, and each fold has about its share."""
    poems = read_haiku(haiku_data).train
    sizes = np.bincount([poem.fold(4) for poem in poems], minlength=4)
    assert sizes.sum() == len(poems)
    assert sizes.min() > len(poems) / 8


def test_headers_are_true():
    """A header tells nothing or what is so: the season's name, a phrase of the poem or words of it."""
    rng = np.random.default_rng(0)
    headers = [header_of(POEM, rng, untold=0.2, themed=0.6) for _ in range(300)]
    words = {word for line in POEM.lines for word in line}
    empty = sum(header.text == " poem" for header in headers)
    assert 40 < empty < 110
    assert {header.season for header in headers} == {"", "winter"}
    themes = {header.theme for header in headers} - {""}
    assert "first snow" in themes
    assert all(word.strip(",") in words for theme in themes for word in theme.split())
