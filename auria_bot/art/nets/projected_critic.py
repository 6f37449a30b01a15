"""A critic that judges the features of a frozen classifier, which takes far less training than one from pixels.

Lite0's maps at four scales are mixed by fixed random convolutions, so that no head can look at a part of them only;
small heads with spectral normalisation tell real from made. Batch normalisation is not used: it let colours drift.
Each head also sees how much the frames of a batch differ at each place, so that frames that are all alike are found
out. One more head judges patches of pixels.

Sauer et al., "Projected GANs converge faster", 2021. Miyato et al., "Spectral normalization for GANs", 2018.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from auria_bot.art.nets.lite0 import TAP_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from auria_bot.art.nets.lite0 import Lite0

__all__ = ["CriticConfig", "ProjectedCritic"]

_STRIDES: Final = (4, 8, 16, 32)  # of Lite0's maps
_LEAST = 5  # rows to which a head halves its map
_EPSILON = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticConfig:
    """The sizes of the critic."""

    height: int = 96  # pixels at which Lite0 sees the frames, multiples of 32
    width: int = 160
    channels: int = 64  # of the mixed maps and of the heads
    group: int = 8  # frames among which the heads compare
    seed: int = 7  # of the fixed random convolutions


class ProjectedCritic(nn.Module):
    """Scores frames, higher where they look real; Lite0 is passed to `features` and is not a part of the weights."""

    def __init__(self, config: CriticConfig) -> None:
        super().__init__()
        self.config = config
        width, generator = config.channels, torch.Generator().manual_seed(config.seed)
        for stride in _STRIDES:
            inputs = TAP_CHANNELS[stride]
            lateral = torch.randn(width, inputs, 1, 1, generator=generator) * (2 / inputs) ** 0.5
            mix = torch.randn(width, width, 3, 3, generator=generator) * (2 / (9 * width)) ** 0.5
            self.register_buffer(f"lateral{stride}", lateral)
            self.register_buffer(f"mix{stride}", mix)
            self.register_buffer(f"mean{stride}", torch.zeros(1, width, 1, 1))
            self.register_buffer(f"scale{stride}", torch.ones(1, width, 1, 1))
        self.heads = nn.ModuleDict(
            {str(stride): _Head(width, width, config.height // stride, config.group) for stride in _STRIDES}
        )
        self.heads["pixels"] = _Patches(width)

    def features(self, lite0: Lite0, frames: Tensor) -> list[Tensor]:
        """What each head looks at: the mixed maps from fine to coarse, and the frames themselves.

        Args:
            lite0: frozen.
            frames: (n, 3, height, width) of any size, about -1 to 1.
        """
        seen = F.interpolate(frames, size=(self.config.height, self.config.width), mode="bilinear", align_corners=False)
        seen = seen.contiguous(memory_format=torch.channels_last)  # other layouts take twice the time
        mixed = self._mixed(lite0.taps(seen * 0.5 + 0.5, _STRIDES))
        maps = [(mixed[stride] - self._of("mean", stride)) * self._of("scale", stride) for stride in _STRIDES]
        return [*maps, frames]

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """The scores of each head, (n, places), of what `features` gave."""
        return [head(one) for head, one in zip(self.heads.values(), features, strict=True)]

    @torch.no_grad()
    def calibrate(self, lite0: Lite0, frames: Tensor) -> None:
        """Measure mean and deviation of the mixed maps on real frames, by which they are normalised from then on."""
        for stride in _STRIDES:
            self._of("mean", stride).zero_()
            self._of("scale", stride).fill_(1.0)
        for stride, one in zip(_STRIDES, self.features(lite0, frames), strict=False):
            self._of("mean", stride).copy_(one.mean((0, 2, 3), keepdim=True))
            self._of("scale", stride).copy_(1 / (one.std((0, 2, 3), keepdim=True) + _EPSILON))

    def _of(self, name: str, stride: int) -> Tensor:
        found: Tensor = getattr(self, f"{name}{stride}")
        return found

    def _mixed(self, taps: Mapping[int, Tensor]) -> dict[int, Tensor]:
        """Maps mixed across channels, then across scales from coarse to fine."""
        found: dict[int, Tensor] = {}
        coarser: Tensor | None = None
        for stride in reversed(_STRIDES):
            here = F.conv2d(taps[stride], self._of("lateral", stride))
            if coarser is not None:
                size = (here.shape[2], here.shape[3])
                here = (here + F.interpolate(coarser, size=size, mode="bilinear", align_corners=False)) * 0.5**0.5
            coarser = found[stride] = F.conv2d(here, self._of("mix", stride), padding=1)
        return found


class _Head(nn.Module):
    """Halves a map to a few rows, appends the spread of the batch, and scores each place."""

    def __init__(self, inputs: int, width: int, rows: int, group: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while rows > _LEAST:
            layers += [spectral_norm(nn.Conv2d(inputs, width, 4, 2, 1)), nn.LeakyReLU(0.2)]
            inputs, rows = width, rows // 2
        self.halve = nn.Sequential(*layers)
        self.last = spectral_norm(nn.Conv2d(inputs + 1, width, 3, 1, 1))
        self.out = spectral_norm(nn.Conv2d(width, 1, 1))
        self._group = group

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, places)."""
        x = self.halve(x)
        x = torch.cat([x, _spread(x, self._group)], 1)
        scores: Tensor = self.out(F.leaky_relu(self.last(x), 0.2))
        return scores.flatten(1)


class _Patches(nn.Module):
    """Scores patches of pixels, 22 a side."""

    def __init__(self, width: int) -> None:
        super().__init__()
        sizes = (3, width // 2, width, width)
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(sizes):
            layers += [spectral_norm(nn.Conv2d(inputs, outputs, 4, 2, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(width, 1, 1)))

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) to (n, places)."""
        scores: Tensor = self.layers(x)
        return scores.flatten(1)


def _spread(x: Tensor, group: int) -> Tensor:
    """(n, c, h, w) to (n, 1, h, w): at each place the mean over channels of the deviation among the frames of a group.

    A batch that is no multiple of the group is taken as one.
    """
    n, channels, height, width = x.shape
    group = group if n % group == 0 else n
    grouped = x.reshape(n // group, group, channels, height, width)
    spread = (grouped.var(1, unbiased=False) + 1e-8).sqrt().mean(1, keepdim=True)  # (n / group, 1, h, w)
    return spread.repeat_interleave(group, 0)
