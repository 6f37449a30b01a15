"""What the decoder knows of the vocabulary: arrays over it, and pairs and triples of words seen in training.

The arrays are syllables, allowed places in a line and parts of speech. A small network errs most often in grammar,
between words that never stand together, and ends lines after words that need a successor ("a little / "). The tables
of the n-gram filter contain no text: only seen pairs, hashes of seen triples, and how often each word ends a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from auria_bot.corpus.language import content_filter, syllables, verse_rules
from auria_bot.corpus.language.words import END, LINE, SPECIALS
from auria_bot.errors import ModelCorrupt, ModelMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.corpus.language.words import Vocabulary

__all__ = ["SYLLABLE_OVERRIDES", "Lexicon", "NgramFilter"]

_PAIR_BITS = 23  # log2 of the bits of the pairs' Bloom filter
_TRIPLE_BITS = 25
_SECOND_HASH = np.uint32(0x9E3779B1)  # multiplier that makes a second hash of the first
_PRIOR = 4.0  # weight of the average word's share, in occurrences
_MIX = np.uint64(0x9E3779B97F4A7C15)


class NgramFilter:
    """Pairs and triples of word numbers, the line token counted as a word.

    Args:
        starts: (words + 1,) where each word's followers begin.
        followers: the followers of all words, sorted within each.
        triples: sorted 32-bit hashes.
        endings: (2, words) cost of ending a line with each word, in nats above the average word's; the second row after
            an article or a possessive.
    """

    def __init__(
        self,
        starts: NDArray[np.int64],
        followers: NDArray[np.uint16],
        triples: NDArray[np.uint32],
        endings: NDArray[np.float16],
    ) -> None:
        self._starts, self._followers, self._triples = starts.astype(np.int64), followers, triples
        self.endings: NDArray[np.float32] = endings.astype(np.float32)
        firsts = np.repeat(np.arange(len(starts) - 1), np.diff(self._starts))
        self._pairs = _BloomFilter(_hashes(np.zeros(1, np.int64), firsts, followers.astype(np.int64)), _PAIR_BITS)
        self._known = _BloomFilter(self._triples, _TRIPLE_BITS)

    @classmethod
    def of(cls, sequences: Iterable[NDArray[np.int64]], words: int, *, leading: Iterable[int] = ()) -> NgramFilter:
        """Count sequences of word numbers; number 0, the unknown word, makes no pair.

        Args:
            sequences: poems from <start> to <end>.
            leading: numbers of the articles and possessives.
        """
        pairs, triples = [], []
        determiner = np.isin(np.arange(words), list(leading))
        stood, ended = np.zeros((2, words)), np.zeros((2, words))
        for tokens in sequences:
            behind = determiner[tokens[:-2]].astype(np.int64)
            np.add.at(stood, (behind, tokens[1:-1]), 1)
            np.add.at(ended, (behind, tokens[1:-1]), (tokens[2:] == LINE) | (tokens[2:] == END))
            first, second = tokens[:-1], tokens[1:]
            pairs.append((first * words + second)[(first > 0) & (second > 0)])
            third, known = tokens[2:], (tokens[:-2] > 0) & (tokens[1:-1] > 0) & (tokens[2:] > 0)
            triples.append(_hashes(tokens[:-2], tokens[1:-1], third)[known])
        seen = np.unique(np.concatenate(pairs))
        starts = np.searchsorted(seen, np.arange(words + 1) * words)
        usual = ended.sum(axis=1, keepdims=True) / np.maximum(stood.sum(axis=1, keepdims=True), 1)
        share = (ended + _PRIOR * usual) / (stood + _PRIOR)
        endings = np.clip(np.log(np.maximum(usual, 1e-6) / np.maximum(share, 1e-6)), 0, None).astype(np.float16)
        return cls(starts, (seen % words).astype(np.uint16), np.unique(np.concatenate(triples)), endings)

    @classmethod
    def load(cls, path: Path) -> NgramFilter:
        """Read the tables from an .npz file.

        Raises:
            ModelMissing: there is no such file.
            ModelCorrupt: it does not hold the tables.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(file["starts"], file["followers"], file["triples"], file["endings"])
        except FileNotFoundError:
            raise ModelMissing(f"{path} is missing; reinstall auria-bot or run `auria train poet`") from None
        except (ValueError, KeyError, OSError) as error:
            raise ModelCorrupt(f"{path} cannot be read ({error}); reinstall auria-bot") from None

    def save(self, path: Path) -> None:
        """Write the tables as an .npz file."""
        np.savez(
            path,
            starts=self._starts.astype(np.int32),
            followers=self._followers,
            triples=self._triples,
            endings=self.endings.astype(np.float16),
        )

    def pair(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each pair was seen; arrays that broadcast. False positives: one in some hundreds."""
        return self._pairs.holds(_hashes(np.zeros(1, np.int64), first, second))

    def triple(
        self, first: NDArray[np.int64], second: NDArray[np.int64], third: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Whether each triple was seen; arrays that broadcast. False positives: one in some hundreds."""
        return self._known.holds(_hashes(first, second, third))


class _BloomFilter:
    """A set of 32-bit hashes with two bits for each (Bloom, 1970)."""

    def __init__(self, hashes: NDArray[np.uint32], bits: int) -> None:
        self._shift = np.uint32(32 - bits)
        is_set = np.zeros(1 << bits, bool)
        for each in self._places(hashes):
            is_set[each] = True
        self._bits = np.packbits(is_set, bitorder="little")

    def _places(self, hashes: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        return hashes >> self._shift, (hashes * _SECOND_HASH) >> self._shift

    def holds(self, hashes: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Whether each hash is in the set."""
        first, second = (self._bits[each >> 3] >> (each & 7).astype(np.uint8) for each in self._places(hashes))
        held: NDArray[np.bool_] = (first & second & 1).astype(bool)
        return held


def _hashes(first: NDArray[np.int64], second: NDArray[np.int64], third: NDArray[np.int64]) -> NDArray[np.uint32]:
    packed = [each.astype(np.uint64) for each in (first, second, third)]
    whole: Any = (packed[0] << np.uint64(32)) | (packed[1] << np.uint64(16)) ^ packed[2]
    whole = (whole ^ (whole >> np.uint64(29))) * _MIX
    hashes: NDArray[np.uint32] = ((whole ^ (whole >> np.uint64(32))) * _MIX >> np.uint64(32)).astype(np.uint32)
    return hashes


SYLLABLE_OVERRIDES = {"spring": 1, "springs": 1, "am": 1, "us": 1}
"""Words whose second CMUdict entry is not used in verse (a.m., U.S., an error for spring).

Every other word is written only if all of its pronunciations have the same count."""

_ALIKE = 4  # letters
_VOWEL_SOUND = ("hour", "honest", "honor", "heir")
_CONSONANT_SOUND = ("one", "once", "uni", "use", "usu", "euro", "ewe", "uten", "ukul", "u")
_SPARED = frozenset({"un", "um", "ul", "ug", "up", "ur", "us"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Arrays over the vocabulary, (words,) each."""

    vocabulary: Vocabulary
    training_counts: NDArray[np.int64]  # syllables by the first pronunciation, as the net was trained
    syllable_counts: NDArray[np.int64]  # syllables; 0 for words that must not be written
    ends: NDArray[np.bool_]  # may end a line but the last
    ends_poem: NDArray[np.bool_]  # may end the last line
    begins: NDArray[np.bool_]  # may begin the poem
    content: NDArray[np.bool_]  # is a content word
    determiner: NDArray[np.bool_]  # is an article or a possessive
    takes_an: NDArray[np.bool_]  # follows "an" rather than "a"
    related: tuple[NDArray[np.int64], ...]  # for each content word, those with the same first letters, itself included

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Lexicon:
        """Look up every word of a vocabulary."""
        words = vocabulary.words
        special = len(SPECIALS)
        training_counts = np.full(len(words), 2)
        syllable_counts = np.zeros(len(words), np.int64)
        for number, word in enumerate(words[special:], special):
            training_counts[number] = syllables.counts(word)[0]
            count = syllables.settled(word) or SYLLABLE_OVERRIDES.get(word)
            if count and not content_filter.is_proper(word) and not content_filter.is_blocked(word):
                syllable_counts[number] = count
        training_counts[1:special] = 0

        def flags(test: Callable[[str], bool]) -> NDArray[np.bool_]:
            return np.array([test(word) for word in words])

        return cls(
            vocabulary=vocabulary,
            training_counts=training_counts,
            syllable_counts=syllable_counts,
            ends=flags(lambda word: word not in verse_rules.LEANING),
            ends_poem=flags(lambda word: word not in verse_rules.LEANING or word in verse_rules.ADVERBS),
            begins=flags(lambda word: word not in verse_rules.NOT_FIRST),
            content=flags(verse_rules.is_content),
            determiner=flags(lambda word: word in verse_rules.LEADING),
            takes_an=flags(_takes_an),
            related=_related(words),
        )


def _related(words: Sequence[str]) -> tuple[NDArray[np.int64], ...]:
    """Group content words that share their first letters: boat and boats, lonely and loneliness."""
    groups: dict[str, list[int]] = {}
    for number, word in enumerate(words):
        if verse_rules.is_content(word):
            groups.setdefault(word[:_ALIKE], []).append(number)
    alone = np.zeros(0, np.int64)
    arrays = {start: np.array(members) for start, members in groups.items()}
    return tuple(arrays[word[:_ALIKE]] if verse_rules.is_content(word) else alone for word in words)


def _takes_an(word: str) -> bool:
    if word.startswith(_VOWEL_SOUND):
        return True
    if word[:2] in _SPARED:
        return not word.startswith("uni")
    return word[0] in "aeiou" and not word.startswith(_CONSONANT_SOUND)
