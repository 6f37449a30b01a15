"""Brushes: footprints of strokes with bristles, ragged ends and paint that runs out, turned to any direction.

A footprint is drawn once, pointing to the right, and turned by an affine transform into a window tight as the stroke.
Long strokes of large canvases are turned piece by piece, because most of a long diagonal's window is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Footprint = tuple[Image.Image, int, int]  # mask, left and top relative to the stroke's centre

__all__ = ["ANGLES", "BENDS", "LENGTHS", "VARIANTS", "Brush", "Tuft"]

ANGLES = 40  # directions in which a footprint is turned
VARIANTS = 3  # footprints of one shape that differ in their bristles
LENGTHS = (1.0, 1.5, 2.2, 3.2, 4.6, 6.5, 9.0)  # of footprints, in widths
BENDS = (-1.1, -0.5, 0.0, 0.5, 1.1)  # turns of the direction over a footprint, in radians
_PIECE = 256  # pixels a side of the pieces in which large footprints are turned
_KEPT = 320_000_000  # bytes of turned footprints that a brush keeps
_HAIR = 2.6  # pixels of a bristle on a canvas of the size that is posted
_FINEST_HAIR = 6.0  # pixels of a bristle above which it is split into finer ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuft:
    """What a brush is made of."""

    opacity: float  # 0 to 1
    dryness: float  # share of the paint that is gone at the end of a stroke
    bristles: float  # 0 even, 1 single hairs
    roundness: float  # of the ends: 0 flat as of a flat brush or knife, 1 round as a dot


class Brush:
    """Footprints of one width.

    Args:
        width: of the stroke in pixels.
        scale: pixels of the canvas for one of the canvas that is posted.
    """

    def __init__(self, width: float, tuft: Tuft, scale: float) -> None:
        self._width, self._tuft, self._scale = width, tuft, scale
        self._straight: dict[tuple[int, int, int], Image.Image] = {}
        self._turned: dict[tuple[int, int, int, int], tuple[Footprint, ...]] = {}
        self._bytes = 0

    def footprints(self, length: int, bend: int, angle: int, variant: int) -> Iterable[Footprint]:
        """The stroke's mask, in one window or in several.

        Args:
            length: index into LENGTHS.
            bend: index into BENDS.
            angle: of ANGLES around the circle.
            variant: of VARIANTS.
        """
        key = (length, bend, angle, variant)
        if (kept := self._turned.get(key)) is not None:
            return kept
        shape = (length, bend, variant)
        straight = self._straight.get(shape)
        if straight is None:
            straight = self._straight[shape] = self._drawn(LENGTHS[length], BENDS[bend], shape)
        turn = 2 * np.pi * angle / ANGLES
        cos, sin = float(np.cos(turn)), float(np.sin(turn))
        half = (
            int((abs(straight.width * cos) + abs(straight.height * sin)) / 2) + 1,
            int((abs(straight.width * sin) + abs(straight.height * cos)) / 2) + 1,
        )
        if max(half) > _PIECE:
            return _pieces(straight, cos, sin, half)
        window = _turned(straight, cos, sin, (-half[0], -half[1], half[0], half[1]))
        box = window.getbbox() or (0, 0, 1, 1)
        self._bytes += (box[2] - box[0]) * (box[3] - box[1])
        if self._bytes > _KEPT:
            self._turned.clear()
            self._bytes = 0
        self._turned[key] = ((window.crop(box), box[0] - half[0], box[1] - half[1]),)
        return self._turned[key]

    def _drawn(self, elongation: float, bend: float, seed: tuple[int, int, int]) -> Image.Image:
        """A footprint that points to the right: how much paint it leaves."""
        width, tuft, chance = self._width, self._tuft, np.random.default_rng(seed)
        length = max(1.0, width * elongation)
        sagitta = bend * length / 8
        rows, columns = int(1.25 * width + abs(sagitta) + 4), int(1.06 * length + 4)
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        x = (x - (columns - 1) / 2) / (length / 2)  # -1 to 1 along the stroke
        across = (y - (rows - 1) / 2 - sagitta * (0.5 - x * x)) / (width / 2)  # -1 to 1
        travelled = np.clip((x + 1) / 2, 0, 1)
        pressure = 1 - 0.16 * (1 - np.sin(np.pi * np.clip(0.12 + 0.8 * travelled, 0, 1)))
        pressure += 0.08 * _waves(chance, travelled, 3)
        across = across / pressure
        hairs = max(3, round(width / self._scale / _HAIR))
        strand = np.clip((across + 1.3) / 2.6 * hairs, 0, hairs)
        hair, end = _interpolated(chance.standard_normal(hairs + 2), strand), _ends(chance, hairs, strand)
        if width / hairs > _FINEST_HAIR:
            finer = round(hairs * width / hairs / (0.5 * _FINEST_HAIR))
            hair += 0.6 * _interpolated(chance.standard_normal(finer + 2), strand * (finer / hairs))
        round_end = np.sqrt(np.clip(1 - across * across, 0, 1))  # 1 in the middle, 0 at the sides
        rounding = tuft.roundness * (1 - round_end) * min(1.0, 1.0 / elongation)
        ragged = (1 - 0.7 * tuft.roundness) / max(1.0, elongation / 1.5)
        soft = max(1.3, 0.9 * self._scale) / (length / 2)
        start = -1 + rounding + 0.08 * ragged * np.abs(end)
        stop = 1 - rounding - 0.3 * ragged * np.abs(end) - 0.12 * ragged * np.clip(hair, 0, 2)
        inside = np.clip((x - start) / soft + 0.5, 0, 1) * np.clip((stop - x) / (1.6 * soft) + 0.5, 0, 1)
        side = max(1.2, 0.8 * self._scale)
        inside *= np.clip((1 - np.abs(across) + 0.05 * tuft.bristles * hair) * width / 2 / side, 0, 1)
        coarse = chance.standard_normal((rows, max(3, int(columns / (0.8 * width)) + 3)))
        grain = _interpolated(coarse, np.linspace(0, coarse.shape[1] - 1.01, columns))
        paint = 1.3 - tuft.dryness * travelled**1.6
        paint = paint + tuft.bristles * (0.42 * hair + 0.2 * grain) * (0.45 + 0.55 * travelled)
        mask = inside * np.clip(paint, 0, 1) * tuft.opacity
        return Image.fromarray((np.clip(mask, 0, 1) * 255).astype(np.uint8))


def _pieces(straight: Image.Image, cos: float, sin: float, half: tuple[int, int]) -> Iterator[Footprint]:
    """The parts of a turned footprint that are not empty."""
    reach = 0.71 * _PIECE
    for top in range(-half[1], half[1], _PIECE):
        for left in range(-half[0], half[0], _PIECE):
            x, y = left + _PIECE / 2, top + _PIECE / 2
            along, across = abs(x * cos + y * sin), abs(y * cos - x * sin)
            if along < straight.width / 2 + reach and across < straight.height / 2 + reach:
                piece = _turned(straight, cos, sin, (left, top, left + _PIECE, top + _PIECE))
                if box := piece.getbbox():
                    yield piece.crop(box), left + box[0], top + box[1]


def _turned(straight: Image.Image, cos: float, sin: float, box: tuple[int, int, int, int]) -> Image.Image:
    """The part of a turned footprint that lies in a box around its centre."""
    left, top, right, bottom = box
    across = cos * left + sin * top + straight.width / 2
    down = cos * top - sin * left + straight.height / 2
    matrix = (cos, sin, across, -sin, cos, down)
    return straight.transform((right - left, bottom - top), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def _ends(chance: np.random.Generator, hairs: int, strand: NDArray[np.floating]) -> NDArray[np.float64]:
    """How far each hair's end is behind the others, smooth across the brush."""
    smooth = np.convolve(chance.standard_normal(hairs + 4), np.ones(3) / 1.8, "valid")
    return _interpolated(smooth, strand)


def _waves(chance: np.random.Generator, along: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    """Slow waves of mean 0 along a stroke."""
    phases = chance.uniform(0, 2 * np.pi, count)
    found: NDArray[np.float64] = sum(
        (np.sin(2 * np.pi * (number + 1) * 0.7 * along + phases[number]) / (number + 1) for number in range(count)),
        start=np.zeros(along.shape),
    )
    return found


def _interpolated(values: NDArray[np.float64], at: NDArray[np.floating]) -> NDArray[np.float64]:
    """Values at places of the last axis, linearly."""
    low = np.clip(at.astype(int), 0, values.shape[-1] - 2)
    part = at - low
    found: NDArray[np.float64] = values[..., low] * (1 - part) + values[..., low + 1] * part
    return found
