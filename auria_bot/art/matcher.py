"""How well pictures and texts fit together, by the matcher that the painter learnt from (models/matcher).

It compares a picture as a whole with a sentence as a whole, in the manner of AttnGAN's DAMSM, by ONNX and without
torch. Xu et al. 2018, arXiv:1711.10485.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.checkpoint import read_json, verify
from auria_bot.art.minilm import MiniLM
from auria_bot.art.runtime import load
from auria_bot.errors import ModelCorrupt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["PictureMatcher", "best_matches"]

_BATCH = 16  # pictures at once
_STRIDE = 16  # sides are multiples of it


class PictureMatcher:
    """Scores pictures with texts.

    Raises:
        ModelMissing: the model is missing.
        ModelCorrupt: its files do not match their checksums.
    """

    def __init__(self, models: Path) -> None:
        folder = models / "matcher"
        self.sha256 = verify(folder)
        try:
            self._side = int(read_json(folder / "config.json")["side"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelCorrupt(f"{folder / 'config.json'} describes no matcher: {error}") from None
        self._net = load(folder / "model.onnx")
        self._minilm = MiniLM()

    def scores(self, pictures: NDArray[np.uint8], texts: Sequence[str]) -> NDArray[np.float32]:
        """(pictures, texts) cosines of (n, height, width, 3) pictures in 8-bit sRGB."""
        sentences = self._minilm.encode(texts)
        height, width = pictures.shape[1:3]
        factor = self._side / min(height, width)
        size = (_multiple(width * factor), _multiple(height * factor))
        found = [np.zeros((0, len(texts)), np.float32)]
        for start in range(0, len(pictures), _BATCH):
            part = [Image.fromarray(one).resize(size, Image.Resampling.BICUBIC) for one in pictures[start:][:_BATCH]]
            shown = np.stack([np.asarray(one, np.float32) for one in part]).transpose(0, 3, 1, 2) / 255
            found.append(self._net.run({"pictures": np.ascontiguousarray(shown), "sentences": sentences})["scores"])
        return np.concatenate(found)


def best_matches(scores: NDArray[np.float32]) -> tuple[int, ...]:
    """The picture for each text, every picture once; earlier texts choose first.

    Args:
        scores: (pictures, texts), with at least as many pictures as texts.
    """
    free, chosen = scores.astype(np.float64), []
    for text in range(scores.shape[1]):
        chosen.append(int(free[:, text].argmax()))
        free[chosen[-1]] = -np.inf
    return tuple(chosen)


def _multiple(pixels: float) -> int:
    return max(_STRIDE, round(pixels / _STRIDE) * _STRIDE)
