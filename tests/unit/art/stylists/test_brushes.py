"""Tests of auria_bot.art.stylists.brushes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.stylists.brushes import ANGLES, BENDS, LENGTHS, Brush, Tuft

TUFT = Tuft(opacity=0.9, dryness=0.5, bristles=0.5, roundness=0.5)


def stamped(brush: Brush, length: int, angle: int, side: int) -> np.ndarray:
    """A footprint in the middle of a canvas."""
    canvas = Image.new("L", (side, side))
    for mask, left, top in brush.footprints(length, len(BENDS) // 2, angle, 0):
        corner = (side // 2 + left, side // 2 + top)
        canvas.paste(255, (*corner, corner[0] + mask.width, corner[1] + mask.height), mask)
    return np.asarray(canvas, np.float64)


@pytest.mark.parametrize("angle", [0, 5, ANGLES // 4, ANGLES // 2 + 3])
def test_a_stroke_points_where_it_should(angle: int) -> None:
    """Its longest extent is along its direction, its middle at its place."""
    ink = stamped(Brush(16, TUFT, 1.0), 5, angle, 200)
    y, x = np.nonzero(ink > 60)
    turn = 2 * np.pi * angle / ANGLES
    along = (x - 100) * np.cos(turn) + (y - 100) * np.sin(turn)
    across = (y - 100) * np.cos(turn) - (x - 100) * np.sin(turn)
    assert 0.75 * LENGTHS[5] * 16 < np.ptp(along) < 1.1 * LENGTHS[5] * 16
    assert np.ptp(across) < 20
    assert abs(across.mean()) < 2


def test_a_large_stroke_in_pieces_is_the_same_stroke() -> None:
    """Windows of a long diagonal leave no gap: it is one connected, evenly wide band."""
    ink = stamped(Brush(90, TUFT, 6.0), 6, ANGLES // 8, 1000)
    diagonal = ink[np.arange(250, 750), np.arange(250, 750)]
    assert (diagonal > 60).mean() > 0.95


def test_paint_runs_out_and_bristles_differ() -> None:
    """The end of a dry stroke has less paint than its beginning."""
    dry = stamped(Brush(30, Tuft(opacity=1.0, dryness=1.0, bristles=0.9, roundness=0.3), 1.0), 5, 0, 300)
    assert dry[:, 70:140].sum() > 1.3 * dry[:, 160:230].sum()


def test_a_dot_is_round() -> None:
    """As wide as it is long."""
    dot = stamped(Brush(24, Tuft(opacity=1.0, dryness=0.0, bristles=0.0, roundness=1.0), 1.0), 0, 0, 60)
    y, x = np.nonzero(dot > 100)
    assert abs(np.ptp(x) - np.ptp(y)) <= 5
    assert dot[30 - 11, 30 - 11] < 50
