"""Paint a picture anew with oil strokes: layers from wide to narrow brushes over a toned ground, with relief.

A later layer paints only where what is there differs from the picture at the layer's own scale, or everywhere, as the
hand has it. Strokes follow the direction of forms, bend with it, and end where the colour changes, on either side by
itself. Each is a footprint pasted by Pillow onto a canvas of four channels: the colour and the height of the paint,
over which light from the upper left gives relief at the end.

Hertzmann, "Painterly rendering with curved brush strokes of multiple sizes", 1998; Litwinowicz, "Processing images and
video for an impressionist effect", 1997.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image, ImageFilter

from auria_bot.art.pictures import at_most
from auria_bot.art.stylists.areas import enlarged_rows, grain
from auria_bot.art.stylists.brushes import ANGLES, BENDS, LENGTHS, VARIANTS, Brush, Tuft
from auria_bot.art.stylists.direction_field import LUMINANCE, DirectionField, blurred, measure_directions

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from auria_bot.art.stylists.hands import Hand

__all__ = ["OnLayer", "paint"]

OnLayer: TypeAlias = "Callable[[Image.Image, int, int], None]"
"""Takes what a canvas looks like after a layer, the layer's number from 1, and how many there are."""

_CANVAS = 1080  # pixels of the width that a hand's lengths are given for
_SHOWN = 900  # pixels of the longer side of a layer that is shown
_STUDY = 540  # pixels of the longer side at which the picture is measured
_LAYERS = 3  # of brushes, from the broadest to the finest
_BROADEST = 3.2  # width of the broadest strokes, in widths of the finest
_DRYNESS = 0.5  # share of the paint that is gone at the end of a stroke
_SPACING = 0.62  # of strokes, in widths, across them
_SHARPEST_TURN = 1.5  # radians over a stroke beyond which the field has a fold, and the stroke stays straight
_COLOUR_CHANGE = 42.0  # summed difference of RGB, 0 to 765, at which a stroke ends
_OUTLINED = 3.0  # pixels of the study below which forms get no outline
_OUTLINE_COHERENCE = 0.55  # of directions, below which an edge gets none
_CRISP = 1.2  # of the finest detail, added as in a photograph of a painting
_TOOTH = 4.0  # lightness, 0 to 255, of the grain of canvas and pigment
_BAND = 512  # rows that are lit at a time
_THREADS = 2  # that measure and light; more would take more memory on a large canvas


def paint(
    picture: Image.Image, size: tuple[int, int], hand: Hand, *, seed: int, on_layer: OnLayer | None = None
) -> Image.Image:
    """Paint a picture on a canvas of a size; see `media.render`."""
    chance = np.random.default_rng(seed)
    opaque = picture.convert("RGB")
    study = np.asarray(opaque.resize(at_most(size, _STUDY), Image.Resampling.LANCZOS), np.float32)  # 0 to 255
    scale = size[0] / _CANVAS
    prior = _prior(study.shape[:2], hand.curl, chance)
    widths = [max(1.6, hand.width * factor * scale) for factor in np.geomspace(_BROADEST, 1.0, _LAYERS)]
    with ThreadPoolExecutor(_THREADS) as threads:
        # Layers are measured beside the strokes of those before them.
        measured = [threads.submit(_Layer, study, prior, hand, width, scale) for width in widths]
        canvas = _toned(study, size, hand)
        for number, (width, layer) in enumerate(zip(widths, measured, strict=True)):
            tolerance = None if number == 0 else (1 - hand.cover) * 46 * (0.7 if number < _LAYERS - 1 else 1.0)
            layer.result().paint(canvas, chance, tolerance)
            if hand.blend and number < _LAYERS - 1:
                canvas = _blended(canvas, hand.blend, 0.35 * width)
            if on_layer is not None:
                on_layer(_shown(canvas), number + 1, _LAYERS)
        if hand.blend:
            canvas = _blended(canvas, 0.7 * hand.blend, 0.3 * hand.width * scale)
        if hand.contour > 0.05:
            _Layer(study, prior, hand, max(1.4, (2.2 + 3.0 * hand.contour) * scale), scale).outline(canvas, chance)
        return _lit(canvas, opaque, hand, scale, seed, threads)


def _shown(canvas: Image.Image) -> Image.Image:
    """The colours of a canvas, small: a copy, so that what is painted does not depend on it."""
    shown = Image.merge("RGB", canvas.split()[:3])
    shown.thumbnail((_SHOWN, _SHOWN), Image.Resampling.BILINEAR)
    return shown


def _toned(study: NDArray[np.float32], size: tuple[int, int], hand: Hand) -> Image.Image:
    """A canvas of colour and height with a thin first painting: the picture's broad masses over a warm ground."""
    ground = 0.55 * study.mean((0, 1)) + 0.45 * np.array([150, 112, 74])
    broad = max(2.0, 0.25 * hand.width * _BROADEST * study.shape[1] / _CANVAS)
    masses = np.stack([blurred(study[..., channel], broad) for channel in range(3)], -1)
    thin = np.clip(0.72 * masses + 0.28 * ground, 0, 255).astype(np.uint8)
    first = Image.fromarray(thin).resize(size, Image.Resampling.BICUBIC)
    return Image.merge("CMYK", (*first.split(), Image.new("L", size, 70)))


def _prior(shape: tuple[int, ...], curl: float, chance: np.random.Generator) -> NDArray[np.float32]:
    """(height, width) radians of strokes where the picture has no forms: a slant, or eddies for a hand that curls."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32) / max(shape)
    slant = chance.choice([-0.5, -0.25, 0.0, 0.25])
    wave = np.zeros(shape, np.float32)
    for frequency in (1.1, 1.9, 3.1):
        direction, phase = chance.uniform(0, 2 * np.pi, 2)
        along = 2 * np.pi * frequency * (x * np.cos(direction) + y * np.sin(direction))
        wave += np.sin(along + phase).astype(np.float32) / np.float32(frequency)
    return np.asarray(slant + (0.25 + 1.3 * curl) * wave, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Strokes:
    """Strokes of one layer, in the order in which they are laid."""

    places: NDArray[np.float64]  # (n, 2) centres on the canvas
    lengths: NDArray[np.int64]  # indices of brushes.LENGTHS
    bends: NDArray[np.int64]  # of brushes.BENDS
    angles: NDArray[np.int64]  # of brushes.ANGLES
    colours: NDArray[np.int64]  # (n, 3)
    heights: NDArray[np.int64]  # of the paint, 0 to 255

    def lay(self, canvas: Image.Image, brush: Brush, chance: np.random.Generator) -> None:
        """Paste them."""
        variants = chance.integers(0, VARIANTS, len(self.places)).tolist()
        inks = np.column_stack([self.colours, self.heights]).tolist()
        canvas.load()
        pixels = canvas.im
        corners = np.round(self.places).astype(int).tolist()
        rows = zip(
            corners, self.lengths.tolist(), self.bends.tolist(), self.angles.tolist(), variants, inks, strict=True
        )
        for (x, y), length, bend, angle, variant, ink in rows:
            for mask, left, top in brush.footprints(length, bend, angle, variant):
                core, (width, height) = mask.im, mask.size
                # The core's paste: Image.paste adds twice its time for a small window.
                pixels.paste(tuple(ink), (x + left, y + top, x + left + width, y + top + height), core)


class _Layer:
    """Strokes of one width.

    Args:
        width: of the strokes in pixels of the canvas.
        scale: pixels of the canvas for one of the canvas that is posted.
    """

    def __init__(
        self, study: NDArray[np.float32], prior: NDArray[np.float32], hand: Hand, width: float, scale: float
    ) -> None:
        self._hand, self._width, self._scale = hand, width, scale
        self._shrink = study.shape[1] / (_CANVAS * scale)  # from pixels of the canvas to those of the study
        fine = width * self._shrink
        self._fine = fine
        self._target = np.stack([blurred(study[..., channel], max(0.4, 0.26 * fine)) for channel in range(3)], -1)
        self._field: DirectionField = measure_directions(
            self._target @ LUMINANCE, fine=max(2.4, 0.7 * fine), coarse=max(9.0, 3.0 * fine), prior=prior
        )

    def paint(self, canvas: Image.Image, chance: np.random.Generator, tolerance: float | None) -> None:
        """Paint where the canvas differs by more than a tolerance (summed RGB), or everywhere for None."""
        hand = self._hand
        # Long strokes cover more, so fewer are laid.
        step = self._width * _SPACING * max(1.0, min(hand.length, 5.0) / 1.9) ** 0.5
        places = _jittered(canvas.size, step, chance)
        at = self._indices(places)
        if tolerance is not None:
            now = np.asarray(canvas.resize(self._size, Image.Resampling.BOX), np.float32)[..., :3]
            error = blurred(np.abs(now - self._target).sum(-1), max(0.6, 0.5 * self._fine))
            kept = error[at] > tolerance
            places, at = places[kept], (at[0][kept], at[1][kept])
        if not len(places):
            return
        coherence = self._field.coherence[at]
        wander = chance.normal(0, hand.wander, len(places)) * (1.5 - coherence)
        direction = self._field.angles[at] + wander
        half = 0.5 * hand.length * chance.uniform(0.7, 1.15, len(places)) * self._width
        ahead, behind = self._reach(places, direction, half), self._reach(places, direction + np.pi, half)
        heading = np.stack([np.cos(direction), np.sin(direction)], 1)
        places = places + heading * ((ahead - behind) / 2)[:, None]
        length = np.maximum((ahead + behind) / self._width + 0.5, 1.0)
        flipped = chance.integers(0, 2, len(places))
        turn = self._turn(places, direction, 0.35 * (ahead + behind))
        colours = self._broken(self._target[at], chance)
        tuft = Tuft(opacity=hand.opacity, dryness=_DRYNESS, bristles=hand.bristles, roundness=hand.roundness)
        strokes = self._strokes(places, direction, length, turn, flipped, colours, chance)
        strokes.lay(canvas, Brush(self._width, tuft, self._scale), chance)

    def outline(self, canvas: Image.Image, chance: np.random.Generator) -> None:
        """Draw dark outlines along the strongest edges."""
        hand, light = self._hand, blurred(self._target @ LUMINANCE, _OUTLINED)
        if min(light.shape) < 4:
            return
        steep = np.hypot(*np.gradient(light))
        least = max(2.2, float(np.quantile(steep, 1 - 0.16 * hand.contour)))
        down, right = np.gradient(light)
        uphill = np.stack([right, down], -1) / (steep[..., None] + 1e-6)
        y, x = np.nonzero((steep > least) & (self._field.coherence > _OUTLINE_COHERENCE))
        crest = np.ones(len(y), bool)
        for sign in (1, -1):  # only the crest of each edge
            beside = (
                np.clip(np.round(y + 1.5 * sign * uphill[y, x, 1]), 0, steep.shape[0] - 1).astype(int),
                np.clip(np.round(x + 1.5 * sign * uphill[y, x, 0]), 0, steep.shape[1] - 1).astype(int),
            )
            crest &= steep[y, x] >= steep[beside]
        picked = np.flatnonzero(crest)
        picked = picked[chance.random(len(picked)) < 0.4]
        if not len(picked):
            return
        places = np.stack([x[picked], y[picked]], 1) / self._shrink
        direction = np.arctan2(uphill[y[picked], x[picked], 0], -uphill[y[picked], x[picked], 1])
        length = np.clip(34 * self._scale / self._width * chance.uniform(0.7, 1.4, len(picked)), 1, 9)
        turn = self._turn(places, direction, 0.3 * length * self._width)
        dark = 0.4 * self._target[y[picked], x[picked]] + np.array([4, 6, 16])
        strokes = self._strokes(places, direction, length, turn, np.zeros(len(picked), int), dark, chance)
        tuft = Tuft(opacity=0.3 + 0.5 * hand.contour, dryness=0.8, bristles=0.4, roundness=1.0)
        strokes.lay(canvas, Brush(self._width, tuft, self._scale), chance)

    @property
    def _size(self) -> tuple[int, int]:
        return self._target.shape[1], self._target.shape[0]

    def _indices(self, places: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where places of the canvas are in the study."""
        at = np.clip(places * self._shrink, 0, np.array(self._size) - 1).astype(np.int64)
        return at[:, 1], at[:, 0]

    def _reach(
        self, places: NDArray[np.float64], direction: NDArray[np.floating], half: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(strokes,) pixels of the canvas that a stroke goes in a direction before the colour changes."""
        base = self._target[self._indices(places)]
        heading = np.stack([np.cos(direction), np.sin(direction)], 1)
        inside, reach = np.ones(len(places), bool), np.zeros(len(places))
        for share in (0.2, 0.4, 0.6, 0.8, 1.0):
            found = self._target[self._indices(places + heading * (share * half)[:, None])]
            inside &= np.abs(found - base).sum(-1) < _COLOUR_CHANGE
            reach = np.where(inside, share, reach)
        return reach * half

    def _turn(
        self, places: NDArray[np.float64], direction: NDArray[np.floating], distance: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(strokes,) radians by which the field turns from one end to the other; 0 where it folds."""
        heading = np.stack([np.cos(direction), np.sin(direction)], 1)
        ends = []
        for sign in (1, -1):
            found = self._field.angles[self._indices(places + sign * heading * distance[:, None])] - direction
            ends.append((found + np.pi / 2) % np.pi - np.pi / 2)
        turn = 1.4 * (ends[0] - ends[1])
        return np.where(np.abs(turn) > _SHARPEST_TURN, 0.0, turn)

    def _broken(self, base: NDArray[np.float32], chance: np.random.Generator) -> NDArray[np.float64]:
        """The colours of strokes: those of the picture, varied, in the dark less than in the light."""
        hand, light = self._hand, base @ LUMINANCE
        spread = (0.35 + 0.65 * np.minimum(light / 150, 1))[:, None]
        varied = base + spread * hand.broken * chance.normal(0, 1, (len(base), 1))
        hues = chance.normal(0, 1, base.shape)
        return varied + spread * hand.tint * (hues - (hues @ LUMINANCE)[:, None])

    def _strokes(
        self,
        places: NDArray[np.float64],
        direction: NDArray[np.floating],
        length: NDArray[np.float64],
        turn: NDArray[np.float64],
        flipped: NDArray[np.int64],
        colours: NDArray[np.floating],
        chance: np.random.Generator,
    ) -> _Strokes:
        bends = np.round(np.interp(turn, BENDS, range(len(BENDS)))).astype(int)
        return _Strokes(
            places=places,
            lengths=np.argmin(np.abs(np.log(length[:, None] / np.array(LENGTHS)[None])), 1),
            bends=np.where(flipped == 1, len(BENDS) - 1 - bends, bends),
            angles=np.round((direction + np.pi * flipped) / (2 * np.pi) * ANGLES).astype(int) % ANGLES,
            colours=np.clip(colours, 0, 255).astype(int),
            heights=chance.integers(70, 230, len(places)),
        )


def _jittered(size: tuple[int, int], step: float, chance: np.random.Generator) -> NDArray[np.float64]:
    """(strokes, 2) centres on a jittered grid, in random order."""
    ys, xs = np.mgrid[0 : size[1] + step : step, 0 : size[0] + step : step]
    places = np.stack([xs.ravel(), ys.ravel()], 1) + chance.uniform(-0.55 * step, 0.55 * step, (xs.size, 2))
    chance.shuffle(places)
    clipped: NDArray[np.float64] = np.clip(places, 0, np.array(size) - 1)
    return clipped


def _blended(canvas: Image.Image, share: float, radius: float) -> Image.Image:
    """The canvas with its strokes blended into each other, as with a soft dry brush."""
    radius = float(radius)
    if radius < 0.5:
        return canvas
    return Image.blend(canvas, canvas.filter(ImageFilter.BoxBlur(radius)).filter(ImageFilter.BoxBlur(radius)), share)


def _lit(
    canvas: Image.Image, picture: Image.Image, hand: Hand, scale: float, seed: int, threads: ThreadPoolExecutor
) -> Image.Image:
    """The canvas lit from the upper left over its relief and its weave; a smooth hand adds the picture's detail."""
    if min(canvas.size) < 3:
        return Image.merge("RGB", canvas.split()[:3])
    result = Image.new("RGB", canvas.size)
    tops = range(0, canvas.height, _BAND)
    lit = threads.map(lambda top: _lit_band(canvas, picture, hand, scale, seed, top), tops)
    for top, rows in zip(tops, lit, strict=True):
        result.paste(rows, (0, top))
    return result


def _lit_band(canvas: Image.Image, picture: Image.Image, hand: Hand, scale: float, seed: int, top: int) -> Image.Image:
    """_BAND rows from `top` on; more are read, because light depends on what is above and below."""
    end, margin = min(canvas.height, top + _BAND), int(6 * scale) + 4
    first, last = rows = max(0, top - margin), min(canvas.height, end + margin)
    values = np.asarray(canvas.crop((0, first, canvas.width, last)), np.float32)
    colours, paint_height = values[..., :3], values[..., 3]
    if hand.blend:
        own = np.asarray(enlarged_rows(picture, canvas.size, *rows), np.float32)
        colours = colours + 1.5 * hand.blend * (own - colours)
    light = colours @ LUMINANCE
    body = blurred(paint_height, 0.55 * scale) + 0.5 * (light - blurred(light, 3.0 * scale))
    body = body + hand.weave * 16 * _weave(rows, canvas.width, scale, seed)
    slope = np.zeros_like(body)
    slope[:, 1:] += body[:, :-1] - body[:, 1:]
    slope[1:] += body[:-1] - body[1:]
    shine = hand.relief * np.tanh(-slope * scale / 34) * (0.35 + 0.65 * np.minimum(light / 140, 1))
    crisp = _CRISP * (light - blurred(light, 0.9 * scale)) + _TOOTH * grain(rows, canvas.width, scale, seed)
    lit = np.clip(colours + (shine + crisp)[..., None], 0, 255)[top - first : end - first]
    return Image.fromarray(lit.astype(np.uint8))


def _weave(rows: tuple[int, int], width: int, scale: float, seed: int) -> NDArray[np.float32]:
    """The height of the threads of a canvas, -1 to 1, for some rows of it."""
    period = 3.4 * scale
    y, x = np.arange(*rows, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    slow = np.sin(y / (41 * scale) + seed % 7) + np.sin(x / (53 * scale) + seed % 11)
    return np.asarray(
        np.sin(2 * np.pi * (x / period) + 0.7 * slow) * np.sin(2 * np.pi * (y / period) - 0.7 * slow), np.float32
    )
