"""Paint a picture in watercolour on white paper or ink wash (sumi-e) on rice paper, or print it as a woodblock.

Colour is the paper's light weakened by pigment, so every effect of water is a change of the pigment's density: washes
that pool and run, edges where pigment gathers as they dry, grains that settle in the tooth of the paper, a dry brush
that skips. A woodblock print has flat areas in few colours, drawn outlines, gradations, and the grain of the wood.

Curtis et al., "Computer-generated watercolor", 1997; Bousseau et al., "Interactive watercolor rendering", 2006.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from auria_bot.art.pictures import at_most
from auria_bot.art.stylists.areas import Areas, bands, clouds, enlarged_rows, grain
from auria_bot.art.stylists.brushes import ANGLES, BENDS, LENGTHS, VARIANTS, Brush, Tuft
from auria_bot.art.stylists.direction_field import LUMINANCE, blurred, measure_directions

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from auria_bot.art.stylists.hands import Hand
    from auria_bot.art.stylists.oil_strokes import OnLayer

__all__ = ["paint_ink", "paint_watercolour", "print_woodblock"]

_WHITE = np.array([252, 250, 244], np.float32)  # watercolour paper
_RICE = np.array([244, 237, 222], np.float32)  # rice paper
_INK = np.array([1.0, 0.985, 0.94], np.float32)  # how much black ink weakens red, green and blue
_DENSEST = 2.6  # density of the darkest pigment
_GLAZES = 4  # washes laid over each other
_SHOWN = 900  # pixels of the longer side of a layer that is shown
_STUDY = 300  # pixels of the longer side at which washes are planned
_PRINT_PAPER = np.array([248, 240, 220], np.float32) / 255
_KEY = np.array([38, 40, 52], np.float32)  # the ink of outlines in prints
_COLOURS = 10  # of a print, at most
_CONTRAST = 16.0  # difference of luminance between two areas from which an outline is drawn


def paint_watercolour(
    picture: Image.Image, size: tuple[int, int], hand: Hand, *, seed: int, on_layer: OnLayer | None = None
) -> Image.Image:
    """Paint a picture in watercolour on paper of a size; see `media.render`."""
    chance = np.random.default_rng(seed)
    lifted = _lifted(picture, size)
    broad, fine = (lifted.filter(ImageFilter.GaussianBlur(width)) for width in (6.0, 1.2))
    glazes = _Glazes(np.asarray(lifted, np.float32) @ LUMINANCE, levels=(0.18, 0.4, 0.62, 0.82), chance=chance)
    pools = Image.fromarray(clouds(lifted.size, 7, chance))
    border = _border(lifted.size, chance)

    def painted(canvas: tuple[int, int], laid: int) -> Image.Image:
        result = Image.new("RGB", canvas)
        scale = canvas[0] / 1080
        for top, end in bands(canvas):
            tooth = grain((top, end), canvas[0], 1.3 * scale, seed)
            wet = _density(_read(broad, canvas, top, end))
            drawn = _density(_read(fine, canvas, top, end))
            pooled = _read(pools, canvas, top, end)
            layers, edge = glazes.band(canvas, top, end, tooth, laid=laid)
            density = 0.5 * wet + (0.25 * drawn if laid > _GLAZES else 0.0) + 0.36 * wet * (2 * layers[..., None] - 0.5)
            uneven = np.clip(1 + 0.16 * pooled + 0.34 * edge + 0.3 * hand.weave * tooth, 0.15, None)
            density = density * uneven[..., None]
            dry = np.clip(1.4 - 0.5 * np.maximum(tooth - 0.8 * density.mean(-1), 0), 0, 1)
            covered = _read(border, canvas, top, end) / 255 * 6 - 2.5 + 0.12 * tooth
            density = np.maximum(density, 0) * (dry * np.clip(covered, 0, 1))[..., None]
            values = _WHITE * (1 + 0.012 * tooth[..., None]) * np.exp(-density)
            result.paste(Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)), (0, top))
        return result

    return _in_layers(painted, size, on_layer)


def paint_ink(
    picture: Image.Image, size: tuple[int, int], hand: Hand, *, seed: int, on_layer: OnLayer | None = None
) -> Image.Image:
    """Paint a picture in ink on rice paper of a size; see `media.render`."""
    chance = np.random.default_rng(seed)
    lifted = _lifted(picture, size)
    light = np.asarray(lifted, np.float32) @ LUMINANCE
    grey = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
    broad, fine = (grey.filter(ImageFilter.GaussianBlur(width)) for width in (7.0, 1.5))
    glazes = _Glazes(light, levels=(0.3, 0.52, 0.72, 0.88), chance=chance)
    pools = Image.fromarray(clouds(lifted.size, 6, chance))
    border = _border(lifted.size, chance)
    drawn = _dry_strokes(light.astype(np.float32), np.asarray(border), size, chance)

    def painted(canvas: tuple[int, int], laid: int) -> Image.Image:
        result = Image.new("RGB", canvas)
        scale = canvas[0] / 1080
        for top, end in bands(canvas):
            tooth = grain((top, end), canvas[0], 0.9 * scale, seed)
            fibres = grain((top, end), canvas[0], 4.0 * scale, seed + 1)
            wet, near = (1 - _read(layer, canvas, top, end) / 255 for layer in (broad, fine))
            pooled = _read(pools, canvas, top, end)
            layers, edge = glazes.band(canvas, top, end, tooth, laid=laid)
            bare = np.clip((0.65 * wet + 0.35 * near - 0.1) / 0.9, 0, 1)  # the paper is left bare where it is light
            density = 0.75 * bare**1.2 + 1.15 * layers**1.5 * (0.4 + 0.6 * near)
            density = density * np.clip(1 + 0.24 * pooled + 0.3 * edge + 0.12 * hand.weave * tooth, 0.1, None)
            covered = _read(border, canvas, top, end) / 255 * 5 - 2.0
            inside = np.clip(covered, 0, 1)
            density = density * inside
            if laid > _GLAZES:
                stroke = np.asarray(drawn.crop((0, top, canvas[0], end)), np.float32) / 255
                density = density + 0.9 * stroke * np.clip(1.1 - 0.35 * np.maximum(tooth, 0), 0, 1) * inside
            paper = _RICE * (1 + 0.008 * tooth + 0.01 * fibres)[..., None]
            values = paper * np.exp(-np.minimum(density, _DENSEST)[..., None] * _INK)
            result.paste(Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)), (0, top))
        return result

    return _in_layers(painted, size, on_layer)


def _in_layers(
    painted: Callable[[tuple[int, int], int], Image.Image], size: tuple[int, int], on_layer: OnLayer | None
) -> Image.Image:
    """The finished picture; where somebody watches, what it looks like after each glaze is painted small before.

    `painted` takes the canvas's size and how many layers are laid: the glazes, and the drawing last.
    """
    count = _GLAZES + 1
    if on_layer is None:
        return painted(size, count)
    small = at_most(size, _SHOWN, least=2)
    for number in range(1, count):
        on_layer(painted(small, number), number, count)
    finished = painted(size, count)
    on_layer(finished.resize(small, Image.Resampling.BILINEAR), count, count)
    return finished


class _Glazes:
    """Washes laid over each other where a picture is darker than some levels.

    Their borders are dry and dark where the picture has an edge, and run out wet where it has none, so that skies stay
    soft and hills have an outline.

    Args:
        light: (height, width) luminance, 0 to 255, at the size at which washes are planned.
        levels: shares of the picture's area that each glaze leaves free, rising.
    """

    def __init__(self, light: NDArray[np.floating], *, levels: tuple[float, ...], chance: np.random.Generator) -> None:
        dark = 255 - blurred(light.astype(np.float32), 2.2)
        self._levels = [float(level) for level in np.quantile(dark, levels)]
        self._range = max(12.0, float(np.ptp(np.quantile(dark, (0.03, 0.97)))))
        self._dark = Image.fromarray(dark + 0.025 * self._range * clouds((dark.shape[1], dark.shape[0]), 14, chance))

    def band(
        self, size: tuple[int, int], top: int, end: int, tooth: NDArray[np.float32], *, laid: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(rows, width) how much of the first `laid` glazes lies on some rows, 0 to 1, and what dried at edges."""
        scale = size[0] / 1080
        dark = _read(self._dark, size, top, end) + 0.004 * self._range * tooth
        down, across = np.gradient(dark) if min(dark.shape) > 1 else (np.zeros_like(dark),) * 2
        slope = np.hypot(down, across) * scale
        steep = self._range / 90  # change in a pixel of a canvas 1080 wide from which a border is dry
        dry = np.clip(slope / steep, 0, 1)
        layers, edge = np.zeros_like(dark), np.zeros_like(dark)
        for level in self._levels[:laid]:
            beyond = (dark - level) / np.maximum(slope, 0.3 * steep)  # pixels of a canvas 1080 wide, about
            inside = np.clip(0.5 + beyond / (2.5 + 22 * (1 - dry)), 0, 1)
            layers += inside / len(self._levels)
            edge = np.maximum(edge, dry * inside * np.exp(-np.maximum(beyond, 0) / 3.5))
        return layers, edge


def _read(layer: Image.Image, size: tuple[int, int], top: int, end: int) -> NDArray[np.float32]:
    """Some rows of a layer that is enlarged to the size of the canvas."""
    return np.asarray(enlarged_rows(layer, size, top, end), np.float32)


def _lifted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture at the size at which washes are planned, its lights lifted towards the paper's white."""
    small = at_most(size, _STUDY, least=2)
    values = np.asarray(picture.convert("RGB").resize(small, Image.Resampling.LANCZOS), np.float32)
    light = values @ LUMINANCE
    low, high = (float(end) for end in np.percentile(light, (2, 94)))
    if high - low < 8:
        return Image.fromarray(values.astype(np.uint8))
    stretched = 28 + np.clip((values - low) / (high - low), 0, 1.1) * 222
    return Image.fromarray(np.clip(stretched, 0, 255).astype(np.uint8))


def _density(colours: NDArray[np.floating]) -> NDArray[np.float32]:
    """The density of pigment that makes white paper look like colours (..., 3), 0 to 255."""
    return np.asarray(np.clip(-np.log((colours + 6) / (_WHITE + 6)), 0, _DENSEST), np.float32)


def _border(size: tuple[int, int], chance: np.random.Generator) -> Image.Image:
    """Where the paper is painted, 255, and its unpainted uneven border, 0."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    near = np.minimum(np.minimum(x, size[0] - 1 - x), np.minimum(y, size[1] - 1 - y)) / max(size)
    inside = 0.45 + 14 * (near - 0.026) + 0.035 * clouds(size, 16, chance)
    return Image.fromarray((np.clip(inside, 0, 1) * 255).astype(np.uint8))


def _dry_strokes(
    light: NDArray[np.float32], border: NDArray[np.uint8], size: tuple[int, int], chance: np.random.Generator
) -> Image.Image:
    """Strokes of a nearly dry brush along the dark forms, as a mask."""
    drawn = Image.new("L", size)
    if min(light.shape) < 4:
        return drawn
    soft = blurred(light, 2.0)
    field = measure_directions(soft, fine=2.5, coarse=8.0)
    dark = np.clip((np.quantile(soft, 0.42) - soft) / 60, 0, 1) + np.clip(blurred(light, 6.0) - soft - 5, 0, 25) / 25
    shrink, scale = light.shape[1] / size[0], size[0] / 1080
    dark = dark * (border > 200)
    for width, chosen in ((26.0, 0.006), (11.0, 0.012), (4.0, 0.022)):
        y, x = np.nonzero((chance.random(light.shape) < chosen * 3.0 / width) & (dark > chance.random(light.shape)))
        brush = Brush(width * scale, Tuft(opacity=0.6, dryness=1.1, bristles=1.0, roundness=0.9), scale)
        order = chance.permutation(len(y))
        for at in order.tolist():
            angle = float(field.angles[y[at], x[at]]) + chance.normal(0, 0.12)
            place = (round(x[at] / shrink), round(y[at] / shrink))
            strength = int(np.clip(40 + 120 * dark[y[at], x[at]], 0, 255))
            shape = (
                int(chance.integers(2, len(LENGTHS) - 1)),
                int(chance.integers(1, len(BENDS) - 1)),
                round(angle / (2 * np.pi) * ANGLES) % ANGLES,
                int(chance.integers(0, VARIANTS)),
            )
            for mask, left, top in brush.footprints(*shape):
                corner = (place[0] + left, place[1] + top)
                drawn.paste(strength, (*corner, corner[0] + mask.width, corner[1] + mask.height), mask)
    return drawn


def print_woodblock(picture: Image.Image, size: tuple[int, int], hand: Hand, *, seed: int) -> Image.Image:
    """Print a picture on paper of a size; see `media.render`."""
    chance = np.random.default_rng(seed)
    scale = size[0] / 1080
    areas = Areas(picture, size, count=_COLOURS, smoothing=8.5, ragged=0.12, chance=chance)
    small = (max(2, round(size[0] / max(size) * 96)), max(2, round(size[1] / max(size) * 96)))
    broad = picture.convert("RGB").resize((max(2, small[0] // 5), max(2, small[1] // 5)), Image.Resampling.BOX)
    broad = broad.resize(small, Image.Resampling.BICUBIC)
    pressure = Image.fromarray(clouds(small, 14, chance))
    light = areas.colours @ LUMINANCE
    colours = light[:, None] + 1.3 * (areas.colours - light[:, None]) * 0.92 + 14  # clearer colours on light paper
    between = np.abs(light[:, None] - light[None])
    result = Image.new("RGB", size)
    for top, end in bands(size):
        band = areas.band(top, end)
        modelled = _read(broad, size, top, end)
        flat = colours[band.area]
        printed = flat + (0.18 + 0.5 * (1 - hand.flat)) * (modelled - flat)
        uneven = _read(pressure, size, top, end)
        rows = np.arange(top, end, dtype=np.float32)[:, None]
        wood = np.sin(rows / (2.3 * scale) + 5 * uneven) * np.sin(rows / (7.1 * scale) + 3 * uneven)
        tooth = grain((top, end), size[0], scale, seed)
        printed = printed + (2.2 * wood + 2.0 * uneven + 2.4 * hand.weave * 2 * tooth)[..., None]
        width = (1.2 + 3.4 * hand.contour) * scale * (1 + 0.3 * uneven)
        strong = np.clip((between[band.area, band.other] - _CONTRAST) / 22, 0, 1)
        line = np.clip((width * (0.35 + 0.65 * strong) - band.distance) / max(1.0, 0.8 * scale), 0, 1) * (strong > 0)
        ink = (line * np.clip(0.94 - 0.05 * np.maximum(tooth, 0), 0, 1))[..., None]
        printed = printed + ink * (_KEY - printed)
        result.paste(Image.fromarray(np.clip(printed * _PRINT_PAPER, 0, 255).astype(np.uint8)), (0, top))
    return result
