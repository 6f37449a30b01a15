"""The sketcher: a sentence becomes a 16 x 16 colour sketch, by flow matching in a small MLP.

A sketch is a picture averaged to 16 x 16 RGB in [-1, 1], represented by 128 scaled principal components. The network
learns the velocity of the straight path from noise to these components (Lipman et al. 2023, arXiv:2210.02747; Liu et
al. 2023, arXiv:2209.03003), given the sentence; sampling uses the midpoint rule. Classifier-free guidance (Ho and
Salimans 2022, arXiv:2207.12598) is that of the exported graph (`nets.painter.SketcherGraph`). One modulation network
serves every block, each with its own offset (PixArt, arXiv:2310.00426).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SKETCH_SIZE", "Sampler", "Sketcher", "SketcherConfig"]

SKETCH_SIZE = 16  # cells a side
_FLAT = 3 * SKETCH_SIZE * SKETCH_SIZE
_TIME = 128  # numbers that encode the time
_SENTENCE_GAIN = 8.0  # the components of MiniLM's vectors are near 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SketcherConfig:
    """The shape of a Sketcher."""

    components: int = 128  # principal components of a sketch; finer detail is the painter's
    width: int = 384  # of the residual stream
    hidden: int = 768  # inside a block
    blocks: int = 5
    sentence: int = 384  # numbers of a sentence vector


class _Block(nn.Module):
    """Normalise, modulate, two layers, gated back into the stream."""

    def __init__(self, config: SketcherConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width, elementwise_affine=False)
        self.inner = nn.Linear(config.width, config.hidden)
        self.outer = nn.Linear(config.hidden, config.width)
        self.offset = nn.Parameter(torch.zeros(3 * config.width))

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        shift, scale, gate = (modulation + self.offset).chunk(3, dim=-1)  # each (n, width)
        h = self.norm(x) * (1.0 + scale) + shift
        moved: Tensor = x + gate * self.outer(F.silu(self.inner(h)))
        return moved


class Sketcher(nn.Module):
    """Velocity of a sketch on its way from noise, given time and sentence; and conversion of components to cells."""

    basis: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, config: SketcherConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.enter = nn.Linear(config.components, width)
        self.read = nn.Linear(config.sentence, width)
        self.unconditional = nn.Parameter(torch.zeros(config.sentence))
        self.time = nn.Sequential(nn.Linear(_TIME, width), nn.SiLU(), nn.Linear(width, width))
        self.modulate = nn.Linear(width, 3 * width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.last = nn.Linear(width, 2 * width)
        self.leave = nn.Linear(width, config.components)
        for layer in (self.modulate, self.last, self.leave):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.register_buffer("basis", torch.zeros(config.components, _FLAT))
        self.register_buffer("mean", torch.zeros(_FLAT))
        self.register_buffer("scale", torch.ones(config.components))

    def fit(self, cells: NDArray[np.float32]) -> None:
        """Compute the principal components of training sketches, `cells` (n, 3, 16, 16) in [-1, 1].

        Each component is divided by sd^0.6 / 0.7, a compromise between no scaling and whitening.
        """
        flat = torch.as_tensor(cells, dtype=torch.float32).flatten(1)
        mean = flat.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov((flat - mean).T))
        keep = torch.argsort(values, descending=True)[: self.config.components]
        self.basis.copy_(vectors[:, keep].T)
        self.mean.copy_(mean)
        self.scale.copy_(0.7 / values[keep].clamp_min(1e-8).sqrt().pow(0.6))

    def components(self, cells: Tensor) -> Tensor:
        """Sketches (n, 3, 16, 16) to scaled components (n, components)."""
        return (cells.flatten(1) - self.mean) @ self.basis.T * self.scale

    def cells(self, components: Tensor) -> Tensor:
        """Scaled components (n, components) to sketches (n, 3, 16, 16) in [-1, 1]."""
        flat = (components / self.scale) @ self.basis + self.mean
        return flat.view(-1, 3, SKETCH_SIZE, SKETCH_SIZE).clamp(-1.0, 1.0)

    def coarse(self, cells: Tensor) -> Tensor:
        """Sketches (n, 3, 16, 16) projected onto the components; not clamped."""
        flat = cells.flatten(1) - self.mean
        return (flat @ self.basis.T @ self.basis + self.mean).view_as(cells)

    def forward(self, x: Tensor, time: Tensor, sentence: Tensor) -> Tensor:
        """Velocity (n, components) at `x` (n, components), `time` (n,) in [0, 1], `sentence` (n, 384) of unit length.

        A row of `sentence` that is all zero means "no sentence".
        """
        rates = torch.exp(torch.arange(_TIME // 2, device=x.device) * (-math.log(10000.0) / (_TIME // 2)))
        angle = time[:, None] * 1000.0 * rates
        clock = self.time(torch.cat([angle.cos(), angle.sin()], dim=1))
        blank = (sentence.abs().amax(dim=1, keepdim=True) == 0).float()
        said = self.read(sentence * _SENTENCE_GAIN + blank * self.unconditional)  # (n, width)
        condition = F.silu(clock + said)
        modulation = self.modulate(condition)
        h = self.enter(x) + said
        for block in self.blocks:
            h = block(h, modulation)
        shift, scale = self.last(condition).chunk(2, dim=-1)
        velocity: Tensor = self.leave(self.norm(h) * (1.0 + scale) + shift)
        return velocity


class Sampler(nn.Module):
    """Noise and sentence to sketch, by a fixed number of midpoint steps; gradients reach the net."""

    def __init__(self, net: Sketcher, *, steps: int = 4) -> None:
        super().__init__()
        self.net = net
        self.steps = steps

    def forward(self, noise: Tensor, sentence: Tensor) -> Tensor:
        """`noise` (n, components) standard normal, `sentence` (n, 384); gives cells (n, 3, 16, 16) in [-1, 1]."""
        x, width = noise, 1.0 / self.steps
        clock = torch.zeros_like(x[:, 0])
        for number in range(self.steps):
            start = clock + number * width
            halfway = x + self.net(x, start, sentence) * (width / 2)
            x = x + self.net(halfway, start + width / 2, sentence) * width
        return self.net.cells(x)
