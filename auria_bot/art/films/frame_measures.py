"""What is measured of a frame of footage: darkness, sharpness, colour, and whether it repeats an earlier one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.colour import to_lab
from auria_bot.art.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["FrameMeasures", "KnownFrames", "colour_class", "evenly_coloured", "evenness", "is_blurred", "measure"]

_SIDE = 256  # pixels of the longer side that sharpness is measured at
_BLACK = 28.0  # luma that 95 % of a black frame's pixels stay below
_BLANK = 6.0  # range of luma of a frame of one colour
_SOFT = 0.04  # sharpness below which nothing of a frame is in focus
_SOFTER = 0.5  # share of the clip's median sharpness below which a frame is blurred
_FEW = 8  # frames of a clip below which its median says little
_SAME_COLOUR = 6.0  # CIELAB distance of mean colours up to which equal hashes mean equal frames
_SAME_LIGHT = 2.5  # mean difference of 255 of 8 x 8 parts up to which they do
_GREY = 8.0  # chroma below which a mean colour has no hue


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameMeasures:
    """The measures of one frame."""

    fault: str  # "black", "blank" or ""
    sharpness: float  # 98th percentile of the Laplacian's magnitude over the range of luma
    fingerprint: str  # perceptual hash
    light: str  # luma of 8 x 8 equal parts, two hexadecimal digits each
    colour: tuple[float, float, float]  # mean CIELAB


def measure(picture: Image.Image) -> FrameMeasures:
    """Measure a frame in 8-bit sRGB."""
    small = picture.copy()
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    luma = np.asarray(small.convert("L"), np.float32)
    low, high = (float(end) for end in np.percentile(luma, (2, 98)))
    middle = luma[1:-1, 1:-1]
    laplacian = np.abs(4 * middle - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:])
    fault = "black" if float(np.percentile(luma, 95)) < _BLACK else "blank" if high - low < _BLANK else ""
    light, red, yellow = (round(float(value), 2) for value in to_lab(np.asarray(small)).reshape(-1, 3).mean(0))
    return FrameMeasures(
        fault=fault,
        sharpness=round(float(np.percentile(laplacian, 98)) / max(high - low, 1.0), 4),
        fingerprint=fingerprint(picture),
        light=picture.convert("L").resize((8, 8), Image.Resampling.BOX).tobytes().hex(),
        colour=(light, red, yellow),
    )


def is_blurred(sharpness: float, others: Sequence[float]) -> bool:
    """Whether a frame is out of focus, by itself or compared with the other frames of its clip."""
    if sharpness < _SOFT:
        return True
    return len(others) >= _FEW and sharpness < _SOFTER * float(np.median(others))


class KnownFrames:
    """The frames that were kept, to find near-duplicates among new ones.

    A near-duplicate has nearly the same perceptual hash, and nearly the same light and colours; the hash alone
    would say so of all frames in which the horizon is the strongest line.

    Args:
        distinct: bits of 64 from which on hashes count as different; 0 finds no duplicates.
    """

    def __init__(self, distinct: int) -> None:
        self._distinct = distinct
        self._count = 0
        self._hashes = np.zeros(1024, np.uint64)
        self._colours = np.zeros((1024, 3), np.float32)
        self._lights = np.zeros((1024, 64), np.uint8)

    def repeats(self, hash_: str, light: str, colour: tuple[float, float, float]) -> int | None:
        """The number of the first kept frame that nearly equals this one; None where there is none."""
        if not self._distinct:
            return None
        bits = np.bitwise_count(self._hashes[: self._count] ^ np.uint64(int(hash_, 16)))
        near = np.flatnonzero(bits < self._distinct)
        apart = np.linalg.norm(self._colours[near] - np.array(colour, np.float32), axis=1)
        near = near[apart < _SAME_COLOUR]
        lighter = np.abs(self._lights[near].astype(np.int16) - _light(light)).mean(1)
        same = near[lighter < _SAME_LIGHT]
        return int(same[0]) if len(same) else None

    def add(self, hash_: str, light: str, colour: tuple[float, float, float]) -> None:
        """Remember a kept frame."""
        if self._count == len(self._hashes):
            self._hashes, self._colours, self._lights = (
                np.concatenate([one, np.zeros_like(one)]) for one in (self._hashes, self._colours, self._lights)
            )
        self._hashes[self._count] = int(hash_, 16)
        self._colours[self._count] = colour
        self._lights[self._count] = _light(light)
        self._count += 1


def _light(digits: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(digits), np.uint8)


def colour_class(colour: tuple[float, float, float]) -> tuple[int, int]:
    """The bin of a mean CIELAB colour: lightness in steps of 20, and hue in six sectors, or -1 for grey."""
    light, red, yellow = colour
    hue = -1 if math.hypot(red, yellow) < _GREY else int(math.atan2(yellow, red) % (2 * math.pi) / (math.pi / 3)) % 6
    return min(int(max(light, 0.0) / 20), 4), hue


def evenness(colours: Iterable[tuple[float, float, float]]) -> float:
    """How evenly frames fall into the classes of colour that occur: entropy over its most, 0 to 1."""
    counts = np.array([len(places) for places in _by_class(list(colours)).values()], np.float64)
    if len(counts) < 2:
        return 1.0
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum() / np.log(len(counts)))


def evenly_coloured(colours: Sequence[tuple[float, float, float]]) -> NDArray[np.bool_]:
    """Which frames to keep so that no class of colour has more than its even share; the rest are spread over time.

    Args:
        colours: mean CIELAB of each frame, in the order of the footage.

    Returns:
        (frames,) true for those that stay; classes with fewer than the even share keep all.
    """
    chosen = np.zeros(len(colours), bool)
    classes = _by_class(colours)
    share = -(-len(colours) // max(len(classes), 1))
    for places in classes.values():
        count = min(len(places), share)
        chosen[[places[(2 * turn + 1) * len(places) // (2 * count)] for turn in range(count)]] = True
    return chosen


def _by_class(colours: Sequence[tuple[float, float, float]]) -> dict[tuple[int, int], list[int]]:
    found: dict[tuple[int, int], list[int]] = {}
    for number, colour in enumerate(colours):
        found.setdefault(colour_class(colour), []).append(number)
    return found
