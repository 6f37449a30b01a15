"""Other light for daylight pictures."""

from __future__ import annotations

import numpy as np
import pytest

from auria_bot.art.training.painter.lighting_augmentation import LIGHTS, luminance, relight


@pytest.fixture
def day():
    """A blue sky over green ground, with some grain."""
    rng = np.random.default_rng(0)
    picture = np.zeros((96, 96, 3), np.float32)
    picture[:40] = (0.45, 0.65, 0.95)
    picture[40:] = (0.25, 0.5, 0.15)
    return np.clip(picture + rng.normal(0, 0.03, picture.shape), 0, 1).astype(np.float32)


@pytest.mark.parametrize("light", sorted(LIGHTS))
def test_range(day, light):
    """Every light keeps shape, type and range, and the seed decides."""
    one, same = (relight(day, light, np.random.default_rng(1)) for _ in range(2))
    assert one.shape == day.shape
    assert one.dtype == np.float32
    assert one.min() >= 0
    assert one.max() <= 1
    assert np.array_equal(one, same)


def test_night_is_dark_and_blue(day):
    """Night is less than half as bright, and blue."""
    night = relight(day, "night", np.random.default_rng(2))
    assert luminance(night).mean() < 0.5 * luminance(day).mean()
    assert night[..., 2].mean() > 1.5 * night[..., 0].mean()


def test_moon_is_the_brightest_thing(day):
    """The moon is a small bright disc in the upper half of a dark picture."""
    light = luminance(relight(day, "moon", np.random.default_rng(3)))
    rows, _ = np.nonzero(light > 0.9)
    assert 20 < len(rows) < 400
    assert rows.max() < 48


def test_warmth(day):
    """Sunset and autumn are warmer than day."""

    def warmth(picture):
        return (picture[..., 0] - picture[..., 2]).mean()

    for light in ("sunset", "autumn"):
        assert warmth(relight(day, light, np.random.default_rng(4))) > warmth(day) + 0.1


def test_autumn_leaves_the_sky(day):
    """Autumn turns leaves, not the blue sky."""
    turned = relight(day, "autumn", np.random.default_rng(5))
    assert np.abs(turned[:40] - day[:40]).mean() < 0.1
    assert turned[50:, :, 0].mean() > day[50:, :, 0].mean() + 0.1


def test_snow_is_paler(day):
    """Snow takes the colour away and adds light."""
    white = relight(day, "snow", np.random.default_rng(6))

    def vivid(picture):
        return (picture.max(axis=2) - picture.min(axis=2)).mean()

    assert vivid(white) < 0.5 * vivid(day)
    assert luminance(white).mean() > luminance(day).mean() - 0.05
