"""The network that restyles pictures after one painting, in one pass; it is served as ONNX.

After Johnson et al., "Perceptual losses for real-time style transfer and super-resolution", 2016, with instance
normalisation (Ulyanov et al., 2016), and with enlarging before convolving in place of transposed convolutions, which
leave a grid. Kernels of 5 x 5 instead of 9 x 9 at both ends: at full resolution they cost a third.

The network paints on the picture's own colours without its detail. So it has strokes to learn and no palette, which
short trainings spoil with dark blots; the palette is the painting's before it begins (`stylists.composition.grade`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ServedStyleNet", "StyleNet", "StyleNetConfig"]

_CELL = 4  # pixels of a side of the squares whose mean colours the network paints on


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleNetConfig:
    """Shape of a `StyleNet`."""

    width: int = 16  # channels at full resolution; four times as many at a quarter
    blocks: int = 5  # residual blocks at a quarter of the resolution


class StyleNet(nn.Module):
    """(batch, 3, height, width) RGB in [0, 1] to the same shape and range; sides are multiples of 4 of at least 12."""

    def __init__(self, config: StyleNetConfig) -> None:
        super().__init__()
        width = config.width
        self.first = _Layer(3, width, kernel=5)
        self.to_half_size = _Layer(width, 2 * width, stride=2)
        self.to_quarter_size = _Layer(2 * width, 4 * width, stride=2)
        self.blocks = nn.Sequential(*(_Residual(4 * width) for _ in range(config.blocks)))
        self.from_quarter_size = _Layer(4 * width, 2 * width)
        self.from_half_size = _Layer(2 * width, width)
        self.colours = nn.Conv2d(width, 3, 5, padding=2, padding_mode="reflect")
        nn.init.normal_(self.colours.weight, std=1e-3)  # begins with the ground alone
        self.enlarge = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, picture: Tensor) -> Tensor:
        """The restyled picture."""
        half = self.to_half_size(self.first(2 * picture - 1))
        small = self.from_quarter_size(self.enlarge(self.blocks(self.to_quarter_size(half))))
        strokes = self.colours(self.from_half_size(self.enlarge(small + half)))
        return _painted_on(picture, strokes)


def _painted_on(picture: Tensor, strokes: Tensor) -> Tensor:
    """Strokes on the picture's colours without its detail."""
    ground = functional.interpolate(
        functional.avg_pool2d(picture, _CELL), scale_factor=float(_CELL), mode="bilinear", align_corners=False
    )
    return torch.sigmoid(strokes + torch.logit(ground.clamp(0.02, 0.98)))


class _Layer(nn.Sequential):
    """A convolution with reflected borders, instance normalisation, and rectification where wanted."""

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, is_rectified: bool = True
    ) -> None:
        convolution = nn.Conv2d(
            inputs, outputs, kernel, stride, padding=kernel // 2, padding_mode="reflect", bias=False
        )
        layers = [convolution, nn.InstanceNorm2d(outputs, affine=True)]
        super().__init__(*layers, *([nn.ReLU()] if is_rectified else []))


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(_Layer(channels, channels), _Layer(channels, channels, is_rectified=False))

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = features + self.branch(features)
        return changed


class ServedStyleNet(nn.Module):
    """A `StyleNet` in the form that is exported: the same function in fewer products, for processors.

    A convolution of an enlarged picture repeats its products: here each of the four pixels that come of one has a
    kernel of 2 x 2 on the smaller picture. The last convolution makes the four pixels of a square at once, because
    three output channels alone use a processor's vectors badly.
    """

    kernel: Tensor
    bias: Tensor

    def __init__(self, net: StyleNet) -> None:
        super().__init__()
        self.net = net
        self.from_quarter_size = _EnlargingLayer(net.from_quarter_size)
        self.from_half_size = _EnlargingLayer(net.from_half_size)
        kernel, bias = net.colours.weight.detach(), net.colours.state_dict()["bias"]
        phases = [functional.pad(kernel, (b, 1 - b, a, 1 - a)) for a in (0, 1) for b in (0, 1)]
        self.register_buffer("kernel", torch.stack(phases, 1).flatten(0, 1))
        self.register_buffer("bias", bias.repeat_interleave(4))

    def forward(self, picture: Tensor) -> Tensor:
        """As `StyleNet.forward`."""
        half = self.net.to_half_size(self.net.first(2 * picture - 1))
        small = self.from_quarter_size(self.net.blocks(self.net.to_quarter_size(half)))
        features = functional.pad(self.from_half_size(small + half), (2, 2, 2, 2), mode="reflect")
        strokes = functional.pixel_shuffle(functional.conv2d(features, self.kernel, self.bias, stride=2), 2)
        return _painted_on(picture, strokes)


def _halves(kernel: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """A kernel of 3 as the two of 2 that the pixels of an enlarged one see on the smaller picture."""
    first, middle, last = kernel.unbind(axis)
    return torch.stack([first, middle + last], axis), torch.stack([first + middle, last], axis)


class _EnlargingLayer(nn.Module):
    """Nearest enlarging by two and a `_Layer` of 3 x 3 after it, at once."""

    kernel: Tensor

    def __init__(self, layer: _Layer) -> None:
        super().__init__()
        self.rest = nn.Sequential(*list(layer)[1:])
        kernel = layer[0].state_dict()["weight"]  # (outputs, inputs, 3, 3)
        self.register_buffer("kernel", torch.cat([phase for rows in _halves(kernel, 2) for phase in _halves(rows, 3)]))
        self.outputs = len(kernel)

    def forward(self, features: Tensor) -> Tensor:
        padded = functional.pad(features, (1, 1, 1, 1), mode="replicate")
        phases = torch.split(functional.conv2d(padded, self.kernel), self.outputs, 1)
        cut = [phases[0][:, :, :-1, :-1], phases[1][:, :, :-1, 1:], phases[2][:, :, 1:, :-1], phases[3][:, :, 1:, 1:]]
        enlarged: Tensor = self.rest(functional.pixel_shuffle(torch.stack(cut, 2).flatten(1, 2), 2))
        return enlarged
