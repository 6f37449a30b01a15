"""Augmentations of frames that the discriminator sees, real and made ones alike, differentiable.

Karras et al., "Training generative adversarial networks with limited data", 2020.
Zhao et al., "Differentiable augmentation for data-efficient GAN training", 2020.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["augment"]

_SHIFT = 0.125  # most shift, of height and width
_ZOOM = 0.2  # standard deviation of the base-2 logarithm of the scale
_TURN = 8.0  # degrees: a horizon does not stand upright
_LIGHT, _CONTRAST, _COLOUR = 0.2, 0.35, 0.5  # standard deviations; of the last two of the base-2 logarithm


def augment(frames: Tensor, chance: float) -> Tensor:
    """Each augmentation with a chance, for each frame by itself: (n, 3, h, w), -1 to 1.

    Flips, shifts, turns and zooms, then light, contrast and saturation. A chance of 0 returns the frames as they are.
    """
    if chance <= 0.0:
        return frames
    return _recoloured(_moved(frames, chance), chance)


def _moved(frames: Tensor, chance: float) -> Tensor:
    n, device = len(frames), frames.device
    flip = torch.where(_chosen(n, chance / 2, device), -1.0, 1.0)
    zoom = torch.exp2(_normal(n, _ZOOM, chance, device))
    turn = _normal(n, math.radians(_TURN), chance, device)
    across, down = (_normal(n, _SHIFT, chance, device).clamp(-2 * _SHIFT, 2 * _SHIFT) for _ in range(2))
    ratio = frames.shape[2] / frames.shape[3]
    cosine, sine = torch.cos(turn) / zoom, torch.sin(turn) / zoom
    rows = torch.stack([cosine * flip, -sine * ratio, across, sine * flip / ratio, cosine, down], 1)
    grid = F.affine_grid(rows.reshape(n, 2, 3).to(frames.dtype), list(frames.shape), align_corners=False)
    return F.grid_sample(frames, grid, padding_mode="reflection", align_corners=False)


def _recoloured(frames: Tensor, chance: float) -> Tensor:
    n, device = len(frames), frames.device
    light = _normal(n, _LIGHT, chance, device)
    contrast, colour = (torch.exp2(_normal(n, spread, chance, device)) for spread in (_CONTRAST, _COLOUR))
    shape = (n, 1, 1, 1)
    frames = frames + light.reshape(shape).to(frames.dtype)
    frames = frames * contrast.reshape(shape).to(frames.dtype)
    grey = frames.mean(1, keepdim=True)
    return grey + (frames - grey) * colour.reshape(shape).to(frames.dtype)


def _chosen(n: int, chance: float, device: torch.device) -> Tensor:
    return torch.rand(n, device=device) < chance


def _normal(n: int, spread: float, chance: float, device: torch.device) -> Tensor:
    """(n,) normal random numbers, 0 where an augmentation is not applied."""
    return torch.randn(n, device=device) * spread * _chosen(n, chance, device)
