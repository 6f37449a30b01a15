"""Tests of auria_bot.art.painters.denoise."""

from __future__ import annotations

import numpy as np
import pytest

from auria_bot.art.painters.denoise import blurred, denoised, grain


def sky() -> np.ndarray:
    """A smooth gradient, CIELAB."""
    lab = np.zeros((64, 64, 3), np.float32)
    lab[..., 0] = np.linspace(80, 40, 64)[:, None]
    return lab


def speckled(strength: float) -> np.ndarray:
    """The same with grain."""
    lab = sky()
    lab[..., 0] += np.random.default_rng(2).normal(0, strength, (64, 64)).astype(np.float32)
    return lab


def test_a_calm_picture_stays() -> None:
    """Where there is no grain nothing changes."""
    assert np.abs(denoised(sky()) - sky()).max() < 0.5


def test_speckle_goes() -> None:
    """Of strong grain less than a third is left, and the picture is as light as before."""
    rough = speckled(12)
    after = denoised(rough)
    assert grain(after[..., 0]).mean() < grain(rough[..., 0]).mean() / 3
    assert after[..., 0].mean() == pytest.approx(rough[..., 0].mean(), abs=0.5)


def test_trunks_stand() -> None:
    """Lines keep most of their contrast, though they are as fine as the grain around them."""
    rough = speckled(6)
    rough[:, ::8, 0] -= 35
    after = denoised(rough)
    trunks = after[:, ::8, 0].mean() - after[:, 4::8, 0].mean()
    assert trunks < -0.5 * 35


def test_blurring_keeps_what_is_even_and_the_sum() -> None:
    """A constant stays one; a point becomes a bell of the same weight, alike in both directions."""
    assert np.allclose(blurred(np.full((9, 7), 3, np.float32), 1.5), 3, atol=1e-5)
    point = np.zeros((31, 31), np.float32)
    point[15, 15] = 1
    bell = blurred(point, 2.0)
    assert bell.sum() == pytest.approx(1, abs=1e-4)
    assert np.allclose(bell, bell.T, atol=1e-6)
