"""The poem scorer: tells poets' haiku from those that the poet's own network writes.

A bidirectional GRU over word vectors initialised from the poet's, pooled over the poem. Its logit estimates how much
likelier a human wrote a poem than the network did, as in Deng, Bakhtin, Ott, Szlam and Ranzato, Residual Energy-Based
Models for Text Generation, 2020 (arXiv:2004.11714). It reads beginnings of one or two lines as well as whole poems.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PLACES", "PoemScorer", "PoemScorerConfig"]

PLACES = 24  # tokens of a poem, <start> and <end> included; padded with 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoemScorerConfig:
    """The network's shape and regularisation."""

    words: int = 7600  # vocabulary of the poet, specials included
    width: int = 96  # of a word vector
    hidden: int = 128  # of the GRU, each way
    drop_word: float = 0.06  # share of words dropped
    drop_input: float = 0.2  # share of the word vectors' channels dropped
    drop_output: float = 0.4  # dropout of the pooled GRU output


class PoemScorer(nn.Module):
    """A logit for each poem: above 0 for poems by humans, below 0 for poems by the network."""

    def __init__(self, config: PoemScorerConfig) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.words, config.width)
        self.reader = nn.GRU(config.width, config.hidden, batch_first=True, bidirectional=True)
        self.weigh = nn.Sequential(
            nn.Dropout(config.drop_output),
            nn.Linear(4 * config.hidden, config.hidden),
            nn.GELU(),
            nn.Dropout(config.drop_output),
            nn.Linear(config.hidden, 1),
        )
        self.blur = nn.Dropout1d(config.drop_input)
        nn.init.normal_(self.words.weight, std=0.3)

    def forward(self, tokens: Tensor) -> Tensor:
        """Score poems.

        Args:
            tokens: (poems, PLACES) word numbers from <start> on, 0 after the end.

        Returns:
            (poems,) logits.
        """
        there = (tokens > 0).to(self.words.weight.dtype).unsqueeze(2)  # (poems, places, 1)
        vectors = self.words(tokens) * there
        if self.training:
            shown = torch.rand(tokens.shape) >= self.config.drop_word
            vectors = self.blur((vectors * shown.unsqueeze(2)).transpose(1, 2)).transpose(1, 2)
        found, _ = self.reader(vectors)  # (poems, places, 2 hidden)
        mean = (found * there).sum(1) / there.sum(1).clamp(min=1)
        peak = (found * there - 2 * (1 - there)).amax(1)  # a GRU's state lies between -1 and 1
        logits: Tensor = self.weigh(torch.cat([mean, peak], 1)).squeeze(1)
        return logits
