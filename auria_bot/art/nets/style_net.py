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

__all__ = ["StyleNet", "StyleNetConfig"]

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
        ground = functional.interpolate(
            functional.avg_pool2d(picture, _CELL), scale_factor=float(_CELL), mode="bilinear", align_corners=False
        )
        restyled: Tensor = torch.sigmoid(strokes + torch.logit(ground.clamp(0.02, 0.98)))
        return restyled


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
