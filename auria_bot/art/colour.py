"""CIELAB conversion, colour distributions, and optimal transport between them.

Pixels are CIELAB (D65): L from 0 to 100, a and b from about -100 to 100. A distribution is described by mean and
covariance and by quantiles along fixed directions.

Pitie and Kokaram, "The linear Monge-Kantorovitch linear colour mapping for example-based colour transfer", 2007.
Bonneel et al., "Sliced and Radon Wasserstein barycenters of measures", 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["DIRECTIONS", "LUMA", "QUANTILES", "ColourDistribution", "distances", "from_lab", "matrix_root", "to_lab"]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Shares of red, green and blue in the light of a picture (ITU-R BT.601)."""

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])  # D65
_STEPS = 16383  # of the lookup tables; a round trip stays within one step of 8 bits
QUANTILES = np.linspace(0.0, 1.0, 33)
"""Probabilities of the quantiles that are kept of each marginal."""


_AXES = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]])
DIRECTIONS: NDArray[np.float64] = _AXES / np.linalg.norm(_AXES, axis=1, keepdims=True)
"""(9, 3) unit vectors in CIELAB along which distributions are compared and moved."""


@cache
def _linear_table() -> NDArray[np.float32]:
    """Linear light of sRGB values in steps of 1/16383."""
    value = np.linspace(0.0, 1.0, _STEPS + 1)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


@cache
def _gamma_table() -> NDArray[np.float32]:
    """SRGB values by the square root of linear light in steps of 1/16383; the root resolves dark values better."""
    light = np.linspace(0.0, 1.0, _STEPS + 1) ** 2
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


@cache
def _root_table() -> NDArray[np.float32]:
    """CIELAB's cube root by the square root of a tristimulus value in steps of 1/16383."""
    value = np.linspace(0.0, 1.0, _STEPS + 1) ** 2
    return np.where(value > 0.008856, np.cbrt(value), 7.787 * value + 16 / 116).astype(np.float32)


def to_lab(rgb: NDArray[Any]) -> NDArray[np.float32]:
    """(..., 3) sRGB from 0 to 1, floats or 8-bit integers, to CIELAB float32."""
    scale = _STEPS / 255.0 if rgb.dtype == np.uint8 else float(_STEPS)
    index = np.clip(rgb * np.float32(scale) + np.float32(0.5), 0, _STEPS).astype(np.uint16)
    xyz = _linear_table()[index] @ (_TO_XYZ / _WHITE[:, None]).T.astype(np.float32)  # each within 0 to 1
    root: NDArray[np.float32] = _root_table()[
        (np.sqrt(np.clip(xyz, 0.0, 1.0)) * np.float32(_STEPS) + np.float32(0.5)).astype(np.uint16)
    ]
    lab = np.empty_like(root)
    lab[..., 0] = 116 * root[..., 1] - 16
    lab[..., 1] = 500 * (root[..., 0] - root[..., 1])
    lab[..., 2] = 200 * (root[..., 1] - root[..., 2])
    return lab


def from_lab(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., 3) CIELAB to sRGB float32 from 0 to 1; colours outside sRGB are clipped."""
    root = np.empty_like(lab)
    root[..., 1] = (lab[..., 0] + 16) * np.float32(1 / 116)
    root[..., 0] = root[..., 1] + lab[..., 1] * np.float32(1 / 500)
    root[..., 2] = root[..., 1] - lab[..., 2] * np.float32(1 / 200)
    cube = root * root * root
    xyz = np.where(root > 0.206893, cube, (root - np.float32(16 / 116)) * np.float32(1 / 7.787))
    light = xyz @ (np.linalg.inv(_TO_XYZ) * _WHITE[None, :]).T.astype(np.float32)
    index = (np.sqrt(np.clip(light, 0.0, 1.0)) * np.float32(_STEPS) + np.float32(0.5)).astype(np.uint16)
    rgb: NDArray[np.float32] = _gamma_table()[index]
    return rgb


def matrix_root(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Symmetric square roots of symmetric, positive semidefinite matrices, (..., n, n)."""
    values, vectors = np.linalg.eigh(matrices)
    scaled = vectors * np.sqrt(np.maximum(values, 1e-9))[..., None, :]
    root: NDArray[np.float64] = scaled @ np.swapaxes(vectors, -1, -2)
    return root


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColourDistribution:
    """The distribution of a picture's colours."""

    mean: NDArray[np.float64]  # (3,) CIELAB
    covariance: NDArray[np.float64]  # (3, 3)
    marginals: NDArray[np.float64]  # (9, 33) quantiles along DIRECTIONS at QUANTILES; (9, 0) if not computed

    @classmethod
    def of(cls, lab: NDArray[np.float32], *, marginals: bool = True) -> ColourDistribution:
        """The distribution of (..., 3) CIELAB pixels; 0.01 on the diagonal keeps a flat picture's covariance regular.

        Args:
            marginals: whether to compute quantiles, which takes most of the time.
        """
        pixels = lab.reshape(-1, 3).astype(np.float64)
        quantiles = np.quantile(pixels @ DIRECTIONS.T, QUANTILES, axis=0).T if marginals else np.empty((9, 0))
        covariance = np.atleast_2d(np.cov(pixels.T)) + 1e-2 * np.eye(3)
        return cls(mean=pixels.mean(axis=0), covariance=covariance, marginals=quantiles)

    def distance(self, other: ColourDistribution) -> float:
        """Wasserstein-2 distance of the two distributions as Gaussians, in CIELAB units (Dowson and Landau, 1982)."""
        return float(distances(self, [other])[0])

    def sliced_distance(self, other: ColourDistribution) -> float:
        """Sliced Wasserstein-2 distance over DIRECTIONS, in CIELAB units; unlike `distance`, sensitive to the shape."""
        return float(np.sqrt(((self.marginals - other.marginals) ** 2).mean()))

    def transport_map(self, other: ColourDistribution, share: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The linear map that moves this distribution a share of the optimal transport to another.

        Args:
            share: 0 stays, 1 arrives; the distance left is 1 - share of what it was.

        Returns:
            Matrix (3, 3) and offset (3,): pixel @ matrix + offset, float32.
        """
        root = matrix_root(self.covariance)
        back = np.linalg.inv(root)
        full = back @ matrix_root(root @ other.covariance @ root) @ back
        matrix = (1 - share) * np.eye(3) + share * full
        goal = (1 - share) * self.mean + share * other.mean
        return matrix.T.astype(np.float32), (goal - self.mean @ matrix.T).astype(np.float32)


def distances(colours: ColourDistribution, others: Sequence[ColourDistribution]) -> NDArray[np.float64]:
    """(others,) the distance of a distribution to each of many; see `ColourDistribution.distance`."""
    means = np.stack([other.mean for other in others])
    covariances = np.stack([other.covariance for other in others])
    root = matrix_root(colours.covariance)
    spread = colours.covariance + covariances - 2 * matrix_root(root @ covariances @ root)
    cross = np.trace(spread, axis1=1, axis2=2)
    distance: NDArray[np.float64] = np.sqrt(((colours.mean - means) ** 2).sum(axis=1) + np.maximum(cross, 0.0))
    return distance
