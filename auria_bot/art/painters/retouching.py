"""Retouch small paintings, in CIELAB: remove speckle, turn day into night, repair the moon.

An enlarging network turns every single pixel that stands out into a squiggle; so paint is smeared along the forms where
a painting has forms, and averaged where it has only grain. The painter has hardly seen flowers at night; so they are
painted by day and darkened here. A network of few pixels paints a ragged moon; so it is painted again as a disc in its
glow.

Kyprianidis and Kang, "Image and video abstraction by coherence-enhancing filtering", 2011.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.pictures import at_most

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Moon", "blurred", "denoise", "find_moon", "grain", "paint_moon", "to_night"]

_SMEAR = (1.0, 2.0)  # pixels to either side from which each pass of smearing samples
_FLOW = 2.0  # pixels over which directions are averaged
_QUIET, _NOISY = 1.3, 6.5  # mean L of the grain: full effect above, none below
_EVEN = 7.0  # L of further grain at which areas without direction are averaged in full

_LOW, _HIGH = 3.0, 97.0  # percentiles of L that become the darkest and lightest
_DARKEST, _RANGE = 8.0, 50.0  # L of the darkest place, and the range of L of leaves
_PETAL = 0.45  # how much lighter a petal is than a leaf
_BLUE = (4.0, -17.0)  # a and b added to dark places
_CAST = (2.0, -12.0)  # a and b added everywhere

_SIDE = 64  # pixels of the longer side at which a moon is searched
_LIGHT, _NIGHT = 66.0, 46.0  # least L of a moon, most L of the sky around it
_SMALLEST, _LARGEST = 2.2, 7.5  # radius in those pixels
_LOWEST = 0.62  # share of the height; a bright spot below is a reflection
_ROUND = 0.74  # least share of the blot inside the circle of its area
_RIM = 0.66  # share of the way from the sky's L to the peak at which the rim lies, without the glow
_CLEAN, _FLAT = 86.0, 2.5  # least L and most standard deviation of a clean disc
_ROUGH = 10.0  # most standard deviation of the sky around it
_FACE = (93.0, -1.0, 11.0)  # CIELAB of the disc
_SEAS = ((-0.30, -0.28, 0.36), (0.22, -0.38, 0.26), (-0.12, 0.20, 0.30), (0.38, 0.08, 0.20))
# The lunar maria: right, down and size, in radii.
_DEPTH = 4.5  # L by which the maria are darker
_GLOW, _GLOW_REACH = 19.0, 0.65  # L of the glow at the rim, and the radii in which it falls to 1/e


def blurred(values: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    """(height, width, ...) blurred by a Gaussian of `deviation` pixels; edges are repeated."""
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
    """(height, width) local mean of how much L differs from its neighbourhood."""
    apart: NDArray[np.float32] = np.abs(lightness - blurred(lightness, 1.0))
    return blurred(apart, 2.0)


def denoise(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """(height, width, 3) CIELAB with speckle smeared along the forms; smooth areas stay unchanged."""
    light = lab[..., 0]
    down, across = np.gradient(blurred(light, 0.8))
    slopes = (across * across, across * down, down * down)
    xx, xy, yy = (blurred(np.asarray(each, np.float32), _FLOW) for each in slopes)
    formed = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / (xx + yy + np.float32(1e-6))  # 0 without a direction, 1 a line
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)  # along which lightness changes least
    along_x, along_y = np.cos(angle), np.sin(angle)
    rows, columns = np.mgrid[0 : light.shape[0], 0 : light.shape[1]].astype(np.float32)
    smeared: NDArray[np.float32] = lab
    for far in _SMEAR:
        ends = [_sampled(smeared, rows + way * along_y, columns + way * along_x) for way in (far, -far)]
        smeared = np.asarray((smeared + ends[0] + ends[1]) / 3, np.float32)
    rough = grain(light)
    loose = np.clip((rough - 2 * _QUIET) / _EVEN, 0.0, 1.0) * np.clip(1.25 - 1.5 * formed, 0.0, 1.0)
    even = loose[..., None] * (blurred(lab, 1.0) - smeared)
    share = np.clip((rough - _QUIET) / (_NOISY - _QUIET), 0.0, 1.0)[..., None]
    result: NDArray[np.float32] = (lab + share * (smeared + even - lab)).astype(np.float32)
    return result


def _sampled(
    values: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Values at fractional places, bilinear; edges are repeated."""
    height, width = values.shape[:2]
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    low, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = (rows - top)[..., None], (columns - left)[..., None]
    above = values[top, left] * (1 - across) + values[top, right] * across
    below = values[low, left] * (1 - across) + values[low, right] * across
    taken: NDArray[np.float32] = above * (1 - down) + below * down
    return taken


def to_night(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """(height, width, 3) CIELAB by day to night: petals stay light, leaves become dark blue."""
    light = lab[..., 0]
    low, high = np.percentile(light, [_LOW, _HIGH])
    share = np.clip((light - low) / max(float(high - low), 20.0), 0.0, 1.1)
    warm = np.clip((lab[..., 1] + 8.0) / 30.0, 0.0, 1.0)  # red, pink and orange, not green
    white = np.clip((light - 62.0) / 25.0, 0.0, 1.0)
    petal = np.maximum(warm, white)
    dark = _DARKEST + _RANGE * share**1.35 * (0.62 + (_PETAL + 0.1) * petal)
    shade = (1.0 - np.clip(dark / 55.0, 0.0, 1.0))[..., None]
    keep = 0.85 * np.clip(petal + 0.25, 0.0, 1.0)[..., None]
    colours = lab[..., 1:] * keep + shade * np.array(_BLUE) + np.array(_CAST)
    result: NDArray[np.float32] = np.concatenate([dark[..., None], colours], -1).astype(np.float32)
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Moon:
    """The place of a moon; lengths are shares of the picture's longer side."""

    x: float  # of its centre, from the left
    y: float  # from the top
    radius: float


def find_moon(lab: NDArray[np.float32], *, clean: bool = False) -> Moon | None:
    """Find a round light blot, alone in a dark upper sky of (height, width, 3) CIELAB; None where there is none.

    Args:
        clean: accept only an even, nearly colourless disc on an even sky, such as `paint_moon` makes.
    """
    light = _small(lab)
    sky = light[: int(_LOWEST * light.shape[0])]
    top, left = np.unravel_index(int(sky.argmax()), sky.shape)
    peak = float(sky[top, left])
    rows, columns = np.mgrid[0 : light.shape[0], 0 : light.shape[1]].astype(np.float32)
    around = np.hypot(columns - left, rows - top)
    beside = light[(around > 1.6 * _LARGEST) & (around < 3 * _LARGEST)]
    ground = float(np.median(beside)) if beside.size else 100.0
    if peak < _LIGHT or ground > _NIGHT:
        return None
    blot = (light > ground + _RIM * (peak - ground)) & (around < 2.5 * _LARGEST)
    radius = float(np.sqrt(blot.sum() / np.pi))
    y, x = float(rows[blot].mean()), float(columns[blot].mean())
    far = np.hypot(columns - x, rows - y)
    round_ = (blot & (far <= radius + 0.5)).sum() >= _ROUND * blot.sum()
    whole = min(x, y, light.shape[1] - 1 - x) >= 0.8 * radius  # one cut off may be part of a light area
    if not (_SMALLEST <= radius <= _LARGEST and round_ and whole) or (clean and not _even(light, far / radius)):
        return None
    longer = max(light.shape)
    return Moon(x=(x + 0.5) / longer, y=(y + 0.5) / longer, radius=radius / longer)


def _small(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """L of (height, width, 3) CIELAB, the longer side at most 64 pixels."""
    height, width = lab.shape[:2]
    light: NDArray[np.float32] = np.ascontiguousarray(lab[..., 0])
    if max(height, width) > _SIDE:
        size = at_most((width, height), _SIDE, least=8)
        light = np.asarray(Image.fromarray(light).resize(size, Image.Resampling.BOX))
    return light


def _even(light: NDArray[np.float32], far: NDArray[np.float32]) -> bool:
    """Whether L is high and even inside the disc and lower and even around it; `far` is in radii."""
    face, sky = light[far < 0.7], light[(far > 1.7) & (far < 2.6)]
    if not face.size or not sky.size:
        return False
    clean = face.min() > _CLEAN and face.std() < _FLAT
    return bool(clean and sky.std() < _ROUGH and sky.max() < face.min() - 25.0)


def paint_moon(lab: NDArray[np.float32], moon: Moon) -> NDArray[np.float32]:
    """Paint the moon over its blot in (height, width, 3) CIELAB: sky colour, a glow, the disc.

    The sky takes the mean colour of a ring around the blot; beyond about three radii nothing changes.
    """
    longer = max(lab.shape[:2])
    x, y, radius = moon.x * longer - 0.5, moon.y * longer - 0.5, moon.radius * longer
    reach = 3.2 * radius
    top, left = max(0, int(y - reach)), max(0, int(x - reach))
    part = lab[top : int(y + reach) + 2, left : int(x + reach) + 2].astype(np.float32)
    rows, columns = np.mgrid[0 : part.shape[0], 0 : part.shape[1]].astype(np.float32)
    right, down = (columns + left - x) / radius, (rows + top - y) / radius
    far = np.hypot(right, down)
    ring = (far > 1.9) & (far < 2.8)
    behind = part[ring].mean(axis=0) if ring.any() else part.reshape(-1, 3).mean(axis=0)
    # Sky replaces the blot and its ragged rim; strokes outside stay unchanged.
    veil = np.clip((2.2 - far) / 0.9, 0.0, 1.0)[..., None]
    sky = part + veil * (behind - part)
    glow = np.exp(-np.maximum(far - 1.0, 0.0) / _GLOW_REACH) * np.clip((3.2 - far) / 1.6, 0.0, 1.0)
    sky[..., 0] += np.minimum(_GLOW * glow, np.maximum(_FACE[0] - 14.0 - sky[..., 0], 0.0))
    seas = sum(size * np.exp(-((right - a) ** 2 + (down - b) ** 2) / (0.9 * size**2)) / 0.36 for a, b, size in _SEAS)
    face = np.broadcast_to(np.array(_FACE, np.float32), part.shape).copy()
    face[..., 0] -= _DEPTH * np.minimum(seas, 1.2)
    soft = max(1.0, 0.07 * radius)  # pixels over which the rim is antialiased
    disc = np.clip((1.0 - far) * radius / soft + 0.5, 0.0, 1.0)[..., None]
    result = lab.copy()
    result[top : top + part.shape[0], left : left + part.shape[1]] = sky + disc * (face - sky)
    return result
