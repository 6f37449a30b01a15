"""Sampler, painter and matcher in one graph: what is exported and served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from auria_bot.art.nets.matcher import Scorer
    from auria_bot.art.nets.painter import Painter
    from auria_bot.art.nets.sketcher import Sampler

__all__ = ["INPUTS", "OUTPUTS", "Easel"]

INPUTS = ("sketch_noise", "style_noise", "grain", "sentence", "words", "mask")
OUTPUTS = ("pictures", "scores", "sketches", "vectors")


class Easel(nn.Module):
    """One text and n noises to n pictures, with their scores."""

    def __init__(self, sampler: Sampler, painter: Painter, scorer: Scorer) -> None:
        super().__init__()
        self.sampler, self.painter, self.scorer = sampler, painter, scorer

    def forward(
        self, sketch_noise: Tensor, style_noise: Tensor, grain: Tensor, sentence: Tensor, words: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Paint.

        Args:
            sketch_noise: (n, 320) standard normal.
            style_noise: (n, 96) standard normal.
            grain: (n, 17, 32, 32) standard normal.
            sentence: (1, 384) the text's vector, of unit length.
            words: (1, L, 384) its word pieces' vectors.
            mask: (1, L), 1 where there is a word piece.

        Returns:
            Pictures (n, 3, 64, 64) in [0, 1], their scores against the text (n,), the sketches (n, 3, 16, 16) in
            [-1, 1], and the pictures' vectors in the matcher's space (n, 160), of unit length.
        """
        count = sketch_noise.shape[0]
        told = sentence.expand(count, -1)
        sketches = self.sampler(sketch_noise, told)
        painted = self.painter(sketches, told, words.expand(count, -1, -1), mask.expand(count, -1), style_noise, grain)
        pictures = (painted * 0.5 + 0.5).clamp(0.0, 1.0)
        scores, vectors = self.scorer(pictures, sentence, words, mask)
        return pictures, scores, sketches, vectors
