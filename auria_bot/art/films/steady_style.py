"""Restyle the frames of a video so that the style moves with what is shown, instead of boiling.

The last restyled frame is moved along the optical flow, and only a share of the newly restyled one is mixed in: a small
one where the flow can be trusted, everything where something was uncovered, changed its light, or at a cut.

Litwinowicz, "Processing images and video for an impressionist effect", 1997.
Hertzmann and Perlin, "Painterly rendering for video and interaction", 2000.
Ruder, Dosovitskiy and Brox, "Artistic style transfer for videos", 2016.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from auria_bot.art.films.optical_flow import trust, warped
from auria_bot.art.pictures import at_most

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["SteadyStyle", "luma_for_flow"]

_FLOW_SIDE = 160  # pixels of the longer side at which motion is measured
_FRESH = 0.3  # share of a restyled frame that is mixed in where the flow can be trusted
_CUT = 0.35  # mean trust below which a frame is of another shot
_UNCOVERED = 0.15  # mean doubt from which a frame is restyled out of turn
_OTHER_LIGHT = 40.0  # difference of colours (of 255, without detail) from which the new frame is taken in full
_DETAIL = 4.0  # pixels of the small copy within which differences are of strokes, not of light


def luma_for_flow(frame: Image.Image) -> NDArray[np.float32]:
    """A small copy of a frame, (height, width) luma of 0 to 255."""
    size = at_most(frame.size, _FLOW_SIDE, least=8)
    return np.asarray(frame.convert("L").resize(size, Image.Resampling.BOX), np.float32)


@dataclass(slots=True)
class _Carried:
    """What a frame leaves for the next one."""

    picture: Image.Image  # the restyled frame
    luma: NDArray[np.float32]  # of the frame itself
    age: int  # frames since one was restyled


class SteadyStyle:
    """Restyles the frames of one video, in their order.

    Args:
        style: restyles a picture, at the same size.
        every: only each so many frames is restyled, as long as the flow can be trusted.
    """

    def __init__(self, style: Callable[[Image.Image], Image.Image], *, every: int = 3) -> None:
        self._style, self._every = style, every
        self._carried: _Carried | None = None

    def restyle(self, frame: Image.Image) -> Image.Image:
        """The next frame, 8-bit RGB, restyled."""
        luma = luma_for_flow(frame)
        carried = self._carried
        if carried is None or carried.luma.shape != luma.shape:
            return self._keep(self._style(frame), luma, 0)
        flow, trusted = trust(luma, carried.luma)
        doubt = 1.0 - float(trusted.mean())
        if doubt > 1.0 - _CUT:
            return self._keep(self._style(frame), luma, 0)
        moved = warped(carried.picture, flow)
        if carried.age + 1 < self._every and doubt < _UNCOVERED:
            return self._keep(moved, luma, carried.age + 1)
        fresh = self._style(frame)
        mask = self._share(trusted, moved, fresh)
        mixed = Image.composite(fresh, moved, mask.resize(frame.size, Image.Resampling.BILINEAR))
        return self._keep(mixed, luma, 0)

    def state(self) -> bytes:
        """What the frames so far leave for the next ones; `restore` takes it."""
        buffer = io.BytesIO()
        if (kept := self._carried) is not None:
            np.savez(buffer, picture=np.asarray(kept.picture), luma=kept.luma, age=np.array(kept.age))
        return buffer.getvalue()

    def restore(self, state: bytes) -> None:
        """Go on after the frames that left this."""
        if not state:
            self._carried = None
            return
        with np.load(io.BytesIO(state), allow_pickle=False) as found:
            self._carried = _Carried(Image.fromarray(found["picture"]), found["luma"], int(found["age"]))

    def _keep(self, picture: Image.Image, luma: NDArray[np.float32], age: int) -> Image.Image:
        self._carried = _Carried(picture, luma, age)
        return picture

    def _share(self, trusted: NDArray[np.float32], moved: Image.Image, fresh: Image.Image) -> Image.Image:
        """How much of the newly restyled frame is taken, as a small 8-bit mask."""
        size = (trusted.shape[1], trusted.shape[0])
        coarse = [
            np.asarray(one.resize(size, Image.Resampling.BOX).filter(ImageFilter.BoxBlur(_DETAIL)), np.float32)
            for one in (moved, fresh)
        ]
        other_light = np.clip(np.abs(coarse[0] - coarse[1]).max(-1) / _OTHER_LIGHT, 0.0, 1.0)
        kept = trusted * (1.0 - _FRESH) * (1.0 - other_light)
        return Image.fromarray((255 * (1.0 - kept) + 0.5).astype(np.uint8))
