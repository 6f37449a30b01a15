"""Tests of auria_bot.art.films.optical_flow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.films.optical_flow import flow_between, trust, warped
from auria_bot.art.stylists.direction_field import blurred

GROUND = blurred(np.random.default_rng(0).normal(0, 1, (220, 320)).astype(np.float32), 3.0)
GROUND = (120 + 40 * GROUND / GROUND.std()).astype(np.float32)


def view(x: float, y: float, size: tuple[int, int] = (160, 90)) -> np.ndarray:
    """(90, 160) a part of the ground, moved by fractions of a pixel."""
    matrix = (1, 0, 70 + x, 0, 1, 60 + y)
    return np.asarray(Image.fromarray(GROUND).transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC))


@pytest.mark.parametrize(("x", "y"), [(0.5, 0.3), (3.0, -2.0), (-7.0, 4.0)])
def test_motion_is_found_to_a_fraction_of_a_pixel(x: float, y: float) -> None:
    """Small and large; away from the border, where what moved in was not seen before."""
    flow = flow_between(view(0, 0), view(-x, -y))[14:-14, 14:-14]
    assert np.abs(np.median(flow, (0, 1)) - (x, y)).max() < 0.25


def test_what_was_uncovered_is_not_trusted() -> None:
    """A bright square that moved leaves a place that was hidden; the rest is trusted."""
    before, now = view(0, 0).copy(), view(0, 0).copy()
    before[30:60, 60:90] = 250
    now[30:60, 80:110] = 250
    _, trusted = trust(now, before)
    assert trusted[34:56, 62:76].mean() < 0.3
    assert trusted[:20].mean() > 0.95
    assert trusted[70:].mean() > 0.95


def test_noise_over_a_still_scene_is_no_motion() -> None:
    """Its flow is 0."""
    chance = np.random.default_rng(1)
    before, now = (view(0, 0) + chance.normal(0, 1.5, (90, 160)).astype(np.float32) for _ in range(2))
    flow, trusted = trust(now, before)
    assert np.abs(flow).mean() < 0.1
    assert trusted.mean() > 0.9


def test_a_picture_is_moved_to_where_it_is_now() -> None:
    """A larger picture follows the flow of its small copy, and stays as it is where nothing moves."""
    large = [
        np.repeat(np.kron(view(0, y), np.ones((4, 4)))[..., None], 3, 2).clip(0, 255).astype(np.uint8) for y in (0, 2)
    ]
    still = np.zeros((90, 160, 2), np.float32)
    assert np.array_equal(np.asarray(warped(Image.fromarray(large[0]), still)), large[0])
    flow = still + np.array([0, 2], np.float32)  # what is at a place now was two pixels further down
    moved = np.asarray(warped(Image.fromarray(large[0]), flow), float)
    assert np.abs(moved - large[1])[16:-32, 16:-16].mean() < 3.0
    assert np.abs(large[0].astype(float) - large[1])[16:-32, 16:-16].mean() > 8.0
