"""What the film model is trained by: losses, penalties, the average of its weights, and the chance of augmentation.

Mescheder, Geiger, Nowozin, "Which training methods for GANs do actually converge?", 2018 (R1).
Karras et al., "Analyzing and improving the image quality of StyleGAN", 2020 (path length).
Karras et al., "Training generative adversarial networks with limited data", 2020 (adaptive augmentation).
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

__all__ = [
    "AugmentationChance",
    "PathLength",
    "WeightAverage",
    "discriminator_loss",
    "generator_loss",
    "r1_penalty",
]


def generator_loss(made: Tensor) -> Tensor:
    """The non-saturating loss of the scores of made frames (n,)."""
    return F.softplus(-made).mean()


def discriminator_loss(real: Tensor, made: Tensor) -> Tensor:
    """The logistic loss of the scores of real and made frames, each (n,)."""
    return F.softplus(-real).mean() + F.softplus(made).mean()


def r1_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, *, weight: float) -> Tensor:
    """Half the weight times the mean squared gradient of the scores at real frames (n, 3, h, w)."""
    frames = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(frames).sum(), frames, create_graph=True)
    return 0.5 * weight * gradient.square().sum((1, 2, 3)).mean()


class PathLength:
    """The penalty on how unevenly a step in style space changes the frame; remembers the usual length.

    Args:
        decay: share of the way to a batch's mean length that the usual one goes.
    """

    def __init__(self, decay: float = 0.01) -> None:
        self.mean = torch.zeros(())
        self._decay = decay

    def __call__(self, frames: Tensor, styles: Tensor) -> Tensor:
        """The mean squared distance of the lengths from the usual one.

        Args:
            frames: (n, 3, h, w) made of the styles, with their graph.
            styles: (n, styles, w), which need gradients.
        """
        noise = torch.randn_like(frames) / math.sqrt(frames.shape[2] * frames.shape[3])
        (gradient,) = torch.autograd.grad((frames * noise).sum(), styles, create_graph=True)
        lengths = gradient.square().sum(2).mean(1).sqrt()
        mean = self.mean.to(lengths.device).lerp(lengths.detach().mean(), self._decay)
        self.mean = mean
        return (lengths - mean).square().mean()


class WeightAverage:
    """A copy of a net whose weights follow the original's with a half-life.

    Args:
        net: the original.
        half_life: pictures after which half of an old weight is left.
        ramp: the half-life is at most this share of the pictures seen, so that the first weights are soon forgotten.
    """

    def __init__(self, net: nn.Module, *, half_life: float, ramp: float = 0.05) -> None:
        self.net = copy.deepcopy(net).eval().requires_grad_(requires_grad=False)
        self._half_life, self._ramp, self._seen = half_life, ramp, 0

    @torch.no_grad()
    def follow(self, net: nn.Module, pictures: int) -> None:
        """Move towards the original after a step with so many pictures."""
        self._seen += pictures
        half_life = min(self._half_life, self._seen * self._ramp)
        keep = 0.5 ** (pictures / max(half_life, 1e-8))
        for mine, its in zip(self.net.parameters(), net.parameters(), strict=True):
            mine.copy_(its.lerp(mine, keep))
        for kept, current in zip(self.net.buffers(), net.buffers(), strict=True):
            kept.copy_(current)


class AugmentationChance:
    """How likely an augmentation is: more where the discriminator is sure of real frames, less where it is not.

    Args:
        target: mean sign of the scores of real frames that is aimed at.
        pictures: number in which the chance would go from 0 to 1.
        most: the highest chance; near 1 augmentations leak into what is made.
    """

    def __init__(self, *, target: float = 0.6, pictures: int = 100_000, most: float = 0.8) -> None:
        self.value = 0.0
        self._target, self._pictures, self._most = target, pictures, most

    def follow(self, real: Tensor) -> None:
        """Adjust to the scores of a batch of real frames (n,)."""
        sure = float(real.detach().sign().mean())
        step = math.copysign(len(real) / self._pictures, sure - self._target) if sure != self._target else 0.0
        self.value = min(max(self.value + step, 0.0), self._most)
