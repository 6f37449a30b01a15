"""Teach the poet to write a poem as a reader corrected it rather than as it wrote it.

Rafailov, Sharma, Mitchell, Ermon, Manning and Finn, "Direct Preference Optimization: Your Language Model is Secretly a
Reward Model", 2023 (arXiv:2305.18290), beside the likelihood of what the poet reads.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from auria_bot.art.training.poet.dataset import word_theme
from auria_bot.corpus.language import syllables
from auria_bot.corpus.language.verse_rules import HAIKU_KIND, NO_KIND, positions
from auria_bot.corpus.language.words import SPECIALS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from auria_bot.art.nets.word_lstm import WordLstm
    from auria_bot.art.training.poet.marks import Marks
    from auria_bot.art.training.workers import Workers
    from auria_bot.corpus.language.words import Vocabulary

__all__ = ["PreferenceBatch", "PreferenceLoss", "Preferences", "log_likelihood"]

_UNTOLD = 0.5  # share of pairs read with neither kind nor theme


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceBatch:
    """Pairs of poems of one subject: column i of the first half is a corrected poem, of the second what it corrects."""

    tokens: Tensor  # (places, 2 pairs) word numbers, 0 after the end
    places: Tensor  # (places, 2 pairs) the position after each token
    kinds: Tensor  # (2 pairs,)
    themes: Tensor  # (2 pairs, 384)

    def part(self, rows: slice) -> PreferenceBatch:
        """Some of the pairs."""
        tokens, places, kinds, themes = (
            torch.cat([half[..., rows] for half in each.chunk(2, dim=-1)], dim=-1)
            for each in (self.tokens, self.places, self.kinds, self.themes.T)
        )
        return PreferenceBatch(tokens=tokens, places=places, kinds=kinds, themes=themes.T)


class Preferences:
    """The corrected poems among a reader's marks, and what they correct.

    Args:
        word_vectors: (words, 384) of which a pair's theme is made, see `sample`.
    """

    def __init__(self, marks: Marks, vocabulary: Vocabulary, word_vectors: NDArray[np.float32]) -> None:
        corrected = np.flatnonzero(marks.original >= 0)
        self._pairs = np.stack([corrected, marks.original[corrected]], 1)  # (pairs, 2) rows of the tokens
        held = marks.held[corrected]
        self._learned, self._held = np.flatnonzero(~held), np.flatnonzero(held)
        self._tokens, self._vectors = marks.tokens, word_vectors
        body = vocabulary.words[len(SPECIALS) :]
        counts = [2] * len(SPECIALS) + [syllables.counts(word)[0] for word in body]
        self._places = np.zeros_like(marks.tokens)
        for row in np.unique(self._pairs):
            poem = marks.tokens[row][marks.tokens[row] > 0]
            self._places[row, : len(poem)] = positions(poem.tolist(), counts)

    def __len__(self) -> int:
        """How many pairs are learned from."""
        return len(self._learned)

    def sample(self, count: int, rng: np.random.Generator) -> PreferenceBatch:
        """`count` pairs, half of them told kind and theme: some of the rarer words that both poems hold."""
        pairs = self._pairs[rng.choice(self._learned, count)]
        themes = np.zeros((count, self._vectors.shape[1]), np.float32)
        kinds = np.full(count, NO_KIND)
        for row in np.flatnonzero(rng.random(count) >= _UNTOLD):
            kinds[row] = HAIKU_KIND
            themes[row] = word_theme(np.intersect1d(*self._tokens[pairs[row]]), self._vectors, rng)
        return self._batch(pairs, kinds, themes)

    def _batch(
        self, pairs: NDArray[np.int64], kinds: NDArray[np.int64], themes: NDArray[np.float32]
    ) -> PreferenceBatch:
        rows = pairs.T.flatten()
        longest = int((self._tokens[rows] > 0).sum(1).max())
        return PreferenceBatch(
            tokens=torch.from_numpy(np.ascontiguousarray(self._tokens[rows, :longest].T)),
            places=torch.from_numpy(np.ascontiguousarray(self._places[rows, :longest].T)),
            kinds=torch.from_numpy(np.tile(kinds, 2)),
            themes=torch.from_numpy(np.tile(themes, (2, 1))),
        )

    @torch.no_grad()
    def accuracy(self, net: WordLstm, most: int = 1024) -> float:
        """The share of held-out pairs whose corrected poem the net finds likelier; 0 where none is held out."""
        held = self._pairs[self._held[:most]]
        if not len(held):
            return 0.0
        nothing = np.zeros((len(held), self._vectors.shape[1]), np.float32)
        better, worse = log_likelihood(net, self._batch(held, np.full(len(held), NO_KIND), nothing)).chunk(2)
        return float((better > worse).float().mean())


def log_likelihood(net: WordLstm, batch: PreferenceBatch, *, common: int | None = None) -> Tensor:
    """(2 pairs,) log-probability of each poem, in nats.

    Args:
        common: only among the so many first words, and those of the batch, which is much quicker.
    """
    signal = net(batch.tokens[:-1], batch.places[:-1], batch.kinds, batch.themes).flatten(0, 1)
    targets = batch.tokens[1:]
    if common is None or common >= net.config.words:
        scores, names = net.score(signal), targets
    else:
        candidates = torch.unique(torch.cat([torch.arange(common), targets.flatten()]))
        scores, names = net.score(signal, candidates), torch.searchsorted(candidates, targets)
    lost = F.cross_entropy(scores, names.flatten(), ignore_index=0, reduction="none")
    return -lost.reshape(targets.shape).sum(0)


class PreferenceLoss:
    """The loss of direct preference optimisation (equation 7).

    Args:
        net: the net that is trained; the reference begins as its copy.
        pairs: in an update.
        strength: beta; the larger, the nearer the net stays to the reference.
        common: see `log_likelihood`.
    """

    def __init__(
        self, preferences: Preferences, net: WordLstm, *, pairs: int, strength: float, common: int | None = None
    ) -> None:
        self.preferences, self.reference = preferences, copy.deepcopy(net).eval()
        self._pairs, self._strength, self._common = pairs, strength, common

    def begin_with(self, net: WordLstm) -> None:
        """Make the reference equal to a net."""
        self.reference.load_state_dict(net.state_dict())

    def __call__(self, net: WordLstm, rng: np.random.Generator, workers: Workers) -> Tensor:
        """The mean over this worker's share of the pairs of one update, times what share it is."""
        own = workers.share(self._pairs)
        batch = self.preferences.sample(self._pairs, rng).part(own.rows)
        better, worse = log_likelihood(net, batch, common=self._common).chunk(2)
        with torch.no_grad():
            self.reference.eval()
            before_better, before_worse = log_likelihood(self.reference, batch, common=self._common).chunk(2)
        gained = (better - worse) - (before_better - before_worse)  # (pairs,) nats
        return -F.logsigmoid(self._strength * gained).mean() * own.weight
