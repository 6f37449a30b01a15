"""Tests of auria_bot.art.painters.retouching."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.painters.retouching import Moon, blurred, denoise, find_moon, grain, paint_moon, to_night


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
    assert np.abs(denoise(sky()) - sky()).max() < 0.5


def test_speckle_goes() -> None:
    """Of strong grain less than a third is left, and the picture is as light as before."""
    rough = speckled(12)
    after = denoise(rough)
    assert grain(after[..., 0]).mean() < grain(rough[..., 0]).mean() / 3
    assert after[..., 0].mean() == pytest.approx(rough[..., 0].mean(), abs=0.5)


def test_trunks_stand() -> None:
    """Lines as fine as the grain around them keep most of their contrast."""
    rough = speckled(6)
    rough[:, ::8, 0] -= 35
    after = denoise(rough)
    trunks = after[:, ::8, 0].mean() - after[:, 4::8, 0].mean()
    assert trunks < -0.5 * 35


def test_blurring_keeps_what_is_even_and_the_sum() -> None:
    """A constant stays constant; a point becomes a symmetric peak of the same sum."""
    assert np.allclose(blurred(np.full((9, 7), 3, np.float32), 1.5), 3, atol=1e-5)
    point = np.zeros((31, 31), np.float32)
    point[15, 15] = 1
    bell = blurred(point, 2.0)
    assert bell.sum() == pytest.approx(1, abs=1e-4)
    assert np.allclose(bell, bell.T, atol=1e-6)


def flower(petal: tuple[float, float, float], leaf: tuple[float, float, float] = (45, -30, 30)) -> np.ndarray:
    """A square flower before leaves that lie in light and in shade, CIELAB."""
    lab = np.empty((64, 64, 3), np.float32)
    lab[:] = leaf
    lab[:, :20, 0] -= 20
    lab[20:44, 20:44] = petal
    return lab


@pytest.mark.parametrize("petal", [(60, 60, 30), (90, 0, 5), (75, 25, 0)])
def test_petals_stand_out_of_the_dark(petal: tuple[float, float, float]) -> None:
    """Red, white and pink petals are visible and far lighter than the leaves."""
    after = to_night(flower(petal))
    assert after[32, 32, 0] > 40
    assert after[32, 32, 0] > after[5, 5, 0] + 20


def test_it_is_night() -> None:
    """It is darker than the day and the leaves are blue, not green."""
    before = flower((60, 60, 30))
    after = to_night(before)
    assert after[..., 0].mean() < before[..., 0].mean() - 8
    assert after[5, 5, 2] < -8
    assert after[5, 5, 1] > before[5, 5, 1] + 10


def test_a_red_flower_stays_red() -> None:
    """Its hue stays red."""
    after = to_night(flower((60, 60, 30)))[32, 32]
    assert after[1] > 30
    assert after[1] > abs(after[2])


def test_flat_pictures_stay_finite() -> None:
    """One colour all over gives finite numbers."""
    for lightness in (0, 50, 100):
        assert np.isfinite(to_night(np.full((16, 16, 3), (lightness, 0, 0), np.float32))).all()


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
    found = find_moon(blotted(night(), x, y, radius))
    assert found is not None
    assert (found.x * 64 - 0.5, found.y * 64 - 0.5) == pytest.approx((x, y), abs=1)
    assert found.radius * 64 == pytest.approx(radius, rel=0.34)


def test_what_is_no_moon_is_not_found() -> None:
    """An empty night, a day, a reflection in the sea and a bright band are not found."""
    day = blotted(night(), 20, 14, 4)
    day[..., 0] += 40
    band = night()
    band[18:22, :, 0] = 90
    for lab in (night(), day, blotted(night(), 30, 54, 4), band):
        assert find_moon(lab) is None


def test_a_painted_moon_is_round_and_clean() -> None:
    """A ragged blot becomes a disc that passes the strict search and is not yellow."""
    ragged = blotted(night(), 30, 16, 4.5)
    assert find_moon(ragged, clean=True) is None
    found = find_moon(ragged)
    assert found is not None
    painted = paint_moon(ragged, found)
    again = find_moon(painted, clean=True)
    assert again is not None
    assert again.radius == pytest.approx(found.radius, rel=0.15)
    assert (painted[16, 30, 0] > 85, painted[16, 30, 2] < 15) == (True, True)


def test_the_rest_of_the_picture_stays() -> None:
    """Beyond three and a half radii nothing changes, and the input is not modified."""
    ragged = blotted(night(128), 40, 30, 9)
    kept = ragged.copy()
    painted = paint_moon(ragged, Moon(x=40.5 / 128, y=30.5 / 128, radius=9 / 128))
    rows, columns = np.mgrid[0:128, 0:128]
    beyond = np.hypot(rows - 30, columns - 40) > 3.5 * 9
    assert np.array_equal(painted[beyond], ragged[beyond])
    assert np.array_equal(ragged, kept)


def test_it_glows_less_the_farther_from_it() -> None:
    """Just outside of the disc the sky is lighter than two radii away."""
    lab = paint_moon(night(128), Moon(x=0.5, y=0.3, radius=0.08))
    middle, radius = 63, 0.08 * 128
    near, far = (lab[38, round(middle + share * radius), 0] for share in (1.4, 2.6))
    assert near > far + 4


def test_at_the_rim_of_a_picture_nothing_breaks() -> None:
    """A moon half outside of the picture is painted as far as it goes."""
    painted = paint_moon(night(), Moon(x=0.0, y=0.0, radius=0.07))
    assert np.isfinite(painted).all()
    assert painted[0, 0, 0] > 80


def test_any_size_and_shape_is_looked_at() -> None:
    """Large, wide, tall and tiny pictures give an answer; daylight scenes give none."""
    large = np.asarray(Image.fromarray(blotted(night(), 30, 16, 5)[..., 0]).resize((640, 640)))
    lab = np.stack([large, np.zeros_like(large), np.zeros_like(large)], -1)
    assert find_moon(lab) is not None
    for shape in ((8, 8), (20, 200), (200, 20)):
        assert find_moon(np.full((*shape, 3), 70, np.float32)) is None
    assert find_moon(np.asarray(invented_scene(1), np.float32)) is None
