"""The frames of a film: made by a film model along a walk, in a painting's colours, enlarged to the film's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PIL import Image

from auria_bot.art.films.walk import MovingNoise, Walk
from auria_bot.art.pictures import middle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from numpy.typing import NDArray

    from auria_bot.art.films.generator import FilmGenerator
    from auria_bot.art.films.palette import Palette
    from auria_bot.art.films.water_flow import WaterFlow

__all__ = ["FilmFrames", "PictureEnlarger", "Timing"]

_BATCH = 8  # frames that the model makes at once
_RIM = 0.03  # of a frame's height that is cut off on each side, where convolutions lack neighbours and draw a line
_GRAIN = 1.1  # standard deviation of the grain, of 255, that hides the steps of flat skies


class PictureEnlarger(Protocol):
    """What enlarges pictures: `art.real_esrgan.RealEsrgan`, or a stand-in."""

    def enlarged(self, picture: Image.Image, size: int) -> Image.Image:
        """An RGB picture with a short side of `size` pixels."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a film is, and in which size it is shown."""

    frames: int
    rate: Fraction  # frames a second
    size: tuple[int, int]  # width and height in pixels

    @property
    def seconds(self) -> Fraction:
        """The length."""
        return self.frames / self.rate


class FilmFrames:
    """Makes any frame of a film; the same frame is always the same.

    Args:
        noise: the seed of the noise.
        flow: carries the water along; None: it stands.
        palette: the colours; None: the model's own.
        enlarger: makes frames larger; None: by interpolation.
    """

    def __init__(
        self,
        maker: FilmGenerator,
        walk: Walk,
        timing: Timing,
        *,
        noise: int,
        moving: bool,
        flow: WaterFlow | None = None,
        palette: Palette | None = None,
        enlarger: PictureEnlarger | None = None,
    ) -> None:
        self.timing, self._maker, self._walk = timing, maker, walk
        self._palette, self._enlarger, self._flow = palette, enlarger, flow
        self._still = maker.noise(noise)
        period = float(timing.seconds) if walk.closed else None
        self._flow_period = flow.period(period) if flow is not None else 1.0
        self._moving = MovingNoise(self._still, seed=noise + 1, period=period) if moving else None
        chance = np.random.default_rng(noise)
        width, height = timing.size
        self._grain = np.round(chance.normal(0, _GRAIN, (height, width, 1))).astype(np.int16)

    def small(self, first: int, end: int) -> NDArray[np.uint8]:
        """(end - first, height, width, 3) frames as the model makes them."""
        numbers = np.arange(first, end)
        times = (numbers % self.timing.frames if self._walk.closed else numbers) / float(self.timing.rate)
        noise = self._moving.at(times) if self._moving is not None else self._still
        made = self._maker.frames(self._walk.styles(first, end, self.timing.frames), noise)
        if self._flow is None:
            return made
        carried = [self._flow.carried(one, time, self._flow_period) for one, time in zip(made, times, strict=True)]
        return np.stack(carried)

    def frames(self, first: int, end: int) -> Iterator[NDArray[np.uint8]]:
        """Frames `first` to `end` - 1, each (height, width, 3) in 8-bit sRGB at the film's size."""
        for start in range(first, end, _BATCH):
            for frame in self.small(start, min(end, start + _BATCH)):
                yield self.finished(frame)

    def finished(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A frame of the model in the film's colours and size."""
        size = self.timing.size
        rim = max(1, round(_RIM * frame.shape[0]))
        inner = frame[rim:-rim, rim:-rim]
        left, top, right, bottom = middle((inner.shape[1], inner.shape[0]), size)
        shown = np.ascontiguousarray(inner[top:bottom, left:right])
        picture = Image.fromarray(self._palette.apply(shown) if self._palette is not None else shown)
        if self._enlarger is not None and min(picture.size) < min(size):
            picture = self._enlarger.enlarged(picture, min(*size, 4 * min(picture.size)))
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        return np.asarray(np.clip(np.asarray(picture, np.int16) + self._grain, 0, 255), np.uint8)
