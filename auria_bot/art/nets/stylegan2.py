"""StyleGAN2: a generator of frames whose layers are steered by styles, and its discriminator.

Weights are drawn with unit variance and scaled when they are used, so that all layers learn equally fast. A frame
of any proportions grows from a learnt start by doublings, and is cropped where it does not divide.

Karras, Laine, Aila, "A style-based generator architecture for generative adversarial networks", 2019.
Karras et al., "Analyzing and improving the image quality of StyleGAN", 2020.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = [
    "Config",
    "Discriminator",
    "Generator",
    "Mapping",
    "ModulatedConv",
    "ScaledConv",
    "ScaledLinear",
    "StyledLayer",
    "batch_spread",
    "rectified",
]

_GAIN = math.sqrt(2)  # of the leaky rectifier, which keeps the variance
_SLOPE = 0.2
_EPSILON = 1e-8
_PALE = 0.2  # of the usual weights of the colours at first, so that the first frames are grey and not glaring


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The sizes of both nets."""

    height: int = 128  # pixels of a frame
    width: int = 128
    channels: tuple[int, ...] = (128, 128, 128, 96, 64, 32)  # of each resolution, the start first
    z: int = 128  # size of a latent vector
    w: int = 256  # size of a style vector
    mapping_layers: int = 3
    mapping_rate: float = 0.01  # learning rate of the mapping, relative to the rest
    spread_group: int = 4  # pictures among which the discriminator compares

    @property
    def start(self) -> tuple[int, int]:
        """Height and width at the first resolution."""
        factor = 2 ** (len(self.channels) - 1)
        return -(-self.height // factor), -(-self.width // factor)

    @property
    def styles(self) -> int:
        """How many style vectors steer a frame: one for each layer, and one for the last colours."""
        return 2 * len(self.channels)


class ScaledLinear(nn.Module):
    """A linear layer with scaled weights.

    Args:
        rate: learning rate relative to other layers.
        start: value of the biases at first.
    """

    def __init__(self, inputs: int, outputs: int, *, rate: float = 1.0, start: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), start / rate))
        self._scale, self._rate = rate / math.sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) to (n, outputs)."""
        return F.linear(x, self.weight * self._scale, self.bias * self._rate)


class ScaledConv(nn.Module):
    """A convolution with scaled weights, which keeps the size."""

    def __init__(self, inputs: int, outputs: int, side: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, side, side))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self._scale, self._margin = 1 / math.sqrt(inputs * side * side), side // 2

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h, w)."""
        return F.conv2d(x, self.weight * self._scale, self.bias, padding=self._margin)


class Mapping(nn.Module):
    """Turns latent vectors into style vectors."""

    mean: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        sizes = [config.z, *[config.w] * config.mapping_layers]
        self.layers = nn.ModuleList(
            ScaledLinear(before, after, rate=config.mapping_rate) for before, after in itertools.pairwise(sizes)
        )
        self.styles = config.styles
        self.register_buffer("mean", torch.zeros(config.w))

    def forward(self, z: Tensor, *, truncation: float = 1.0, until: int | None = None) -> Tensor:
        """(n, z) to (n, styles, w).

        Args:
            z: normal random numbers; only their direction counts.
            truncation: 1 leaves the styles as they are, 0 makes each the mean one.
            until: truncate the styles before this one only, the coarse ones; None: all.
        """
        x = z * (z.square().mean(1, keepdim=True) + _EPSILON).rsqrt()
        for layer in self.layers:
            x = rectified(layer(x))
        styles = x[:, None].repeat(1, self.styles, 1)
        if truncation == 1.0:
            return styles
        end = self.styles if until is None else until
        return torch.cat([self.mean + truncation * (styles[:, :end] - self.mean), styles[:, end:]], 1)

    @torch.no_grad()
    def follow_mean(self, styles: Tensor, *, keep: float = 0.998) -> None:
        """Move the mean style towards those of a batch (n, styles, w), before mixing."""
        self.mean.lerp_(styles[:, 0].float().mean(0), 1 - keep)


class ModulatedConv(nn.Module):
    """A convolution whose inputs a style scales, and whose outputs are scaled back to unit variance.

    Args:
        demodulate: scale back; not for the conversion to colours.
    """

    def __init__(self, inputs: int, outputs: int, side: int, style: int, *, demodulate: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, side, side) * (1.0 if demodulate else _PALE))
        self.affine = ScaledLinear(style, inputs, start=1.0)
        self._scale, self._margin, self._demodulate = 1 / math.sqrt(inputs * side * side), side // 2, demodulate

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(n, inputs, h, w) and (n, style) to (n, outputs, h, w)."""
        scales: Tensor = self.affine(style)  # (n, inputs)
        weight = self.weight * self._scale
        y = F.conv2d(x * scales[:, :, None, None], weight, padding=self._margin)
        if not self._demodulate:
            return y
        power = scales.square() @ weight.square().sum((2, 3)).T  # (n, outputs)
        return y * (power + _EPSILON).rsqrt()[:, :, None, None]


class StyledLayer(nn.Module):
    """A modulated convolution, doubled in size where wanted, with noise, bias and rectifier."""

    def __init__(self, inputs: int, outputs: int, style: int, *, doubled: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, 3, style)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self._doubled = doubled

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h, w) or twice that size; noise (n or 1, 1, height, width), or None."""
        y: Tensor = self.conv(x, style)
        if self._doubled:
            y = _doubled(y)
        if noise is None:
            noise = torch.randn(y.shape[0], 1, *y.shape[2:], device=y.device, dtype=y.dtype)
        return rectified(y + self.strength * noise + self.bias[:, None, None])


class Generator(nn.Module):
    """Makes frames of latent vectors: `generator(generator.mapping(z))`."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        """Whether the layers of a resolution are computed again for their gradients: less memory, more time."""
        self.mapping = Mapping(config)
        channels = config.channels
        self.start = nn.Parameter(torch.randn(1, channels[0], *config.start))
        self.layers = nn.ModuleList([StyledLayer(channels[0], channels[0], config.w, doubled=False)])
        self.colours = nn.ModuleList([ModulatedConv(channels[0], 3, 1, config.w, demodulate=False)])
        for before, after in itertools.pairwise(channels):
            self.layers.append(StyledLayer(before, after, config.w, doubled=True))
            self.layers.append(StyledLayer(after, after, config.w, doubled=False))
            self.colours.append(ModulatedConv(after, 3, 1, config.w, demodulate=False))
        self.colour_bias = nn.Parameter(torch.zeros(3))

    def noise(self, seed: int) -> list[Tensor]:
        """Noise for every layer, each (1, 1, height, width), always the same of a seed."""
        chance, size = torch.Generator().manual_seed(seed), self.config.start
        found = [torch.randn(1, 1, *size, generator=chance)]
        for _ in self.colours[1:]:
            size = (2 * size[0], 2 * size[1])
            found += [torch.randn(1, 1, *size, generator=chance) for _ in range(2)]
        return [one.to(self.start) for one in found]

    def forward(self, styles: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """(n, styles, w) to (n, 3, height, width), about -1 to 1; noise for every layer, or new noise."""
        x = self.start.expand(styles.shape[0], -1, -1, -1)
        given: Sequence[Tensor | None] = noise if noise is not None else [None] * len(self.layers)
        x = self.layers[0](x, styles[:, 0], given[0])
        picture: Tensor = self.colours[0](x, styles[:, 1])
        for level in range(1, len(self.colours)):
            inputs = (level, x, picture, styles, given)
            if self.checkpointing and torch.is_grad_enabled():
                x, picture = checkpoint(self._level, *inputs, use_reentrant=False)
            else:
                x, picture = self._level(*inputs)
        picture = picture + self.colour_bias[:, None, None]
        top = (picture.shape[2] - self.config.height) // 2
        left = (picture.shape[3] - self.config.width) // 2
        return picture[:, :, top : top + self.config.height, left : left + self.config.width]

    def _level(
        self, level: int, x: Tensor, picture: Tensor, styles: Tensor, noise: Sequence[Tensor | None]
    ) -> tuple[Tensor, Tensor]:
        """The maps and the picture at twice the size."""
        for layer in (2 * level - 1, 2 * level):
            x = self.layers[layer](x, styles[:, layer], noise[layer])
        return x, _doubled(picture) + self.colours[level](x, styles[:, 2 * level + 1])


def batch_spread(x: Tensor, group: int) -> Tensor:
    """(n, c, h, w) to (n, c + 1, h, w): one channel more with the mean standard deviation among every so many pictures.

    A batch that is no multiple of the group is taken as one group.
    """
    n, _, height, width = x.shape
    group = group if n % group == 0 else n
    grouped = x.reshape(group, n // group, -1).float()
    spread = (grouped.var(0, unbiased=False) + _EPSILON).sqrt().mean(1)  # (n / group,)
    return torch.cat([x, spread.repeat(group).to(x.dtype)[:, None, None, None].expand(n, 1, height, width)], 1)


class Discriminator(nn.Module):
    """Tells real frames from made ones, by residual blocks that halve the size, and by the spread of a batch."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._group = config.spread_group
        channels = config.channels[::-1]
        self.entry = ScaledConv(3, channels[0], 1)
        pairs = list(itertools.pairwise(channels))
        self.first = nn.ModuleList(ScaledConv(before, before, 3) for before, _ in pairs)
        self.second = nn.ModuleList(ScaledConv(before, after, 3) for before, after in pairs)
        self.skips = nn.ModuleList(ScaledConv(before, after, 1, bias=False) for before, after in pairs)
        last = channels[-1]
        self.merge = ScaledConv(last + 1, last, 3)
        self.hidden = ScaledLinear(last * config.start[0] * config.start[1], last)
        self.out = ScaledLinear(last, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, height, width), -1 to 1, to (n,): positive where a frame looks real."""
        x = rectified(self.entry(x))
        for first, second, skip in zip(self.first, self.second, self.skips, strict=True):
            y = rectified(_halved(second(rectified(first(x)))))
            x = (y + skip(_halved(x))) / math.sqrt(2)
        x = rectified(self.merge(batch_spread(x, self._group)))
        scores: Tensor = self.out(rectified(self.hidden(x.flatten(1))))
        return scores[:, 0]


def rectified(x: Tensor) -> Tensor:
    """A leaky rectifier that keeps the variance."""
    return F.leaky_relu(x, _SLOPE) * _GAIN


def _doubled(x: Tensor) -> Tensor:
    """Twice the size, by the filter 1 3 3 1, which bilinear interpolation by two is."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _halved(x: Tensor) -> Tensor:
    """Half the size, rounded up, by means of 2 x 2 pixels."""
    return F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)
