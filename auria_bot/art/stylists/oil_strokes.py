"""Paint a picture anew with oil strokes: layers from wide to narrow brushes over a toned ground, with relief.

A later layer paints only where what is there differs from the picture at the layer's own scale. Strokes follow the
structure tensor of two scales, the larger one where the smaller has no direction, bend with it, and end where the
colour changes. Each is a footprint with ragged ends, bristles and paint that runs out, rotated once and pasted by
Pillow. The same footprints build up a height map, over which light from the upper left gives relief. Widths grow with
the canvas, so a large picture shows the same strokes larger and as sharp.

Hertzmann, "Painterly rendering with curved brush strokes of multiple sizes", 1998; Litwinowicz, "Processing images and
video for an impressionist effect", 1997.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HANDS", "Hand", "hand_for", "paint"]

_CANVAS = 1080  # pixels of the width that the brushes' widths are given for
_STUDY = 540  # pixels of the longer side at which the picture is measured
_ANGLES = 32  # directions in which a footprint is rotated
_VARIANTS = 3  # footprints of one shape that differ in their bristles
_LENGTHS = (1.3, 2.2, 3.6, 5.5, 8.0)  # lengths of footprints, in widths
_BENDS = (-1.0, -0.45, 0.0, 0.45, 1.0)  # curvatures of footprints
_BEND_ANGLES = (-0.8, -0.36, 0.0, 0.36, 0.8)  # turn of the direction, in radians, that each stands for
_SHARPEST_TURN = 1.2  # radians over a stroke beyond which the field has a fold, and the stroke stays straight
_COLOUR_CHANGE = 60.0  # summed difference of RGB, 0 to 765, at which a stroke ends
_LUMINANCE = np.array([0.3, 0.59, 0.11], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How a painter paints."""

    widths: tuple[float, ...]  # of the brushes, widest first; pixels on a canvas 1080 wide
    tolerance: tuple[
        float, ...
    ]  # summed difference of RGB that each layer leaves as it is; the first covers everything
    length: float  # of the longest strokes, in widths
    spacing: float  # of strokes, in widths
    wander: float  # radians by which strokes leave the direction of the forms
    bend: float  # 0 straight, 1 as the forms bend
    broken: float  # standard deviation of the colour between strokes, 0 to 255
    opacity: float  # 0 to 1
    dryness: float  # share of the paint that is gone at the end of a stroke
    bristles: float  # 0 even, 1 single hairs
    relief: float  # lightness, 0 to 255, that light adds or takes


HANDS = {
    "long": Hand(
        widths=(64, 36, 20),
        tolerance=(0, 34, 40),
        length=7.0,
        spacing=0.6,
        wander=0.1,
        bend=1.0,
        broken=7.0,
        opacity=0.95,
        dryness=0.6,
        bristles=0.5,
        relief=11.0,
    ),
    "dabs": Hand(
        widths=(56, 34, 21, 14),
        tolerance=(0, 30, 32, 38),
        length=2.2,
        spacing=0.62,
        wander=0.45,
        bend=0.5,
        broken=9.0,
        opacity=0.95,
        dryness=0.4,
        bristles=0.5,
        relief=9.0,
    ),
    "smooth": Hand(
        widths=(90, 46, 24, 12),
        tolerance=(0, 20, 24, 30),
        length=3.2,
        spacing=0.55,
        wander=0.2,
        bend=0.8,
        broken=2.5,
        opacity=0.75,
        dryness=0.3,
        bristles=0.25,
        relief=3.0,
    ),
    "bold": Hand(
        widths=(96, 58, 34, 20),
        tolerance=(0, 28, 34, 42),
        length=2.8,
        spacing=0.55,
        wander=0.2,
        bend=0.4,
        broken=8.0,
        opacity=0.97,
        dryness=0.7,
        bristles=0.6,
        relief=12.0,
    ),
}
"""Long flowing strokes, dabs, smooth glazes, and a broad brush."""

_SMOOTH_CONTRAST = 26.0  # standard deviation of luminance below which a picture is painted smoothly
_FLOWING = 0.62  # mean coherence of direction from which strokes are long
_BROAD = 0.5  # below it, forms are broken up and painted in dabs


def hand_for(picture: Image.Image) -> str:
    """The hand that suits a picture: a name of HANDS.

    Smooth where there is little contrast, long strokes where forms flow, dabs where they do not, else a broad brush.
    """
    light = _study(picture, _study_size(picture.size)) @ _LUMINANCE
    if float(light.std()) < _SMOOTH_CONTRAST:
        return "smooth"
    _, coherence = _directions(light, fine=2.0, coarse=10.0)
    flow = float(coherence.mean())
    return "long" if flow >= _FLOWING else "dabs" if flow < _BROAD else "bold"


def paint(picture: Image.Image, size: tuple[int, int], hand: Hand, *, seed: int) -> Image.Image:
    """Paint a picture on a canvas of a size.

    Args:
        picture: RGB, of about the canvas's proportions.
        size: (width, height) in pixels.
        hand: how to paint.
        seed: the same seed gives the same bytes.
    """
    chance = np.random.default_rng(seed)
    study = _study(picture, _study_size(size))
    ground = np.clip(0.55 * study.mean((0, 1)) + 0.45 * np.array([150, 110, 70]), 0, 255).astype(int)
    canvas = Image.new("RGB", size, tuple(ground.tolist()))
    height = Image.new("L", size, 90)
    for number, (width, tolerance) in enumerate(zip(hand.widths, hand.tolerance, strict=True)):
        wide = max(2.0, width * size[0] / _CANVAS)
        _paint_layer(canvas, height, study, hand, wide, tolerance if number else None, chance)
    return _lit(canvas, height, hand.relief, size[0] / _CANVAS)


def _study_size(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, _STUDY / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _study(picture: Image.Image, size: tuple[int, int]) -> NDArray[np.float32]:
    """The picture as it is measured: (height, width, 3), 0 to 255."""
    return np.asarray(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS), np.float32)


def _paint_layer(
    canvas: Image.Image,
    height: Image.Image,
    study: NDArray[np.float32],
    hand: Hand,
    width: float,
    tolerance: float | None,
    chance: np.random.Generator,
) -> None:
    """Paint one layer of strokes; `width` in pixels of the canvas, `tolerance` None to cover everything."""
    scale = study.shape[1] / canvas.width
    fine = width * scale
    target = np.stack([_blurred(study[..., channel], max(0.4, 0.28 * fine)) for channel in range(3)], -1)
    angles, coherence = _directions(target @ _LUMINANCE, fine=max(1.2, 0.5 * fine), coarse=max(4.0, 2.5 * fine))
    places = _places(canvas.size, max(1.5, width * hand.spacing), chance)
    limit = np.array([study.shape[1] - 1, study.shape[0] - 1])
    at = np.clip(places * scale, 0, limit)
    if tolerance is not None:
        now = np.asarray(canvas.resize((study.shape[1], study.shape[0]), Image.Resampling.BOX), np.float32)
        error = _blurred(np.abs(now - target).sum(-1), max(0.6, 0.5 * fine))
        kept = error[_index(at)] > tolerance
        places, at = places[kept], at[kept]
    count = len(at)
    if not count:
        return
    wander = chance.normal(0, hand.wander, count) * (1.6 - coherence[_index(at)])
    direction: NDArray[np.float64] = np.float64(angles[_index(at)]) + wander + np.pi * chance.integers(0, 2, count)
    half = 0.5 * hand.length * fine
    turn = _turn(angles, at, direction, 0.6 * half) * hand.bend * np.clip(1.5 * coherence[_index(at)], 0, 1)
    bends = np.clip(np.round(np.interp(turn, _BEND_ANGLES, range(len(_BENDS)))), 0, len(_BENDS) - 1).astype(int)
    reach = _reach(target, at, direction, half)
    wanted = np.minimum(np.maximum(2 * reach / max(fine, 0.1), 1.2) * chance.uniform(0.75, 1.1, count), hand.length)
    lengths = np.argmin(np.abs(np.log(wanted[:, None] / np.array(_LENGTHS)[None])), 1)
    turned = np.round(direction / (2 * np.pi) * _ANGLES).astype(int) % _ANGLES
    variants = chance.integers(0, _VARIANTS, count)
    colours = _broken(target[_index(at)], hand.broken, chance)
    brush = _Footprints(width, hand, chance)
    corners = places.astype(int).tolist()
    strokes = zip(corners, colours, lengths.tolist(), bends.tolist(), turned.tolist(), variants.tolist(), strict=True)
    for (x, y), colour, length, bend, angle, variant in strokes:
        mask, ridges, left, top = brush.footprint(length, bend, angle, variant)
        corner = (x - left, y - top)
        canvas.paste(tuple(colour), (*corner, corner[0] + mask.width, corner[1] + mask.height), mask)
        height.paste(ridges, corner, mask)


def _places(size: tuple[int, int], step: float, chance: np.random.Generator) -> NDArray[np.float64]:
    """(strokes, 2) centres on a jittered grid, in random order."""
    ys, xs = np.mgrid[0 : size[1] + step : step, 0 : size[0] + step : step]
    places = np.stack([xs.ravel(), ys.ravel()], 1) + chance.uniform(-0.6 * step, 0.6 * step, (xs.size, 2))
    chance.shuffle(places)
    clipped: NDArray[np.float64] = np.clip(places, 0, np.array(size) - 1)
    return clipped


def _broken(base: NDArray[np.float32], broken: float, chance: np.random.Generator) -> list[list[int]]:
    """The colours of strokes: those of the picture, varied, in the dark less than in the light."""
    spread = broken * (0.3 + 0.7 * (base @ _LUMINANCE)[:, None] / 255)
    varied = base + spread * (chance.normal(0, 1, (len(base), 1)) + 0.6 * chance.normal(0, 1, base.shape))
    colours: list[list[int]] = np.clip(varied, 0, 255).astype(int).tolist()
    return colours


def _index(at: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return at[:, 1].astype(np.int64), at[:, 0].astype(np.int64)


def _along(
    shape: tuple[int, ...], at: NDArray[np.float64], direction: NDArray[np.float64], distance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pixels so far ahead of each place."""
    ahead = at + distance * np.stack([np.cos(direction), np.sin(direction)], 1)
    return _index(np.clip(ahead, 0, np.array([shape[1] - 1, shape[0] - 1])))


def _turn(
    angles: NDArray[np.float32], at: NDArray[np.float64], direction: NDArray[np.float64], distance: float
) -> NDArray[np.float64]:
    """(strokes,) radians by which the field turns over a stroke; 0 where it folds."""

    def difference(where: float) -> NDArray[np.float64]:
        found = angles[_along(angles.shape, at, direction, where)] - direction
        wrapped: NDArray[np.float64] = (found + np.pi / 2) % np.pi - np.pi / 2
        return wrapped

    turn = (difference(distance) - difference(-distance)) / 2
    return np.where(np.abs(turn) > _SHARPEST_TURN, 0.0, turn)


def _reach(
    target: NDArray[np.float32], at: NDArray[np.float64], direction: NDArray[np.float64], half: float
) -> NDArray[np.float64]:
    """(strokes,) pixels to both sides within which the colour stays."""
    base = target[_index(at)]
    inside, reach = np.ones(len(at), bool), np.zeros(len(at))
    for distance in np.linspace(0.25, 1.0, 6) * half:
        for side in (1, -1):
            found = target[_along(target.shape, at, direction, side * distance)]
            inside &= np.abs(found - base).sum(-1) < _COLOUR_CHANGE
        reach = np.where(inside, distance, reach)
    return reach


def _directions(
    light: NDArray[np.float32], *, fine: float, coarse: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The direction of forms in radians and its coherence, 0 to 1, of luminance (height, width), by two scales."""
    if min(light.shape) < 2:
        return np.zeros_like(light), np.zeros_like(light)
    down, right = (np.asarray(np.gradient(light, axis=axis), np.float32) for axis in (0, 1))
    small, large = (
        [_blurred(product, deviation) for product in (right * right, down * down, right * down)]
        for deviation in (fine, coarse)
    )
    coherence = np.sqrt((small[0] - small[1]) ** 2 + 4 * small[2] ** 2) / (small[0] + small[1] + 0.5)
    share = coherence**2
    xx, yy, xy = (share * a + 0.6 * (1 - share) * b for a, b in zip(small, large, strict=True))
    angles = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    return angles.astype(np.float32), coherence.astype(np.float32)


def _blurred(values: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    """Three box blurs, near a Gaussian of that deviation; (height, width)."""
    radius = int(np.sqrt(4 * deviation**2 + 1)) // 2
    if radius < 1:
        return values
    width = 2 * radius + 1
    for _ in range(3):
        for axis in (0, 1):
            padding = [(radius + 1, radius) if number == axis else (0, 0) for number in (0, 1)]
            sums = np.cumsum(np.pad(values, padding, mode="edge"), axis, dtype=np.float64)
            size = values.shape[axis]
            upper, lower = np.arange(width, width + size), np.arange(size)
            values = ((sums.take(upper, axis) - sums.take(lower, axis)) / width).astype(np.float32)
    return values


def _lit(canvas: Image.Image, height: Image.Image, relief: float, scale: float) -> Image.Image:
    """The canvas with light from the upper left over its relief."""
    values = np.asarray(canvas, np.float32)
    if min(canvas.size) < 2:
        return canvas
    down, right = np.gradient(_blurred(np.asarray(height, np.float32), max(1.0, 0.9 * scale)))
    light = relief * np.tanh(-(down + right) * scale / 20)
    return Image.fromarray(np.clip(values + light[..., None], 0, 255).astype(np.uint8))


class _Footprints:
    """The footprints of one width, each made and rotated when it is first needed."""

    def __init__(self, width: float, hand: Hand, chance: np.random.Generator) -> None:
        self._width, self._hand, self._chance = width, hand, chance
        self._straight: dict[tuple[int, int, int], tuple[Image.Image, Image.Image]] = {}
        self._turned: dict[tuple[int, int, int, int], tuple[Image.Image, Image.Image, int, int]] = {}

    def footprint(self, length: int, bend: int, angle: int, variant: int) -> tuple[Image.Image, Image.Image, int, int]:
        """The mask and the ridges of a stroke, as tight as they can be, and where its centre is in them."""
        key = (length, bend, angle, variant)
        if key not in self._turned:
            if key[:2] + key[3:] not in self._straight:
                self._straight[length, bend, variant] = self._made(_LENGTHS[length], _BENDS[bend])
            mask, ridges = (
                image.rotate(-angle * 360 / _ANGLES, Image.Resampling.BILINEAR, expand=True)
                for image in self._straight[length, bend, variant]
            )
            box = mask.getbbox() or (0, 0, 1, 1)
            centre = round(mask.width / 2 - box[0]), round(mask.height / 2 - box[1])
            self._turned[key] = (mask.crop(box), ridges.crop(box), *centre)
        return self._turned[key]

    def _made(self, elongation: float, bend: float) -> tuple[Image.Image, Image.Image]:
        """A footprint that points to the right: how much paint it leaves, and how high."""
        width, hand, chance = self._width, self._hand, self._chance
        length = width * elongation
        sagitta = 0.22 * bend * length
        rows, columns = int(1.3 * width + abs(sagitta) + 4), int(length + 0.7 * width + 4)
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        x = (x - columns / 2) / (length / 2)  # -1 to 1 along the stroke
        across = (y - rows / 2 - sagitta * (0.5 - x * x)) / (width / 2)  # -1 to 1
        hairs = max(4, int(width / 2.6))
        strand = np.clip((across + 1.2) / 2.4 * (hairs + 2), 0, hairs + 2.99)
        hair = _interpolated(chance.standard_normal(hairs + 4), strand)
        end = _interpolated(np.convolve(chance.standard_normal(hairs + 4), np.ones(3) / 3, "same"), strand)
        start = -1 + (0.2 * across * across + 0.12 * end) / elongation
        stop = 1 - 0.5 * across * across / elongation + 0.125 * end / max(1.0, elongation / 2)
        soft = 1.6 / (length / 2)
        inside = np.clip((x - start) / soft / 2, 0, 1) * np.clip((stop - x) / soft / 3, 0, 1)
        inside *= np.clip((1 - np.abs(across) + 0.1 * hair) * width / 2.8, 0, 1)
        grain = chance.standard_normal((rows, max(2, int(columns / (0.9 * width)) + 2)))
        grained = _stretched(grain, columns)
        travelled = np.clip((x + 1) / 2, 0, 1)
        load = 1.25 - hand.dryness * travelled**2
        paint = load + hand.bristles * (0.45 * hair + 0.25 * grained) * (0.4 + 0.6 * travelled)
        mask = inside * np.clip(paint, 0, 1) * hand.opacity
        rim = 0.35 * np.exp(-(((np.abs(across) - 0.85) / 0.18) ** 2)) + 0.25 * np.clip((x - stop + 0.2) * 3, 0, 1)
        ridges = np.clip(0.45 + 0.16 * hair + 0.1 * grained + rim, 0, 1)
        return _grey(mask), _grey(ridges)


def _interpolated(values: NDArray[np.float64], at: NDArray[np.float32]) -> NDArray[np.float64]:
    low = np.minimum(at.astype(int), len(values) - 2)
    part = at - low
    found: NDArray[np.float64] = values[low] * (1 - part) + values[low + 1] * part
    return found


def _stretched(values: NDArray[np.float64], columns: int) -> NDArray[np.float64]:
    """(rows, few) to (rows, columns), linearly."""
    at = np.linspace(0, values.shape[1] - 1.01, columns)
    low = at.astype(int)
    found: NDArray[np.float64] = values[:, low] * (1 - (at - low)) + values[:, low + 1] * (at - low)
    return found


def _grey(values: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))
