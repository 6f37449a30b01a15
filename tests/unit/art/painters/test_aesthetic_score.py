"""Tests of auria_bot.art.painters.aesthetic_score."""

from __future__ import annotations

import numpy as np

from auria_bot.art.painters.aesthetic_score import aesthetic_score


def plain(lightness: float = 55, a: float = 0, b: float = 0) -> np.ndarray:
    """One colour all over, CIELAB."""
    return np.full((64, 64, 3), (lightness, a, b), np.float32)


def land() -> np.ndarray:
    """A blue sky over golden land."""
    lab = plain(80, -5, -35)
    lab[36:] = (48, 12, 45)
    return lab


def test_colour_and_form_please() -> None:
    """A land under a sky is liked more than the same without colour, and that more than nothing."""
    grey = land()
    grey[..., 1:] = 0
    assert aesthetic_score(land()) > aesthetic_score(grey) + 0.1 > aesthetic_score(plain()) + 0.15


def test_speckle_displeases() -> None:
    """Grain costs."""
    rough = land()
    rough[..., 0] += np.random.default_rng(3).normal(0, 12, (64, 64)).astype(np.float32)
    assert aesthetic_score(rough) < aesthetic_score(land()) - 0.03


def test_black_and_blank_displease() -> None:
    """A picture too dark to be seen, and empty paper, are liked less than grey."""
    assert aesthetic_score(plain(6)) < aesthetic_score(plain())
    assert aesthetic_score(plain(99)) < aesthetic_score(plain()) - 0.2


def test_a_portrait_stands_out_in_the_middle() -> None:
    """The same flower pleases more in the middle than in a corner, where a portrait is wanted; else it does not matter."""
    middle, corner = plain(40, -20, 20), plain(40, -20, 20)
    middle[16:48, 16:48] = corner[:32, :32] = (65, 60, 20)
    assert aesthetic_score(middle, portrait=True) > aesthetic_score(corner, portrait=True) + 0.05
    assert abs(aesthetic_score(middle) - aesthetic_score(corner)) < 1e-6


def test_any_size_is_judged() -> None:
    """Sides that are no multiples of eight are no trouble."""
    assert np.isfinite(aesthetic_score(np.zeros((67, 70, 3), np.float32), portrait=True))
