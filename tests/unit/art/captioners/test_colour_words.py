"""Colours are named as people would name them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.captioners.colour_words import NAMED, join_names, name_colours


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
