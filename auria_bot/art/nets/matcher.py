"""The matcher: how well a picture and a text fit together, in the manner of AttnGAN's DAMSM.

Globally, pooled EfficientNet-Lite0 maps against the sentence; locally, each word attends to the regions of the
picture (16 pixels a side) and is compared with the result (Xu et al. 2018, arXiv:1711.10485, equations 7 to 10).
Lite0 stays frozen; only the projections are trained, on real pictures, with InfoNCE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from auria_bot.art.nets.lite0 import TAP_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.art.nets.lite0 import Lite0

__all__ = ["TAPS", "Matcher", "MatcherConfig", "Scorer", "SentenceScorer"]

TAPS = (4, 8, 16)  # strides of Lite0's maps that the matcher reads


@dataclass(frozen=True, slots=True, kw_only=True)
class MatcherConfig:
    """The shape of a Matcher."""

    width: int = 160  # of the common space
    hidden: int = 320  # of the picture's projection
    sentence: int = 384
    word: int = 384
    sharpness: float = 5.0  # inverse temperature of the attention over regions
    words_share: float = 0.4  # share of the words in the score; the rest is the sentence's


class Matcher(nn.Module):
    """Projections of pictures and texts into one space, and the scores between them."""

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__()
        self.config = config
        pooled = 2 * sum(TAP_CHANNELS[stride] for stride in TAPS)
        self.norm = nn.BatchNorm1d(pooled)
        self.whole = nn.Sequential(nn.Linear(pooled, config.hidden), nn.GELU(), nn.Linear(config.hidden, config.width))
        self.region_norm = nn.BatchNorm1d(TAP_CHANNELS[16])
        self.region = nn.Linear(TAP_CHANNELS[16], config.width)
        self.sentence = nn.Linear(config.sentence, config.width)
        self.word = nn.Linear(config.word, config.width)
        self.temperature = nn.Parameter(torch.tensor(2.5))

    @staticmethod
    def pool(taps: Mapping[int, Tensor]) -> tuple[Tensor, Tensor]:
        """Lite0's maps to what the matcher reads of them: pooled (n, 352) and regions (n, regions, 112)."""
        flat = [taps[stride].flatten(2) for stride in TAPS]
        pooled = torch.cat([part for each in flat for part in (each.mean(2), (each.var(2) + 1e-4).sqrt())], dim=1)
        return pooled, flat[-1].transpose(1, 2)

    def encode_pictures(self, pooled: Tensor, regions: Tensor) -> tuple[Tensor, Tensor]:
        """What `pool` gives, to picture vectors (n, width) and region vectors (n, regions, width), of unit length."""
        normed = self.region_norm(regions.transpose(1, 2)).transpose(1, 2)
        return F.normalize(self.whole(self.norm(pooled)), dim=-1), F.normalize(self.region(normed), dim=-1)

    def encode_texts(self, sentence: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Sentence (n, 384) and words (n, L, 384) to vectors (n, width) and (n, L, width), all of unit length."""
        return F.normalize(self.sentence(sentence), dim=-1), F.normalize(self.word(words), dim=-1)

    def scores(
        self, pictures_encoded: tuple[Tensor, Tensor], texts_encoded: tuple[Tensor, Tensor], mask: Tensor
    ) -> Tensor:
        """Scores (pictures, texts) in about [-1, 1] of every picture with every text."""
        picture, regions = pictures_encoded
        sentence, words = texts_encoded
        near = torch.einsum("prd,tld->ptlr", regions, words)  # (p, t, L, regions)
        weight = (near * self.config.sharpness).softmax(dim=3)
        # Word l attends to sum_r weight * region_r; its cosine with the word needs only `near` and the Gram matrix.
        gram = regions @ regions.transpose(1, 2)  # (p, regions, regions)
        square = (torch.einsum("ptlr,prs->ptls", weight, gram) * weight).sum(-1)
        cosine = (weight * near).sum(-1) / square.clamp_min(1e-6).sqrt()  # (p, t, L)
        parts = (cosine * mask[None]).sum(-1) / mask.sum(-1).clamp_min(1.0)[None]
        share = self.config.words_share
        return (1.0 - share) * picture @ sentence.T + share * parts

    def logits(self, scores: Tensor) -> Tensor:
        """Scores as logits of a softmax over texts or pictures."""
        return scores * self.temperature.exp()


class Scorer(nn.Module):
    """Scores of pictures against one text, Lite0's first stages included: one graph for export."""

    def __init__(self, matcher: Matcher, lite0: Lite0) -> None:
        super().__init__()
        self.matcher = matcher
        self.lite0 = lite0

    def forward(self, pictures: Tensor, sentence: Tensor, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (n, 3, side, side) in [0, 1], text (1, 384), (1, L, 384), (1, L); scores (n,), vectors."""
        pictures_encoded = self.matcher.encode_pictures(*self.matcher.pool(self.lite0.taps(pictures, TAPS)))
        scores = self.matcher.scores(pictures_encoded, self.matcher.encode_texts(sentence, words), mask)
        return scores[:, 0], pictures_encoded[0]


class SentenceScorer(nn.Module):
    """Scores of pictures of any size with texts as a whole, without regions and words: one graph for export."""

    def __init__(self, matcher: Matcher, lite0: Lite0) -> None:
        super().__init__()
        self.matcher = matcher
        self.lite0 = lite0

    def forward(self, pictures: Tensor, sentences: Tensor) -> Tensor:
        """Pictures (n, 3, height, width) in [0, 1] and texts (t, 384); scores (n, t), cosines."""
        pooled, _ = self.matcher.pool(self.lite0.taps(pictures, TAPS))
        shown = F.normalize(self.matcher.whole(self.matcher.norm(pooled)), dim=-1)
        return shown @ F.normalize(self.matcher.sentence(sentences), dim=-1).T
