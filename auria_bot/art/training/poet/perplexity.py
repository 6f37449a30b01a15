"""Perplexity of the poet's net over whole poems, exact, and the positions that it reads beside the words."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from auria_bot.corpus.language import syllables
from auria_bot.corpus.language.verse_position import NO_KIND, positions
from auria_bot.corpus.language.words import SPECIALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from auria_bot.art.nets.word_lstm import WordLstm
    from auria_bot.art.training.poet.dataset import PoetDataset

__all__ = ["native_lstm", "perplexity", "places_of"]


def places_of(anthology: PoetDataset) -> list[NDArray[np.int64]]:
    """The position after each token of each poem."""
    body = anthology.vocabulary.words[len(SPECIALS) :]
    counts = [2] * len(SPECIALS) + [syllables.counts(word)[0] for word in body]
    return [np.array(positions(row.tolist(), counts)) for row in anthology.tokens]


@contextmanager
def native_lstm() -> Iterator[None]:
    """Keep oneDNN out: its LSTM takes a third longer to train than torch's own on the processors tried."""
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment]  # a property that torch's stubs do not see
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = before


@torch.no_grad()
def perplexity(
    net: WordLstm,
    anthology: PoetDataset,
    places: list[NDArray[np.int64]],
    rows: NDArray[np.int64],
    *,
    told: bool = False,
) -> float:
    """Perplexity over every word, line break and end of the poems, exact (no candidates).

    Args:
        net: the net.
        anthology: the poems.
        places: the position after each token, for each poem.
        rows: which poems.
        told: tell the net each poem's kind and theme, which a fair comparison does not.
    """
    net.eval()
    total, count = 0.0, 0
    lengths = np.array([len(anthology.tokens[row]) for row in rows])
    for length in np.unique(lengths):
        members = rows[lengths == length]
        for at in range(0, len(members), 128):
            part = members[at : at + 128]
            tokens = torch.from_numpy(np.stack([anthology.tokens[row] for row in part], 1))
            where = torch.from_numpy(np.stack([places[row] for row in part], 1))
            kinds = torch.from_numpy(anthology.kinds[part] if told else np.full(len(part), NO_KIND))
            themes = torch.from_numpy(anthology.themes[part]) * (1.0 if told else 0.0)
            with native_lstm():
                signal = net(tokens[:-1], where[:-1], kinds, themes)
            scores = net.score(signal.flatten(0, 1))
            total += float(F.cross_entropy(scores, tokens[1:].flatten(), reduction="sum"))
            count += tokens[1:].numel()
    return float(np.exp(total / max(count, 1)))
