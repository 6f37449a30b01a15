"""Print a picture as a woodblock: flat areas in few colours, drawn outlines, gradations, and the grain of the wood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.stylists.areas import Areas, bands, clouds, enlarged_rows, grain
from auria_bot.art.stylists.direction_field import LUMINANCE

if TYPE_CHECKING:
    from auria_bot.art.stylists.hands import Hand

__all__ = ["print_woodblock"]

_PAPER = np.array([248, 240, 220], np.float32) / 255
_KEY = np.array([38, 40, 52], np.float32)  # the ink of outlines
_COLOURS = 11
_CONTRAST = 16.0  # difference of luminance between two areas from which an outline is drawn


def print_woodblock(picture: Image.Image, size: tuple[int, int], hand: Hand, *, seed: int) -> Image.Image:
    """Print a picture on paper of a size; see `rendering.render`."""
    chance = np.random.default_rng(seed)
    scale = size[0] / 1080
    areas = Areas(picture, size, count=_COLOURS, smoothing=5.0, ragged=0.12, chance=chance)
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
        modelled = np.asarray(enlarged_rows(broad, size, top, end), np.float32)
        flat = colours[band.area]
        printed = flat + (0.18 + 0.5 * (1 - hand.flat)) * (modelled - flat)
        uneven = np.asarray(enlarged_rows(pressure, size, top, end), np.float32)
        rows = np.arange(top, end, dtype=np.float32)[:, None]
        wood = np.sin(rows / (2.3 * scale) + 5 * uneven) * np.sin(rows / (7.1 * scale) + 3 * uneven)
        tooth = grain((top, end), size[0], scale, seed)
        printed = printed + (2.2 * wood + 2.0 * uneven + 2.4 * hand.weave * 2 * tooth)[..., None]
        width = (1.2 + 3.4 * hand.contour) * scale * (1 + 0.3 * uneven)
        strong = np.clip((between[band.area, band.other] - _CONTRAST) / 22, 0, 1)
        line = np.clip((width * (0.35 + 0.65 * strong) - band.distance) / max(1.0, 0.8 * scale), 0, 1) * (strong > 0)
        ink = (line * np.clip(0.94 - 0.05 * np.maximum(tooth, 0), 0, 1))[..., None]
        printed = printed + ink * (_KEY - printed)
        result.paste(Image.fromarray(np.clip(printed * _PAPER, 0, 255).astype(np.uint8)), (0, top))
    return result
