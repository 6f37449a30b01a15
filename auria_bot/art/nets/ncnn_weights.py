"""Read the weights of networks that were published for ncnn.

An ncnn `.bin` file holds, layer after layer and without names: per convolution a tag, float16 weights and float32 biases;
per PReLU its float32 slopes. Each part begins at a multiple of 4 bytes.
"""

from __future__ import annotations

import struct
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from auria_bot.errors import ModelCorrupt

__all__ = ["load_ncnn"]

_HALF_TAG = 0x01306B47  # what ncnn writes before weights stored in float16
_Net = TypeVar("_Net", bound=nn.Module)


def load_ncnn(net: _Net, data: bytes) -> _Net:
    """The network with the weights of an ncnn `.bin` file, in evaluation mode.

    Args:
        net: its convolutions and PReLUs were created in the file's order.
        data: the file's content.

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
