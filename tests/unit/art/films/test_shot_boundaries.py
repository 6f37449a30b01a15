"""Tests of auria_bot.art.films.shot_boundaries."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.films.shot_boundaries import ShotBoundaries

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RNG = np.random.default_rng(3)
FIRST, SECOND = (RNG.uniform(0, 255, (24, 24, 3)).astype(np.float32) for _ in range(2))


def cut_places(frame: Callable[[int], NDArray[np.float32]], count: int, *, rate: int = 25) -> list[int]:
    """The places of the frames that lie at a cut."""
    boundaries, waiting, found = ShotBoundaries(), list(range(count)), []
    for number in range(count + 1):
        if number < count:
            boundaries.add(Fraction(number, rate), frame(number))
        else:
            boundaries.end()
        while waiting and waiting[0] <= number and boundaries.can_judge(Fraction(waiting[0], rate)):
            if boundaries.is_cut(Fraction(waiting[0], rate)):
                found.append(waiting[0])
            waiting.pop(0)
    assert waiting == []
    return found


def restless(number: int) -> NDArray[np.float32]:
    """A frame's own motion."""
    return np.float32(4) * np.sin(np.arange(24, dtype=np.float32)[:, None, None] + number / 3)


def test_the_frames_beside_a_cut_are_found() -> None:
    """The last one before it and the first one after it, and no others."""
    assert cut_places(lambda number: (FIRST if number < 20 else SECOND) + restless(number), 50) == [19, 20]


def test_the_frames_of_a_dissolve_are_found() -> None:
    """Those that mix two shots; those well before and after are not."""
    found = cut_places(lambda number: FIRST + (SECOND - FIRST) * np.float32(np.clip((number - 20) / 15, 0, 1)), 60)
    assert set(range(24, 32)) <= set(found) <= set(range(18, 38))


def test_motion_is_no_cut() -> None:
    """Neither slow nor restless motion is, at any rate."""
    assert cut_places(lambda number: FIRST + restless(number), 50) == []
    moving = np.random.default_rng(4).uniform(0, 255, (50, 24, 24, 3)).astype(np.float32)
    assert cut_places(lambda number: moving[number], 50, rate=2) == []


def test_a_long_gap_explains_a_large_difference() -> None:
    """Where frames come rarely, what moves meanwhile is no cut."""
    boundaries = ShotBoundaries()
    ramp = np.linspace(0, 1, 24, dtype=np.float32)[:, None, None] * np.ones((24, 24, 3), np.float32)
    times = [Fraction(number, 50) for number in range(20)] + [
        Fraction(12, 10) + Fraction(number, 50) for number in range(20)
    ]
    for time in times:
        boundaries.add(time, ramp * np.float32(90 * float(time)))
    boundaries.end()
    assert [time for time in times if boundaries.is_cut(time)] == []


def test_a_frame_that_was_not_seen_is_no_cut() -> None:
    """What was forgotten or never added cannot be judged against its neighbours."""
    boundaries = ShotBoundaries()
    boundaries.add(Fraction(0), FIRST)
    boundaries.end()
    assert not boundaries.is_cut(Fraction(0))
    assert not boundaries.is_cut(Fraction(5))
