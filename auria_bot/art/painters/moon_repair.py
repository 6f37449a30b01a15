"""The moon in a picture: where it stands, and how it is painted again as a clean disc in its glow.

A net of few pixels paints a moon as a ragged blot, and strokes give it corners. Knows CIELAB pixels; does not know why a
picture has a moon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Moon", "find", "paint"]

_SIDE = 64  # pixels of the longer side at which it is looked for
_LIGHT, _NIGHT = 66.0, 46.0  # L that a moon has at least, and the sky around it at most
_SMALLEST, _LARGEST = 2.2, 7.5  # radius in those pixels
_LOWEST = 0.62  # of the height: what is bright below is a reflection
_ROUND = 0.74  # share of the blot that lies in the circle of its size
_RIM = 0.66  # of the way from the sky's L to the moon's, at which its rim is taken to be: its glow is left out
_CLEAN, _FLAT = 86.0, 2.5  # L that a clean disc has at least, and the deviation that it has at most
_ROUGH = 10.0  # the deviation that the sky around it has at most
_FACE = (93.0, -1.0, 11.0)  # CIELAB of the disc
_SEAS = ((-0.30, -0.28, 0.36), (0.22, -0.38, 0.26), (-0.12, 0.20, 0.30), (0.38, 0.08, 0.20))
# Its grey seas, always the same ones: right, down and size, in radii.
_DEPTH = 4.5  # L by which they are darker
_GLOW, _REACH = 19.0, 0.65  # L that the glow adds at the rim, and the radii in which it falls to a third


@dataclass(frozen=True, slots=True, kw_only=True)
class Moon:
    """Where a moon stands; lengths are shares of the picture's longer side."""

    x: float  # of its middle, from the left
    y: float  # from the top
    radius: float


def find(lab: NDArray[np.float32], *, clean: bool = False) -> Moon | None:
    """The moon of (height, width, 3) CIELAB: a round light blot, alone in a dark upper sky; None where there is none.

    Args:
        lab: the picture.
        clean: whether only an even, nearly colourless disc on an even sky will do, such as `paint` leaves.
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
    whole = min(x, y, light.shape[1] - 1 - x) >= 0.8 * radius  # what is cut off at the rim may be a piece of day
    if not (_SMALLEST <= radius <= _LARGEST and round_ and whole) or (clean and not _even(light, far / radius)):
        return None
    longer = max(light.shape)
    return Moon(x=(x + 0.5) / longer, y=(y + 0.5) / longer, radius=radius / longer)


def _small(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """L of (height, width, 3) CIELAB, its longer side at most 64 pixels."""
    height, width = lab.shape[:2]
    scale = _SIDE / max(height, width)
    light: NDArray[np.float32] = np.ascontiguousarray(lab[..., 0])
    if scale < 1:
        size = (max(8, round(width * scale)), max(8, round(height * scale)))
        light = np.asarray(Image.fromarray(light).resize(size, Image.Resampling.BOX))
    return light


def _even(light: NDArray[np.float32], far: NDArray[np.float32]) -> bool:
    """Whether L is high and even within the disc and lower and even around it; `far` is in radii."""
    face, sky = light[far < 0.7], light[(far > 1.7) & (far < 2.6)]
    if not face.size or not sky.size:
        return False
    clean = face.min() > _CLEAN and face.std() < _FLAT
    return bool(clean and sky.std() < _ROUGH and sky.max() < face.min() - 25.0)


def paint(lab: NDArray[np.float32], moon: Moon) -> NDArray[np.float32]:
    """(height, width, 3) CIELAB with the moon painted over its blot: the sky's own colours, a glow, the disc.

    The sky behind it has the mean colour of what stands around the blot; beyond some three radii nothing changes.
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
    # The blot and its ragged rim give way to the sky; outside of them strokes stay as they are.
    veil = np.clip((2.2 - far) / 0.9, 0.0, 1.0)[..., None]
    sky = part + veil * (behind - part)
    glow = np.exp(-np.maximum(far - 1.0, 0.0) / _REACH) * np.clip((3.2 - far) / 1.6, 0.0, 1.0)
    sky[..., 0] += np.minimum(_GLOW * glow, np.maximum(_FACE[0] - 14.0 - sky[..., 0], 0.0))
    seas = sum(size * np.exp(-((right - a) ** 2 + (down - b) ** 2) / (0.9 * size**2)) / 0.36 for a, b, size in _SEAS)
    face = np.broadcast_to(np.array(_FACE, np.float32), part.shape).copy()
    face[..., 0] -= _DEPTH * np.minimum(seas, 1.2)
    soft = max(1.0, 0.07 * radius)  # pixels over which the rim fades
    disc = np.clip((1.0 - far) * radius / soft + 0.5, 0.0, 1.0)[..., None]
    result = lab.copy()
    result[top : top + part.shape[0], left : left + part.shape[1]] = sky + disc * (face - sky)
    return result
