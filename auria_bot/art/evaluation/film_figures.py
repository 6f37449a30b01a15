"""Figures of made frames: Frechet distance, precision and recall, spread of layouts, and nearness to training frames.

All are over features of the packaged EfficientNet-Lite0, hence FD-lite0: none can be set beside published figures,
which are over Inception or VGG.

Heusel et al. 2017 (Frechet distance); Kynkäänniemi et al. 2019 (precision and recall).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch.nn import functional as F

from auria_bot.art.nets.lite0 import Lite0

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Lite0Features", "layout_spread", "nearest", "precision_recall"]

NEIGHBOURS: Final = 3
_AREA = 160 * 160  # pixels at which Lite0 sees a frame, about
_BATCH = 32


class Lite0Features:
    """Lite0's pooled features of frames.

    Args:
        lite0: None: the published one.
    """

    def __init__(self, lite0: Lite0 | None = None) -> None:
        self._lite0 = (lite0 or Lite0.pretrained()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.no_grad()
    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, height, width, 3) to (n, 1280)."""
        size = _judged_size(frames.shape[1], frames.shape[2])
        parts = []
        for start in range(0, len(frames), _BATCH):
            part = torch.from_numpy(np.ascontiguousarray(frames[start : start + _BATCH]))
            x = part.permute(0, 3, 1, 2).float() / 255.0
            x = F.interpolate(x, size=size, mode="bicubic", align_corners=False, antialias=True).clamp(0.0, 1.0)
            parts.append(self._lite0.grid(x.contiguous(memory_format=torch.channels_last)).mean(dim=(2, 3)))
        return torch.cat(parts).numpy()


def _judged_size(height: int, width: int) -> tuple[int, int]:
    """Multiples of 32 of about the same proportions, and of about `_AREA` pixels."""
    factor = (_AREA / (height * width)) ** 0.5
    return max(32, round(height * factor / 32) * 32), max(32, round(width * factor / 32) * 32)


def precision_recall(real: NDArray[np.float32], made: NDArray[np.float32]) -> tuple[float, float]:
    """The share of made frames within the k-nearest-neighbour balls of real ones, and the other way round.

    Args:
        real: (n, d) features; near-duplicates among them make the balls, and both figures, too small.
        made: (m, d).
    """
    across = _distances(real, made)
    real_radius = np.sort(_distances(real, real), axis=1)[:, NEIGHBOURS]
    made_radius = np.sort(_distances(made, made), axis=1)[:, NEIGHBOURS]
    precision = (across <= real_radius[:, None]).any(axis=0).mean()
    recall = (across <= made_radius[None, :]).any(axis=1).mean()
    return float(precision), float(recall)


def layout_spread(frames: NDArray[np.uint8]) -> float:
    """The mean distance between two frames' 8 x 8 averages, in units of 8 bits."""
    x = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float()
    cells = F.adaptive_avg_pool2d(x, 8).flatten(1)
    return float(F.pdist(cells).mean() / cells.shape[1] ** 0.5)


def nearest(
    features: NDArray[np.float32], training: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The cosine similarity of each frame (n, d) to its nearest training frame (m, d), and which one that is."""
    one, other = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (features, training))
    similarity = one @ other.T
    best = similarity.argmax(axis=1)
    return similarity[np.arange(len(one)), best], best


def _distances(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, m) Euclidean distances."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2.0 * a @ b.T
    found: NDArray[np.float64] = np.sqrt(np.clip(squares, 0.0, None))
    return found
