"""Correct the exposure of a picture: lighten one that is too dark, add contrast to a flat one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.colour import from_lab, to_lab
from auria_bot.art.pictures import to_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["correct_exposure"]

_MEAN = 33.0  # least mean L; below it, a picture looks black in a feed
_HIGHLIGHTS, _SHARE = 66.0, 97.0  # L that the lightest 3 % should reach
_MOST_GAIN = 1.35  # most gain of the highlights; more shows steps
_LEAST_GAMMA = 0.6  # least gamma of the shadows; less turns black to grey
_DEPTH, _ENDS = 66.0, (2.0, 98.0)  # range of L that a picture should have between these percentiles
_MOST_DEPTH = 1.25  # most factor on that range, so that mist stays mist
_BLANK = 8.0  # range of L below which a picture is left flat
_BLACK, _WHITE = 4.0, 96.0  # L beyond which the range is not extended
_CHROMA, _MOST_CHROMA = 12.0, 1.25  # mean chroma below which colours are strengthened, and the most factor


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToneCurve:
    """A correction of L and chroma."""

    gain: float  # of L
    gamma: float  # applied after the gain
    depth: float  # contrast factor applied after gamma, around `middle`
    middle: float  # L that `depth` leaves unchanged
    shift: float  # added to L last, so that black and white are not clipped
    chroma: float

    def apply(self, lightness: NDArray[np.float32]) -> NDArray[np.float32]:
        """Corrected L of 0 to 100."""
        gained = np.clip(lightness * np.float32(self.gain / 100), 0.0, 1.0)
        lit = 100 * gained ** np.float32(self.gamma)
        deep: NDArray[np.float32] = np.clip(self.middle + (lit - self.middle) * self.depth + self.shift, 0.0, 100.0)
        return deep.astype(np.float32)

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return (self.gain, self.gamma, self.depth, self.chroma) != (1.0, 1.0, 1.0, 1.0)


def correct_exposure(picture: Image.Image) -> Image.Image:
    """Lighten a picture that is too dark and add contrast to a flat one; black and hues stay.

    A picture that is light, contrasty and colourful enough is returned unchanged.
    """
    pixels = np.asarray(picture.convert("RGB"))
    curve = _curve(to_lab(pixels[::4, ::4]))
    if not curve.changes:
        return picture
    lab = to_lab(pixels)
    lightness = np.clip(lab[..., 0], 0.0, 100.0)
    lit = curve.apply(lightness)
    # Chroma grows only where lightness does.
    stretch = (np.sqrt(np.maximum(lit / np.maximum(lightness, 2.0), 1.0)) * np.float32(curve.chroma))[..., None]
    return to_picture(from_lab(np.concatenate([lit[..., None], lab[..., 1:] * stretch], -1).astype(np.float32)))


def _curve(lab: NDArray[np.float32]) -> _ToneCurve:
    """The correction that a picture needs, computed from some of its CIELAB pixels."""
    small = np.clip(lab[..., 0] / 100, 0.0, 1.0)
    gain = min(max(_HIGHLIGHTS / max(100 * float(np.percentile(small, _SHARE)), 1.0), 1.0), _MOST_GAIN)
    small = np.clip(small * gain, 0.0, 1.0)
    steps = np.arange(1.0, _LEAST_GAMMA - 0.01, -0.02)
    gamma = next((float(step) for step in steps if 100 * float((small**step).mean()) >= _MEAN), _LEAST_GAMMA)
    low, high = (100 * float(end) for end in np.percentile(small, _ENDS) ** gamma)
    middle, depth, shift = (low + high) / 2, 1.0, 0.0
    if high - low > _BLANK:
        depth = min(max(_DEPTH / (high - low), 1.0), _MOST_DEPTH)
        darkest, lightest = (middle + (end - middle) * depth for end in (low, high))
        shift = max(min(low, _BLACK) - darkest, 0.0) - max(lightest - max(high, _WHITE), 0.0)
    chroma = float(np.hypot(lab[..., 1], lab[..., 2]).mean())
    colour = min(max(_CHROMA / max(chroma, 1.0), 1.0), _MOST_CHROMA)
    return _ToneCurve(gain=gain, gamma=gamma, depth=depth, middle=middle, shift=shift, chroma=colour)
