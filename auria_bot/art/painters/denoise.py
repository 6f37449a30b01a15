"""Calms the speckle of a small painting, so that enlarging it makes leaves and snow of it, not worms.

An enlarging net hardens every single pixel that stands out into a squiggle. So paint is smeared along the forms where a
painting has forms, and evenly where it has only grain; a calm sky stays as it is. Knows CIELAB pixels of small pictures.

Kyprianidis and Kang, "Image and video abstraction by coherence-enhancing filtering", 2011.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["blurred", "denoised", "grain"]

_REACH = (1.0, 2.0)  # pixels to either side from which each pass of smearing takes paint
_FLOW = 2.0  # pixels over which the forms' directions are averaged
_QUIET, _ROUGH = 1.3, 6.5  # mean L of the grain: below, nothing is done; above, all
_EVEN = 7.0  # L of grain more, at which paint that follows no form is evened out


def blurred(values: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    """(height, width, ...) blurred by a Gaussian of so many pixels; edges are repeated."""
    reach = int(3 * deviation + 0.5)
    bell = np.exp(-(np.arange(-reach, reach + 1, dtype=np.float32) ** 2) / (2 * deviation**2))
    bell /= bell.sum()
    result: NDArray[np.float32] = np.asarray(values, np.float32)
    for axis in (0, 1):
        pads = [(reach, reach) if each == axis else (0, 0) for each in range(result.ndim)]
        padded, length = np.pad(result, pads, mode="edge"), result.shape[axis]
        result = np.zeros_like(result)
        for start, weight in enumerate(bell):
            result += weight * np.take(padded, range(start, start + length), axis)
    return result


def grain(lightness: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each place of (height, width) L differs from its neighbours, averaged around it."""
    apart: NDArray[np.float32] = np.abs(lightness - blurred(lightness, 1.0))
    return blurred(apart, 2.0)


def denoised(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """(height, width, 3) CIELAB with its speckle smeared into forms."""
    light = lab[..., 0]
    down, across = np.gradient(blurred(light, 0.8))
    slopes = (across * across, across * down, down * down)
    xx, xy, yy = (blurred(np.asarray(each, np.float32), _FLOW) for each in slopes)
    formed = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / (xx + yy + np.float32(1e-6))  # 0 without a direction, 1 a line
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)  # along which lightness changes least
    along_x, along_y = np.cos(angle), np.sin(angle)
    rows, columns = np.mgrid[0 : light.shape[0], 0 : light.shape[1]].astype(np.float32)
    smeared: NDArray[np.float32] = lab
    for far in _REACH:
        ends = [_taken(smeared, rows + way * along_y, columns + way * along_x) for way in (far, -far)]
        smeared = np.asarray((smeared + ends[0] + ends[1]) / 3, np.float32)
    rough = grain(light)
    loose = np.clip((rough - 2 * _QUIET) / _EVEN, 0.0, 1.0) * np.clip(1.25 - 1.5 * formed, 0.0, 1.0)
    even = loose[..., None] * (blurred(lab, 1.0) - smeared)
    share = np.clip((rough - _QUIET) / (_ROUGH - _QUIET), 0.0, 1.0)[..., None]
    result: NDArray[np.float32] = (lab + share * (smeared + even - lab)).astype(np.float32)
    return result


def _taken(values: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values at places between pixels, bilinear; edges are repeated."""
    height, width = values.shape[:2]
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    low, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = (rows - top)[..., None], (columns - left)[..., None]
    above = values[top, left] * (1 - across) + values[top, right] * across
    below = values[low, left] * (1 - across) + values[low, right] * across
    taken: NDArray[np.float32] = above * (1 - down) + below * down
    return taken
