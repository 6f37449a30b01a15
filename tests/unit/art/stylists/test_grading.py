"""Tests of auria_bot.art.stylists.grading."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.colour import ColourDistribution, to_lab
from auria_bot.art.evaluation.stylist import edges_kept, invented_scene
from auria_bot.art.pictures import to_array, to_picture
from auria_bot.art.stylists.grading import grade, guided, transport


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
