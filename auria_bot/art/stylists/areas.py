"""Divide a picture into areas of one colour with smooth borders, at any size; and the textures of paper.

Areas are found on a small picture. Their borders are those of blurred masks, enlarged band by band, so that they are as
smooth and as sharp on a large canvas as on a small one, and memory is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from auria_bot.art.pictures import at_most

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["AreaBand", "Areas", "bands", "clouds", "enlarged_rows", "grain"]

_STUDY = 400  # pixels of the longer side at which areas are found
_BAND_PIXELS = 700_000  # of the canvas that are worked on at a time
_TILE = 256  # pixels a side of the tile that grain repeats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaBand:
    """Some rows of a canvas."""

    area: NDArray[np.uint8]  # (rows, width) index of the area's colour
    other: NDArray[np.uint8]  # (rows, width) index of the nearest other one; of no meaning far from any border
    distance: NDArray[np.float32]  # (rows, width) pixels of the canvas to the border with it, about


class Areas:
    """The areas of a picture.

    Args:
        picture: RGB.
        size: (width, height) of the canvas.
        count: most colours, 2 to 32.
        smoothing: pixels of a canvas 1080 wide below which forms are rounded off.
        ragged: 0 to 1: how uneven borders are.
    """

    def __init__(
        self,
        picture: Image.Image,
        size: tuple[int, int],
        *,
        count: int,
        smoothing: float,
        ragged: float,
        chance: np.random.Generator,
    ) -> None:
        small = at_most(size, _STUDY)
        shown = picture.convert("RGB").resize(small, Image.Resampling.LANCZOS)
        for _ in range(3):
            shown = shown.filter(ImageFilter.MedianFilter(5))
        radius = max(0.8, smoothing * small[0] / 1080)
        labels = shown.quantize(count, Image.Quantize.MEDIANCUT, kmeans=3, dither=Image.Dither.NONE)
        labels = Image.fromarray(np.asarray(labels, np.uint8)).filter(ImageFilter.ModeFilter(2 * round(radius) + 3))
        index = np.asarray(labels)
        values = np.asarray(shown, np.float32)
        used = np.unique(index)
        self.colours = np.stack([values[index == each].mean(0) for each in used])  # (areas, 3), 0 to 255
        self.size, self._deviation = size, 1.3 * radius
        self._masks, blur = [], ImageFilter.GaussianBlur(self._deviation)
        for each in used:
            mask = Image.fromarray((index == each).astype(np.uint8) * 255).filter(blur)
            if ragged:
                uneven = np.asarray(mask, np.float32) + 60 * ragged * clouds(small, 9, chance)
                mask = Image.fromarray(np.clip(uneven, 0, 255).astype(np.uint8))
            self._masks.append(mask)

    def band(self, top: int, end: int) -> AreaBand:
        """The areas of the canvas's rows from `top` to `end`."""
        area = other = second = np.zeros((end - top, self.size[0]), np.uint8)
        first = np.asarray(enlarged_rows(self._masks[0], self.size, top, end))
        for number, mask in enumerate(self._masks[1:], start=1):
            value = np.asarray(enlarged_rows(mask, self.size, top, end))
            above = value > first
            between = ~above & (value > second)
            other = np.where(above, area, np.where(between, np.uint8(number), other))
            second = np.where(above, first, np.where(between, value, second))
            area, first = np.where(above, np.uint8(number), area), np.where(above, value, first)
        pixels = self._deviation * self.size[0] / self._masks[0].width  # of the blur, on the canvas
        distance = (first.astype(np.float32) - second) * np.float32(pixels * 1.25 / 255)
        return AreaBand(area=area, other=other, distance=distance)


def bands(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The rows of a canvas, some at a time: (first, end)."""
    rows = max(16, _BAND_PIXELS // size[0])
    for top in range(0, size[1], rows):
        yield top, min(size[1], top + rows)


def enlarged_rows(picture: Image.Image, size: tuple[int, int], top: int, end: int) -> Image.Image:
    """Rows `top` to `end` of a picture enlarged to `size`."""
    scale = picture.height / size[1]
    box = (0, top * scale, picture.width, end * scale)
    return picture.resize((size[0], end - top), Image.Resampling.BICUBIC, box=box)


def clouds(size: tuple[int, int], cells: float, chance: np.random.Generator) -> NDArray[np.float32]:
    """Smooth noise of deviation about 1, (height, width): `cells` of the longer side and two finer octaves."""
    total = np.zeros((size[1], size[0]), np.float32)
    for octave, share in ((1, 1.0), (2, 0.55), (4, 0.3)):
        few = tuple(max(2, round(cells * octave * side / max(size))) for side in size)
        coarse = Image.fromarray(chance.standard_normal((few[1], few[0])).astype(np.float32))
        total += share * np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.float32)
    return total


def grain(rows: tuple[int, int], width: int, scale: float, seed: int) -> NDArray[np.float32]:
    """The tooth of paper for some rows of a canvas, deviation about 1; its lumps are as large as the canvas's scale."""
    chance = np.random.default_rng(seed)
    tile = chance.standard_normal((_TILE, _TILE)).astype(np.float32)
    smooth = tile + np.roll(tile, 1, 0) + np.roll(tile, 1, 1) + np.roll(tile, (1, 1), (0, 1))
    smooth = 0.42 * smooth + 0.55 * np.roll(smooth, 2, 0) * np.roll(smooth, 3, 1) / 4
    step = max(1.0, scale)
    y, x = np.arange(*rows) / step, np.arange(width) / step
    low_y, low_x = y.astype(int), x.astype(int)
    part_y, part_x = (y - low_y).astype(np.float32)[:, None], (x - low_x).astype(np.float32)[None]
    columns = smooth[:, low_x % _TILE] * (1 - part_x) + smooth[:, (low_x + 1) % _TILE] * part_x
    found: NDArray[np.float32] = columns[low_y % _TILE] * (1 - part_y) + columns[(low_y + 1) % _TILE] * part_y
    return found
