"""Tests of auria_bot.art.films.walk."""

from __future__ import annotations

import numpy as np
import pytest

from auria_bot.art.films.walk import Curve, MovingNoise, Walk, frame_distance, small_lab
from tests.scenarios.films import DrawnMaker


@pytest.mark.parametrize("closed", [True, False])
def test_a_curve_goes_through_its_points_without_corners(closed: bool) -> None:
    """Each point is met where its span begins, and the direction does not jump there."""
    points = np.random.default_rng(1).standard_normal((5, 3), np.float32)
    curve = Curve(points, closed=closed)
    places = np.arange(5) / curve.spans
    assert np.allclose(curve.at(places), points, atol=1e-5)
    near = 1e-4
    inner = places[1:-1]
    before = curve.at(inner) - curve.at(inner - near)
    after = curve.at(inner + near) - curve.at(inner)
    cosine = (before * after).sum(1) / np.linalg.norm(before, axis=1) / np.linalg.norm(after, axis=1)
    assert cosine.min() > 0.99


def test_a_closed_curve_returns_to_its_first_point() -> None:
    """Its end is its beginning, bit for bit."""
    curve = Curve(np.random.default_rng(2).standard_normal((3, 4), np.float32), closed=True)
    assert np.array_equal(curve.at(np.array([1.0])), curve.at(np.array([0.0])))


@pytest.mark.parametrize("closed", [True, False])
def test_a_walk_changes_frames_evenly(closed: bool) -> None:
    """The largest step is near the middle one, although equal steps on the curve are far from it."""
    maker = DrawnMaker()
    keys, still = maker.map(maker.latents(5, 5)), maker.noise(1)
    walk = Walk.through(keys, lambda w: maker.frames(w, still), closed=closed)

    def largest(styles: np.ndarray) -> float:
        small = small_lab(maker.frames(styles, still))
        steps = frame_distance(small[:-1], small[1:])
        return float(steps.max() / np.median(steps))

    assert largest(walk.styles(0, 200, 200)) < 1.6
    assert largest(walk.curve.at(np.linspace(0, 1, 200))) > 2.0


def test_the_frame_after_the_last_of_a_loop_is_the_first() -> None:
    """Its style vector is the same, bit for bit."""
    maker = DrawnMaker()
    still = maker.noise(1)
    walk = Walk.through(maker.map(maker.latents(5, 3)), lambda w: maker.frames(w, still), closed=True)
    assert np.array_equal(walk.styles(90, 91, 90), walk.styles(0, 1, 90))
    assert not np.array_equal(walk.styles(89, 90, 90), walk.styles(0, 1, 90))


def test_keys_that_are_one_frame_make_a_walk_that_stands() -> None:
    """Nothing is divided by a length of 0."""
    maker = DrawnMaker()
    still = maker.noise(1)
    keys = np.repeat(maker.map(maker.latents(5, 1)), 3, axis=0)
    walk = Walk.through(keys, lambda w: maker.frames(w, still), closed=True)
    assert np.allclose(walk.styles(0, 10, 10), keys[0], atol=1e-5)


def test_moving_noise_stays_normal_moves_steadily_and_repeats() -> None:
    """Mean 0 and deviation 1 at every time; near times are alike, far ones are not; after the period it is the same."""
    still = [np.random.default_rng(1).standard_normal((1, 1, 64, 96), np.float32)]
    noise = MovingNoise(still, seed=2, period=12.0)
    (made,) = noise.at(np.array([0.0, 0.04, 3.0, 12.0]))
    assert made.shape == (4, 1, 64, 96)
    assert np.allclose(made.std((1, 2, 3)), 1, atol=0.05)
    alike = [float((made[0] * made[place]).mean()) for place in range(4)]
    assert alike[1] > 0.9
    assert abs(alike[2]) < 0.3
    assert np.allclose(made[3], made[0], atol=1e-4)


def test_waves_of_noise_travel_downwards() -> None:
    """A moment later, the noise resembles itself further down more than further up."""
    still = [np.random.default_rng(1).standard_normal((1, 1, 64, 64), np.float32)]
    (made,) = MovingNoise(still, seed=2, period=None).at(np.array([0.0, 0.4]))
    before, after = made[0, 0], made[1, 0]
    down, up = (float((np.roll(before, step, 0) * after).mean()) for step in (1, -1))
    assert down > up + 0.1
