"""Lifts pictures that are too dark to be seen on a telephone, as a printer lifts a dark negative.

A picture that is light enough stays as it is, bit for bit; so does a night with a moon in it. Knows pixels only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.colour import from_lab, to_lab
from auria_bot.art.pictures import to_picture

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["lifted"]

_MEAN = 33.0  # of CIELAB's L: below, a picture is a black square in a feed
_HIGHLIGHTS, _SHARE = 66.0, 97.0  # L that the lightest three hundredths should reach
_MOST_GAIN = 1.35  # of the highlights: more shows steps
_LEAST_GAMMA = 0.6  # of the shadows: less turns black paint to grey fog


def lifted(picture: Image.Image) -> Image.Image:
    """The picture, lighter if it is too dark; black stays black, and colours keep their saturation."""
    pixels = np.asarray(picture.convert("RGB"))
    small = np.clip(to_lab(pixels[::4, ::4])[..., 0] / 100, 0.0, 1.0)
    gain = min(max(_HIGHLIGHTS / max(100 * float(np.percentile(small, _SHARE)), 1.0), 1.0), _MOST_GAIN)
    small = np.clip(small * gain, 0.0, 1.0)
    steps = np.arange(1.0, _LEAST_GAMMA - 0.01, -0.02)
    gamma = next((float(step) for step in steps if 100 * float((small**step).mean()) >= _MEAN), _LEAST_GAMMA)
    if gain == 1.0 and gamma == 1.0:
        return picture
    lab = to_lab(pixels)
    lightness = np.clip(lab[..., 0], 0.0, 100.0)
    gained = np.clip(lightness * np.float32(gain / 100), 0.0, 1.0)
    lit = 100 * gained ** np.float32(gamma)
    stretch = np.sqrt(lit / np.maximum(lightness, 2.0))[..., None]
    return to_picture(from_lab(np.concatenate([lit[..., None], lab[..., 1:] * stretch], -1).astype(np.float32)))
