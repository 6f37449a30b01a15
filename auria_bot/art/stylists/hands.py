"""A painter's hand: how a picture is painted, as it follows from the measures of a painting.

The scale, direction and contrast of strokes, flat areas and outlines are measured on the painting at one size, as the
median over blocks, so that a few strong edges do not count as brushwork. A measure counts by its rank among the
paintings of the bank that ships: a coherence that only a tenth of them exceed is high. Families of hands are no input:
they are names for what comes out.
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
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["FAMILIES", "TYPICAL", "Hand", "HandMeasures", "family_of", "hand_of", "measure_hand", "ranks"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How a painter paints. Lengths are in pixels of a canvas 1080 pixels wide."""

    medium: str = "oil"  # or "woodblock", "ink", "watercolour"
    width: float  # of the finest strokes, 6 to 34
    cover: float  # 0: fine strokes only where broad ones are not near enough; 1: fine strokes everywhere
    length: float  # of the longest strokes, in widths, 1 to 9
    wander: float  # radians by which strokes leave the direction of the forms
    curl: float  # 0: strokes run straight where there are no forms; 1: they curl
    broken: float  # standard deviation of lightness between strokes, 0 to 30 of 255
    tint: float  # standard deviation of hue and chroma between strokes, 0 to 20 of 255
    opacity: float  # 0 to 1
    bristles: float  # 0 even, 1 single hairs
    roundness: float  # of the ends of strokes: 0 as of a knife, 1 as of a dot
    relief: float  # lightness, 0 to 20 of 255, that light on the paint adds or takes
    blend: float  # 0: strokes stand beside each other; 1: they are blended to smooth transitions
    contour: float  # 0 none, 1 strong dark outlines
    flat: float  # 0 forms are modelled, 1 areas of one colour
    weave: float  # visibility of the canvas's or paper's texture, 0 to 1


_PARTS = (0.0, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
_QUANTILES: Mapping[str, tuple[float, ...]] = {
    "finest": (0.0848, 0.303, 0.718, 0.97, 1.29, 1.55, 2.01, 2.88, 4.47),
    "fine": (0.155, 0.491, 1.12, 1.47, 1.85, 2.37, 2.99, 4.05, 5.84),
    "middle": (0.208, 0.619, 1.25, 1.58, 1.98, 2.5, 2.99, 4.17, 5.82),
    "broad": (0.238, 0.715, 1.35, 1.7, 2.09, 2.53, 3.03, 4.09, 5.44),
    "tint": (0.382, 0.784, 1.39, 1.87, 2.33, 2.86, 3.56, 5.45, 10.8),
    "coherence": (0.268, 0.375, 0.429, 0.472, 0.513, 0.553, 0.604, 0.675, 0.792),
    "turning": (0.181, 0.286, 0.352, 0.389, 0.415, 0.441, 0.471, 0.528, 0.575),
    "flat": (0, 0.00102, 0.0269, 0.0707, 0.139, 0.235, 0.356, 0.606, 0.836),
    "outline": (0, 0, 0.0017, 0.00563, 0.0104, 0.0199, 0.0365, 0.0682, 0.166),
    "light": (5.26, 16.8, 27, 32.5, 38.7, 44.7, 50.8, 61.4, 77.6),
    "dark": (0, 0.00151, 0.0445, 0.117, 0.205, 0.346, 0.473, 0.714, 0.971),
    "paper": (0, 0, 0.00015, 0.00199, 0.0109, 0.0268, 0.0718, 0.217, 0.684),
}
"""The quantiles, at _PARTS, of each measure over the 402 paintings that the shipped bank was made from."""

TYPICAL = HandMeasures(**{name: quantiles[_PARTS.index(0.5)] for name, quantiles in _QUANTILES.items()})
"""The medians of the paintings of the shipped bank, for banks without measures."""

FAMILIES = ("dabs", "flowing", "smooth", "knife", "woodblock", "chiaroscuro", "dots")
"""Families of hands: dabs, long flowing strokes, smooth glazes, palette knife, flat areas with drawn outlines, dark
smooth light and shade, dots."""


def ranks(measures: HandMeasures) -> HandMeasures:
    """Each measure's rank among the paintings of the shipped bank, 0 to 1."""
    found = [
        float(np.interp(value, np.maximum.accumulate(np.array(quantiles) + np.arange(9) * 1e-9), _PARTS))
        for value, quantiles in zip(measures.values(), _QUANTILES.values(), strict=True)
    ]
    return HandMeasures.of(np.array(found))


def hand_of(measures: HandMeasures) -> Hand:
    """The hand that paints with the brushwork that was measured."""
    rank = ranks(measures)
    texture, broadness = _texture(rank)
    flow = 0.6 * rank.coherence + 0.6 * (1 - rank.turning)  # 0 to 1.2
    family = family_of(measures)
    length = float(np.clip(1.1 + 6.3 * flow, 1.3, 8.0))
    roundness = float(np.clip(0.6 - 1.2 * max(broadness, 0.0), 0.08, 0.6))
    if family == "dots":
        length, roundness = 1.1, 1.0
    width = 9.5 * np.exp(1.9 * broadness) * (0.55 + 0.45 * min(1.0, 2 * texture))
    if family == "knife":
        width, length, roundness = 1.35 * width, min(length, 3.2), 0.08
    contour = float(np.clip(3 * (rank.outline - 0.78), 0, 0.7) * np.clip(1.6 * rank.coherence, 0, 1))
    if family == "woodblock":
        contour = 0.2 + 0.6 * rank.outline
    return Hand(
        medium="woodblock" if family == "woodblock" else "oil",
        width=float(np.clip(width, 5.5 + 0.4 * length, 34.0)),  # long strokes as fine as Van Gogh's would be hairs here
        cover=float(np.clip(0.4 + 0.7 * texture, 0.45, 1.0)),
        length=length,
        wander=float(np.clip(0.5 - 0.42 * flow, 0.05, 0.5)),
        curl=float(np.clip(flow, 0, 1) ** 2),
        broken=2 + 20 * texture**1.3 * (0.75 if family == "dots" else 1.0),
        tint=2 + 15 * rank.tint * texture,
        opacity=0.84 + 0.13 * texture,
        bristles=0.3 + 0.4 * rank.finest,
        roundness=roundness,
        relief=5 + 14 * rank.finest,
        blend=float(np.clip(0.5 - 1.1 * texture, 0, 0.4)),
        contour=contour,
        flat=rank.flat,
        weave=0.15 + 0.4 * rank.finest,
    )


def _texture(rank: HandMeasures) -> tuple[float, float]:
    """How much texture there is, 0 to 1, and how much more of it is broad than fine, -1 to 1."""
    return (rank.finest + rank.fine + rank.middle) / 3, rank.broad - rank.finest


def family_of(measures: HandMeasures) -> str:
    """The name in FAMILIES for brushwork of these measures: of the first rule that holds.

    The thresholds are ranks. They were set by eye, and tests/unit/art/stylists/test_hands.py names masters whose family
    everybody knows; the card of models/styles says how many of its paintings each family has.
    """
    rank = ranks(measures)
    texture, broadness = _texture(rank)
    printed = rank.flat > 0.45 and rank.outline > 0.7 and rank.light > 0.86
    rules = (
        ("woodblock", printed and rank.finest > 0.6 and rank.coherence > 0.15),
        ("chiaroscuro", texture < 0.3 and rank.dark > 0.66),
        ("smooth", texture < 0.3),
        ("dots", rank.coherence < 0.25 and rank.tint > 0.75 and rank.turning > 0.4),
        ("flowing", rank.turning < 0.3 and rank.finest > 0.35 and rank.tint > 0.4 and broadness < 0.35),
        ("knife", broadness > 0.22),
        ("chiaroscuro", texture < 0.45 and rank.dark > 0.7),
    )
    return next((name for name, holds in rules if holds), "dabs")
