"""Writes 5-7-5 verse with a next-word net: exact in syllables by construction, many poems at once.

A table of feasible remainders, found by dynamic programming, keeps every poem able to end; the line token is
written when a line's count is reached and never elsewhere. Knows the net only as arrays in, arrays out; does
not know which of the poems is the best (ranking).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.corpus.metre import HAIKU_KIND, advance
from auria_bot.corpus.syllables import FORM
from auria_bot.corpus.words import END, LINE, START

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from auria_bot.art.poets.lexicon import Lexicon
    from auria_bot.art.poets.usage import Usage
    from auria_bot.art.runtime import Network

__all__ = ["Decoder", "Manner", "Sung", "feasible"]

_NEVER = np.float32(-1e9)  # for what would break the form
_AGAIN = np.float32(0.15)  # of the penalty for repetition: for function words but articles
_AVOID = np.float32(1e6)  # taken for what would be poor; the form comes first
_RESTS = max(FORM) + 1  # remainders of a line, 0 included
_CONSIDERED = 160  # words looked at closely at each place
_OPENING = 2  # places of a poem that are drawn with the opening temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sung:
    """One finished poem of the decoder."""

    lines: tuple[tuple[str, ...], ...]
    likelihood: float  # mean log-probability of its words, told kind and theme
    plain: float  # the same without theme
    breaks: float  # mean log-probability of the line breaks and the end
    lowest: float  # log-probability of its least likely word, without theme
    oddness: float = 0.0  # what its words lost in all because verse does not put them together


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
        self, network: Network, lexicon: Lexicon, *, hidden: int, layers: int = 2, usage: Usage | None = None
    ) -> None:
        self._network, self._lexicon, self._usage = network, lexicon, usage
        self._hidden, self._layers = hidden, layers
        self._masks = np.stack([self._mask(line, rest) for line in range(len(FORM)) for rest in range(_RESTS)])
        numbers = lexicon.vocabulary.numbers
        self._a, self._an = numbers.get("a", -1), numbers.get("an", -1)

    def _mask(self, line: int, rest: int) -> NDArray[np.float32]:
        """What is added to the scores when `rest` syllables of a line are left."""
        lexicon = self._lexicon
        ends = lexicon.ends_poem if line == len(FORM) - 1 else lexicon.ends
        table = feasible(lexicon.sung, ends, max(FORM))
        after = np.clip(rest - lexicon.sung, 0, None)
        allowed = (lexicon.sung > 0) & (lexicon.sung <= rest) & np.where(after == 0, ends, table[after])
        return np.where(allowed, np.float32(0), _NEVER)

    def sing(
        self,
        themes: NDArray[np.float32],
        *,
        rng: np.random.Generator,
        manner: Manner,
        leaning: NDArray[np.float32] | None = None,
    ) -> list[Sung]:
        """Draw one poem for each theme.

        Args:
            themes: (poems, 384) unit sentence vectors; zero rows for no theme.
            rng: where chance comes from.
            manner: how words are drawn.
            leaning: added to the words' scores, (words,), for a mood.
        """
        poems = len(themes)
        copies = 1 if manner.guidance == 1 else 2  # the second copy of each poem hears no theme
        feeds = np.concatenate([themes, np.zeros_like(themes)])[: copies * poems].astype(np.float32)
        kinds = np.full(len(feeds), manner.kind, np.int64)
        hidden = np.zeros((self._layers, len(feeds), self._hidden), np.float32)
        cell = np.zeros_like(hidden)
        state = _Poems(self._lexicon, poems)
        while not state.done.all():
            output = self._network.run(
                {
                    "token": np.tile(state.token, copies), "position": np.tile(state.position, copies),
                    "kind": kinds, "theme": feeds, "hidden": hidden, "cell": cell,
                }
            )  # fmt: skip
            hidden, cell = output["hidden_next"], output["cell_next"]
            told, plain = output["likelihoods"][:poems], output["likelihoods"][-poems:]
            scores = np.float32(manner.guidance) * told
            if copies == 2:
                scores -= np.float32(manner.guidance - 1) * plain
            if leaning is not None:
                scores += leaning
            state.take(self._choose(scores, state, rng, manner), told, plain)
        return state.finished()

    def _choose(
        self, scores: NDArray[np.float32], state: _Poems, rng: np.random.Generator, manner: Manner
    ) -> NDArray[np.int64]:
        """The next token of every poem: a drawn word, or a line's or the poem's end where the count is reached."""
        lexicon = self._lexicon
        scores += self._masks[np.minimum(state.line, len(FORM) - 1) * _RESTS + state.rest]
        scores -= np.float32(manner.repetition) * state.used
        scores[state.barred] -= _AVOID
        rows = np.arange(len(scores))
        scores[rows, np.where(state.token == LINE, state.before, state.token)] -= _AVOID  # no word at once again
        scores[np.ix_(state.token == self._a, lexicon.vowel)] -= _AVOID
        scores[np.ix_(state.token == self._an, ~lexicon.vowel)] -= _AVOID
        scores[np.ix_(state.token == START, ~lexicon.begins)] -= _AVOID
        strange = self._strange_pairs(state, manner)
        scores -= strange
        most = min(_CONSIDERED, scores.shape[1])
        nearest = np.argpartition(scores, -most, axis=1)[:, -most:]
        values = np.take_along_axis(scores, nearest, 1)
        lost = np.take_along_axis(strange, nearest, 1)
        if self._usage is not None:
            triples = self._strange_triples(nearest, state, self._usage, manner) * (lost == 0)
            values, lost = values - triples, lost + triples
        heat = manner.opening if state.places < _OPENING else manner.temperature
        place = _draw((values / heat).astype(np.float32), rng.random(len(scores)), manner.top_k, manner.top_p, nearest)
        state.oddness += np.where((state.rest > 0) & ~state.done, lost[rows, place], 0)
        ending = np.where(state.line == len(FORM) - 1, END, LINE)
        tokens: NDArray[np.int64] = np.where(state.rest > 0, nearest[rows, place], ending)
        return tokens

    def _strange_pairs(self, state: _Poems, manner: Manner) -> NDArray[np.float32]:
        """What words lose that verse does not put after the last one; (poems, words)."""
        content = self._lexicon.content
        if self._usage is None:
            return np.zeros((len(state.token), len(content)), np.float32)
        pair = np.where(content[None] & content[state.token][:, None], manner.new_pair, manner.odd_pair)
        lost = pair.astype(np.float32)
        for row, token in enumerate(state.token):
            lost[row, self._usage.after(int(token))] = 0
        return lost

    def _strange_triples(
        self, words: NDArray[np.int64], state: _Poems, usage: Usage, manner: Manner
    ) -> NDArray[np.float32]:
        """What words (poems, some) lose that verse does not put after the last two, or not at a line's end after the last."""
        before, token = state.before[:, None], state.token[:, None]
        unseen = ~usage.triple(*np.broadcast_arrays(before, token, words)) & (token > END)
        ending = np.where(state.line == len(FORM) - 1, END, LINE)[:, None]
        last = self._lexicon.sung[words] == state.rest[:, None]
        unended = last & ~usage.triple(*np.broadcast_arrays(token, words, ending))
        leads = self._lexicon.leads[state.token][:, None].astype(np.int64)
        reluctance = np.where(last, usage.endings[leads, words], 0)
        lost: NDArray[np.float32] = (
            manner.new_triple * unseen + manner.new_break * unended + manner.reluctance * reluctance
        ).astype(np.float32)
        return lost


class _Poems:
    """Poems in the making, one a row."""

    def __init__(self, lexicon: Lexicon, poems: int) -> None:
        self._lexicon = lexicon
        self.token = np.full(poems, START, np.int64)  # the token last written
        self.before = np.full(poems, START, np.int64)  # the token before it
        self.position = np.zeros(poems, np.int64)  # see corpus.metre
        self.line = np.zeros(poems, np.int64)
        self.rest = np.full(poems, FORM[0])  # syllables that the line still wants
        self.done = np.zeros(poems, bool)
        self.used = np.zeros(
            (poems, len(lexicon.sung)), np.float32
        )  # 1 for content words that the poem has, and their kin
        self.barred = np.zeros((poems, len(lexicon.sung)), bool)  # words that the line has, or the poem twice
        self.oddness = np.zeros(poems)
        self._articles = {lexicon.vocabulary.numbers.get(word, -1) for word in ("the", "a", "an")}
        self.places = 0
        self._text: list[list[list[int]]] = [[[]] for _ in range(poems)]
        self._told: list[list[float]] = [[] for _ in range(poems)]
        self._plain: list[list[float]] = [[] for _ in range(poems)]
        self._breaks: list[list[float]] = [[] for _ in range(poems)]

    def take(self, tokens: NDArray[np.int64], told: NDArray[np.float32], plain: NDArray[np.float32]) -> None:
        """Write one more token to every poem that is not done."""
        lexicon = self._lexicon
        for row in np.flatnonzero(~self.done):
            token = int(tokens[row])
            if token in (LINE, END):
                self._breaks[row].append(float(told[row, token]))
                self._turn(int(row), over=token == END)
            else:
                self._told[row].append(float(told[row, token]))
                self._plain[row].append(float(plain[row, token]))
                self._text[row][-1].append(token)
                self.rest[row] -= lexicon.sung[token]
                if lexicon.content[token]:
                    self.barred[row, token] = True
                    self.used[row, lexicon.kin[token]] = 1
                elif token not in self._articles:
                    self.used[row, token] = _AGAIN
            self.position[row] = advance(int(self.position[row]), token, int(lexicon.heard[token]))
            self.before[row], self.token[row] = self.token[row], token
        self.places += 1

    def _turn(self, row: int, *, over: bool) -> None:
        """End a line: content words may come back once in another line."""
        if over:
            self.done[row] = True
            self.rest[row] = 1  # so that its mask is a real one; what is drawn is not written
            return
        self._text[row].append([])
        self.line[row] += 1
        self.rest[row] = FORM[self.line[row]]
        flat = [word for line in self._text[row] for word in line]
        self.barred[row] = False
        self.barred[row, [word for word in flat if self._lexicon.content[word] and flat.count(word) > 1]] = True

    def finished(self) -> list[Sung]:
        """The poems, in rows' order."""
        words = self._lexicon.vocabulary.words
        return [
            Sung(
                lines=tuple(tuple(words[token] for token in line) for line in text),
                likelihood=float(np.mean(told)),
                plain=float(np.mean(plain)),
                breaks=float(np.mean(breaks)),
                lowest=min(plain),
                oddness=float(odd),
            )
            for text, told, plain, breaks, odd in zip(
                self._text, self._told, self._plain, self._breaks, self.oddness, strict=True
            )
        ]


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
