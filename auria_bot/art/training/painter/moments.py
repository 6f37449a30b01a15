"""The painter's loss of moments: painted pictures' features spread as those of real pictures do.

The Frechet distance between two sets of features is that between the normal distributions with their means and
covariances. Its gradient moves each feature towards its image under the optimal transport from one distribution to the
other (Dowson and Landau 1982, doi:10.1016/0047-259X(82)90077-X). So the loss is the squared distance to that image,
which is held fixed. Only the directions in which real features vary most are compared: the others' covariances would
take more pictures to know than a training paints while it changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

    from auria_bot.art.nets.lite0 import Lite0

__all__ = ["Moments", "transport"]

_SIDE = 64  # pixels a side at which features are read, as the judges do
_DIRECTIONS = 128  # that are compared; they hold three quarters of the features' variance
_MEMORY = 400  # updates over which means and covariances are averaged
_WARM = 150  # updates before there is a loss
_EVERY = 20  # updates between transports
_RIDGE = 0.01  # added to each variance, as a share of the mean one
_PART = 100  # pictures read at a time


class Moments(nn.Module):
    """Running means and covariances of the features of real and of painted pictures; all of it is saved.

    Args:
        lite0: frozen; its pooled features are compared.
        real: (n, 3, size, size) in [-1, 1], real pictures whose features say which directions are compared.
    """

    basis: Tensor
    shrink: Tensor
    updates: Tensor
    map: Tensor

    def __init__(self, lite0: Lite0, real: Tensor) -> None:
        super().__init__()
        self._read = [lite0]  # in a list: it is no part of what is saved
        self.register_buffer("shrink", _shrinking(real.shape[-1]), persistent=False)
        with torch.no_grad():
            found = torch.cat([self._features(real[at : at + _PART]) for at in range(0, len(real), _PART)])
        _, directions = torch.linalg.eigh(torch.cov(found.double().T))
        self.register_buffer("basis", directions[:, -_DIRECTIONS:].float().contiguous())
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        for kind in ("real", "painted"):
            self.register_buffer(f"{kind}_mean", torch.zeros(_DIRECTIONS))
            self.register_buffer(f"{kind}_square", torch.zeros(_DIRECTIONS, _DIRECTIONS))
        self.register_buffer("map", torch.eye(_DIRECTIONS))

    def features(self, pictures: Tensor) -> Tensor:
        """Pictures (n, 3, size, size) in [-1, 1] to features (n, directions)."""
        return self._features(pictures) @ self.basis

    def learn(self, painted: Tensor, real: Tensor) -> None:
        """Take the features of one update into account."""
        number = int(self.updates)
        share = max(1.0 / (number + 1), 1.0 / _MEMORY)
        with torch.no_grad():
            for kind, rows in (("real", real), ("painted", painted)):
                self.get_buffer(f"{kind}_mean").lerp_(rows.mean(0), share)
                self.get_buffer(f"{kind}_square").lerp_(rows.T @ rows / len(rows), share)
            if number >= _WARM and number % _EVERY == 0:
                self.map.copy_(transport(self._covariance("painted"), self._covariance("real")))
        self.updates += 1

    def loss(self, painted: Tensor) -> Tensor:
        """(n,) squared distance of each feature (n, directions) from where it should lie; 0 while too few are known."""
        if int(self.updates) <= _WARM:
            return painted.sum(1) * 0.0
        with torch.no_grad():
            goal = self.get_buffer("real_mean") + (painted - self.get_buffer("painted_mean")) @ self.map
        return (painted - goal).square().sum(1)

    def _features(self, pictures: Tensor) -> Tensor:
        small = (self.shrink @ pictures @ self.shrink.T).clamp(-1.0, 1.0)
        features: Tensor = self._read[0].grid(small * 0.5 + 0.5).mean(dim=(2, 3))
        return features

    def _covariance(self, kind: str) -> Tensor:
        mean = self.get_buffer(f"{kind}_mean")
        return self.get_buffer(f"{kind}_square") - torch.outer(mean, mean)


def transport(one: Tensor, other: Tensor) -> Tensor:
    """The symmetric matrix (d, d) that carries a normal distribution with one covariance (d, d) to that with another.

    A small ridge keeps it bounded where the first has no variance.
    """
    one, other = one.double(), other.double()
    ridge = _RIDGE * (one.trace() + other.trace()) / (2 * len(one)) * torch.eye(len(one), dtype=torch.float64)
    one, other = one + ridge, other + ridge
    root, inverse = _power(one, 0.5), _power(one, -0.5)
    return (inverse @ _power(root @ other @ root, 0.5) @ inverse).float()


def _power(matrix: Tensor, power: float) -> Tensor:
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    raised: Tensor = (vectors * values.clamp_min(1e-9).pow(power)) @ vectors.T
    return raised


def _shrinking(size: int) -> Tensor:
    """(64, size) the Lanczos filter that shrinks a side, as the judges' pictures are shrunk."""
    unit = Image.fromarray(np.eye(size, dtype=np.float32))
    return torch.from_numpy(np.asarray(unit.resize((size, _SIDE), Image.Resampling.LANCZOS)).copy())
