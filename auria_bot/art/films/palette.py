"""The colours of a painting for a whole film: one linear map of the low frequencies, the same for every frame.

Because the map is fixed for the film, it cannot flicker, and light and dark change as they did; finer detail keeps its
own colours. Pitie and Kokaram, "The linear Monge-Kantorovitch linear colour mapping", 2007.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.colour import ColourDistribution, from_lab, to_lab
from auria_bot.art.pictures import resized

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Palette"]

_CELLS = 12  # cells of a frame's shorter side; finer detail is left as it is
_DARKEST = 30.0  # least mean lightness of a film, so that it can be seen on a phone
_MOST_STRETCH = 2.2  # most stretch of a direction in CIELAB; beyond it, blocks and noise show


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Palette:
    """A map of colours in CIELAB."""

    matrix: NDArray[np.float32]  # (3, 3)
    offset: NDArray[np.float32]  # (3,): pixel @ matrix + offset

    @classmethod
    def between(cls, film: NDArray[np.float32], painting: ColourDistribution, *, share: float) -> Palette:
        """The map from a film's colours a share of the way to a painting's.

        Args:
            film: (..., 3) CIELAB of frames from all of the film.
            share: 0 to 1.
        """
        own = ColourDistribution.of(film, marginals=False)
        matrix, offset = own.transport_map(painting, share)
        stretch = float(np.linalg.norm(matrix, 2))
        if stretch > _MOST_STRETCH:
            mean = own.mean @ matrix + offset
            matrix = (matrix * (_MOST_STRETCH / stretch)).astype(np.float32)
            offset = (mean - own.mean @ matrix).astype(np.float32)
        light = float(own.mean @ matrix[:, 0] + offset[0])
        lift = max(min(_DARKEST, float(own.mean[0])) - light, 0.0)
        return cls(matrix=matrix, offset=offset + np.array([lift, 0, 0], np.float32))

    def apply(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(height, width, 3) 8-bit sRGB in these colours."""
        height, width = frame.shape[:2]
        cell = max(1.0, min(height, width) / _CELLS)
        size = (max(2, round(width / cell)), max(2, round(height / cell)))
        lab = to_lab(frame)
        low = resized(resized(lab, size, Image.Resampling.BOX), (width, height), Image.Resampling.BICUBIC)
        moved = low @ self.matrix + self.offset
        values = from_lab(np.asarray(lab + (moved - low), np.float32))
        return np.asarray(np.clip(values, 0, 1) * 255 + 0.5, np.uint8)
