"""Tests of auria_bot.art.painters.day_to_night."""

from __future__ import annotations

import numpy as np
import pytest

from auria_bot.art.painters.day_to_night import nightfall


def flower(petal: tuple[float, float, float], leaf: tuple[float, float, float] = (45, -30, 30)) -> np.ndarray:
    """A square flower before leaves that lie in light and in shade, CIELAB."""
    lab = np.empty((64, 64, 3), np.float32)
    lab[:] = leaf
    lab[:, :20, 0] -= 20
    lab[20:44, 20:44] = petal
    return lab


@pytest.mark.parametrize("petal", [(60, 60, 30), (90, 0, 5), (75, 25, 0)])
def test_petals_stand_out_of_the_dark(petal: tuple[float, float, float]) -> None:
    """Red, white and pink petals are lighter by far than the leaves, and can be seen."""
    after = nightfall(flower(petal))
    assert after[32, 32, 0] > 40
    assert after[32, 32, 0] > after[5, 5, 0] + 20


def test_it_is_night() -> None:
    """It is darker than the day and the leaves are blue, not green."""
    before = flower((60, 60, 30))
    after = nightfall(before)
    assert after[..., 0].mean() < before[..., 0].mean() - 8
    assert after[5, 5, 2] < -8
    assert after[5, 5, 1] > before[5, 5, 1] + 10


def test_a_red_flower_stays_red() -> None:
    """Its hue keeps to the red side."""
    after = nightfall(flower((60, 60, 30)))[32, 32]
    assert after[1] > 30
    assert after[1] > abs(after[2])


def test_flat_and_black_pictures_are_no_trouble() -> None:
    """One colour all over gives finite numbers."""
    for lightness in (0, 50, 100):
        assert np.isfinite(nightfall(np.full((16, 16, 3), (lightness, 0, 0), np.float32))).all()
