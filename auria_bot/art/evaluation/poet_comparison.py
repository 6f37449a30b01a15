"""Compare a newly trained poet with the current one on the same test split.

The two may have different vocabularies. An unknown word is charged the probability of the unknown token, divided
equally among the distinct words of the corpus outside the poet's vocabulary (after Ueberla, Analysing a simple language
model, 1994), so both are measured over the same tokens. The split of a poem follows from its words, but where the
corpus has changed, the current poet may have been trained on some test poems; that can only favour it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

from auria_bot.art.evaluation.poet import load_net, perplexity, places_of
from auria_bot.art.training.poet.dataset import HAIKU, read
from auria_bot.corpus import verses
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Comparison", "compare", "fair_perplexity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The perplexities of two poets on the same poems; lower is better."""

    candidate: float  # perplexity over all tokens, unknown words charged
    incumbent: float
    poems: int  # of the test split

    @property
    def better(self) -> bool:
        """Whether the candidate should replace the incumbent."""
        return self.candidate < self.incumbent


def compare(*, data: Path, candidate: Path, incumbent: Path) -> Comparison:
    """Measure both.

    Args:
        data: the folder with the file of haiku.
        candidate: the new model's folder.
        incumbent: the current model's folder.

    Raises:
        ModelMissing, ModelCorrupt: a model cannot be used.
        InputError: the test split is empty.
    """
    poems = [verse.tokens for verse in verses.read(data / HAIKU)]
    count = verses.splits(poems).count("test")
    if not count:
        raise InputError(f"{data / HAIKU} has no poem in its test split: it is too small to tell which poet is better")
    words = {word for poem in poems for line in poem for word in line}
    return Comparison(
        candidate=fair_perplexity(data, candidate, words),
        incumbent=fair_perplexity(data, incumbent, words),
        poems=count,
    )


def fair_perplexity(data: Path, model: Path, words: set[str]) -> float:
    """A poet's perplexity over the test split.

    Args:
        data: the folder with the file of haiku.
        model: the poet's folder.
        words: every word of the file.
    """
    net, vocabulary = load_net(model)
    dataset = read(data, vocabulary)
    rows = dataset.rows("test")
    plain = perplexity(net, dataset, places_of(dataset), rows)
    tokens = sum(len(dataset.tokens[row]) - 1 for row in rows)
    unknown = sum(int((dataset.tokens[row] == 0).sum()) for row in rows)
    distinct = len(words - set(vocabulary.words))
    return exp(log(plain) + unknown / max(1, tokens) * log(max(1, distinct)))
