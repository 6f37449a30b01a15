"""Tests of auria_bot.art.stylists.direction_field."""

from __future__ import annotations

import numpy as np
import pytest

from auria_bot.art.stylists.direction_field import blurred, box_mean, measure_directions


@pytest.mark.parametrize("turn", [0.0, 0.4, 1.2, -0.9])
def test_directions_run_along_the_forms(turn: float) -> None:
    """Stripes of any direction."""
    y, x = np.mgrid[0:80, 0:80]
    light = 128 + 80 * np.sin((y * np.cos(turn) - x * np.sin(turn)) / 3)
    field = measure_directions(light.astype(np.float32), fine=2.0, coarse=8.0)
    off = (field.angles[20:60, 20:60] - turn + np.pi / 2) % np.pi - np.pi / 2
    assert np.abs(off).max() < 0.1
    assert field.coherence[20:60, 20:60].min() > 0.8


def test_without_forms_the_prior_decides() -> None:
    """Flat light takes the direction that was given."""
    flat = np.full((40, 50), 90.0, np.float32)
    field = measure_directions(flat, fine=2.0, coarse=8.0, prior=np.full((40, 50), 0.7, np.float32))
    assert np.abs((field.angles - 0.7 + np.pi / 2) % np.pi - np.pi / 2).max() < 0.01
    assert field.coherence.max() == 0


@pytest.mark.parametrize("deviation", [0.2, 0.5, 1.5, 6.0, 40.0])
def test_blurring_keeps_the_mean(deviation: float) -> None:
    """And the size, and lessens the spread."""
    values = np.random.default_rng(1).normal(100, 30, (90, 61)).astype(np.float32)
    soft = blurred(values, deviation)
    assert soft.shape == values.shape
    assert abs(float(soft.mean()) - float(values.mean())) < 3
    assert soft.std() <= values.std()


def test_a_box_mean_is_the_mean_of_a_square() -> None:
    """In every channel; beyond the edges the outermost pixels count again."""
    values = np.random.default_rng(2).normal(0, 1, (9, 11, 2)).astype(np.float32)
    found = box_mean(values, 2)
    assert found[4, 5] == pytest.approx(values[2:7, 3:8].mean((0, 1)), abs=1e-5)
    assert box_mean(values[..., 0], 2) == pytest.approx(found[..., 0], abs=1e-6)
    assert box_mean(np.full((5, 5), 3.0, np.float32), 9) == pytest.approx(3.0)
