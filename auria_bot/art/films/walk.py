"""Walks through the styles of a film model: smooth curves through key frames, at an even speed to the eye.

A curve is a centripetal Catmull-Rom spline, which neither loops nor overshoots between its points. Its length is
measured in frames, as the distance in CIELAB between small copies, so that equal parts of it change a frame equally.
Noise stands still, or moves as waves do in deep water: each wave at the speed that belongs to its length.

Yuksel, Schaefer and Keyser, "Parameterization and applications of Catmull-Rom curves", 2011.
Fritsch and Butland, "A method for constructing local monotone piecewise cubic interpolants", 1984.
Tessendorf, "Simulating ocean water", 2001.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.colour import to_lab

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Curve", "MovingNoise", "Walk", "frame_distance", "small_lab"]

_SMALL = 24  # pixels of the shorter side at which frames are compared
_SAMPLES = 14  # places between two key frames at which a curve's length is measured
_ROUNDS = 2  # of measuring, each at places that are more even than before
_BATCH = 16  # frames that are computed at once
_LONGEST = 7.0  # seconds in which the longest wave of noise, as long as a frame is high, passes


class Curve:
    """A smooth curve through points.

    Args:
        points: (n, size), at least two, or three of a closed curve.
        closed: it returns from the last point to the first.
    """

    def __init__(self, points: NDArray[np.float32], *, closed: bool) -> None:
        places = points.astype(np.float64)
        self.spans = len(places) if closed else len(places) - 1
        if closed:
            around = np.concatenate([places[-1:], places, places[:2]])
        else:
            around = np.concatenate([2 * places[:1] - places[1:2], places, 2 * places[-1:] - places[-2:-1]])
        self._points = around  # from the one before the first span
        self._knots = np.concatenate(
            [[0.0], np.cumsum(np.maximum(np.linalg.norm(np.diff(around, axis=0), axis=1) ** 0.5, 1e-6))]
        )
        self._closed = closed

    def at(self, places: NDArray[np.float64]) -> NDArray[np.float32]:
        """(n, size) points of the curve at n places from 0 to 1; each span takes an equal part."""
        scaled = (places % 1.0 if self._closed else np.clip(places, 0.0, 1.0)) * self.spans
        span = np.minimum(scaled.astype(np.int64), self.spans - 1)
        points = [self._points[span + number] for number in range(4)]
        knots = [self._knots[span + number][:, None] for number in range(4)]
        time = knots[1] + (scaled - span)[:, None] * (knots[2] - knots[1])
        for level in (1, 2):  # the pyramid of Barry and Goldman, but for its top
            points = [
                ((knots[first + level] - time) * points[first] + (time - knots[first]) * points[first + 1])
                / (knots[first + level] - knots[first])
                for first in range(4 - level)
            ]
        found = ((knots[2] - time) * points[0] + (time - knots[1]) * points[1]) / (knots[2] - knots[1])
        return np.asarray(found, np.float32)


def small_lab(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, height, width, 3) frames as small copies in CIELAB, (n, pixels, 3)."""
    height, width = frames.shape[1:3]
    scale = min(1.0, _SMALL / min(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = [np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BOX)) for frame in frames]
    return to_lab(np.stack(small)).reshape(len(frames), -1, 3)


def frame_distance(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) how different frames look: root mean square difference of their small copies (n, pixels, 3), in CIELAB."""
    squares = np.asarray((second.astype(np.float64) - first) ** 2)
    distances: NDArray[np.float64] = np.sqrt(squares.sum(-1).mean(-1))
    return distances


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A curve, and at which places of it equal parts of its length end."""

    curve: Curve
    closed: bool
    places: NDArray[np.float64]  # from 0 to 1, growing
    lengths: NDArray[np.float64]  # up to each place, from 0; in units of `frame_distance`
    colours: NDArray[np.float32]  # (frames, pixels, 3) CIELAB small copies of frames all along

    @classmethod
    def through(
        cls, keys: NDArray[np.float32], frames: Callable[[NDArray[np.float32]], NDArray[np.uint8]], *, closed: bool
    ) -> Walk:
        """Measure a curve through key frames.

        Args:
            keys: (n, w) style vectors.
            frames: (n, w) to frames, with noise that stands.
        """
        curve = Curve(keys, closed=closed)
        count = _SAMPLES * curve.spans
        places = np.linspace(0.0, 1.0, count + 1)
        small, lengths = np.zeros((0, 0, 3), np.float32), places
        for round_ in range(_ROUNDS):
            if round_:
                even = np.linspace(0.0, lengths[-1], count + 1)
                places = np.interp(even, lengths, places)
            parts = [
                small_lab(frames(curve.at(places[start : start + _BATCH]))) for start in range(0, count + 1, _BATCH)
            ]
            small = np.concatenate(parts)
            steps = frame_distance(small[:-1], small[1:])
            lengths = np.concatenate([[0.0], np.cumsum(steps + 1e-3)])  # a curve that stands still has a length too
        return cls(curve=curve, closed=closed, places=places, lengths=lengths, colours=small)

    def styles(self, first: int, end: int, total: int) -> NDArray[np.float32]:
        """(end - first, w) style vectors of some frames of a film of so many frames.

        The frame after the last one of a closed walk is the first one.
        """
        numbers = np.arange(first, end)
        shares = (numbers % total) / total if self.closed else numbers / max(total - 1, 1)
        return self.curve.at(self._places(shares * self.lengths[-1]))

    @property
    def key_shares(self) -> NDArray[np.float64]:
        """(keys,) the share of the film at which each key frame is met, from 0 to 1."""
        keys = np.arange(self.curve.spans + (not self.closed)) / self.curve.spans
        return np.asarray(np.interp(keys, self.places, self.lengths) / self.lengths[-1], np.float64)

    def _places(self, lengths: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where on the curve some lengths are reached: a monotone cubic through what was measured."""
        spans = np.diff(self.lengths)
        rises = np.diff(self.places) / spans
        ends = (rises[-1:], rises[:1]) if self.closed else (rises[:1], rises[-1:])
        around = np.concatenate([ends[0], rises, ends[1]])
        slopes = 2 * around[:-1] * around[1:] / np.maximum(around[:-1] + around[1:], 1e-12)
        at = np.clip(np.searchsorted(self.lengths, lengths, side="right") - 1, 0, len(spans) - 1)
        share = np.clip((lengths - self.lengths[at]) / spans[at], 0.0, 1.0)
        from_left, from_right = share * (1 - share) ** 2, share**2 * (share - 1)
        found: NDArray[np.float64] = (
            self.places[at]
            + share**2 * (3 - 2 * share) * (self.places[at + 1] - self.places[at])
            + spans[at] * (from_left * slopes[at] + from_right * slopes[at + 1])
        )
        return found


class MovingNoise:
    """Noise that travels as waves, mostly downwards, and stays normal and independent from pixel to pixel.

    Args:
        still: noise for every layer, (1, 1, height, width).
        seed: of a second noise, which turns the first into travelling waves.
        period: seconds after which it repeats; None: never.
    """

    def __init__(self, still: Sequence[NDArray[np.float32]], *, seed: int, period: float | None) -> None:
        chance = np.random.default_rng(seed)
        self._spectra: list[tuple[NDArray[np.complex128], NDArray[np.float64]]] = []
        for layer in still:
            height, width = layer.shape[2:]
            second = chance.standard_normal((height, width))
            spectrum = np.fft.fft2(layer[0, 0] + 1j * second)
            down, across = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None] + 1e-9
            onwards = down + 0.2 * across > 0  # with exp(-iwt), these travel downwards
            spectrum = np.where(onwards, spectrum * math.sqrt(2), 0)
            waves = np.hypot(down, across) * height  # to a frame's height
            speed = 2 * np.pi / _LONGEST * np.sqrt(waves)  # radians a second: deep water
            if period is not None:
                speed = np.round(speed * period / (2 * np.pi)) * (2 * np.pi / period)
            self._spectra.append((spectrum, speed))

    def at(self, times: NDArray[np.float64]) -> list[NDArray[np.float32]]:
        """For every layer (n, 1, height, width), at n times in seconds."""
        found = []
        for spectrum, speed in self._spectra:
            turned = spectrum[None] * np.exp(-1j * speed[None] * times[:, None, None])
            found.append(np.fft.ifft2(turned).real.astype(np.float32)[:, None])
        return found
