"""Dark pictures are lifted, others are left alone."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.colour import to_lab
from auria_bot.art.finishing.exposure import lifted


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
    assert lifted(picture) is picture


@pytest.mark.parametrize("lightest", [25, 60, 90])
def test_a_dark_picture_becomes_lighter_and_black_stays_black(lightest: int) -> None:
    """Order is kept, hue too."""
    dark = scene(lightest)
    light = lifted(dark)
    before, after = lightness(dark), lightness(light)
    assert after.mean() > before.mean() * 1.25
    assert after[:, 0].max() < 3
    assert (np.diff(after[0]) > -0.6).all()
    hues = [np.arctan2(*to_lab(np.asarray(one))[0, 100, :0:-1]) for one in (dark, light)]
    assert abs(hues[0] - hues[1]) < 0.2


def test_black_alone_stays_black() -> None:
    """Nothing is made of nothing."""
    assert not np.asarray(lifted(Image.new("RGB", (64, 64)))).any()
