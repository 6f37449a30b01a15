"""SRVGGNetCompact: a plain stack of 3 x 3 convolutions that enlarges pictures four times.

The network of Real-ESRGAN's "animevideov3" weights. Everything is computed at the small size; one pixel shuffle at the
end spreads 48 channels into 4 x 4 RGB pixels, added to the picture enlarged by repetition. Wang et al., "Real-ESRGAN:
Training Real-World Blind Super-Resolution with Pure Synthetic Data", 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["Srvgg", "SrvggConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SrvggConfig:
    """The shape of the network."""

    channels: int = 64  # of every hidden layer
    layers: int = 16  # hidden convolutions between the first and the last
    scale: int = 4  # how many times larger the picture becomes


class Srvgg(nn.Module):
    """RGB from 0 to 1, (batch, 3, height, width), to (batch, 3, scale * height, scale * width)."""

    def __init__(self, config: SrvggConfig) -> None:
        super().__init__()
        self.config = config
        width = config.channels
        body: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.PReLU(width)]
        for _ in range(config.layers):
            body += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
        body.append(nn.Conv2d(width, 3 * config.scale**2, 3, padding=1))
        self.body = nn.Sequential(*body)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Enlarge; values may leave 0 to 1 a little."""
        detail = F.pixel_shuffle(self.body(picture), self.config.scale)  # (batch, 3, scale * height, scale * width)
        return detail + F.interpolate(picture, scale_factor=float(self.config.scale), mode="nearest")
