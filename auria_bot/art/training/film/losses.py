"""What the film model is trained by: losses, penalties, the average of its weights, and the chance of augmentation.

Mescheder, Geiger, Nowozin, "Which training methods for GANs do actually converge?", 2018 (R1).
Karras et al., "Analyzing and improving the image quality of StyleGAN", 2020 (path length).
Karras et al., "Training generative adversarial networks with limited data", 2020 (adaptive augmentation).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F

from auria_bot.art.training.loop import copy_average

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

__all__ = [
    "AugmentationChance",
    "Palette",
    "PathLength",
    "WeightAverage",
    "discriminator_loss",
    "generator_loss",
    "hinge_loss",
    "layout_distance",
    "r1_penalty",
]

_QUANTILES = 512  # of the colours of a batch


def generator_loss(made: Tensor) -> Tensor:
    """The non-saturating loss of the scores of made frames (n,)."""
    return F.softplus(-made).mean()


def hinge_loss(real: Sequence[Tensor], made: Sequence[Tensor]) -> Tensor:
    """The critic's hinge loss, averaged over its heads; for each head scores (n, places) of real and made frames."""
    return torch.stack(
        [F.relu(1.0 - up).mean() + F.relu(1.0 + down).mean() for up, down in zip(real, made, strict=True)]
    ).mean()


def layout_distance(frames: Tensor) -> Tensor:
    """How far the frames of a batch (n, 3, h, w) lie apart as layouts.

    The mean Euclidean distance between any two frames' 8 x 8 averages, in root mean square units of a pixel.
    """
    cells = F.adaptive_avg_pool2d(frames, 8).flatten(1)
    return F.pdist(cells).mean() / math.sqrt(cells.shape[1])


def discriminator_loss(real: Tensor, made: Tensor) -> Tensor:
    """The logistic loss of the scores of real and made frames, each (n,)."""
    return F.softplus(-real).mean() + F.softplus(made).mean()


def r1_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, *, weight: float) -> Tensor:
    """Half the weight times the mean squared gradient of the scores at real frames (n, 3, h, w)."""
    frames = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(frames).sum(), frames, create_graph=True)
    return 0.5 * weight * gradient.square().sum((1, 2, 3)).mean()


class Palette(nn.Module):
    """How far the colours of frames lie from those of footage, wherever they stand in the frame.

    The sliced Wasserstein distance: colours of frames averaged over 4 x 4 pixels are sorted along fixed random axes of
    colour space, and compared with the same quantiles of the footage. Bonneel et al. 2015.
    """

    axes: Tensor
    quantiles: Tensor

    def __init__(self, *, axes: int = 12, seed: int = 0) -> None:
        super().__init__()
        chance = torch.Generator().manual_seed(seed)
        self.register_buffer("axes", F.normalize(torch.randn(3, axes, generator=chance), dim=0))
        self.register_buffer("quantiles", torch.zeros(_QUANTILES, axes))

    @torch.no_grad()
    def calibrate(self, frames: Tensor) -> None:
        """Measure the colours of footage, (n, 3, h, w), -1 to 1."""
        self.quantiles.copy_(self._sorted(frames))

    def forward(self, frames: Tensor, whole: Callable[[Tensor], Tensor] = lambda part: part) -> Tensor:
        """The mean distance of the colours of frames (n, 3, h, w); `whole` adds those of the batch's other frames."""
        return (self._sorted(frames, whole) - self.quantiles).abs().mean()

    def _sorted(self, frames: Tensor, whole: Callable[[Tensor], Tensor] = lambda part: part) -> Tensor:
        """(_QUANTILES, axes) colours along each axis, from the lowest to the highest."""
        cells = whole(F.avg_pool2d(frames, 4)).permute(0, 2, 3, 1).flatten(0, 2) @ self.axes
        rows = torch.linspace(0, len(cells) - 1, _QUANTILES, device=frames.device).round().long()
        return cells.sort(dim=0).values[rows]


class PathLength(nn.Module):
    """The penalty on how unevenly a step in style space changes the frame; its state is the usual length.

    Args:
        decay: share of the way to a batch's mean length that the usual one goes.
    """

    mean: Tensor

    def __init__(self, decay: float = 0.01) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self._decay = decay

    def forward(self, frames: Tensor, styles: Tensor, whole: Callable[[Tensor], Tensor] = lambda part: part) -> Tensor:
        """The mean squared distance of the lengths from the usual one.

        Args:
            frames: (n, 3, h, w) made of the styles, with their graph.
            styles: (n, styles, w), which need gradients.
            whole: adds the lengths at the batch's other frames, for the usual one.
        """
        noise = torch.randn_like(frames) / math.sqrt(frames.shape[2] * frames.shape[3])
        (gradient,) = torch.autograd.grad((frames * noise).sum(), styles, create_graph=True)
        lengths = gradient.square().sum(2).mean(1).sqrt()
        self.mean.lerp_(whole(lengths.detach()).mean(), self._decay)
        return (lengths - self.mean).square().mean()


class WeightAverage:
    """A copy of a net whose weights follow the original's with a half-life.

    Args:
        half_life: pictures after which half of an old weight is left.
        ramp: the half-life is at most this share of the pictures seen, so that the first weights are soon forgotten.
    """

    def __init__(self, net: nn.Module, *, half_life: float, ramp: float = 0.05) -> None:
        self.net = copy_average(net)
        self._half_life, self._ramp = half_life, ramp

    @torch.no_grad()
    def follow(self, net: nn.Module, pictures: int, *, seen: int) -> None:
        """Move towards the original after a step with so many pictures, `seen` in all with these."""
        half_life = min(self._half_life, seen * self._ramp)
        keep = 0.5 ** (pictures / max(half_life, 1e-8))
        for mine, its in zip(self.net.parameters(), net.parameters(), strict=True):
            mine.copy_(its.lerp(mine, keep))
        for kept, current in zip(self.net.buffers(), net.buffers(), strict=True):
            kept.copy_(current)


class AugmentationChance(nn.Module):
    """How likely an augmentation is: more where the discriminator is sure of real frames, less where it is not.

    Args:
        target: mean sign of the scores of real frames that is aimed at.
        pictures: number in which the chance would go from 0 to 1.
        most: the highest chance; near 1 augmentations leak into what is made.
    """

    value: Tensor

    def __init__(self, *, target: float = 0.6, pictures: int = 100_000, most: float = 0.8) -> None:
        super().__init__()
        self.register_buffer("value", torch.zeros(()))
        self._target, self._pictures, self._most = target, pictures, most

    def follow(self, real: Tensor) -> None:
        """Adjust to the scores of a batch of real frames (n,)."""
        sure = float(real.detach().sign().mean())
        step = math.copysign(len(real) / self._pictures, sure - self._target) if sure != self._target else 0.0
        self.value.add_(step).clamp_(0.0, self._most)
