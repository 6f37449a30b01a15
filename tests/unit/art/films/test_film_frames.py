"""Tests of auria_bot.art.films.film_frames."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from auria_bot.art.films.walk import frame_distance, small_lab
from auria_bot.art.pictures import middle
from tests.scenarios.films import drawn_frames


@pytest.mark.parametrize("moving", [True, False])
def test_the_frame_after_the_last_of_a_loop_has_the_first_ones_bytes(moving: bool) -> None:
    """And no step is much larger than the others, the one that closes the loop included."""
    made = drawn_frames(60, Fraction(10), (96, 54), loop=True, moving=moving)
    shown = list(made.frames(0, 61))
    assert shown[0].shape == (54, 96, 3)
    assert np.array_equal(shown[60], shown[0])
    small = small_lab(np.stack(shown))
    steps = frame_distance(small[:-1], small[1:])
    assert steps.max() < 3 * np.median(steps)


def test_a_frame_is_the_same_wherever_a_segment_begins() -> None:
    """Frames 7 to 20 alone are those of the whole film."""
    made = drawn_frames(24, Fraction(10), loop=False)
    whole = list(made.frames(0, 24))
    assert all(np.array_equal(one, two) for one, two in zip(whole[7:20], made.frames(7, 20), strict=True))


def test_noise_that_stands_does_not_move() -> None:
    """Two frames of a walk differ less than with noise that moves."""
    still, moving = (
        drawn_frames(4000, Fraction(25), loop=True, moving=moving).small(0, 12) for moving in (False, True)
    )
    fine = [np.abs(np.diff(np.diff(one.astype(float), axis=2), axis=0)).mean() for one in (still, moving)]
    assert fine[0] < 0.7 * fine[1]


def test_the_middle_of_a_picture_has_the_proportions_of_the_film() -> None:
    """A square loses top and bottom, a wide picture its sides."""
    assert middle((128, 128), (1920, 1080)) == (0, 28, 128, 100)
    assert middle((160, 90), (90, 90)) == (35, 0, 125, 90)
    assert middle((64, 36), (1920, 1080)) == (0, 0, 64, 36)
