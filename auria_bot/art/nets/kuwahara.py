"""The generalised Kuwahara filter: flattens grain into strokes and keeps edges crisp.

Each pixel becomes a mean of the four windows around it, weighted by how even each window is. No weights are learned; it
is a net only so that the same runtime computes it on every core.
Papari, Petkov and Campisi, "Artistic edge and corner enhancing smoothing", 2007.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["Kuwahara"]


class Kuwahara(nn.Module):
    """(batch, 3, height, width) CIELAB to the same shape.

    Args:
        radius: half of a window's side, in pixels; strokes get about twice as wide.
        sharpness: how strongly the most even window wins.
    """

    def __init__(self, radius: int = 3, sharpness: float = 4.0) -> None:
        super().__init__()
        self.radius = radius
        self.sharpness = sharpness

    def forward(self, lab: torch.Tensor) -> torch.Tensor:
        """Filter; borders are repeated."""
        reach = 2 * self.radius
        around = F.pad(lab / 100, (reach, reach, reach, reach), mode="replicate")
        window = 2 * self.radius + 1
        mean = F.avg_pool2d(around, window, stride=1)  # (batch, 3, height + reach, width + reach)
        square = F.avg_pool2d((around * around).sum(1, keepdim=True), window, stride=1)
        uneven = (square - (mean * mean).sum(1, keepdim=True)).clamp(min=1e-6)
        weight = (1e-3 / (uneven + 2e-5)) ** self.sharpness  # between 1e-12 and 6e6: far from float32's ends
        weighted = torch.cat([mean * weight, weight], 1)
        height, width = lab.shape[2:]
        total = torch.zeros_like(lab[:, :1])
        for top in (0, reach):
            for left in (0, reach):
                total = total + weighted[:, :, top : top + height, left : left + width]
        return 100 * total[:, :3] / total[:, 3:]
