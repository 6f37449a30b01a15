"""Evaluate the poet: perplexity on the test split, beside a 5-gram model or the current poet.

The 5-gram model is interpolated modified Kneser-Ney as Chen and Goodman describe it (An Empirical Study of Smoothing
Techniques for Language Modeling, 1999): counts at the highest order, numbers of different left neighbours below, three
discounts an order estimated from the numbers of rare n-grams.

    python -m auria_bot.art.evaluation.poet --data DIR

A newly trained poet is compared with the current one on the same test split. The two may have different vocabularies.
An unknown word is charged the probability of the unknown token, divided equally among the distinct words of the corpus
outside the poet's vocabulary (after Ueberla, Analysing a simple language model, 1994), so both are measured over the
same tokens. The split of a poem follows from its words, but where the corpus has changed, the current poet may have
been trained on some test poems; that can only favour it.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from auria_bot.art.checkpoint import read_json
from auria_bot.art.nets.word_lstm import WordLstm, WordLstmConfig
from auria_bot.art.poets import word_lstm
from auria_bot.art.training.poet.dataset import HAIKU, PoetDataset, read
from auria_bot.art.training.poet.export import describe, stored_weights
from auria_bot.corpus import verses
from auria_bot.corpus.language import syllables
from auria_bot.corpus.language.verse_rules import NO_KIND, positions
from auria_bot.corpus.language.words import SPECIALS, Vocabulary
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = [
    "Comparison",
    "KneserNey",
    "compare",
    "evaluate",
    "fair_perplexity",
    "load_net",
    "main",
    "native_lstm",
    "perplexity",
    "places_of",
]

_SEEDS = 6  # of which each poet writes poems, for the share that is fit
_CHANCE = 0.05  # by which that share may fall; it differs by about 0.01 between sets of seeds


def places_of(dataset: PoetDataset) -> list[NDArray[np.int64]]:
    """The position after each token of each poem."""
    body = dataset.vocabulary.words[len(SPECIALS) :]
    counts = [2] * len(SPECIALS) + [syllables.counts(word)[0] for word in body]
    return [np.array(positions(row.tolist(), counts)) for row in dataset.tokens]


@contextmanager
def native_lstm() -> Iterator[None]:
    """Disable oneDNN: its LSTM trains a third slower than torch's own on the processors tried."""
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment]  # a property that torch's stubs do not see
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = before


@torch.no_grad()
def perplexity(
    net: WordLstm,
    dataset: PoetDataset,
    places: list[NDArray[np.int64]],
    rows: NDArray[np.int64],
    *,
    conditional: bool = False,
) -> float:
    """Exact perplexity over every word, line break and end of the poems.

    Args:
        places: the position after each token, for each poem.
        conditional: give the network each poem's kind and theme, which a fair comparison does not.
    """
    net.eval()
    total, count = 0.0, 0
    lengths = np.array([len(dataset.tokens[row]) for row in rows])
    for length in np.unique(lengths):
        members = rows[lengths == length]
        for at in range(0, len(members), 128):
            part = members[at : at + 128]
            tokens = torch.from_numpy(np.stack([dataset.tokens[row] for row in part], 1))
            where = torch.from_numpy(np.stack([places[row] for row in part], 1))
            kinds = torch.from_numpy(dataset.kinds[part] if conditional else np.full(len(part), NO_KIND))
            themes = torch.from_numpy(dataset.themes[part]) * (1.0 if conditional else 0.0)
            with native_lstm():
                signal = net(tokens[:-1], where[:-1], kinds, themes)
            scores = net.score(signal.flatten(0, 1))
            total += float(F.cross_entropy(scores, tokens[1:].flatten(), reduction="sum"))
            count += tokens[1:].numel()
    return float(np.exp(total / max(count, 1)))


class KneserNey:
    """An n-gram model of sequences of numbers.

    Args:
        sequences: training sequences; the first number of each is only ever a context.
        words: size of the vocabulary.
        order: length of the longest n-gram.
    """

    def __init__(self, sequences: Iterable[Sequence[int]], *, words: int, order: int = 5) -> None:
        self._words, self._order = words, order
        top: Counter[tuple[int, ...]] = Counter()
        begun: list[Counter[tuple[int, ...]]] = [Counter() for _ in range(order)]
        for sequence in sequences:
            numbers = tuple(sequence)
            for at in range(1, len(numbers)):
                if at + 1 >= order:
                    top[numbers[at + 1 - order : at + 1]] += 1
                else:  # an n-gram at the beginning has no left neighbour and counts by its occurrences
                    begun[at][numbers[: at + 1]] += 1
        counts: list[Counter[tuple[int, ...]]] = [Counter() for _ in range(order)]
        counts[order - 1] = top
        for size in range(order - 1, 0, -1):
            counts[size - 1].update(gram[1:] for gram in counts[size])
            counts[size - 1].update(begun[size - 1])
        self._levels = [_Level(level) for level in counts]

    def likelihood(self, context: Sequence[int], word: int) -> float:
        """The probability of a word after a context, of which the last order - 1 numbers are used."""
        context = tuple(context)[-(self._order - 1) :] if self._order > 1 else ()
        share = 1.0 / self._words
        for size in range(len(context) + 1):
            share = self._levels[size].mixed(context[len(context) - size :], word, share)
        return share

    def perplexity(self, sequences: Iterable[Sequence[int]]) -> float:
        """Perplexity over every number but each sequence's first."""
        total, count = 0.0, 0
        for sequence in sequences:
            numbers = [int(number) for number in sequence]
            for at in range(1, len(numbers)):
                total -= log(self.likelihood(numbers[:at], numbers[at]))
                count += 1
        return exp(total / max(count, 1))


class _Level:
    """The n-grams of one length: discounted counts, and the mass left for shorter ones."""

    def __init__(self, counts: Counter[tuple[int, ...]]) -> None:
        self._counts = counts
        self._discounts = _discounts(counts)
        self._totals: defaultdict[tuple[int, ...], int] = defaultdict(int)
        self._left: defaultdict[tuple[int, ...], float] = defaultdict(float)
        for gram, count in counts.items():
            self._totals[gram[:-1]] += count
            self._left[gram[:-1]] += self._discounts[min(count, 3)]

    def mixed(self, context: tuple[int, ...], word: int, shorter: float) -> float:
        """The word's probability after the context, given its probability after the shorter one."""
        total = self._totals.get(context)
        if not total:
            return shorter
        count = self._counts.get((*context, word), 0)
        own = max(0.0, count - self._discounts[min(count, 3)])
        return (own + self._left[context] * shorter) / total


def _discounts(counts: Counter[tuple[int, ...]]) -> tuple[float, float, float, float]:
    """The discounts of counts of 0, 1, 2, and 3 or more (Chen and Goodman, equation 26)."""
    rare = Counter(count for count in counts.values() if count <= 4)
    one, two, three, four = (rare[times] + 0.5 for times in (1, 2, 3, 4))
    share = one / (one + 2 * two)
    found = (1 - 2 * share * two / one, 2 - 3 * share * three / two, 3 - 4 * share * four / three)
    first, second, third = (min(max(value, 0.1), times - 0.05) for times, value in enumerate(found, 1))
    return 0.0, first, second, third


def load_net(folder: Path) -> tuple[WordLstm, Vocabulary]:
    """The trained network in torch, and its vocabulary.

    Raises:
        ModelMissing, ModelCorrupt: the model cannot be used.
    """
    net = WordLstm(WordLstmConfig(**read_json(folder / "config.json")["net"]))
    net.load_state_dict(stored_weights(folder))
    return net.eval(), Vocabulary.parse((folder / "vocabulary.txt").read_text(encoding="ascii"))


def evaluate(*, data: Path, model: Path) -> dict[str, Any]:
    """Perplexity of the test split for the network (without theme and kind) and for 5-gram models.

    Two 5-gram models are made, of the training haiku alone and of all training verse; the network is compared with the
    better one.
    """
    net, vocabulary = load_net(model)
    dataset = read(data, vocabulary)
    rows = dataset.rows("test")
    neural = perplexity(net, dataset, places_of(dataset), rows)
    test = [dataset.tokens[row] for row in rows]
    grams = {
        "perplexity_5gram_haiku": _five_gram(dataset, dataset.rows("train")).perplexity(test),
        "perplexity_5gram_all": _five_gram(dataset, np.flatnonzero(dataset.splits == 0)).perplexity(test),
    }
    best = min(grams.values())
    unknown = sum(int((tokens == 0).sum()) for tokens in test) / max(1, sum(len(tokens) - 1 for tokens in test))
    return {
        "perplexity_test": round(neural, 2),
        **{name: round(value, 2) for name, value in grams.items()},
        "below_5gram": round(1 - neural / best, 4),
        "test_haiku": len(rows),
        "test_unknown_words": round(unknown, 4),
        "parameters": sum(parameter.numel() for parameter in net.parameters()),
        "threads": torch.get_num_threads(),
    }


def main() -> None:
    """Evaluate from the command line, and note the figures on the model's card."""
    parser = argparse.ArgumentParser(
        description="Evaluate the poet on the test split and note the figures on its card."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the files of verse")
    parser.add_argument("--model", type=Path, default=Path("models/poet"), help="the model's folder")
    given = parser.parse_args()
    print(describe(given.model, evaluate(data=given.data, model=given.model)))  # noqa: T201 - a command's answer


def _five_gram(dataset: PoetDataset, rows: Iterable[int]) -> KneserNey:
    return KneserNey((dataset.tokens[row].tolist() for row in rows), words=len(dataset.vocabulary))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The perplexities of two poets on the same poems, lower is better, and how many of their own poems are fit."""

    candidate: float  # perplexity over all tokens, unknown words charged
    incumbent: float
    poems: int  # of the test split
    candidate_fit: float  # see WordLstm.fit_share, of the same seeds
    incumbent_fit: float

    @property
    def writes_worse(self) -> bool:
        """Whether clearly fewer of the candidate's poems are fit."""
        return self.candidate_fit < self.incumbent_fit - _CHANCE

    @property
    def better(self) -> bool:
        """Whether the candidate should replace the incumbent."""
        return self.candidate < self.incumbent and not self.writes_worse


def compare(*, data: Path, candidate: Path, incumbent: Path) -> Comparison:
    """Measure both.

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
        candidate_fit=_fit_share(candidate),
        incumbent_fit=_fit_share(incumbent),
    )


def _fit_share(model: Path) -> float:
    """The share of a poet's unranked poems that are fit; 0 for one that was trained without themes to draw from."""
    if not (model / "scenes.npy").is_file():
        return 0.0
    poet = word_lstm.WordLstm(word_lstm.WordLstm.Config(), models=model.parent, folder=model)
    return poet.fit_share(range(_SEEDS))


def fair_perplexity(data: Path, model: Path, words: set[str]) -> float:
    """A poet's perplexity over the test split.

    Args:
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


if __name__ == "__main__":
    main()
