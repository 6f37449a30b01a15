"""Which subword tokens may come next, so that every line of a poem has its syllables: a trie over a lexicon's words.

Each word is a path of tokens. A word is complete when a token follows that begins another word or ends the line. A
token is allowed only if a word below it still leaves the line able to end well, so the form can always be completed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.poets.decoding import feasible
from auria_bot.corpus.language.syllables import FORM
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from auria_bot.art.poets.lexicon import Lexicon

__all__ = ["FIRST", "INNER", "LAST", "ROOT", "WordTrie"]

ROOT = 0
INNER, LAST, FIRST = range(3)
"""Places in a poem: anywhere, in the last line, and as its first word."""

_LONGEST = max(FORM)
_NEVER = np.float32(-1e9)


class WordTrie:
    """The words of a lexicon as paths of tokens.

    Tokens are columns here: indices of `tokens`, the few that a poem can be written with.

    Args:
        lexicon: the words, their syllables and where they may stand.
        newline: the token that ends a line.

    Raises:
        InputError: too few words have tokens to fill every line.
    """

    def __init__(self, lexicon: Lexicon, tokens_of: Callable[[str], Sequence[int]], newline: int) -> None:
        self.lexicon = lexicon
        counts = lexicon.syllable_counts
        paths = {word: tokens_of(lexicon.vocabulary.words[word]) for word in np.flatnonzero(counts).tolist()}
        paths = {word: path for word, path in paths.items() if path and newline not in path}
        self.tokens = np.array(sorted({newline, *(token for path in paths.values() for token in path)}), np.int64)
        self.newline = int(np.searchsorted(self.tokens, newline))
        self.children: list[dict[int, int]] = [{}]  # of each node, by column
        self.words: list[int] = [-1]  # the word that each node completes
        self._parents = [ROOT]
        self.openings = np.full(len(counts), self.newline, np.int64)  # the first column of each word
        for word, path in paths.items():
            self._insert(word, np.searchsorted(self.tokens, path).tolist())
        written = counts * (self.openings != self.newline)
        self._allowed = self._places(written)
        self._counts = written
        if not self._allowed[:, :, ROOT].any() or not all(
            self._allowed[place, rest, ROOT] for place, rest in ((FIRST, FORM[0]), (INNER, FORM[1]), (LAST, FORM[2]))
        ):
            raise InputError("the language model's tokens spell too few words of the vocabulary to write a haiku")
        self._masks = [np.full(len(self.tokens), _NEVER), np.full(len(self.tokens), _NEVER)]
        self._masks[1][self.newline] = 0
        self._openings = {
            (place, rest): self._opening_mask(place, rest) for place in range(3) for rest in range(1, _LONGEST + 1)
        }
        self.masks = np.stack(self._masks)
        self.unsuited = self._unsuited()
        self._known: dict[tuple[int, int, int], tuple[int, NDArray[np.int64]]] = {}

    def _insert(self, word: int, path: list[int]) -> None:
        node = ROOT
        for column in path:
            if column not in self.children[node]:
                self.children[node][column] = len(self.children)
                self.children.append({})
                self.words.append(-1)
                self._parents.append(node)
            node = self.children[node][column]
        if self.words[node] < 0:  # of two words spelt alike the commoner one stays
            self.words[node] = word
            self.openings[word] = path[0]

    def _places(self, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(places, syllables left, nodes) whether a word at or below a node can stand there."""
        lexicon = self.lexicon
        ends = {INNER: lexicon.ends, LAST: lexicon.ends_poem, FIRST: lexicon.ends}
        fits = np.zeros((3, _LONGEST + 1, len(counts)), bool)
        for place in range(3):
            table = feasible(counts, ends[place], _LONGEST)
            for rest in range(1, _LONGEST + 1):
                left = np.clip(rest - counts, 0, None)
                fits[place, rest] = (counts > 0) & (counts <= rest) & np.where(left == 0, ends[place], table[left])
        fits[FIRST] &= lexicon.begins
        self._fits = fits
        allowed = np.zeros((3, _LONGEST + 1, len(self.children)), bool)
        for node in range(len(self.children) - 1, -1, -1):  # children come after their parents
            if self.words[node] >= 0:
                allowed[:, :, node] |= fits[:, :, self.words[node]]
            if node:
                allowed[:, :, self._parents[node]] |= allowed[:, :, node]
        return allowed

    def _opening_mask(self, place: int, rest: int) -> int:
        """The number of the mask that lets a word begin where `rest` syllables are left."""
        mask = np.full(len(self.tokens), _NEVER)
        mask[[column for column, node in self.children[ROOT].items() if self._allowed[place, rest, node]]] = 0
        self._masks.append(mask)
        return len(self._masks) - 1

    def _unsuited(self) -> dict[int, NDArray[np.int64]]:
        """For the words "a" and "an", the columns that begin only words before which the other one stands."""
        lexicon, written = self.lexicon, np.flatnonzero(self._counts)
        kinds = np.zeros((len(self.tokens), 2), bool)  # begins a word after "a", after "an"
        kinds[self.openings[written], lexicon.takes_an[written].astype(np.int64)] = True
        numbers = lexicon.vocabulary.numbers
        return {
            numbers[article]: np.flatnonzero(kinds[:, 1 - suited] & ~kinds[:, suited])
            for suited, article in enumerate(("a", "an"))
            if article in numbers
        }

    def syllables(self, word: int) -> int:
        """The syllables of a word."""
        return int(self._counts[word])

    def choices(self, node: int, place: int, rest: int) -> tuple[int, NDArray[np.int64]]:
        """What may follow: the number of one of `masks` (what may begin, or end the line), and columns that go on.

        Args:
            node: where the word in hand stands; ROOT between words.
            place: INNER, LAST or FIRST.
            rest: syllables the line still wants, those of the word in hand included.
        """
        key = (node, place, rest)
        if key not in self._known:
            self._known[key] = self._choices(node, place, rest)
        return self._known[key]

    def _choices(self, node: int, place: int, rest: int) -> tuple[int, NDArray[np.int64]]:
        if node == ROOT:
            return self._openings[place, rest], np.zeros(0, np.int64)
        further = [column for column, child in self.children[node].items() if self._allowed[place, rest, child]]
        word, base = self.words[node], 0
        if word >= 0 and self._fits[place, rest, word]:
            left = rest - self.syllables(word)
            base = self._openings[INNER if place == FIRST else place, left] if left else 1
        return base, np.array(further, np.int64)

    def goes_on(self, node: int, column: int, place: int, rest: int) -> bool:
        """Whether a column goes on with the word in hand rather than ending it."""
        child = self.children[node].get(column)
        return node != ROOT and child is not None and bool(self._allowed[place, rest, child])
