"""Watercolour, ink wash and woodblock prints."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.stylists.hands import TYPICAL, hand_of
from auria_bot.art.stylists.washes import paint_ink, paint_watercolour, print_woodblock

SIZE = (216, 270)


def landscape() -> Image.Image:
    """A pale sky that darkens slowly upwards, over a dark hill with a clear edge."""
    rows = np.linspace(150, 245, 270)[:, None, None]
    values = np.repeat(np.repeat(rows, 216, 1), 3, 2)
    values[180:] = (40, 60, 30)
    return Image.fromarray(values.astype(np.uint8))


@pytest.mark.parametrize("paint", [paint_watercolour, paint_ink, print_woodblock])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(paint):
    """Paper, pools and borders are drawn by the seed alone."""
    hand = hand_of(TYPICAL)
    first, again, other = (paint(landscape(), SIZE, hand, seed=seed) for seed in (1, 1, 2))
    assert first.size == SIZE
    assert first.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize("paint", [paint_watercolour, paint_ink])
def test_a_sky_runs_out_soft_and_a_hill_has_an_edge(paint):
    """The change from row to row is large at the hill alone."""
    painted = np.asarray(paint(landscape(), SIZE, hand_of(TYPICAL), seed=1).convert("L"), np.float32)
    means = painted[:, 40:-40].mean(1)
    steps = np.abs(means[4:] - means[:-4])[20:-30]
    assert abs(int(steps.argmax()) + 22 - 180) <= 8
    assert np.median(steps[:130]) < steps.max() / 8


@pytest.mark.parametrize("paint", [paint_watercolour, paint_ink])
def test_washes_are_shown_as_they_are_laid(paint):
    """Each darker than the one before, the last like the result, which watching does not change."""
    shown = []
    watched = paint(landscape(), SIZE, hand_of(TYPICAL), seed=1, on_layer=lambda *layer: shown.append(layer))
    assert watched.tobytes() == paint(landscape(), SIZE, hand_of(TYPICAL), seed=1).tobytes()
    assert [(number, count) for _, number, count in shown] == [(number, 5) for number in range(1, 6)]
    light = [float(np.asarray(layer).mean()) for layer, _, _ in shown]
    assert light == sorted(light, reverse=True)
    assert shown[-1][0].tobytes() == watched.tobytes()


@pytest.mark.parametrize("paint", [paint_watercolour, paint_ink])
def test_the_border_of_the_paper_is_bare(paint):
    """The outermost pixels are paper, whatever the picture shows."""
    painted = np.asarray(paint(Image.new("RGB", SIZE, (30, 30, 60)), SIZE, hand_of(TYPICAL), seed=1))
    frame = np.concatenate([painted[:2].reshape(-1, 3), painted[-2:].reshape(-1, 3), painted[:, 0], painted[:, -1]])
    assert frame.mean() > 215
