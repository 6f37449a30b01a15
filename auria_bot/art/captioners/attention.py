"""Where a captioner looked: for each word of a caption the attention over the picture, smoothed and drawn.

Soft attention (Xu et al. 2015, https://arxiv.org/abs/1502.03044) weighs the cells of a coarse grid before each word.
The weights are enlarged with a Gaussian of the width of a cell, as in that paper's figures, and scaled to reach 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AttendedCaption", "peak", "region_mask", "region_veil"]

_SPREAD: Final = 0.6  # standard deviation of the Gaussian, in cells
_VEIL: Final = 0.72  # how dark the veil is where the captioner did not look
_VEIL_SIDE: Final = 28  # pixels; browsers enlarge it smoothly


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AttendedCaption:
    """A caption and where each of its words was seen."""

    words: tuple[str, ...]
    attention: NDArray[np.float32]  # (words, rows, columns); each word's sums to 1
    confidence: float  # geometric mean of the words' probabilities, the end included

    @property
    def text(self) -> str:
        """The caption as a sentence."""
        sentence = " ".join(self.words)
        return f"{sentence[0].upper()}{sentence[1:]}."

    def to_json(self) -> dict[str, Any]:
        """The caption as plain data: each word with the attention's rows from the top, in shares of 1."""
        regions = np.round(self.attention.astype(np.float64), 4).tolist()
        words = [{"text": word, "attention": region} for word, region in zip(self.words, regions, strict=True)]
        return {"text": self.text, "confidence": round(self.confidence, 4), "words": words}


def region_mask(attention: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float32]:
    """A word's region: (height, width) from 0 to 1, smooth.

    Args:
        attention: (rows, columns), not negative.
        size: (width, height) in pixels.
    """
    rows, columns = attention.shape
    down, across = _kernel(size[1], rows), _kernel(size[0], columns)  # (height, rows), (width, columns)
    mask = down @ attention.astype(np.float64) @ across.T
    low, high = float(mask.min()), float(mask.max())
    scaled: NDArray[np.float32] = ((mask - low) / max(high - low, 1e-12)).astype(np.float32)
    return scaled


def _kernel(pixels: int, cells: int) -> NDArray[np.float64]:
    """The weight of each cell in each pixel, (pixels, cells)."""
    at = (np.arange(pixels) + 0.5) * cells / pixels
    distance = (at[:, None] - (np.arange(cells) + 0.5)) / _SPREAD
    return np.exp(-0.5 * distance**2)


def peak(attention: NDArray[Any], *, fineness: int = 8) -> tuple[float, float]:
    """The point that a word looks at most: (x, y) in shares of width and height."""
    rows, columns = attention.shape
    mask = region_mask(attention, (columns * fineness, rows * fineness))
    y, x = np.unravel_index(int(mask.argmax()), mask.shape)
    return (float(x) + 0.5) / mask.shape[1], (float(y) + 0.5) / mask.shape[0]


def region_veil(attention: NDArray[Any]) -> Image.Image:
    """A small picture (LA) to be laid over a picture, stretched: dark where the captioner did not look."""
    mask = region_mask(attention, (_VEIL_SIDE, _VEIL_SIDE))
    alpha = Image.fromarray(np.round((1 - mask) * _VEIL * 255).astype(np.uint8))
    return Image.merge("LA", (Image.new("L", alpha.size, 0), alpha))
