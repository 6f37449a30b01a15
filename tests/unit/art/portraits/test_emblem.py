"""What surrounds the painting in the emblem."""

from __future__ import annotations

import numpy as np

from auria_bot.art.portraits.emblem import PAPER, SIDE, Seal, emblem

SEAL = Seal(x=0.0, y=-0.26, radius=0.35)


def test_ring_and_seal_lie_on_paper_within_a_round_crop() -> None:
    """The seal is red, the ring dark, the corners bare paper; the same seed gives the same bytes, another others."""
    bare = np.broadcast_to(PAPER, (SIDE, SIDE, 3)).astype(np.float32)
    ground = np.zeros((SIDE, SIDE), np.float32)
    one, again, other = (emblem(bare, ground, SEAL, seed=seed, bare_sky=True) for seed in (3, 3, 4))
    assert one.tobytes() == again.tobytes() != other.tobytes()
    pixels = np.asarray(one, np.float32)
    red, green, _ = pixels[int((1 - 0.26 - 0.3) / 2 * SIDE), SIDE // 2]
    assert red > green + 80
    across = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    radius = np.hypot(*np.meshgrid(across, across))
    assert pixels[radius > 0.97].min() > 190
    assert pixels[(radius > 0.75) & (radius < 0.9)].min() < 60
