"""Poems in the making, one a row: what is written and what is still wanted. Does not know how words are chosen."""

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

_AGAIN = np.float32(0.15)  # of the penalty for repetition: for function words but articles


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPoem:
    """One finished poem of the decoder."""

    lines: tuple[tuple[str, ...], ...]
    likelihood: float  # mean log-probability of its words, told kind and theme
    plain: float  # the same without theme, where the net was asked for it
    breaks: float  # mean log-probability of the line breaks and the end
    lowest: float  # log-probability of its least likely word, without theme
    oddness: float = 0.0  # what its words lost in all because verse does not put them together
    opening: float = 0.0  # log-probability of the first line as a whole: near zero means that it comes often


class DecodeState:
    """Poems in the making.

    Args:
        lexicon: what is known of the words.
        forms: (poems, lines) syllables of each line.
    """

    def __init__(self, lexicon: Lexicon, forms: NDArray[np.int64]) -> None:
        self._lexicon, self._forms = lexicon, forms
        poems, words = len(forms), len(lexicon.sung)
        places = int(forms.sum(1).max()) + forms.shape[1] + 1
        self.token = np.full(poems, START, np.int64)  # the token last written
        self.before = np.full(poems, START, np.int64)  # the token before it
        self.position = np.zeros(poems, np.int64)  # see corpus.metre
        self.line = np.zeros(poems, np.int64)
        self.rest = forms[:, 0].copy()  # syllables that the line still wants
        self.done = np.zeros(poems, bool)
        self.used = np.zeros((poems, words), np.float32)  # 1 for content words that the poem has, and their kin
        self.barred = np.zeros((poems, words), bool)  # words that the line has, or the poem twice
        self.oddness = np.zeros(poems)
        self.places = 0  # tokens written to the poems that are not done
        self.tokens = np.zeros((poems, places), np.int64)
        self.tokens[:, 0] = START
        self._told = np.zeros((poems, places), np.float32)
        self._plain = np.zeros((poems, places), np.float32)
        self._articles = {lexicon.vocabulary.numbers.get(word, -1) for word in ("the", "a", "an")}

    @property
    def last(self) -> NDArray[np.bool_]:
        """Which poems are in their last line."""
        ended: NDArray[np.bool_] = self.line == self._forms.shape[1] - 1
        return ended

    def take(self, tokens: NDArray[np.int64], told: NDArray[np.float32], plain: NDArray[np.float32]) -> None:
        """Write one more token to every poem that is not done."""
        lexicon, self.places = self._lexicon, self.places + 1
        for row in np.flatnonzero(~self.done).tolist():
            token = int(tokens[row])
            self.tokens[row, self.places] = token
            self._told[row, self.places] = told[row, token]
            self._plain[row, self.places] = plain[row, token]
            if token in (LINE, END):
                self._turn(row, over=token == END)
            else:
                self.rest[row] -= lexicon.sung[token]
                if lexicon.content[token]:
                    self.barred[row, token] = True
                    self.used[row, lexicon.kin[token]] = 1
                elif token not in self._articles:
                    self.used[row, token] = _AGAIN
            self.position[row] = advance(int(self.position[row]), token, int(lexicon.heard[token]))
            self.before[row], self.token[row] = self.token[row], token

    def _turn(self, row: int, *, over: bool) -> None:
        """End a line: content words may come back once in another line."""
        if over:
            self.done[row] = True
            self.rest[row] = 1  # so that its mask is a real one; what is drawn is not written
            return
        self.line[row] += 1
        self.rest[row] = self._forms[row, self.line[row]]
        seen, often = np.unique(self.tokens[row], return_counts=True)
        self.barred[row] = False
        self.barred[row, seen[(often > 1) & (seen > END) & self._lexicon.content[seen]]] = True

    def finished(self) -> list[DecodedPoem]:
        """The poems, in rows' order."""
        return [self._sung(row) for row in range(len(self.tokens))]

    def _sung(self, row: int) -> DecodedPoem:
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
            likelihood=float(self._told[row, spoken].mean()),
            plain=float(self._plain[row, spoken].mean()),
            breaks=float(self._told[row, marks].mean()),
            lowest=float(self._plain[row, spoken].min()),
            oddness=float(self.oddness[row]),
            opening=float(self._told[row, first].sum()),
        )
