"""Measure the hand of a painting: the scale, direction and contrast of its strokes, its flat areas and its outlines.

Everything is measured on the painting at one size, as the median over blocks, so that a few strong edges do not count as
brushwork.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from auria_bot.art.colour import to_lab
from auria_bot.art.stylists.direction_field import blurred

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TYPICAL", "HandMeasures", "measure_hand"]

_AREA = 540 * 675  # pixels at which a painting is measured
_BLOCK = 24  # pixels a side of a block
_SCALES = (0.8, 1.6, 3.2, 6.4, 12.8)  # deviations in pixels between which the four octaves lie


@dataclass(frozen=True, slots=True, kw_only=True)
class HandMeasures:
    """What was measured of a painting; L is lightness, 0 to 100."""

    finest: float  # contrast of L in the octave of 1 to 2 pixels
    fine: float  # of 2 to 4 pixels
    middle: float  # of 4 to 8 pixels
    broad: float  # of 8 to 16 pixels
    tint: float  # contrast of colour, without L, of 1.6 to 6.4 pixels
    coherence: float  # 0 to 1: how far strokes agree in direction with their neighbours
    turning: float  # radians by which directions turn over 12 pixels
    flat: float  # 0 to 1: share of the area without any texture
    outline: float  # 0 to 1: share of the area in thin dark lines
    light: float  # mean L
    dark: float  # 0 to 1: share of the area with L below 20
    paper: float  # 0 to 1: share of the area that is light and nearly without colour

    @classmethod
    def of(cls, values: NDArray[np.floating]) -> HandMeasures:
        """From numbers in the order of the fields."""
        return cls(**{field.name: float(value) for field, value in zip(fields(cls), values, strict=True)})

    def values(self) -> NDArray[np.float64]:
        """The numbers in the order of the fields."""
        return np.array(astuple(self), np.float64)


TYPICAL = HandMeasures(
    finest=1.29,
    fine=1.85,
    middle=1.98,
    broad=2.09,
    tint=2.33,
    coherence=0.513,
    turning=0.415,
    flat=0.139,
    outline=0.0104,
    light=38.7,
    dark=0.205,
    paper=0.0109,
)
"""The medians of the paintings of the shipped bank, for banks without measures."""


def measure_hand(picture: Image.Image) -> HandMeasures:
    """Measure a painting, RGB of any size and at least 8 pixels a side."""
    scale = min(1.0, (_AREA / (picture.width * picture.height)) ** 0.5)
    size = (max(8, round(picture.width * scale)), max(8, round(picture.height * scale)))
    shown = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    lab = to_lab(np.asarray(shown))
    light = np.ascontiguousarray(lab[..., 0])
    levels = [light, *(blurred(light, deviation) for deviation in _SCALES)]
    octaves = [_contrast(one - other) for one, other in pairwise(levels[1:])]
    tints = [blurred(lab[..., channel], 1.6) - blurred(lab[..., channel], 6.4) for channel in (1, 2)]
    coherence, turning = _directions(levels[1])
    spread = np.sqrt(np.maximum(blurred(light * light, 2.0) - blurred(light, 2.0) ** 2, 0))
    return HandMeasures(
        finest=octaves[0],
        fine=octaves[1],
        middle=octaves[2],
        broad=octaves[3],
        tint=float(np.hypot(_contrast(tints[0]), _contrast(tints[1]))),
        coherence=coherence,
        turning=turning,
        flat=float((spread < 1.3).mean()),
        outline=_outlines(light),
        light=float(light.mean()),
        dark=float((light < 20).mean()),
        paper=float(((light > 78) & (np.hypot(lab[..., 1], lab[..., 2]) < 22)).mean()),
    )


def _contrast(octave: NDArray[np.floating]) -> float:
    """The median over blocks of the standard deviation."""
    height, width = (max(1, side // _BLOCK) for side in octave.shape)
    used = octave[: height * _BLOCK, : width * _BLOCK]
    if min(octave.shape) < _BLOCK:
        return float(octave.std())
    blocks = used.reshape(height, _BLOCK, width, _BLOCK)
    return float(np.median(np.sqrt((blocks.astype(np.float64) ** 2).mean(axis=(1, 3)))))


def _directions(light: NDArray[np.float32]) -> tuple[float, float]:
    """Coherence of directions, and how much they turn, where there is texture."""
    down, right = (np.asarray(np.gradient(light, axis=axis), np.float32) for axis in (0, 1))
    x, y, energy = (blurred(part, 3.0) for part in (right * right - down * down, 2 * right * down, right**2 + down**2))
    textured = energy > np.quantile(energy, 0.3)
    coherence = np.hypot(x, y) / (energy + 0.05)
    if min(light.shape) <= 24:
        return float(coherence.mean()), 0.0
    angle = np.arctan2(y, x)
    turns = [
        np.abs((angle[12:, :] - angle[:-12, :] + np.pi) % (2 * np.pi) - np.pi)[:, :-12] / 2,
        np.abs((angle[:, 12:] - angle[:, :-12] + np.pi) % (2 * np.pi) - np.pi)[:-12, :] / 2,
    ]
    inner = textured[:-12, :-12]
    if not inner.any():
        return float(coherence.mean()), 0.0
    weight = coherence[:-12, :-12] * inner + 1e-6
    return float(np.mean(coherence[textured])), float(((turns[0] + turns[1]) / 2 * weight).sum() / weight.sum())


def _outlines(light: NDArray[np.float32]) -> float:
    """The share of thin lines that are much darker than both sides, less those that are lighter."""
    picture = Image.fromarray(np.clip(light * 2.55, 0, 255).astype(np.uint8))
    closed = picture.filter(ImageFilter.MaxFilter(7)).filter(ImageFilter.MinFilter(7))
    opened = picture.filter(ImageFilter.MinFilter(7)).filter(ImageFilter.MaxFilter(7))
    given = np.asarray(picture, np.int16)
    darker, lighter = np.asarray(closed, np.int16) - given, given - np.asarray(opened, np.int16)
    return float(max((darker > 40).mean() - 0.6 * (lighter > 40).mean(), 0.0))
