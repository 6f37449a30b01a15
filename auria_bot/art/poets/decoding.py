"""Writes 5-7-5 verse with a next-word net: exact in syllables by construction, many poems at once.

A table of feasible remainders, found by dynamic programming, keeps every poem able to end; the line token is
written when a line's count is reached and never elsewhere. Knows the net only as arrays in, arrays out; does
not know which of the poems is the best (ranking).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.poets.decode_state import DecodedPoem, DecodeState
from auria_bot.corpus.language.syllables import FORM
from auria_bot.corpus.language.verse_position import HAIKU_KIND
from auria_bot.corpus.language.words import END, LINE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from auria_bot.art.poets.lexicon import Lexicon
    from auria_bot.art.poets.ngram_filter import NgramFilter
    from auria_bot.art.runtime import Network

__all__ = ["DecodedPoem", "Decoder", "SamplingParams", "feasible"]

_NEVER = np.float32(-1e9)  # for what would break the form
_AVOID = np.float32(1e6)  # taken for what would be poor; the form comes first
_LONGEST = 11  # syllables of the longest line that can be asked for
_RESTS = _LONGEST + 1  # remainders of a line, 0 included
_LIKELY = 256  # words looked at at each place
_CONSIDERED = 96  # of them, looked at closely
_OPENING = 2  # places of a poem that are drawn with the opening temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """How words are drawn."""

    temperature: float = 0.75  # below 1 favours likely words
    opening: float = 1.35  # temperature of a poem's first words, where variety costs least
    top_k: int = 60  # words drawn from at most
    top_p: float = 0.9  # share of likelihood drawn from
    guidance: float = 1.2  # how much further the theme pulls than the net alone would let it; 1 is the net alone
    repetition: float = 6.0  # taken from the score of a content word that the poem has already, or a kindred one
    new_pair: float = 2.0  # taken from the score of a word never seen after the last one, both of content
    odd_pair: float = 6.0  # the same where one of the two is a function word: that is mostly bad grammar
    new_triple: float = 2.5  # taken from a word never seen after the last two
    new_break: float = 2.0  # taken from a word that would end a line and was never seen to after the last one
    reluctance: float = 1.5  # how much a word's reluctance to end a line counts
    kind: int = HAIKU_KIND  # the kind of poem that the net is told, see corpus.metre


def feasible(sung: NDArray[np.int64], ends: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """Which remainders of a line, 0 to `most` syllables, can still be filled so that the line ends well.

    Args:
        sung: syllables of each word, 0 for words that are not written.
        ends: which words may end the line.
        most: the longest remainder.
    """
    steps = np.unique(sung[sung > 0])
    last = np.unique(sung[(sung > 0) & ends])
    table = np.zeros(most + 1, bool)
    table[0] = True
    for rest in range(1, most + 1):
        table[rest] = rest in last or any(table[rest - step] and rest - step > 0 for step in steps if step < rest)
    return table


class Decoder:
    """Draws poems from a net.

    Args:
        network: takes token, position, kind, theme, hidden, cell; gives log-probabilities and the next states.
        lexicon: what is known of the words.
        hidden: size of a layer's state.
        layers: layers of state.
        usage: which words were seen side by side; None to leave that to the net.
    """

    def __init__(
        self, network: Network, lexicon: Lexicon, *, hidden: int, layers: int = 2, usage: NgramFilter | None = None
    ) -> None:
        self._network, self._lexicon, self._usage = network, lexicon, usage
        self._hidden, self._layers = hidden, layers
        self._masks = np.stack(
            [self._mask(ends, rest) for ends in (lexicon.ends, lexicon.ends_poem) for rest in range(_RESTS)]
        )
        self._unbegun = np.where(lexicon.begins, np.float32(0), -_AVOID)
        numbers = lexicon.vocabulary.numbers
        self._a, self._an = numbers.get("a", -1), numbers.get("an", -1)

    def _mask(self, ends: NDArray[np.bool_], rest: int) -> NDArray[np.float32]:
        """What is added to the scores when `rest` syllables are left of a line that may end in the words given."""
        lexicon = self._lexicon
        table = feasible(lexicon.sung, ends, _LONGEST)
        after = np.clip(rest - lexicon.sung, 0, None)
        allowed = (lexicon.sung > 0) & (lexicon.sung <= rest) & np.where(after == 0, ends, table[after])
        return np.where(allowed, np.float32(0), _NEVER)

    def sing(
        self,
        themes: NDArray[np.float32],
        *,
        rng: np.random.Generator,
        manner: SamplingParams,
        leaning: NDArray[np.float32] | None = None,
        forms: NDArray[np.int64] | None = None,
        kinds: NDArray[np.int64] | None = None,
    ) -> list[DecodedPoem]:
        """Draw one poem for each theme.

        Args:
            themes: (poems, 384) unit sentence vectors; zero rows for no theme.
            rng: where chance comes from.
            manner: how words are drawn.
            leaning: added to the words' scores, (words,), for a mood.
            forms: (poems, 3) syllables of each line, at most 11; 5-7-5 where none are given.
            kinds: (poems,) the kind of each poem; the manner's where none are given.
        """
        poems = len(themes)
        copies = 1 if manner.guidance == 1 else 2  # the second copy of each poem hears no theme
        feeds = np.concatenate([themes, np.zeros_like(themes)])[: copies * poems].astype(np.float32)
        told_kinds = np.tile(np.full(poems, manner.kind) if kinds is None else kinds, copies).astype(np.int64)
        hidden = np.zeros((self._layers, len(feeds), self._hidden), np.float32)
        cell = np.zeros_like(hidden)
        state = DecodeState(self._lexicon, np.tile(FORM, (poems, 1)) if forms is None else forms)
        while not state.done.all():
            output = self._network.run(
                {
                    "token": np.tile(state.token, copies),
                    "position": np.tile(state.position, copies),
                    "kind": told_kinds,
                    "theme": feeds,
                    "hidden": hidden,
                    "cell": cell,
                }
            )
            hidden, cell = output["hidden_next"], output["cell_next"]
            told, plain = output["likelihoods"][:poems], output["likelihoods"][-poems:]
            scores = told + self._masks[state.last * _RESTS + state.rest]
            if copies == 2:
                scores += np.float32(manner.guidance - 1) * (told - plain)
            if leaning is not None:
                scores += leaning
            if state.places == 0:
                scores += self._unbegun
            state.take(self._choose(scores, state, rng, manner), told, plain)
        return state.finished()

    def _choose(
        self, scores: NDArray[np.float32], state: DecodeState, rng: np.random.Generator, manner: SamplingParams
    ) -> NDArray[np.int64]:
        """The next token of every poem: a drawn word, or a line's or the poem's end where the count is reached."""
        nearest = _largest(scores, _LIKELY)
        values = np.take_along_axis(scores, nearest, 1)
        values -= self._worn(nearest, state, manner)
        lost = self._strange_pairs(nearest, state, manner)
        values -= lost
        closest = _largest(values, _CONSIDERED)
        nearest = np.take_along_axis(nearest, closest, 1)
        values, lost = np.take_along_axis(values, closest, 1), np.take_along_axis(lost, closest, 1)
        if self._usage is not None:
            triples = self._strange_triples(nearest, state, self._usage, manner) * (lost == 0)
            values, lost = values - triples, lost + triples
        heat = manner.opening if state.places < _OPENING else manner.temperature
        place = _draw((values / heat).astype(np.float32), rng.random(len(scores)), manner.top_k, manner.top_p, nearest)
        rows = np.arange(len(scores))
        state.oddness += np.where((state.rest > 0) & ~state.done, lost[rows, place], 0)
        ending = np.where(state.last, END, LINE)
        tokens: NDArray[np.int64] = np.where(state.rest > 0, nearest[rows, place], ending)
        return tokens

    def _worn(self, words: NDArray[np.int64], state: DecodeState, manner: SamplingParams) -> NDArray[np.float32]:
        """What words (poems, some) lose because the poem has them already, or because "a" or "an" does not go before them."""
        lost = np.float32(manner.repetition) * np.take_along_axis(state.used, words, 1)
        last = np.where(state.token == LINE, state.before, state.token)[:, None]
        vowel = self._lexicon.vowel[words]
        never = np.take_along_axis(state.barred, words, 1) | (words == last)
        never |= np.where(vowel, (state.token == self._a)[:, None], (state.token == self._an)[:, None])
        lost[never] += _AVOID
        return lost

    def _strange_pairs(
        self, words: NDArray[np.int64], state: DecodeState, manner: SamplingParams
    ) -> NDArray[np.float32]:
        """What words (poems, some) lose because verse does not put them after the last one."""
        content = self._lexicon.content
        if self._usage is None:
            return np.zeros(words.shape, np.float32)
        pair = np.where(content[words] & content[state.token][:, None], manner.new_pair, manner.odd_pair)
        lost: NDArray[np.float32] = np.where(self._usage.pair(state.token[:, None], words), 0, pair).astype(np.float32)
        return lost

    def _strange_triples(
        self, words: NDArray[np.int64], state: DecodeState, usage: NgramFilter, manner: SamplingParams
    ) -> NDArray[np.float32]:
        """What words (poems, some) lose that verse does not put after the last two, or not at a line's end after the last."""
        before, token = state.before[:, None], state.token[:, None]
        unseen = ~usage.triple(before, token, words) & (token > END)
        ending = np.where(state.last, END, LINE)[:, None]
        last = self._lexicon.sung[words] == state.rest[:, None]
        unended = last & ~usage.triple(token, words, ending)
        leads = self._lexicon.leads[state.token][:, None].astype(np.int64)
        reluctance = np.where(last, usage.endings[leads, words], 0)
        lost: NDArray[np.float32] = (
            manner.new_triple * unseen + manner.new_break * unended + manner.reluctance * reluctance
        ).astype(np.float32)
        return lost


def _largest(scores: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """The columns of the `most` largest scores of each row, in no order."""
    most = min(most, scores.shape[1])
    columns: NDArray[np.int64] = np.argpartition(scores, -most, axis=1)[:, -most:]
    return columns


def _draw(
    scores: NDArray[np.float32], chances: NDArray[np.float64], top_k: int, top_p: float, names: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Draw one column a row among the likeliest ones: at most `top_k`, and no more than reach `top_p` together.

    Args:
        scores: (rows, columns).
        chances: (rows,) uniform numbers from 0 to 1.
        top_k: the most columns that come into question.
        top_p: the share of likelihood after which no further column does.
        names: (rows, columns) what breaks ties, so that the columns' order does not matter.
    """
    order = np.lexsort((names, -scores), axis=1)[:, :top_k]
    values = np.take_along_axis(scores, order, 1)
    shares = np.exp((values - values[:, :1]).astype(np.float64))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.cumsum(shares, axis=1) - shares >= top_p] = 0
    shares[values <= _NEVER / 2] = 0
    reached = np.cumsum(shares, axis=1)
    place = (reached < chances[:, None] * reached[:, -1:]).sum(axis=1)
    chosen: NDArray[np.int64] = order[np.arange(len(scores)), np.minimum(place, (shares > 0).sum(axis=1) - 1)]
    return chosen
