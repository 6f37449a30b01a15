"""Tests of auria_bot.art.exporters.card."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.exporters.card import LEAST_CONTRAST, card, contrast, palette_of_card

POEM = ("orange dawn rising", "the sea holds its breath and waits", "a gull calls my name")
CREDIT = "after \u201cImpression, Sunrise\u201d by Claude Monet, 1872"


@pytest.mark.parametrize("colour", ["black", "white", "navy", "red", "lime", "yellow", "#777777", "#202020", "magenta"])
def test_ink_can_be_read_on_every_paper(colour: str) -> None:
    """Whatever the picture, poem and credit have a contrast of 7 at least."""
    inks = palette_of_card(Image.new("RGB", (64, 64), colour))
    assert contrast(inks.ink, inks.paper) >= LEAST_CONTRAST
    assert contrast(inks.quiet, inks.paper) >= LEAST_CONTRAST


def test_contrast_is_wcags() -> None:
    """Black on white is 21, a colour on itself 1."""
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((9, 90, 200), (9, 90, 200)) == pytest.approx(1)


def test_a_night_piece_lies_on_dark_paper() -> None:
    """Dark pictures get dark paper, light ones light paper."""
    assert sum(palette_of_card(Image.new("RGB", (64, 64), "#0a1024")).paper) < 150
    assert sum(palette_of_card(Image.new("RGB", (64, 64), "#e0b080")).paper) > 600


def test_the_poem_stands_beside_the_picture() -> None:
    """Ink lies in the column of the poem, none in the margins."""
    sheet = card(invented_scene(2, 200), POEM, CREDIT, mood="hopeful")
    assert (sheet.size, sheet.mode) == ((1600, 1000), "RGB")
    values = np.asarray(sheet).astype(int)
    ink = np.abs(values - values[2, 2]).sum(axis=2) > 60
    assert ink[380:560, 1008:1512].any()
    assert not ink[:88].any()
    assert not ink[912:].any()
    assert not ink[:, :88].any()
    assert not ink[:, 1512:].any()
    assert not ink[:, 914:1004].any()


@pytest.mark.parametrize(
    "lines",
    [
        ("", "", ""),
        ("w" * 300, "breathtakingly beautiful thoughtfulness straightens through the night", "x"),
        ("\u202e\u200b\x00", "\u53e4\u6c60\u3084", "\U0001f31a"),
        ("can't", "won\u2019t", "it's"),
    ],
)
def test_any_text_stays_inside_the_margins(lines: tuple[str, str, str]) -> None:
    """Endless words, none, and signs the font has not: nothing runs over the right margin."""
    values = np.asarray(card(invented_scene(1, 100), lines, "credit " * 60, mood="m" * 200)).astype(int)
    assert (np.abs(values[:, 1530:] - values[2, 2]).sum(axis=2) < 60).all()


def test_the_same_card_twice() -> None:
    """Setting type draws no lots."""
    one, two = (card(invented_scene(1, 100), POEM, CREDIT) for _ in range(2))
    assert np.array_equal(np.asarray(one), np.asarray(two))
