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

__all__ = ["augment", "diff_augment"]

_SHIFT = 0.125  # most shift, of height and width
_ZOOM = 0.2  # standard deviation of the base-2 logarithm of the scale
_TURN = 8.0  # degrees: a horizon does not stand upright
_DIFF_LIGHT = 0.8  # full range of the change of light in `diff_augment`
_LIGHT, _CONTRAST, _COLOUR = 0.2, 0.35, 0.5  # standard deviations; of the last two of the base-2 logarithm


def augment(frames: Tensor, chance: float) -> Tensor:
    """Each augmentation with a chance, for each frame by itself: (n, 3, h, w), -1 to 1.

    Flips, shifts, turns and zooms, then light, contrast and saturation. A chance of 0 returns the frames as they are.
    """
    if chance <= 0.0:
        return frames
    return _recoloured(_moved(frames, chance), chance)


def diff_augment(frames: Tensor) -> Tensor:
    """Zhao's policy with colour, translation and cutout, applied to every frame: (n, 3, h, w), -1 to 1.

    Light, saturation and contrast change at random, the frame moves by up to an eighth over a grey ground, and a
    rectangle of half its height and width turns grey.
    """
    n, _, height, width = frames.shape
    device = frames.device
    light, saturation, contrast = torch.rand(3, n, 1, 1, 1, device=device, dtype=frames.dtype)
    frames = frames + (light - 0.5) * _DIFF_LIGHT
    grey = frames.mean(1, keepdim=True)
    frames = grey + (frames - grey) * (saturation * 2.0)
    mean = frames.mean((1, 2, 3), keepdim=True)
    frames = mean + (frames - mean) * (contrast + 0.5)
    down, across = (round(side * _SHIFT) for side in (height, width))
    padded = F.pad(frames, (across, across, down, down))
    rows = torch.randint(0, 2 * down + 1, (n,), device=device).tolist()
    columns = torch.randint(0, 2 * across + 1, (n,), device=device).tolist()
    moved = torch.stack(
        [one[:, top : top + height, left : left + width] for one, top, left in zip(padded, rows, columns, strict=True)]
    )
    return moved * _cutout(n, height, width, device)


def _cutout(n: int, height: int, width: int, device: torch.device) -> Tensor:
    """(n, 1, height, width): 0 in a rectangle of half the height and width, which may lie partly outside; else 1."""
    shown = []
    for side in (height, width):
        middle = torch.randint(0, side + 1, (n, 1), device=device)
        shown.append((torch.arange(side, device=device) - middle).abs() > side // 4)
    return (shown[0][:, None, :, None] | shown[1][:, None, None, :]).float()


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
