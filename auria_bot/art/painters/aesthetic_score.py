"""Taste: which of several paintings one would rather hang.

The matching score says what a painting shows; this says whether it is worth looking at: colour, forms that carry
across a room, no speckle, no blank paper. Knows CIELAB pixels of small pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.painters.denoise import blurred

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["aesthetic_score"]

_CELLS = 8  # to a side: what carries across a room
_COLOURFUL = 35.0  # mean chroma that is plenty
_FORMED, _VARIED = 18.0, 18.0  # spread of the cells' L, and of their a and b, that is plenty
_SPECKLED = (0.04, 0.08)  # grain as a share of contrast: what is usual, and how much more is all speckle
_OUTSTANDING = 32.0  # CIELAB units between the middle and the rim of a portrait that are plenty
_DIM, _PALE = 24.0, 82.0  # mean L outside of which a picture is too dark or too pale


def aesthetic_score(lab: NDArray[np.float32], *, portrait: bool = False) -> float:
    """What is added to a matching score for the looks of (height, width, 3) CIELAB: about -0.2 to 0.4.

    Args:
        lab: the painting.
        portrait: whether something should stand out in its middle, as a flower does.
    """
    light = lab[..., 0]
    height, width = (side // _CELLS * _CELLS for side in light.shape)
    cells = lab[:height, :width].reshape(_CELLS, height // _CELLS, _CELLS, width // _CELLS, 3).mean(axis=(1, 3))
    spread = cells.reshape(-1, 3).std(axis=0)
    chroma = float(np.hypot(lab[..., 1], lab[..., 2]).mean())
    low, high = np.percentile(light, [5, 95])
    grain = float(np.abs(light - blurred(light, 1.0)).mean()) / max(float(high - low), 20.0)
    mean = float(light.mean())
    middle = cells[2:6, 2:6].reshape(-1, 3).mean(axis=0)
    rim = np.concatenate([cells[0], cells[-1], cells[1:-1, 0], cells[1:-1, -1]]).mean(axis=0)
    apart = float(np.linalg.norm(middle - rim))
    return (
        0.12 * min(chroma / _COLOURFUL, 1.0)
        + 0.12 * min(float(spread[0]) / _FORMED, 1.0)
        + 0.12 * min(float(np.hypot(*spread[1:])) / _VARIED, 1.0)
        + (0.2 * min(apart / _OUTSTANDING, 1.0) if portrait else 0.0)
        - 0.10 * min(max(grain - _SPECKLED[0], 0.0) / _SPECKLED[1], 1.0)
        - 0.35 * max(float((light > 95).mean()) - 0.15, 0.0)
        - 0.004 * (max(_DIM - mean, 0.0) + max(mean - _PALE, 0.0))
    )
