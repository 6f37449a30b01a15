"""Night over a painting made by day: the dark is blue, and what glows keeps its colour.

The painter has seen hardly a flower at night and paints a black square of it. So flowers at night are painted by day, and
the light is put out here. Knows CIELAB pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["nightfall"]

_LOW, _HIGH = 3.0, 97.0  # percentiles of L that become darkest and lightest
_DARKEST, _RANGE = 8.0, 50.0  # L of the darkest place, and how much lighter a leaf can be
_PETAL = 0.45  # how much lighter than a leaf a petal can be
_BLUE = (4.0, -17.0)  # a and b that the dark takes on
_CAST = (2.0, -12.0)  # and everything


def nightfall(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """(height, width, 3) CIELAB by day to the same at night: petals can be told, leaves sink into blue."""
    light = lab[..., 0]
    low, high = np.percentile(light, [_LOW, _HIGH])
    share = np.clip((light - low) / max(float(high - low), 20.0), 0.0, 1.1)
    warm = np.clip((lab[..., 1] + 8.0) / 30.0, 0.0, 1.0)  # red, pink and orange, not green
    white = np.clip((light - 62.0) / 25.0, 0.0, 1.0)
    petal = np.maximum(warm, white)
    dark = _DARKEST + _RANGE * share**1.35 * (0.62 + (_PETAL + 0.1) * petal)
    shade = (1.0 - np.clip(dark / 55.0, 0.0, 1.0))[..., None]
    keep = 0.85 * np.clip(petal + 0.25, 0.0, 1.0)[..., None]
    colours = lab[..., 1:] * keep + shade * np.array(_BLUE) + np.array(_CAST)
    result: NDArray[np.float32] = np.concatenate([dark[..., None], colours], -1).astype(np.float32)
    return result
