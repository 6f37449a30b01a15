"""A painter's hand: everything that decides how a picture is painted, as it follows from the measures of a painting.

A measure counts by its rank among the paintings of the bank that ships: a coherence that only a tenth of them exceed is
high. Families of hands are no input: they are names for what comes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.stylists.hand_measures import HandMeasures

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAMILIES", "Hand", "family_of", "hand_of", "ranks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How a painter paints. Lengths are in pixels of a canvas 1080 pixels wide."""

    medium: str = "oil"  # or "woodblock", "ink", "watercolour"
    width: float  # of the finest strokes, 6 to 34
    coarse: float = 3.2  # width of the broadest strokes, in widths of the finest
    cover: float  # 0: fine strokes only where broad ones are not near enough; 1: fine strokes everywhere
    length: float  # of the longest strokes, in widths, 1 to 9
    wander: float  # radians by which strokes leave the direction of the forms
    curl: float  # 0: strokes run straight where there are no forms; 1: they curl
    broken: float  # standard deviation of lightness between strokes, 0 to 30 of 255
    tint: float  # standard deviation of hue and chroma between strokes, 0 to 20 of 255
    opacity: float  # 0 to 1
    dryness: float = 0.5  # share of the paint that is gone at the end of a stroke
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

FAMILIES = ("dabs", "flowing", "smooth", "knife", "woodblock", "chiaroscuro", "dots")
"""Families of hands: dabs, long flowing strokes, smooth glazes, palette knife, flat areas with drawn outlines, dark smooth
light and shade, dots."""


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
    texture = (rank.finest + rank.fine + rank.middle) / 3
    broadness = rank.broad - rank.finest  # -1 to 1
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
        relief=3 + 14 * rank.finest,
        blend=float(np.clip(0.5 - 1.1 * texture, 0, 0.4)),
        contour=contour,
        flat=rank.flat,
        weave=0.15 + 0.4 * rank.finest,
    )


def family_of(measures: HandMeasures) -> str:
    """The name in FAMILIES for brushwork of these measures."""
    rank = ranks(measures)
    texture = (rank.finest + rank.fine + rank.middle) / 3
    broadness = rank.broad - rank.finest
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
