"""Tests of auria_bot.art.stylists.composition."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.colour import ColourDistribution, from_lab, to_lab
from auria_bot.art.evaluation.stylist import edges_kept, invented_scene
from auria_bot.art.painters.retouching import Moon, find_moon, paint_moon
from auria_bot.art.pictures import to_array, to_picture
from auria_bot.art.stylists.composition import colour_share, combine, grade, guided, transfer_colours, transport

PICTURE = to_array(invented_scene(1))
OTHER = invented_scene(2)


def test_colours_come_more_than_half_of_the_way() -> None:
    """From strength 0.5 up at least half of the distance goes, for twelve pairs of scenes."""
    for seed in range(12):
        lab = to_lab(to_array(invented_scene(seed)))
        goal = ColourDistribution.of(to_lab(to_array(invented_scene(seed + 50))))
        left = ColourDistribution.of(transfer_colours(lab, goal, colour_share(0.5))).distance(goal)
        assert left <= 0.5 * ColourDistribution.of(lab).distance(goal)


def test_lighter_places_stay_lighter() -> None:
    """Where colours move apart from lightness, the order of light and dark is the picture's own."""
    lab = to_lab(PICTURE)
    near = ColourDistribution.of(lab * np.float32([0.8, 0.7, 0.9]) + np.float32([10, 5, -5]))
    after = transfer_colours(lab, near, 0.6)
    order = np.argsort(lab[..., 0].ravel(), kind="stable")
    assert (np.diff(after[..., 0].ravel()[order]) >= -1e-3).all()


def test_no_strength_changes_nothing_and_the_shape_stays() -> None:
    """Strength 0 gives the picture back; strength 1 gives one of the same shape within 0 to 1."""
    colours = ColourDistribution.of(to_lab(to_array(OTHER)))
    strokes = np.asarray(OTHER)
    assert np.array_equal(combine(PICTURE, strokes, colours, 0.0, lambda lab: lab), PICTURE)
    full = combine(PICTURE, strokes, colours, 1.0, lambda lab: lab)
    assert full.shape == PICTURE.shape
    assert 0 <= full.min() <= full.max() <= 1


def test_shares_grow_with_strength() -> None:
    """0 to 0, 1 to 1, and above half from 0.5 on."""
    assert (colour_share(0), colour_share(1), colour_share(7)) == (0, 1, 1)
    assert colour_share(0.5) > 0.55
    assert colour_share(0.7) > colour_share(0.6)


def test_a_flat_picture_is_no_trouble() -> None:
    """One colour all over gives finite values."""
    flat = np.full((40, 50, 3), 0.4, np.float32)
    result = combine(flat, (flat * 255).astype(np.uint8), ColourDistribution.of(to_lab(PICTURE)), 0.6, lambda lab: lab)
    assert np.isfinite(result).all()
    assert result.shape == (40, 50, 3)


def test_a_night_is_lifted_out_of_black() -> None:
    """A nearly black picture under a lighter painting gets a mean lightness that can be seen."""
    night = np.clip(PICTURE * 0.05, 0, 1)
    goal = ColourDistribution.of(to_lab(PICTURE))
    assert ColourDistribution.of(transfer_colours(to_lab(night), goal, 0.3)).mean[0] == pytest.approx(
        min(24.0, goal.mean[0]), abs=8
    )


def test_a_clean_moon_stays_a_disc() -> None:
    """Whatever strokes and brush do to it, it is round and even again; a picture without one gets none."""
    night = np.full((128, 128, 3), (14, 2, -24), np.float32)
    night[..., 0] += np.random.default_rng(1).normal(0, 1, (128, 128))
    lit = from_lab(paint_moon(night, Moon(x=0.4, y=0.25, radius=0.08)))
    dark = ColourDistribution.of(night + np.random.default_rng(2).normal(0, 5, night.shape).astype(np.float32))
    strokes = np.random.default_rng(3).integers(0, 120, (128, 128, 3)).astype(np.uint8)

    def smear(lab: np.ndarray) -> np.ndarray:
        return np.roll(lab, 5, axis=1)

    moon = find_moon(to_lab(combine(lit, strokes, dark, 0.6, smear)))
    assert moon is not None
    assert (moon.x, moon.y) == pytest.approx((0.4, 0.25), abs=0.02)
    assert find_moon(to_lab(combine(from_lab(night), strokes, dark, 0.6, smear)), clean=True) is None


@pytest.mark.parametrize("seed", range(4))
def test_colours_arrive_and_edges_stay(seed: int) -> None:
    """At full share a fifth of the colour distance is left at most, and nine edges of ten."""
    scene, painting = invented_scene(seed, 160), invented_scene(seed + 30, 160)
    goal = ColourDistribution.of(to_lab(to_array(painting)))
    result = grade(to_array(scene), goal, 1.0)
    assert ColourDistribution.of(to_lab(result)).distance(goal) < 0.35 * ColourDistribution.of(
        to_lab(to_array(scene))
    ).distance(goal)
    assert edges_kept(scene, to_picture(result)) > 0.85


def test_no_share_changes_nothing() -> None:
    """Share 0 gives the picture back within rounding."""
    scene = to_array(invented_scene(1))
    assert np.abs(grade(scene, ColourDistribution.of(to_lab(to_array(invented_scene(9)))), 0.0) - scene).max() < 0.02


def test_transport_reaches_the_marginals() -> None:
    """The moved pixels' quantiles along the directions come near the target's."""
    rng = np.random.default_rng(0)
    start = rng.normal([50, 0, 0], 8, (3000, 3)).astype(np.float32)
    goal = ColourDistribution.of((rng.gamma(2.0, 6.0, (3000, 3)) + np.array([20, -10, 5])).astype(np.float32))
    assert ColourDistribution.of(transport(start, goal)).sliced_distance(goal) < 0.15 * ColourDistribution.of(
        start
    ).sliced_distance(goal)


def test_the_guided_filter_follows_its_guide() -> None:
    """Values that are a line of the guide are that line; noise on a flat guide is averaged away."""
    guide = np.asarray(Image.linear_gradient("L").resize((40, 40)), np.float32) / 255
    slope, level = guided(guide, (3 * guide + 2)[..., None], radius=4, noise=1e-6)
    assert np.abs(slope - 3).max() < 0.05
    assert np.abs(level - 2).max() < 0.05
    noise = np.random.default_rng(0).normal(size=(40, 40, 1)).astype(np.float32)
    slope, level = guided(np.zeros((40, 40), np.float32), noise, radius=6, noise=1e-3)
    assert level.std() < 0.25
