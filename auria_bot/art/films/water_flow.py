"""Water that flows in a film: what a frame shows is carried along by a field of velocities, learnt from footage.

The field is the mean motion between neighbouring frames of a video, where anything moves. Two copies of a frame are
carried, half a period apart, and each fades out before it has gone far; so the motion never ends and repeats exactly.
The periods of different places begin at different times, so that the picture does not pulse. Contrast, which fading
lowers, is restored about the local mean.

Holynski, Curless, Seitz and Szeliski, "Animating pictures with Eulerian motion fields", 2021.
Heitz and Neyret, "High-performance by-example noise using a histogram-preserving blending operator", 2018.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from PIL import Image

from auria_bot.art.films.optical_flow import sampled, trust
from auria_bot.art.films.video import Video
from auria_bot.art.pictures import crop_size, resized
from auria_bot.art.stylists.direction_field import box_mean
from auria_bot.errors import InputError, ModelCorrupt
from auria_bot.files import readable_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["WaterFlow"]

_ROWS, _COLUMNS = 9, 16  # cells of a field
_LOOKED = (112, 64)  # width and height in pixels at which motion is measured
_STEP = Fraction(1, 6)  # seconds between the frames that are compared
_MOST = 90  # pairs of frames of a video that are compared
_SLOWEST = 0.25  # pixels in _STEP that count as motion
_USUAL = 0.25  # share of the pairs in which a place moves; where fewer do, it is carried the slower
_STANDING = 0.004  # frame heights a second, below which nothing moves
_FARTHEST = 0.13  # frame heights that anything is carried before it has faded
_PERIODS = (2.0, 8.0)  # seconds: the shortest and the longest period
_RESTORED = 0.85  # share of the contrast lost by fading that is restored, on a scale of exponents


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WaterFlow:
    """A field of velocities."""

    field: NDArray[np.float32]  # (rows, columns, 2) rightwards and downwards, in frame heights a second

    @classmethod
    def learn(cls, *paths: Path) -> Self:
        """The mean motion in videos of water, taken by a camera that stands.

        Raises:
            BackendMissing: PyAV is not installed.
            InputError: it cannot be read, or nothing in it moves.
        """
        sums, pairs = np.zeros((*_LOOKED[::-1], 3)), 0
        for path in paths:
            for now, before in _neighbours(path):
                flow, trusted = trust(now, before)
                moves = trusted * (np.hypot(flow[..., 0], flow[..., 1]) > _SLOWEST)
                sums += np.concatenate([-flow * moves[..., None], moves[..., None]], -1)
                pairs += 1
        smooth = box_mean(np.asarray(sums, np.float32), 6)
        cells = resized(smooth, (_COLUMNS, _ROWS), Image.Resampling.BOX).astype(np.float64)
        share = np.minimum(cells[..., 2:] / max(pairs, 1) / _USUAL, 1.0)
        field = cells[..., :2] / np.maximum(cells[..., 2:], 1e-6) * share / (float(_STEP) * _LOOKED[1])
        if np.hypot(field[..., 0], field[..., 1]).max() < _STANDING:
            names = ", ".join(map(readable_name, paths))
            raise InputError(f"{names}: nothing moves; water is needed, taken by a camera that stands")
        return cls(field=np.asarray(field, np.float32))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The field in a file that `to_json` gave.

        Raises:
            ModelCorrupt: it holds none.
        """
        try:
            field = np.array(json.loads(path.read_text("utf-8"))["velocity"], np.float32)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelCorrupt(f"{path} holds no velocities: {error}") from None
        if field.ndim != 3 or field.shape[2] != 2 or min(field.shape[:2]) < 2 or not np.isfinite(field).all():
            raise ModelCorrupt(f"{path} holds no velocities: their shape is {field.shape}")
        return cls(field=field)

    @property
    def sha256(self) -> str:
        """A hash of the field."""
        return hashlib.sha256(json.dumps(self.to_json()).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The field, ready for JSON."""
        return {"velocity": np.round(self.field.astype(np.float64), 5).tolist()}

    def period(self, seconds: float | None) -> float:
        """Seconds after which the motion repeats.

        Args:
            seconds: of a film that loops, which is a multiple of it; None: of one that does not.
        """
        fastest = float(np.hypot(self.field[..., 0], self.field[..., 1]).max())
        wanted = min(max(_FARTHEST / max(fastest, 1e-6), _PERIODS[0]), _PERIODS[1])
        return wanted if seconds is None else seconds / max(1, round(seconds / wanted))

    def carried(self, frame: NDArray[np.uint8], time: float, period: float) -> NDArray[np.uint8]:
        """A frame (height, width, 3) in 8-bit sRGB, carried along at a time in seconds."""
        height, width = frame.shape[:2]
        velocity = resized(self.field, (width, height), Image.Resampling.BICUBIC) * height
        age = np.asarray((time / period + _ahead(height, width, time / period)) % 1.0, np.float32)[..., None]
        margin = min(height, width) - 1
        wide = np.pad(frame.astype(np.float32), ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
        copies = [_moved(wide, velocity * np.float32(period) * one, margin) for one in (age, age - 1)]
        fresh = np.cos(age * np.pi / 2) ** 2
        mixed = np.asarray(fresh * copies[0] + (1 - fresh) * copies[1], np.float32)
        mean = box_mean(mixed, max(2, height // 16))
        moving = np.minimum(
            np.hypot(velocity[..., :1], velocity[..., 1:]) * period, 1.0
        )  # pixels; what stands is whole
        lost = (fresh**2 + (1 - fresh) ** 2) ** (-0.5 * _RESTORED * moving)
        return np.asarray(np.clip(mean + (mixed - mean) * lost, 0, 255) + 0.5, np.uint8)


def _neighbours(path: Path) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Luma of frames at _LOOKED and of those _STEP before them."""
    before: NDArray[np.float32] | None = None
    due, count = Fraction(0), 0
    with Video.open(path) as video:
        for frame in video.frames():
            if frame.time < due:
                continue
            due = frame.time + _STEP - Fraction(1, 100)
            small = frame.picture(crop_size(frame.size, _LOOKED)).resize(_LOOKED, Image.Resampling.BOX)
            now = np.asarray(small.convert("L"), np.float32)
            if before is not None:
                yield now, before
                count += 1
            before = now
            if count == _MOST:
                return


def _moved(wide: NDArray[np.float32], by: NDArray[np.float32], margin: int) -> NDArray[np.float32]:
    """What a frame with a margin shows, moved by (height, width, 2) pixels."""
    height, width = by.shape[:2]
    flow = np.zeros((*wide.shape[:2], 2), np.float32)
    flow[margin : margin + height, margin : margin + width] = -by
    return sampled(wide, flow)[margin : margin + height, margin : margin + width]


def _ahead(height: int, width: int, turns: float) -> NDArray[np.float64]:
    """(height, width) shares of a period by which places are ahead, after so many periods.

    Rows begin at different times; and a swell that travels across the frame makes crests surge instead of sliding.
    """
    y, x = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)[None] * width / height
    return 0.3 * np.sin(9.7 * y + 1.2 * x) + 0.06 * np.sin(5.1 * x + 2.3 * y - 2 * np.pi * turns)
