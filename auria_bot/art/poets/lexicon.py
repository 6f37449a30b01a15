"""Arrays over the vocabulary for the decoder: syllables, allowed places in a line, parts of speech."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.corpus.language import content_filter, syllables, verse_rules
from auria_bot.corpus.language.words import SPECIALS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from auria_bot.corpus.language.words import Vocabulary

__all__ = ["SYLLABLE_OVERRIDES", "Lexicon"]

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
