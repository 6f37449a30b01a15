"""What the decoder knows of each word of the vocabulary, as arrays: sound, place in a line, part in a sentence."""

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

__all__ = ["SETTLED_BY_EAR", "Lexicon"]

SETTLED_BY_EAR = {"spring": 1, "springs": 1, "am": 1, "us": 1}
"""Words with a second entry in CMUdict that no reader of verse uses (a.m., U.S., a slip for spring).

Every other word is written only where all of its pronunciations have one count."""

_ALIKE = 4  # letters
_VOWEL_SOUND = ("hour", "honest", "honor", "heir")
_CONSONANT_SOUND = ("one", "once", "uni", "use", "usu", "euro", "ewe", "uten", "ukul", "u")
_SPARED = frozenset({"un", "um", "ul", "ug", "up", "ur", "us"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Arrays over the vocabulary, (words,) each."""

    vocabulary: Vocabulary
    heard: NDArray[np.int64]  # syllables, as the net was trained to count them
    sung: NDArray[np.int64]  # syllables of words that may be written; 0 for words that may not
    ends: NDArray[np.bool_]  # may end a line
    ends_poem: NDArray[np.bool_]  # may end the last line
    begins: NDArray[np.bool_]  # may begin the poem
    content: NDArray[np.bool_]  # carries meaning of its own
    leads: NDArray[np.bool_]  # an article or a possessive
    vowel: NDArray[np.bool_]  # takes "an"
    kin: tuple[NDArray[np.int64], ...]  # of each content word, the content words that begin alike, itself included

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Lexicon:
        """Look up every word."""
        words = vocabulary.words
        special = len(SPECIALS)
        heard = np.full(len(words), 2)
        sung = np.zeros(len(words), np.int64)
        for number, word in enumerate(words[special:], special):
            heard[number] = syllables.counts(word)[0]
            count = syllables.settled(word) or SETTLED_BY_EAR.get(word)
            if count and not content_filter.is_proper(word) and not content_filter.is_blocked(word):
                sung[number] = count
        heard[1:special] = 0

        def flags(test: Callable[[str], bool]) -> NDArray[np.bool_]:
            return np.array([test(word) for word in words])

        return cls(
            vocabulary=vocabulary,
            heard=heard,
            sung=sung,
            ends=flags(lambda word: word not in verse_rules.LEANING),
            ends_poem=flags(lambda word: word not in verse_rules.LEANING or word in verse_rules.ADVERBS),
            begins=flags(lambda word: word not in verse_rules.NOT_FIRST),
            content=flags(verse_rules.is_content),
            leads=flags(lambda word: word in verse_rules.LEADING),
            vowel=flags(_takes_an),
            kin=_kin(words),
        )


def _kin(words: Sequence[str]) -> tuple[NDArray[np.int64], ...]:
    """Content words that share their first letters: boat and boats, lonely and loneliness."""
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
