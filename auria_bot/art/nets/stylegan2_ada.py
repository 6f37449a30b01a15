"""The generator of stylegan2-ada-pytorch, in its published layout: names and shapes of weights are NVIDIA's.

It differs from `stylegan2.Generator` in three places: a layer that doubles the size does so by a transposed convolution
and the filter 1 3 3 1, the picture is doubled by the same filter with zeros around it, and every resolution has a bias
of its own for the colours. Only the usual shape is known: squares, skip connections, no labels.

Karras et al., "Training generative adversarial networks with limited data", 2020.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch import nn
from torch.nn import functional as F

from auria_bot.art.nets.stylegan2 import ScaledLinear, rectified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["LAYOUT", "AdaConfig", "AdaGenerator"]

LAYOUT: Final = "stylegan2-ada"
_MAPPING_RATE = 0.01  # of all published models
_EPSILON = 1e-8
_START = 4  # pixels of the first resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaConfig:
    """The sizes of a published generator."""

    channels: tuple[int, ...]  # of each resolution, that of 4 pixels first
    z: int = 512
    w: int = 512
    mapping_layers: int = 8
    layout: str = LAYOUT

    @property
    def height(self) -> int:
        """Pixels of a frame."""
        return int(_START * 2 ** (len(self.channels) - 1))

    @property
    def width(self) -> int:
        """Pixels of a frame, which is square."""
        return self.height

    @property
    def styles(self) -> int:
        """How many style vectors steer a frame."""
        return 2 * len(self.channels)


class _Mapping(nn.Module):
    """Latent vectors to style vectors; its layers are called fc0, fc1, and so on."""

    w_avg: Tensor

    def __init__(self, config: AdaConfig) -> None:
        super().__init__()
        self._count, self._styles = config.mapping_layers, config.styles
        for number, (before, after) in enumerate(itertools.pairwise([config.z, *[config.w] * config.mapping_layers])):
            setattr(self, f"fc{number}", ScaledLinear(before, after, rate=_MAPPING_RATE))
        self.register_buffer("w_avg", torch.zeros(config.w))

    @property
    def mean(self) -> Tensor:
        """(w,) the mean style."""
        return self.w_avg

    def forward(self, z: Tensor) -> Tensor:
        """(n, z) to (n, styles, w), not truncated."""
        x = z * (z.square().mean(1, keepdim=True) + _EPSILON).rsqrt()
        for number in range(self._count):
            x = rectified(getattr(self, f"fc{number}")(x))
        return x[:, None].repeat(1, self._styles, 1)


class _Layer(nn.Module):
    """A modulated convolution with noise, bias and rectifier."""

    def __init__(self, inputs: int, outputs: int, style: int, *, doubled: bool) -> None:
        super().__init__()
        self.affine = ScaledLinear(style, inputs, start=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self._doubled, self._outputs = doubled, outputs

    def forward(self, x: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h, w) or twice that size; noise (n or 1, 1, height, width)."""
        scales: Tensor = self.affine(style)
        power = scales.square() @ self.weight.square().sum((2, 3)).T
        x = x * scales[:, :, None, None]
        if self._doubled:
            x = F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2)  # (n, outputs, 2 h + 1, 2 w + 1)
            x = F.conv2d(x, _filter(self._outputs), padding=1, groups=self._outputs)
        else:
            x = F.conv2d(x, self.weight, padding=1)
        x = x * (power + _EPSILON).rsqrt()[:, :, None, None]
        return rectified(x + noise * self.noise_strength + self.bias[:, None, None])


class _Colours(nn.Module):
    """Maps to colours, steered by a style."""

    def __init__(self, inputs: int, style: int) -> None:
        super().__init__()
        self.affine = ScaledLinear(style, inputs, start=1.0)
        self.weight = nn.Parameter(torch.randn(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self._scale = 1 / math.sqrt(inputs)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, 3, h, w)."""
        scales: Tensor = self.affine(style) * self._scale
        return F.conv2d(x * scales[:, :, None, None], self.weight, self.bias)


class _Block(nn.Module):
    """The layers of a resolution; the first one begins with a learnt start."""

    def __init__(self, inputs: int | None, outputs: int, style: int) -> None:
        super().__init__()
        if inputs is None:
            self.const = nn.Parameter(torch.randn(outputs, _START, _START))
        else:
            self.conv0 = _Layer(inputs, outputs, style, doubled=True)
        self.conv1 = _Layer(outputs, outputs, style, doubled=False)
        self.torgb = _Colours(outputs, style)


class AdaGenerator(nn.Module):
    """Makes frames of latent vectors: `generator(generator.mapping(z), generator.noise(seed))`."""

    def __init__(self, config: AdaConfig) -> None:
        super().__init__()
        self.config = config
        self.mapping = _Mapping(config)
        self.synthesis = nn.Module()
        for level, channels in enumerate(config.channels):
            before = config.channels[level - 1] if level else None
            setattr(self.synthesis, f"b{_START * 2**level}", _Block(before, channels, config.w))

    def noise(self, seed: int) -> list[Tensor]:
        """Noise for every layer, each (1, 1, height, width), always the same of a seed."""
        chance = torch.Generator().manual_seed(seed)
        sides = [_START * 2**level for level in range(len(self.config.channels)) for _ in range(2)][1:]
        return [torch.randn(1, 1, side, side, generator=chance) for side in sides]

    def forward(self, styles: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """(n, styles, w) and noise for every layer to (n, 3, height, width), about -1 to 1."""
        first = self._block(0)
        x = first.const.expand(styles.shape[0], -1, -1, -1)
        x = first.conv1(x, styles[:, 0], noise[0])
        picture: Tensor = first.torgb(x, styles[:, 1])
        for level in range(1, len(self.config.channels)):
            block = self._block(level)
            x = block.conv0(x, styles[:, 2 * level - 1], noise[2 * level - 1])
            x = block.conv1(x, styles[:, 2 * level], noise[2 * level])
            doubled = F.conv_transpose2d(picture, _filter(3), stride=2, padding=1, groups=3)
            picture = doubled + block.torgb(x, styles[:, 2 * level + 1])
        return picture

    def _block(self, level: int) -> _Block:
        block: _Block = getattr(self.synthesis, f"b{_START * 2**level}")
        return block


def _filter(channels: int) -> Tensor:
    """(channels, 1, 4, 4) the filter 1 3 3 1 both ways, with the sum 4, which makes up for the zeros between pixels."""
    place = torch.arange(4)
    line = (1 + 2 * torch.minimum(place, 3 - place)).float() / 4  # by arithmetic, which can be exported
    return torch.outer(line, line).expand(channels, 1, 4, 4)
