"""RRDBNet: residual dense blocks nested in residual blocks, which enlarge a picture four times.

The network of ESRGAN and of Real-ESRGAN's "x4plus" weights. Everything but the last five convolutions is computed at the
small size. Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", 2018; "Real-ESRGAN: Training
Real-World Blind Super-Resolution with Pure Synthetic Data", 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["Rrdbnet", "RrdbnetConfig"]

_RESIDUAL = 0.2  # what a block adds to its input
_SLOPE = 0.2  # of the leaky rectifiers


@dataclass(frozen=True, slots=True, kw_only=True)
class RrdbnetConfig:
    """The shape of the network."""

    channels: int = 64  # between blocks
    growth: int = 32  # channels that a convolution in a dense block adds
    blocks: int = 23  # of three dense blocks each


class _DenseBlock(nn.Module):
    """Five convolutions, each of which sees the input and the results of those before it."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        widths = [growth, growth, growth, growth, channels]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels + number * growth, width, 3, padding=1) for number, width in enumerate(widths)
        )

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) to the same shape."""
        seen = h
        for convolution in list(self.convolutions)[:-1]:
            seen = torch.cat([seen, F.leaky_relu(convolution(seen), _SLOPE)], 1)
        last: torch.Tensor = self.convolutions[-1](seen)
        return h + _RESIDUAL * last


class _Block(nn.Module):
    """Three dense blocks with a residual around them."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(*(_DenseBlock(channels, growth) for _ in range(3)))

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) to the same shape."""
        inner: torch.Tensor = self.dense(h)
        return h + _RESIDUAL * inner


class Rrdbnet(nn.Module):
    """RGB from 0 to 1, (batch, 3, height, width), to (batch, 3, 4 * height, 4 * width)."""

    def __init__(self, config: RrdbnetConfig) -> None:
        super().__init__()
        self.config = config
        width = config.channels
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.Sequential(*(_Block(width, config.growth) for _ in range(config.blocks)))
        self.body = nn.Conv2d(width, width, 3, padding=1)
        self.twice = nn.Conv2d(width, width, 3, padding=1)
        self.four_times = nn.Conv2d(width, width, 3, padding=1)
        self.fine = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Enlarge; values may leave 0 to 1 a little."""
        h = self.first(picture)  # (batch, channels, height, width)
        h = h + self.body(self.blocks(h))
        for convolution in (self.twice, self.four_times):  # twice as large each
            h = F.leaky_relu(convolution(F.interpolate(h, scale_factor=2.0, mode="nearest")), _SLOPE)
        enlarged: torch.Tensor = self.last(F.leaky_relu(self.fine(h), _SLOPE))
        return enlarged
