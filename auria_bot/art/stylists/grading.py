"""Give a picture a painting's colours and keep every edge: sliced optimal transport in CIELAB.

Colours move along nine fixed directions in turn, each time by the monotone map in one dimension. Then the change, not
the picture, is smoothed with the picture as the guide, so that flat areas get no steps and edges stay in place.

Pitie, Kokaram and Dahyot, "Automated colour grading using colour distribution transfer", 2007.
He, Sun and Tang, "Guided image filtering", 2013.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.colour import DIRECTIONS, QUANTILES, ColourDistribution, from_lab, to_lab

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["grade", "guided", "transport"]

_ROUNDS = 2  # passes over the directions
_SMALL = 176  # pixels of the longer side at which the change is computed and smoothed
_MOST_CONTRAST = 2.5  # most stretch of a direction, so that noise is not amplified


def transport(lab: NDArray[np.float32], target: ColourDistribution) -> NDArray[np.float32]:
    """Move (..., 3) CIELAB pixels so that their marginals along DIRECTIONS become the target's."""
    pixels = lab.reshape(-1, 3).astype(np.float64)
    matrix, offset = ColourDistribution.of(lab, marginals=False).transport_map(target, 1.0)
    gain = float(np.linalg.norm(matrix, 2))
    if gain <= _MOST_CONTRAST:
        pixels = pixels @ matrix + offset  # the linear map first; the marginals refine it
    for _ in range(_ROUNDS):
        for direction, goal in zip(DIRECTIONS, target.marginals, strict=True):
            along = pixels @ direction
            have = np.quantile(along, QUANTILES)
            have = np.maximum.accumulate(have + np.linspace(0.0, 1e-6, len(have)))
            pixels += (0.7 * (np.interp(along, have, goal) - along))[:, None] * direction
    return pixels.reshape(lab.shape).astype(np.float32)


def guided(
    guide: NDArray[np.float32], values: NDArray[np.float32], *, radius: int, noise: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The guided filter's local linear model: values ~ slope * guide + level.

    Args:
        guide: (height, width).
        values: (height, width, channels).
        radius: of the window, in pixels.
        noise: squared size of guide changes that count as flat.

    Returns:
        slope and level, each (height, width, channels), already averaged over the windows.
    """
    x: NDArray[np.float32] = np.asarray(guide[..., None], np.float32)
    mean_x, mean_y = _box(x, radius), _box(values, radius)
    square: NDArray[np.float32] = x * x
    product: NDArray[np.float32] = x * values
    variance = _box(square, radius) - mean_x * mean_x
    slope = ((_box(product, radius) - mean_x * mean_y) / (variance + np.float32(noise))).astype(np.float32)
    level = (mean_y - slope * mean_x).astype(np.float32)
    return _box(slope, radius), _box(level, radius)


def _box(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Mean over a square window, edges repeated."""
    for axis in (0, 1):
        pads = [(radius + 1, radius) if each == axis else (0, 0) for each in range(values.ndim)]
        sums = np.pad(values, pads, mode="edge").cumsum(axis, dtype=np.float64)
        width = 2 * radius + 1
        high = np.take(sums, range(width, sums.shape[axis]), axis)
        low = np.take(sums, range(sums.shape[axis] - width), axis)
        values = ((high - low) / width).astype(np.float32)
    return values


def grade(picture: NDArray[np.float32], target: ColourDistribution, share: float) -> NDArray[np.float32]:
    """Give a picture a painting's colours and keep its edges.

    Args:
        picture: (height, width, 3) sRGB from 0 to 1.
        target: the painting's colours.
        share: 0 leaves the colours, 1 takes the painting's.

    Returns:
        The graded picture, same shape and range.
    """
    height, width = picture.shape[:2]
    lab = to_lab(picture)
    scale = min(1.0, _SMALL / max(height, width))
    shape = (max(8, round(height * scale)), max(8, round(width * scale)))
    small = _resized(lab, shape, Image.Resampling.BOX)
    change = (share * (transport(small, target) - small)).astype(np.float32)
    slope, level = guided((small[..., 0] / 100).astype(np.float32), change, radius=max(2, min(shape) // 24), noise=2e-3)
    slope, level = (_resized(part, (height, width), Image.Resampling.BILINEAR) for part in (slope, level))
    graded = (lab + slope * (lab[..., :1] / 100) + level).astype(np.float32)
    # A linear map, which keeps edges, restores the part of the change that was lost by smoothing.
    before = ColourDistribution.of(small, marginals=False)
    goal = ColourDistribution.of(small + change, marginals=False)
    near = ColourDistribution.of(_resized(graded, shape, Image.Resampling.BOX), marginals=False)
    if goal.distance(near) > 0.02 * max(before.distance(target), 1e-6):
        matrix, offset = near.transport_map(goal, 1.0)
        graded = (graded @ matrix + offset).astype(np.float32)
    return from_lab(graded)


def _resized(values: NDArray[np.float32], shape: tuple[int, int], method: Image.Resampling) -> NDArray[np.float32]:
    """(height, width, channels) floats at another size."""
    layers = [
        np.asarray(Image.fromarray(np.ascontiguousarray(values[..., channel])).resize((shape[1], shape[0]), method))
        for channel in range(values.shape[2])
    ]
    return np.stack(layers, axis=-1)
