"""Tests of auria_bot.art.painters.moon_repair."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.painters import moon_repair


def night(side: int = 64) -> np.ndarray:
    """A dark blue sky over a darker sea, with some grain, CIELAB."""
    lab = np.zeros((side, side, 3), np.float32)
    lab[..., 0] = 14 + np.random.default_rng(1).normal(0, 1.5, (side, side))
    lab[..., 2] = -22
    lab[side * 2 // 3 :, :, 0] -= 6
    return lab


def blotted(lab: np.ndarray, x: float, y: float, radius: float) -> np.ndarray:
    """With a ragged light blot, yellow, one half of it lighter."""
    rows, columns = np.mgrid[0 : lab.shape[0], 0 : lab.shape[1]]
    angle = np.arctan2(rows - y, columns - x)
    inside = np.hypot(rows - y, columns - x) < radius * (1 + 0.15 * np.sin(3 * angle))
    changed = lab.copy()
    changed[inside] = (82, -4, 40)
    changed[inside & (columns > x), 0] += 12
    return changed


@pytest.mark.parametrize(("x", "y", "radius"), [(20, 14, 4.0), (45, 20, 5.5)])
def test_a_blot_in_a_dark_sky_is_found(x: float, y: float, radius: float) -> None:
    """Its place is right within a pixel, its radius within a third."""
    found = moon_repair.find(blotted(night(), x, y, radius))
    assert found is not None
    assert (found.x * 64 - 0.5, found.y * 64 - 0.5) == pytest.approx((x, y), abs=1)
    assert found.radius * 64 == pytest.approx(radius, rel=0.34)


def test_what_is_no_moon_is_not_found() -> None:
    """An empty night, a day, a reflection in the sea and a bright band are none."""
    day = blotted(night(), 20, 14, 4)
    day[..., 0] += 40
    band = night()
    band[18:22, :, 0] = 90
    for lab in (night(), day, blotted(night(), 30, 54, 4), band):
        assert moon_repair.find(lab) is None


def test_a_painted_moon_is_round_and_clean() -> None:
    """What was ragged is a disc on an even sky that the strict eye takes for clean, and it is not yellow."""
    ragged = blotted(night(), 30, 16, 4.5)
    assert moon_repair.find(ragged, clean=True) is None
    found = moon_repair.find(ragged)
    assert found is not None
    painted = moon_repair.paint(ragged, found)
    again = moon_repair.find(painted, clean=True)
    assert again is not None
    assert again.radius == pytest.approx(found.radius, rel=0.15)
    assert (painted[16, 30, 0] > 85, painted[16, 30, 2] < 15) == (True, True)


def test_the_rest_of_the_picture_stays() -> None:
    """Beyond three and a half radii not a number changes, and the picture that was given stays too."""
    ragged = blotted(night(128), 40, 30, 9)
    kept = ragged.copy()
    painted = moon_repair.paint(ragged, moon_repair.Moon(x=40.5 / 128, y=30.5 / 128, radius=9 / 128))
    rows, columns = np.mgrid[0:128, 0:128]
    beyond = np.hypot(rows - 30, columns - 40) > 3.5 * 9
    assert np.array_equal(painted[beyond], ragged[beyond])
    assert np.array_equal(ragged, kept)


def test_it_glows_less_the_farther_from_it() -> None:
    """Just outside of the disc the sky is lighter than two radii away."""
    lab = moon_repair.paint(night(128), moon_repair.Moon(x=0.5, y=0.3, radius=0.08))
    middle, radius = 63, 0.08 * 128
    near, far = (lab[38, round(middle + share * radius), 0] for share in (1.4, 2.6))
    assert near > far + 4


def test_at_the_rim_of_a_picture_nothing_breaks() -> None:
    """A moon half outside of the picture is painted as far as it goes."""
    painted = moon_repair.paint(night(), moon_repair.Moon(x=0.0, y=0.0, radius=0.07))
    assert np.isfinite(painted).all()
    assert painted[0, 0, 0] > 80


def test_any_size_and_shape_is_looked_at() -> None:
    """Large, wide, tall and tiny pictures give an answer; daylight scenes give none."""
    large = np.asarray(Image.fromarray(blotted(night(), 30, 16, 5)[..., 0]).resize((640, 640)))
    lab = np.stack([large, np.zeros_like(large), np.zeros_like(large)], -1)
    assert moon_repair.find(lab) is not None
    for shape in ((8, 8), (20, 200), (200, 20)):
        assert moon_repair.find(np.full((*shape, 3), 70, np.float32)) is None
    assert moon_repair.find(np.asarray(invented_scene(1), np.float32)) is None
