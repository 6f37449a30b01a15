"""What is measured of films and restyled videos, on the decoded file, by other means than those that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.films.optical_flow import trust, warped
from auria_bot.art.films.video import Video

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["decoded", "steps", "warping_error"]

_COMPARED = (160, 90)  # pixels at which frames of a film are compared
_FLOW_HEIGHT = 180  # pixels at which motion is measured here: twice what the program itself looks at


def decoded(path: Path, size: tuple[int, int]) -> list[Image.Image]:
    """The frames of a video file at a size."""
    with Video.open(path) as opened:
        return [frame.picture(size) for frame in opened.frames()]


def steps(path: Path, *, loop: bool) -> NDArray[np.float64]:
    """How much each frame differs from the next one: root mean square of sRGB at 160 x 90; of a loop, the last from the first too."""
    frames = [np.asarray(one, np.float64) for one in decoded(path, _COMPARED)]
    following = [*frames[1:], frames[0]] if loop else frames[1:]
    pairs = list(zip(frames, following, strict=False))
    return np.array([np.sqrt(((two - one) ** 2).mean()) for one, two in pairs])


def warping_error(shown: Sequence[Image.Image], made: Sequence[Image.Image]) -> float:
    """How much restyled frames change beyond the motion of the video: mean squared difference where the flow is trusted.

    Lai et al., "Learning blind video temporal consistency", 2018.

    Args:
        shown: the frames of the video.
        made: the restyled ones, of the same size.
    """
    errors = []
    size = (round(shown[0].width * _FLOW_HEIGHT / shown[0].height), _FLOW_HEIGHT)
    luma = [np.asarray(one.convert("L").resize(size, Image.Resampling.BOX), np.float32) for one in shown]
    for number in range(1, len(shown)):
        flow, trusted = trust(luma[number], luma[number - 1])
        weight = np.asarray(Image.fromarray(trusted).resize(made[0].size, Image.Resampling.BILINEAR), np.float64)
        moved = np.asarray(warped(made[number - 1], flow), np.float64)
        squares = ((moved - np.asarray(made[number], np.float64)) ** 2).mean(-1)
        errors.append(float((squares * weight).sum() / max(weight.sum(), 1e-9)))
    return float(np.mean(errors))
