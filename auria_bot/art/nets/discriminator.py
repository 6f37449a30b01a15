"""The discriminator: tells painted pictures from real ones on frozen EfficientNet-Lite0 features, in training only.

After Projected GANs (Sauer et al. 2021, arXiv:2111.01007): feature maps of a frozen network pass fixed random 1 x 1
convolutions, are mixed from coarse to fine, and one small head judges each scale; one more head sees raw pixels. Every
logit has a part that asks whether the picture fits the sentence (Miyato and Koyama 2018, arXiv:1802.05637).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from auria_bot.art.nets.lite0 import STRIDES, TAP_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Discriminator"]

_MIXED = {2: 24, 4: 40, 8: 48, 16: 48, 32: 48}  # channels after the random projection
_JUDGED = 64  # channels before a head's logit
_SENTENCE_GAIN = 8.0  # the components of MiniLM's vectors are near 0.05


class _Head(nn.Module):
    """Two convolutions, then a logit for each place: unconditional, plus how well the place fits the sentence."""

    def __init__(self, channels: Sequence[int], kernels: Sequence[int], sentence: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            spectral_norm(
                nn.Conv2d(
                    inputs, outputs, kernel, stride=2 if kernel == 4 else 1, padding=kernel // 2 if kernel != 4 else 1
                )
            )
            for inputs, outputs, kernel in zip(channels, channels[1:], kernels, strict=False)
        )
        self.plain = spectral_norm(nn.Conv2d(channels[-1], 1, 1))
        self.told = spectral_norm(nn.Linear(sentence, channels[-1]))

    def features(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return x

    def forward(self, features: Tensor, sentence: Tensor) -> Tensor:
        """(n, places) logits."""
        fit = (features * self.told(sentence)[:, :, None, None]).mean(dim=1, keepdim=True) * 4.0
        logits: Tensor = (self.plain(features) + fit).flatten(1)
        return logits


class Discriminator(nn.Module):
    """Five heads on Lite0's maps and one on pixels."""

    def __init__(self, *, sentence: int = 384, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        for stride in STRIDES:
            wide = (
                torch.randn(_MIXED[stride], TAP_CHANNELS[stride], 1, 1, generator=generator)
                * TAP_CHANNELS[stride] ** -0.5
            )
            self.register_buffer(f"project{stride}", wide)
            self.register_buffer(f"size{stride}", torch.ones(()))
            if stride < 32:
                mix = (
                    torch.randn(_MIXED[stride], _MIXED[2 * stride], 1, 1, generator=generator)
                    * _MIXED[2 * stride] ** -0.5
                )
                self.register_buffer(f"mix{stride}", mix)
        kernels = {2: (4, 4), 4: (4, 3), 8: (3, 3), 16: (3, 1), 32: (1, 1)}
        self.heads = nn.ModuleDict(
            {
                str(stride): _Head((_MIXED[stride], 40 if stride == 2 else _JUDGED, _JUDGED), kernels[stride], sentence)
                for stride in STRIDES
            }
        )
        self.heads["pixels"] = _Head((3, 24, 48), (4, 4), sentence)

    @torch.no_grad()
    def calibrate(self, taps: Mapping[int, Tensor]) -> None:
        """Measure the standard deviation of each map on real pictures, by which the maps are divided."""
        for stride in STRIDES:
            getattr(self, f"size{stride}").copy_(taps[stride].std())

    def mixed(self, taps: Mapping[int, Tensor]) -> dict[int, Tensor]:
        """Lite0's maps, projected and mixed from coarse to fine: {stride: (n, channels, side / stride, side / stride)}."""
        found: dict[int, Tensor] = {}
        for stride in reversed(STRIDES):
            here = F.conv2d(taps[stride] / getattr(self, f"size{stride}"), getattr(self, f"project{stride}"))
            if stride < 32:
                coarse = F.conv2d(found[2 * stride], getattr(self, f"mix{stride}"))
                here = (here + F.interpolate(coarse, scale_factor=2.0, mode="nearest")) * 0.7071
            found[stride] = here
        return found

    def head_features(self, taps: Mapping[int, Tensor], pictures: Tensor) -> dict[str, Tensor]:
        """Each head's features of pictures (n, 3, side, side) in [-1, 1] and of Lite0's maps of them."""
        mixed = self.mixed(taps)
        inputs = {str(stride): mixed[stride] for stride in STRIDES} | {"pixels": pictures}
        return {name: head.features(inputs[name]) for name, head in self.heads.items()}  # type: ignore[operator]

    def head_logits(self, features: Mapping[str, Tensor], sentence: Tensor) -> list[Tensor]:
        """Logits of every head, given the sentence (n, 384): positive for a real picture that fits the sentence."""
        return [head(features[name], sentence * _SENTENCE_GAIN) for name, head in self.heads.items()]
