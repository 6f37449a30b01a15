"""Tests of auria_bot.art.films.palette."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from auria_bot.art.colour import ColourDistribution, to_lab
from auria_bot.art.films.palette import Palette
from auria_bot.art.films.walk import small_lab
from tests.scenarios.films import drawn_frames


def test_a_film_takes_a_paintings_colours_and_keeps_its_detail() -> None:
    """Its colours come nearer, while differences between neighbouring pixels stay."""
    frames = drawn_frames(20, Fraction(10), loop=True, moving=False).small(0, 20)
    film = small_lab(frames)
    goal = np.random.default_rng(1).normal((60, 25, 30), (8, 5, 6), (4000, 3)).astype(np.float32)
    painting = ColourDistribution.of(goal)
    palette = Palette.between(film, painting, share=0.85)
    moved = np.stack([palette.apply(frame) for frame in frames])
    before = ColourDistribution.of(film, marginals=False).distance(painting)
    assert ColourDistribution.of(small_lab(moved), marginals=False).distance(painting) < 0.4 * before
    detail, kept = (np.diff(to_lab(one)[..., 0], axis=1)[:, 1:-1] for one in (frames[0], moved[0]))
    assert np.corrcoef(detail.ravel(), kept.ravel())[0, 1] > 0.8


def test_a_dark_painting_does_not_make_a_film_black() -> None:
    """The mean lightness stays where it can be seen, and no direction is stretched beyond the bound."""
    film = np.random.default_rng(1).normal((55, 0, -5), (10, 0.5, 0.5), (4000, 3)).astype(np.float32)
    dark = np.random.default_rng(2).normal((8, 2, 2), (5, 9, 9), (4000, 3)).astype(np.float32)
    palette = Palette.between(film, ColourDistribution.of(dark), share=1.0)
    assert float((film @ palette.matrix + palette.offset)[:, 0].mean()) > 29
    assert np.linalg.norm(palette.matrix, 2) < 2.3
