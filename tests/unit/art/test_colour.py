"""Tests of auria_bot.art.colour."""

from __future__ import annotations

import numpy as np
import pytest

from auria_bot.art.colour import ColourDistribution, from_lab, to_lab

RNG = np.random.default_rng(0)
ONE = (RNG.normal([60, 10, -20], [12, 6, 9], (4000, 3))).astype(np.float32)
OTHER = (RNG.normal([40, -5, 25], [20, 9, 5], (4000, 3))).astype(np.float32)


def test_known_colours_have_their_known_places() -> None:
    """White, black and the three primaries lie where CIE puts them."""
    rgb = np.array([[1, 1, 1], [0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    known = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86]]
    assert np.abs(to_lab(rgb) - known).max() < 0.3


def test_there_and_back_is_within_a_step_of_eight_bits() -> None:
    """Every colour survives the tables."""
    rgb = RNG.integers(0, 256, (20000, 3)).astype(np.uint8)
    assert np.abs(from_lab(to_lab(rgb)) * 255 - rgb).max() < 1.0


def test_the_map_goes_its_share_of_the_way() -> None:
    """After 70 % of the shortest way 30 % of the distance is left, and the whole way arrives."""
    start, goal = ColourDistribution.of(ONE), ColourDistribution.of(OTHER)
    for share in (0.0, 0.7, 1.0):
        matrix, offset = start.transport_map(goal, share)
        left = ColourDistribution.of(ONE @ matrix + offset).distance(goal)
        assert left == pytest.approx((1 - share) * start.distance(goal), abs=0.05)


def test_distances_are_distances() -> None:
    """Zero to itself, symmetric, and a shift of 3 and 4 is 5."""
    one = ColourDistribution.of(ONE)
    assert one.distance(one) < 0.02
    assert one.distance(ColourDistribution.of(OTHER)) == pytest.approx(
        ColourDistribution.of(OTHER).distance(one), rel=1e-6
    )
    assert one.distance(ColourDistribution.of(ONE + np.float32([0, 3, 4]))) == pytest.approx(5, abs=0.01)
    assert one.sliced_distance(one) == 0


def test_a_flat_picture_has_a_cloud() -> None:
    """One colour all over gives finite numbers and a map that is finite."""
    flat = ColourDistribution.of(np.full((50, 3), 40, np.float32))
    matrix, offset = flat.transport_map(ColourDistribution.of(ONE), 0.5)
    assert np.isfinite(matrix).all()
    assert np.isfinite(offset).all()


def test_a_cloud_without_marginals_moves_colours_all_the_same() -> None:
    """Mean and covariance are what the linear map needs; leaving the quantiles out changes nothing of it."""
    rng = np.random.default_rng(0)
    one, other = (rng.normal(50, 10, (40, 3)).astype(np.float32) for _ in range(2))
    whole, lean = (
        ColourDistribution.of(one, marginals=each).transport_map(ColourDistribution.of(other), 0.7)
        for each in (True, False)
    )
    assert np.array_equal(whole[0], lean[0])
    assert np.array_equal(whole[1], lean[1])
    assert ColourDistribution.of(one, marginals=False).marginals.shape == (9, 0)
