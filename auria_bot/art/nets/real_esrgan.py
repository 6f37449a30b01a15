"""The networks of Real-ESRGAN, which enlarge pictures four times, and the reader of their published weights.

RRDBNet, residual dense blocks nested in residual blocks, has the weights "x4plus"; everything but its last five
convolutions is computed at the small size. SRVGGNetCompact, a plain stack of 3 x 3 convolutions, has "animevideov3";
one pixel shuffle at its end spreads 48 channels into 4 x 4 RGB pixels, added to the picture enlarged by repetition.

The weights were published for ncnn. An ncnn `.bin` file holds, layer after layer and without names: per convolution a
tag, float16 weights and float32 biases; per PReLU its float32 slopes. Each part begins at a multiple of 4 bytes.

Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", 2018; "Real-ESRGAN: Training
Real-World Blind Super-Resolution with Pure Synthetic Data", 2021.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from auria_bot.errors import ModelCorrupt

__all__ = ["Rrdbnet", "RrdbnetConfig", "Srvgg", "SrvggConfig", "load_ncnn"]

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


_HALF_TAG = 0x01306B47  # what ncnn writes before weights stored in float16
_Net = TypeVar("_Net", bound=nn.Module)


def load_ncnn(net: _Net, data: bytes) -> _Net:
    """The network with the weights of an ncnn `.bin` file, in evaluation mode.

    Args:
        net: its convolutions and PReLUs were created in the file's order.

    Raises:
        ModelCorrupt: the file is not one of this network.
    """
    at = 0

    def take(count: int, kind: str) -> torch.Tensor:
        nonlocal at
        size = count * np.dtype(kind).itemsize
        if at + size > len(data):
            raise ModelCorrupt(f"the ncnn file ends at byte {len(data)}, inside a layer")
        values = np.frombuffer(data, kind, count, at).astype(np.float32)
        at += (size + 3) // 4 * 4
        return torch.from_numpy(values)

    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d):
                if at + 4 > len(data) or struct.unpack_from("<I", data, at)[0] != _HALF_TAG:
                    raise ModelCorrupt(f"no float16 weights at byte {at} of the ncnn file")
                at += 4
                layer.weight.copy_(take(layer.weight.numel(), "<f2").view_as(layer.weight))
                if layer.bias is not None:
                    layer.bias.copy_(take(layer.bias.numel(), "<f4"))
            elif isinstance(layer, nn.PReLU):
                layer.weight.copy_(take(layer.weight.numel(), "<f4"))
    if at != len(data):
        raise ModelCorrupt(f"the ncnn file has {len(data) - at} bytes more than the net has weights")
    return net.eval()
