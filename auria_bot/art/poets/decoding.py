"""Decode 5-7-5 verse from a next-word network: exact syllable counts by construction, many poems at once.

A dynamic-programming table of feasible remainders keeps every poem completable. The line token is written exactly when
a line's syllables are used up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.corpus.language.syllables import FORM
from auria_bot.corpus.language.verse_rules import HAIKU_KIND, advance
from auria_bot.corpus.language.words import END, LINE, START

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from auria_bot.art.poets.lexicon import Lexicon, NgramFilter
    from auria_bot.art.runtime import Network

__all__ = ["DecodeState", "DecodedPoem", "Decoder", "SamplingParams", "draw", "feasible"]

_FUNCTION_WORD = np.float32(0.15)  # share of the repetition penalty for function words, articles excepted


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPoem:
    """A finished poem with its log-probabilities."""

    lines: tuple[tuple[str, ...], ...]
    likelihood: float  # mean log-probability of its words given kind and theme
    plain: float  # the same without the theme, where the net was run without it
    breaks: float  # mean log-probability of the line breaks and the end
    lowest: float  # log-probability of its least likely word, without theme
    ngram_penalty: float = 0.0  # sum of the penalties for n-grams not seen in training
    opening: float = 0.0  # log-probability of the whole first line; near zero for one that is sampled often


class DecodeState:
    """Poems being written, one a row of every array.

    Args:
        forms: (poems, lines) syllables of each line.
    """

    def __init__(self, lexicon: Lexicon, forms: NDArray[np.int64]) -> None:
        self._lexicon, self._forms = lexicon, forms
        poems, words = len(forms), len(lexicon.syllable_counts)
        places = int(forms.sum(1).max()) + forms.shape[1] + 1
        self.token = np.full(poems, START, np.int64)  # the token last written
        self.before = np.full(poems, START, np.int64)  # the token before it
        self.position = np.zeros(poems, np.int64)  # see corpus.language.verse_position
        self.line = np.zeros(poems, np.int64)
        self.remaining = forms[:, 0].copy()  # syllables left in the line
        self.done = np.zeros(poems, bool)
        self.used = np.zeros((poems, words), np.float32)  # 1 for content words in the poem and words related to them
        self.forbidden = np.zeros((poems, words), bool)  # words in the line, or twice in the poem
        self.ngram_penalty = np.zeros(poems)
        self.places = 0  # tokens written so far to the unfinished poems
        self.tokens = np.zeros((poems, places), np.int64)
        self.tokens[:, 0] = START
        self._conditional = np.zeros((poems, places), np.float32)
        self._unconditional = np.zeros((poems, places), np.float32)
        self._articles = {lexicon.vocabulary.numbers.get(word, -1) for word in ("the", "a", "an")}

    @property
    def last(self) -> NDArray[np.bool_]:
        """(poems,) whether each poem is in its last line."""
        ended: NDArray[np.bool_] = self.line == self._forms.shape[1] - 1
        return ended

    def append(
        self, tokens: NDArray[np.int64], conditional: NDArray[np.float32], unconditional: NDArray[np.float32]
    ) -> None:
        """Write one more token to every unfinished poem.

        Args:
            tokens: (poems,) the chosen tokens.
            conditional: (poems, words) log-probabilities given kind and theme.
            unconditional: the same without the theme.
        """
        lexicon, self.places = self._lexicon, self.places + 1
        for row in np.flatnonzero(~self.done).tolist():
            token = int(tokens[row])
            self.tokens[row, self.places] = token
            self._conditional[row, self.places] = conditional[row, token]
            self._unconditional[row, self.places] = unconditional[row, token]
            if token in (LINE, END):
                self._end_line(row, ended=token == END)
            else:
                self.remaining[row] -= lexicon.syllable_counts[token]
                if lexicon.content[token]:
                    self.forbidden[row, token] = True
                    self.used[row, lexicon.related[token]] = 1
                elif token not in self._articles:
                    self.used[row, token] = _FUNCTION_WORD
            self.position[row] = advance(int(self.position[row]), token, int(lexicon.training_counts[token]))
            self.before[row], self.token[row] = self.token[row], token

    def _end_line(self, row: int, *, ended: bool) -> None:
        """Start the next line, in which content words of earlier lines may be repeated once, or finish the poem."""
        if ended:
            self.done[row] = True
            self.remaining[row] = 1  # any valid row of the mask table; what is sampled for it is discarded
            return
        self.line[row] += 1
        self.remaining[row] = self._forms[row, self.line[row]]
        seen, often = np.unique(self.tokens[row], return_counts=True)
        self.forbidden[row] = False
        self.forbidden[row, seen[(often > 1) & (seen > END) & self._lexicon.content[seen]]] = True

    def finished(self) -> list[DecodedPoem]:
        """The poems in row order."""
        return [self._decoded(row) for row in range(len(self.tokens))]

    def _decoded(self, row: int) -> DecodedPoem:
        tokens = self.tokens[row]
        marks = (tokens == LINE) | (tokens == END)
        spoken = tokens > END
        names = self._lexicon.vocabulary.words
        lines: list[list[str]] = [[]]
        for token in tokens[1:].tolist():
            if token == END:
                break
            if token == LINE:
                lines.append([])
            elif token:
                lines[-1].append(names[token])
        first = spoken & (marks.cumsum() == 0)
        return DecodedPoem(
            lines=tuple(map(tuple, lines)),
            likelihood=float(self._conditional[row, spoken].mean()),
            plain=float(self._unconditional[row, spoken].mean()),
            breaks=float(self._conditional[row, marks].mean()),
            lowest=float(self._unconditional[row, spoken].min()),
            ngram_penalty=float(self.ngram_penalty[row]),
            opening=float(self._conditional[row, first].sum()),
        )


_NEVER = np.float32(-1e9)  # score of tokens that would break the form
_AVOID = np.float32(1e6)  # penalty for poor choices; smaller than _NEVER, because the form comes first
_LONGEST = 11  # syllables of the longest line supported
_REMAINDERS = _LONGEST + 1  # possible remainders of a line, 0 included
_SHORTLIST = 256  # words kept for the pair penalty at each place
_EXAMINED = 96  # of them, words kept for the triple penalty
_OPENING = 2  # places of a poem that are sampled with the opening temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """Parameters of sampling; penalties are subtracted from a word's score, in nats."""

    temperature: float = 0.75
    opening: float = 1.35  # temperature of a poem's first two tokens
    top_k: int = 60  # most words sampled from
    top_p: float = 0.9  # probability mass sampled from
    guidance: float = 1.2  # classifier-free guidance by the theme; 1 turns it off and halves the time
    repetition: float = 6.0  # a content word that the poem contains already, or one related to it
    new_pair: float = 2.0  # a pair of content words not seen in training
    odd_pair: float = 6.0  # a pair with a function word not seen in training, mostly bad grammar
    new_triple: float = 2.5  # a triple not seen in training
    new_break: float = 2.0  # a word that would end the line and was not seen doing so after the last one
    line_end_weight: float = 1.5  # factor of NgramFilter.endings
    kind: int = HAIKU_KIND  # the kind of poem given to the net, see corpus.language.verse_position


def feasible(syllable_counts: NDArray[np.int64], ends: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """(most + 1,) whether a remainder of 0 to `most` syllables can be filled so that the line ends in an allowed word.

    Args:
        syllable_counts: syllables of each word, 0 for words that are not written.
        ends: which words may end the line.
        most: the longest remainder.
    """
    steps = np.unique(syllable_counts[syllable_counts > 0])
    last = np.unique(syllable_counts[(syllable_counts > 0) & ends])
    table = np.zeros(most + 1, bool)
    table[0] = True
    for remaining in range(1, most + 1):
        table[remaining] = remaining in last or any(
            table[remaining - step] and remaining - step > 0 for step in steps if step < remaining
        )
    return table


class Decoder:
    """Samples poems from a network.

    Args:
        network: takes token, position, kind, theme, hidden, cell; gives log-probabilities and the next states.
        hidden: size of a layer's state.
        ngrams: pairs and triples seen in training.
    """

    def __init__(
        self, network: Network, lexicon: Lexicon, *, hidden: int, layers: int = 2, ngrams: NgramFilter
    ) -> None:
        self._network, self._lexicon, self._ngrams = network, lexicon, ngrams
        self._hidden, self._layers = hidden, layers
        self._masks = np.concatenate([self._line_masks(ends) for ends in (lexicon.ends, lexicon.ends_poem)])
        self._start_mask = np.where(lexicon.begins, np.float32(0), -_AVOID)
        numbers = lexicon.vocabulary.numbers
        self._a, self._an = numbers.get("a", -1), numbers.get("an", -1)

    def _line_masks(self, ends: NDArray[np.bool_]) -> NDArray[np.float32]:
        """(remainders, words) what is added to the scores where so many syllables are left; `ends` may end the line."""
        counts = self._lexicon.syllable_counts
        table = feasible(counts, ends, _LONGEST)
        after = np.arange(_REMAINDERS)[:, None] - counts
        allowed = (counts > 0) & (after >= 0) & np.where(after == 0, ends, table[np.maximum(after, 0)])
        return np.where(allowed, np.float32(0), _NEVER)

    def sample(
        self,
        themes: NDArray[np.float32],
        *,
        rng: np.random.Generator,
        params: SamplingParams,
        word_bias: NDArray[np.float32] | None = None,
        forms: NDArray[np.int64] | None = None,
        kinds: NDArray[np.int64] | None = None,
    ) -> list[DecodedPoem]:
        """Sample one poem for each theme.

        Args:
            themes: (poems, 384) unit sentence vectors; zero rows for no theme.
            word_bias: (words,) added to the words' scores, for a mood.
            forms: (poems, 3) syllables of each line, at most 11; 5-7-5 by default.
            kinds: (poems,) the kind of each poem; by default params.kind.
        """
        poems = len(themes)
        copies = 1 if params.guidance == 1 else 2  # the second copy of each poem gets no theme
        feeds = np.concatenate([themes, np.zeros_like(themes)])[: copies * poems].astype(np.float32)
        kind_numbers = np.tile(np.full(poems, params.kind) if kinds is None else kinds, copies).astype(np.int64)
        hidden = np.zeros((self._layers, len(feeds), self._hidden), np.float32)
        cell = np.zeros_like(hidden)
        state = DecodeState(self._lexicon, np.tile(FORM, (poems, 1)) if forms is None else forms)
        while not state.done.all():
            output = self._network.run(
                {
                    "token": np.tile(state.token, copies),
                    "position": np.tile(state.position, copies),
                    "kind": kind_numbers,
                    "theme": feeds,
                    "hidden": hidden,
                    "cell": cell,
                }
            )
            hidden, cell = output["hidden_next"], output["cell_next"]
            conditional, unconditional = output["likelihoods"][:poems], output["likelihoods"][-poems:]
            scores = conditional + self._masks[state.last * _REMAINDERS + state.remaining]
            if copies == 2:
                scores += np.float32(params.guidance - 1) * (conditional - unconditional)
            if word_bias is not None:
                scores += word_bias
            if state.places == 0:
                scores += self._start_mask
            state.append(self._choose(scores, state, rng, params), conditional, unconditional)
        return state.finished()

    def _choose(
        self, scores: NDArray[np.float32], state: DecodeState, rng: np.random.Generator, params: SamplingParams
    ) -> NDArray[np.int64]:
        """(poems,) the next token of every poem: a sampled word, or the line or poem end where no syllable remains."""
        shortlist = _largest(scores, _SHORTLIST)
        values = np.take_along_axis(scores, shortlist, 1)
        values -= self._repetition_penalty(shortlist, state, params)
        penalty = self._pair_penalty(shortlist, state, params)
        values -= penalty
        best = _largest(values, _EXAMINED)
        shortlist = np.take_along_axis(shortlist, best, 1)
        values, penalty = np.take_along_axis(values, best, 1), np.take_along_axis(penalty, best, 1)
        triples = self._triple_penalty(shortlist, state, params) * (penalty == 0)
        values, penalty = values - triples, penalty + triples
        heat = params.opening if state.places < _OPENING else params.temperature
        place = draw((values / heat).astype(np.float32), rng.random(len(scores)), params.top_k, params.top_p, shortlist)
        rows = np.arange(len(scores))
        state.ngram_penalty += np.where((state.remaining > 0) & ~state.done, penalty[rows, place], 0)
        ending = np.where(state.last, END, LINE)
        tokens: NDArray[np.int64] = np.where(state.remaining > 0, shortlist[rows, place], ending)
        return tokens

    def _repetition_penalty(
        self, words: NDArray[np.int64], state: DecodeState, params: SamplingParams
    ) -> NDArray[np.float32]:
        """(poems, some) penalty of words already in the poem or disagreeing with a preceding "a" or "an"."""
        penalty = np.float32(params.repetition) * np.take_along_axis(state.used, words, 1)
        last = np.where(state.token == LINE, state.before, state.token)[:, None]
        takes_an = self._lexicon.takes_an[words]
        never = np.take_along_axis(state.forbidden, words, 1) | (words == last)
        never |= np.where(takes_an, (state.token == self._a)[:, None], (state.token == self._an)[:, None])
        penalty[never] += _AVOID
        return penalty

    def _pair_penalty(
        self, words: NDArray[np.int64], state: DecodeState, params: SamplingParams
    ) -> NDArray[np.float32]:
        """(poems, some) penalty of words not seen in training after the last word."""
        content = self._lexicon.content
        pair = np.where(content[words] & content[state.token][:, None], params.new_pair, params.odd_pair)
        penalty: NDArray[np.float32] = np.where(self._ngrams.pair(state.token[:, None], words), 0, pair).astype(
            np.float32
        )
        return penalty

    def _triple_penalty(
        self, words: NDArray[np.int64], state: DecodeState, params: SamplingParams
    ) -> NDArray[np.float32]:
        """(poems, some) penalty of words not seen after the last two, or not seen ending a line after the last one."""
        before, token = state.before[:, None], state.token[:, None]
        unseen = ~self._ngrams.triple(before, token, words) & (token > END)
        ending = np.where(state.last, END, LINE)[:, None]
        last = self._lexicon.syllable_counts[words] == state.remaining[:, None]
        unended = last & ~self._ngrams.triple(token, words, ending)
        determiner = self._lexicon.determiner[state.token][:, None].astype(np.int64)
        line_end_weight = np.where(last, self._ngrams.endings[determiner, words], 0)
        penalty: NDArray[np.float32] = (
            params.new_triple * unseen + params.new_break * unended + params.line_end_weight * line_end_weight
        ).astype(np.float32)
        return penalty


def _largest(scores: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """The columns of the `most` largest scores of each row, in no particular order."""
    most = min(most, scores.shape[1])
    columns: NDArray[np.int64] = np.argpartition(scores, -most, axis=1)[:, -most:]
    return columns


def draw(
    scores: NDArray[np.float32], chances: NDArray[np.float64], top_k: int, top_p: float, names: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Sample one column a row from the likeliest: at most `top_k`, up to a probability mass of `top_p`.

    Args:
        scores: (rows, columns).
        chances: (rows,) uniform numbers from 0 to 1.
        top_k: most columns sampled from.
        top_p: probability mass after which no further column is added.
        names: (rows, columns) tie-breakers, so that the order of columns does not matter.
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
