"""Relight daylight pictures: night, moon, sunset, autumn, snow.

Real nights and sunsets are rare, so the painter is also trained on relit pictures. All is arithmetic on RGB; nothing is
learned. Pictures and results are float32 (height, width, 3) in [0, 1].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.colour import LUMA

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Picture = NDArray[np.float32]

__all__ = ["LIGHTS", "autumn", "luminance", "moon", "night", "relight", "snow", "sunset"]

_NIGHT = np.array([0.32, 0.42, 0.74], np.float32)  # factors of red, green and blue in moonlight
_NIGHT_GAIN = 1.6  # a darker night would lose snow and shapes


def luminance(picture: Picture) -> NDArray[np.float32]:
    """Rec. 601 luminance, (height, width) in [0, 1]."""
    light: NDArray[np.float32] = (picture @ LUMA).astype(np.float32)
    return light


def night(picture: Picture, rng: np.random.Generator) -> Picture:
    """Dim and blue, with bright parts (snow, foam, cloud) still visible."""
    light = luminance(picture)[..., None]
    grey = 0.65 * light + 0.35 * picture
    gain = _NIGHT_GAIN * float(rng.uniform(0.42, 0.6))
    dim = np.power(grey, 1.35) * gain * _NIGHT
    height = np.linspace(1.0, 0.0, picture.shape[0], dtype=np.float32)[:, None, None]
    return _clip(dim + np.array([0.015, 0.03, 0.09], np.float32) * (0.6 + 0.6 * height))


def moon(picture: Picture, rng: np.random.Generator) -> Picture:
    """A night with a round moon, its halo, and its reflection below."""
    dark = night(picture, rng)
    height, width = dark.shape[:2]
    radius = float(rng.uniform(0.055, 0.085)) * width
    x, y = float(rng.uniform(0.2, 0.8)) * width, float(rng.uniform(0.13, 0.3)) * height
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = np.hypot(columns - x, rows - y)
    disc = np.clip(radius - distance + 0.5, 0.0, 1.0)[..., None]
    halo = (np.exp(-np.maximum(distance - radius, 0.0) / (radius * 1.6)) * 0.5)[..., None]
    column = np.exp(-(((columns - x) / (width * 0.09)) ** 2)) * np.clip((rows / height - 0.5) * 2.0, 0.0, 1.0)
    glitter = (column * luminance(dark) * 1.6)[..., None]
    glow = np.array([0.50, 0.56, 0.70], np.float32)
    lit = dark + halo * glow + glitter * np.array([0.9, 0.95, 0.9], np.float32)
    face = np.array([1.0, 0.97, 0.86], np.float32)
    return _clip(lit * (1.0 - disc) + face * disc)


def sunset(picture: Picture, rng: np.random.Generator) -> Picture:
    """A low sun: orange at the horizon, violet above, half the time with the sun itself."""
    height, width = picture.shape[:2]
    light = luminance(picture)[..., None]
    grey = 0.55 * light + 0.45 * picture
    hot = np.array([1.15, 0.62, 0.28], np.float32)
    high = np.array([0.80, 0.46, 0.62], np.float32) if rng.random() < 0.6 else np.array([1.0, 0.5, 0.38], np.float32)
    horizon = float(rng.uniform(0.4, 0.6))
    rows = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None, None]
    near = np.exp(-(((rows - horizon) / 0.28) ** 2))
    tint = hot * near + (1.0 - near) * np.where(rows < horizon, high, np.array([0.78, 0.42, 0.30], np.float32))
    warm = np.power(grey, 1.15) * tint * 1.12 + near * np.array([0.16, 0.07, 0.0], np.float32)
    if rng.random() < 0.5:
        x, y = float(rng.uniform(0.25, 0.75)) * width, (horizon - 0.06) * height
        grid = np.mgrid[0:height, 0:width].astype(np.float32)
        distance = np.hypot(grid[1] - x, grid[0] - y)
        radius = float(rng.uniform(0.04, 0.07)) * width
        disc = np.clip(radius - distance + 0.5, 0.0, 1.0)[..., None]
        halo = np.exp(-np.maximum(distance - radius, 0.0) / (0.16 * width))[..., None] * 0.5
        warm = warm + halo * np.array([0.55, 0.32, 0.08], np.float32)
        warm = warm * (1.0 - disc) + disc * np.array([1.0, 0.9, 0.6], np.float32)
    return _clip(warm)


def autumn(picture: Picture, rng: np.random.Generator) -> Picture:
    """Green and dull leaves turn gold, orange or red; sky, rock and water keep their colour."""
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    leafy = np.clip((green - blue) * 6.0 + 0.25, 0.0, 1.0) * np.clip((green - red) * 4.0 + 0.85, 0.0, 1.0)
    light = luminance(picture)
    leaf = np.array([[1.55, 0.95, 0.25], [1.6, 0.75, 0.2], [1.6, 0.55, 0.25]], np.float32)[int(rng.integers(3))]
    turned = np.clip(light, 0.0, 1.0)[..., None] ** 0.9 * leaf
    mask = leafy[..., None]
    warmed = picture * np.array([1.08, 1.0, 0.88], np.float32)
    return _clip(turned * mask + warmed * (1.0 - mask))


def snow(picture: Picture, rng: np.random.Generator) -> Picture:
    """Pale, cold light, snow on bright or upward surfaces, sometimes flakes in the air."""
    light = luminance(picture)
    grey = 0.78 * light[..., None] + 0.22 * picture
    above = np.vstack([light[:1], light[:-1]])
    settled = np.clip((light - 0.30) * 2.6, 0.0, 1.0) * 0.75 + np.clip((light - above) * 5.0, 0.0, 0.5)
    rows = np.linspace(0.35, 1.0, picture.shape[0], dtype=np.float32)[:, None]
    cover = np.clip(settled * rows, 0.0, 0.95)[..., None]
    cold = np.array([0.97, 1.0, 1.05], np.float32)
    covered = (0.06 + grey * 0.92) * cold * (1.0 - cover) + cover * np.array([0.95, 0.97, 1.0], np.float32)
    if rng.random() < 0.5:
        height, width = light.shape
        flakes = np.zeros((height, width), np.float32)
        many = int(rng.integers(20, 50))
        flakes[rng.integers(0, height, many), rng.integers(0, width, many)] = rng.uniform(0.5, 1.0, many)
        covered = covered * (1.0 - flakes[..., None]) + flakes[..., None]
    return _clip(np.clip(covered, 0.0, 1.0) ** 0.82)


LIGHTS: dict[str, Callable[[Picture, np.random.Generator], Picture]] = {
    light.__name__: light for light in (night, moon, sunset, autumn, snow)
}
"""The relighting functions by name."""


def relight(picture: Picture, light: str, rng: np.random.Generator) -> Picture:
    """Relight a picture with one of LIGHTS."""
    return LIGHTS[light](picture, rng)


def _clip(picture: NDArray[np.floating]) -> Picture:
    clipped: Picture = np.clip(picture, 0.0, 1.0).astype(np.float32)
    return clipped
