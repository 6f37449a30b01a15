"""Tests of auria_bot.art.exposure."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.colour import to_lab
from auria_bot.art.exposure import correct_exposure


def scene(lightest: int, darkest: int = 0) -> Image.Image:
    """A warm ramp from dark to light."""
    ramp = np.linspace(darkest, lightest, 128)[None, :, None] * np.array([1.0, 0.85, 0.7])
    return Image.fromarray(np.broadcast_to(ramp, (96, 128, 3)).astype(np.uint8))


def lightness(picture: Image.Image) -> np.ndarray:
    """Of each pixel."""
    return to_lab(np.asarray(picture))[..., 0]


@pytest.mark.parametrize("lightest", [210, 255])
def test_a_picture_that_is_light_enough_is_left_alone(lightest: int) -> None:
    """It is the very same picture."""
    picture = scene(lightest, 20)
    assert correct_exposure(picture) is picture


@pytest.mark.parametrize("lightest", [25, 60, 90])
def test_a_dark_picture_becomes_lighter_and_black_stays_black(lightest: int) -> None:
    """Order is kept, hue too."""
    dark = scene(lightest)
    light = correct_exposure(dark)
    before, after = lightness(dark), lightness(light)
    assert after.mean() > before.mean() * 1.25
    assert after[:, 0].max() < 3
    assert (np.diff(after[0]) > -0.6).all()
    hues = [np.arctan2(*to_lab(np.asarray(one))[0, 100, :0:-1]) for one in (dark, light)]
    assert abs(hues[0] - hues[1]) < 0.2


@pytest.mark.parametrize(("darkest", "lightest"), [(90, 170), (130, 220), (60, 120)])
def test_a_flat_picture_gets_depth(darkest: int, lightest: int) -> None:
    """From dark to light it is wider by a tenth or more, by no more than the third that lifting may add, and nothing is cut off."""
    flat = scene(lightest, darkest)
    deep = correct_exposure(flat)
    before, after = (np.ptp(lightness(one)) for one in (flat, deep))
    assert 1.1 * before < after < 1.7 * before
    assert lightness(deep).min() > 3
    assert lightness(deep).max() < 97


def test_pale_colours_are_strengthened_and_greys_stay_grey() -> None:
    """Little colour becomes a little more, of the same hue; none stays none."""
    ramp = np.linspace(20, 240, 128)[None, :, None] * np.ones((96, 1, 3))
    grey = Image.fromarray(ramp.astype(np.uint8))
    assert np.abs(to_lab(np.asarray(correct_exposure(grey)))[..., 1:]).max() < 1
    pale = Image.fromarray((ramp * [1.0, 0.97, 0.92]).astype(np.uint8))
    before, after = (to_lab(np.asarray(one))[0, 100, 1:] for one in (pale, correct_exposure(pale)))
    assert 1.1 < np.hypot(*after) / np.hypot(*before) < 1.4
    assert abs(np.arctan2(*after) - np.arctan2(*before)) < 0.15


def test_an_even_picture_stays_even() -> None:
    """What is flat on purpose gets no steps."""
    assert np.ptp(lightness(correct_exposure(scene(150, 148)))) < 4


def test_black_alone_stays_black() -> None:
    """Nothing is made of nothing."""
    assert not np.asarray(correct_exposure(Image.new("RGB", (64, 64)))).any()
