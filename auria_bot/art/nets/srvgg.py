"""SRVGGNetCompact: a plain stack of 3 x 3 convolutions that enlarges pictures four times.

The network of Real-ESRGAN's "animevideov3" weights. Everything is computed at the small size; one pixel shuffle at the
end spreads 48 channels into 4 x 4 RGB pixels, added to the picture enlarged by repetition. Wang et al., "Real-ESRGAN:
Training Real-World Blind Super-Resolution with Pure Synthetic Data", 2021.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from auria_bot.errors import ModelCorrupt

__all__ = ["Srvgg", "SrvggConfig", "from_ncnn"]

_HALF_TAG = 0x01306B47  # what ncnn writes before weights stored in float16


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


def from_ncnn(data: bytes, config: SrvggConfig) -> Srvgg:
    """Read the weights of an ncnn `.bin` file: per convolution a tag, float16 weights, float32 biases; then slopes.

    Raises:
        ModelCorrupt: the file is not one of this net.
    """
    net = Srvgg(config)
    at = 0

    def take(count: int, kind: str) -> torch.Tensor:
        nonlocal at
        size = count * np.dtype(kind).itemsize
        if at + size > len(data):
            raise ModelCorrupt(f"the ncnn file ends at byte {len(data)}, inside a layer")
        values = np.frombuffer(data, kind, count, at).astype(np.float32)
        at += (size + 3) // 4 * 4  # ncnn aligns to 4 bytes
        return torch.from_numpy(values)

    with torch.no_grad():
        for layer in net.body:
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
