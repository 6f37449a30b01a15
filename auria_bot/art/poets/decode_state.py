"""The state of a batch of poems while they are decoded: what is written and which syllables remain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.corpus.language.verse_position import advance
from auria_bot.corpus.language.words import END, LINE, START

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from auria_bot.art.poets.lexicon import Lexicon

__all__ = ["DecodeState", "DecodedPoem"]

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
        lexicon: arrays over the vocabulary.
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
