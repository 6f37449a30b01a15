"""What the painter's losses measure on pictures, and how pictures are shown to the discriminator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from auria_bot.art.nets.lite0 import STRIDES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["SHIFT", "augmented", "chroma_noise", "relative_distance", "soft_clamp"]

SHIFT = 6
"""Most pixels by which pictures are shifted before the discriminator."""


def soft_clamp(pictures: Tensor) -> Tensor:
    """Clamp to [-1, 1] with a small slope outside, so that overshooting has a gradient."""
    inside = pictures.clamp(-1.0, 1.0)
    return inside + 0.05 * (pictures - inside)


def augmented(pictures: Tensor, left: int, top: int, flip: int) -> Tensor:
    """Shift by up to SHIFT pixels with mirrored edges, and flip."""
    size = pictures.shape[-1]
    edged = F.pad(pictures, (SHIFT, SHIFT, SHIFT, SHIFT), mode="reflect")
    cut = edged[:, :, top : top + size, left : left + size]
    return cut.flip(-1) if flip else cut


def chroma_noise(pictures: Tensor) -> Tensor:
    """(n,) how strongly colour, not lightness, changes from pixel to pixel: little in photographs."""
    colour = pictures - pictures.mean(dim=1, keepdim=True)
    fine = colour - F.avg_pool2d(colour, 5, stride=1, padding=2, count_include_pad=False)
    return fine.abs().mean(dim=(1, 2, 3))


def relative_distance(painted_view: Mapping[int, Tensor], real_view: Mapping[int, Tensor]) -> Tensor:
    """Mean relative distance of Lite0's maps."""
    parts = [
        (painted_view[stride] - real_view[stride]).abs().mean() / real_view[stride].abs().mean() for stride in STRIDES
    ]
    return torch.stack(parts).mean()
