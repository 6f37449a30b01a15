"""The direction in which a picture's forms run, by the structure tensor of two scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LUMINANCE", "DirectionField", "blurred", "box_mean", "measure_directions", "resized"]

LUMINANCE = np.array([0.3, 0.59, 0.11], np.float32)
_FLOOR = 1.2  # squared gradient of luminance (0 to 255) a pixel that counts as flat


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DirectionField:
    """Where strokes should point, for every pixel of a picture."""

    angles: NDArray[np.float32]  # (height, width) radians, along the forms; y points down
    coherence: NDArray[np.float32]  # (height, width) 0 to 1: how much of a direction there is


def resized(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """(height, width) floats at another size, (width, height), smoothly."""
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR), np.float32)


def blurred(values: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    """(height, width) smoothed by nearly a Gaussian of that deviation in pixels; wide ones on fewer pixels."""
    height, width = values.shape
    shrink = int(min(deviation / 2.0, min(height, width) / 4))
    if shrink >= 2:
        small = (max(1, width // shrink), max(1, height // shrink))
        return resized(_box_blurred(resized(values, small), deviation / shrink), (width, height))
    return _box_blurred(values, deviation)


def _box_blurred(values: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    """Three box blurs."""
    radius = int(np.sqrt(4 * deviation**2 + 1)) // 2
    if radius < 1:
        if deviation < 0.4:
            return values
        padded = np.pad(values, 1, mode="edge")
        down = 0.25 * (padded[:-2] + 2 * padded[1:-1] + padded[2:])
        return np.asarray(0.25 * (down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]), np.float32)
    for _ in range(3):
        values = box_mean(values, radius)
    return values


def box_mean(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """(height, width, ...) as the mean over a square window of 2 * radius + 1 pixels a side; edges are repeated."""
    width = 2 * radius + 1
    for axis in (0, 1):
        padding = [(radius, radius) if number == axis else (0, 0) for number in range(values.ndim)]
        values = _window_sums(np.pad(values, padding, mode="edge"), width, axis)
        values *= np.float32(1 / width)
    return values


def _window_sums(values: NDArray[np.float32], width: int, axis: int) -> NDArray[np.float32]:
    """Sums of `width` (odd) rows (axis 0) or columns (axis 1) that follow each other; there are width - 1 fewer.

    Sums of 1, 2, 4, ... are added as the width's binary digits say: a few passes in single precision, whose error does
    not grow with the picture as that of running totals does.
    """

    def cut(array: NDArray[np.float32], first: int, end: int) -> NDArray[np.float32]:
        return array[first:end] if axis == 0 else array[:, first:end]

    count = values.shape[axis] - width + 1
    total, start = cut(values, 0, count).copy(), 1
    doubled, size = values, 1
    while 2 * size <= width:
        length = doubled.shape[axis] - size
        doubled, size = cut(doubled, 0, length) + cut(doubled, size, size + length), 2 * size
        if width & size:
            total += cut(doubled, start, start + count)
            start += size
    return total


def measure_directions(
    light: NDArray[np.float32], *, fine: float, coarse: float, prior: NDArray[np.float32] | None = None
) -> DirectionField:
    """Directions of luminance by two scales: the coarse one fills in where the fine one finds none.

    Args:
        light: (height, width), 0 to 255.
        fine: deviation of the fine scale in pixels.
        coarse: of the coarse scale.
        prior: (height, width) radians taken where neither scale has a direction.
    """
    if min(light.shape) < 2:
        zero = np.zeros_like(light)
        return DirectionField(angles=zero if prior is None else prior, coherence=zero)
    down, right = (np.asarray(np.gradient(light, axis=axis), np.float32) for axis in (0, 1))
    products = (right * right - down * down, 2 * right * down, right * right + down * down)
    parts = []
    for deviation in (fine, coarse):
        along, across, energy = (blurred(product, deviation) for product in products)
        parts.append((along / (energy + _FLOOR), across / (energy + _FLOOR)))
    (x, y), (wide_x, wide_y) = parts
    own = np.hypot(x, y)
    share = np.clip(own * own * 1.6, 0, 1)
    x, y = share * x + (1 - share) * wide_x, share * y + (1 - share) * wide_y
    coherence = np.hypot(x, y)
    if prior is not None:
        left = np.clip(1 - 1.6 * coherence, 0, 1) * 0.5
        x, y = x - left * np.cos(2 * prior), y - left * np.sin(2 * prior)
    # Neighbours agree, so that strokes do not cross.
    x, y = (blurred(np.asarray(part, np.float32), 0.8 * fine) for part in (x, y))
    angles = 0.5 * np.arctan2(y, x) + np.pi / 2
    return DirectionField(angles=angles.astype(np.float32), coherence=np.clip(coherence, 0, 1).astype(np.float32))
