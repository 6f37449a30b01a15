"""Perceptual hashes: similar for similar pictures.

Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["difference", "fingerprint"]


@cache
def _cosines() -> NDArray[np.float64]:
    """(8, 32) the eight lowest cosine waves over 32 samples, without the constant one."""
    order, place = np.arange(1, 9)[:, None], np.arange(32)[None]
    return np.cos(np.pi * order * (2 * place + 1) / 64)


def fingerprint(picture: Image.Image) -> str:
    """A perceptual hash, 16 hexadecimal digits, similar for similar pictures.

    The signs of the 64 lowest DCT coefficients of the luma against their median; independent of size, compression and
    overall light.
    """
    luma = np.asarray(picture.convert("L").resize((32, 32), Image.Resampling.BOX), np.float64)
    waves = _cosines() @ luma @ _cosines().T  # (8, 8)
    bits = (waves > np.median(waves)).ravel()
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def difference(first: str, second: str) -> int:
    """How many of the 64 bits of two fingerprints differ."""
    return (int(first, 16) ^ int(second, 16)).bit_count()
