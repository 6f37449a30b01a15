"""Tests of auria_bot.art.stylists.media."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.stylists.hands import TYPICAL, hand_of
from auria_bot.art.stylists.media import render

SIZE = (216, 270)
HAND = hand_of(TYPICAL)
MEDIA = ("oil", "woodblock", "watercolour", "ink")


@pytest.fixture(scope="module")
def wide_scene() -> Image.Image:
    """A made-up landscape."""
    return invented_scene(2, 192)


def light(picture: Image.Image) -> np.ndarray:
    """The picture's lightness without strokes."""
    small = picture.convert("L").resize(SIZE, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(8))
    return np.asarray(small, np.float64)


@pytest.mark.parametrize("medium", MEDIA)
def test_every_medium_keeps_the_forms_and_follows_the_seed(wide_scene: Image.Image, medium: str) -> None:
    """What is light stays light; the same seed gives the same bytes, another seed others."""
    hand = replace(HAND, medium=medium)
    one, again, other = (render(wide_scene, size=SIZE, hand=hand, seed=seed) for seed in (1, 1, 2))
    assert one.size == SIZE
    assert one.tobytes() == again.tobytes() != other.tobytes()
    inner = (slice(30, -30), slice(30, -30))  # watercolour and ink leave an unpainted border
    assert np.corrcoef(light(one)[inner].ravel(), light(wide_scene)[inner].ravel())[0, 1] > 0.75


def test_oil_keeps_the_colours(wide_scene: Image.Image) -> None:
    """From a distance, the painting is the picture."""
    painted = render(wide_scene, size=SIZE, hand=HAND, seed=1)
    near = [np.asarray(one.resize((24, 30), Image.Resampling.BOX), np.float64) for one in (painted, wide_scene)]
    assert np.abs(near[0] - near[1]).mean() < 14


@pytest.mark.parametrize("medium", MEDIA)
def test_the_same_strokes_are_drawn_sharp_on_a_large_canvas(wide_scene: Image.Image, medium: str) -> None:
    """Reduced to the small canvas it is about the same painting; at its own size it has more detail than one enlarged."""
    hand, large = replace(HAND, medium=medium), (648, 810)
    small, big = (render(wide_scene, size=size, hand=hand, seed=3) for size in (SIZE, large))
    assert np.abs(light(big) - light(small)).mean() < 12

    def detail(picture: Image.Image) -> float:
        values = np.asarray(picture.convert("L"), np.float64)
        return float(np.abs(values[2:, 1:-1] + values[:-2, 1:-1] - 2 * values[1:-1, 1:-1]).mean())

    assert detail(big) > detail(small.resize(large, Image.Resampling.BICUBIC))


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 2), (7, 140)])
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (120, 40, 200)])
def test_odd_pictures_are_painted(medium: str, size: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """One pixel, stripes and flat colours."""
    hand = replace(HAND, medium=medium)
    assert render(Image.new("RGB", (size[1], size[0]), colour), size=size, hand=hand, seed=0).size == size
