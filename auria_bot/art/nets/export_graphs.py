"""What is exported and served: one graph for the sketch's next move, one for painting and scoring.

The sampling loop is left to the caller: unrolled into a graph it would load eight times as slowly as it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from auria_bot.art.nets.matcher import Scorer
    from auria_bot.art.nets.painter import Painter
    from auria_bot.art.nets.sketcher import Sketcher

__all__ = ["EASEL_INPUTS", "EASEL_OUTPUTS", "HAND_INPUTS", "HAND_OUTPUTS", "PainterGraph", "SketcherGraph"]

HAND_INPUTS, HAND_OUTPUTS = ("components", "time", "sentence"), ("velocity",)
EASEL_INPUTS = ("components", "style_noise", "grain", "sentence", "words", "mask")
EASEL_OUTPUTS = ("pictures", "scores", "sketches", "vectors")


class SketcherGraph(nn.Module):
    """The guided velocity of n sketches of one text."""

    def __init__(self, sketcher: Sketcher, *, guidance: float) -> None:
        super().__init__()
        self.sketcher, self.guidance = sketcher, guidance

    def forward(self, components: Tensor, time: Tensor, sentence: Tensor) -> Tensor:
        """`components` (n, c), `time` (1,) in [0, 1], `sentence` (1, 384) of unit length; gives velocities (n, c)."""
        both = torch.cat([components, components])
        told = sentence.expand(components.shape[0], -1)
        told, free = self.sketcher(both, time.expand(both.shape[0]), torch.cat([told, torch.zeros_like(told)])).chunk(2)
        velocity: Tensor = free + self.guidance * (told - free)
        return velocity


class PainterGraph(nn.Module):
    """n sketches of one text become n pictures, with their scores."""

    def __init__(self, sketcher: Sketcher, painter: Painter, scorer: Scorer) -> None:
        super().__init__()
        self.sketcher, self.painter, self.scorer = sketcher, painter, scorer

    def forward(
        self, components: Tensor, style_noise: Tensor, grain: Tensor, sentence: Tensor, words: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Paint.

        Args:
            components: (n, 128) of the sketches, as sampled.
            style_noise: (n, 96) standard normal.
            grain: (n, 17, 32, 32) standard normal.
            sentence: (1, 384) the text's vector, of unit length.
            words: (1, L, 384) its word pieces' vectors.
            mask: (1, L), 1 where there is a word piece.

        Returns:
            Pictures (n, 3, 64, 64) in [0, 1], their scores against the text (n,), the sketches (n, 3, 16, 16) in
            [-1, 1], and the pictures' vectors in the matcher's space (n, 160), of unit length.
        """
        count = components.shape[0]
        sketches = self.sketcher.cells(components)
        told = (sentence.expand(count, -1), words.expand(count, -1, -1), mask.expand(count, -1))
        pictures = (self.painter(sketches, *told, style_noise, grain) * 0.5 + 0.5).clamp(0.0, 1.0)
        scores, vectors = self.scorer(pictures, sentence, words, mask)
        return pictures, scores, sketches, vectors
