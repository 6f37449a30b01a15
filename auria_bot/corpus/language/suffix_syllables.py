"""Count the syllables of words composed of known ones: an ending, a prefix, or two words in one.

CMUdict has "glisten" and "dragon" and "fly", but neither "glistens" nor "dragonfly".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["derived"]

_SIBILANTS = ("s", "x", "z", "ch", "sh", "ce", "ge", "se", "ze")
_WHOLE = ("less", "ness", "ful", "ship", "hood", "ward", "wards", "like", "ly", "ment")
"""Endings that are a syllable of their own, whatever precedes them."""
_BEFORE = {"un": 1, "re": 1, "mid": 1, "out": 1, "over": 2, "under": 2, "after": 2, "non": 1, "ex": 1}
_NO_PARTS = frozenset(["hen", "ion", "ions", "led", "lied", "lies", "lion", "ned", "red", "ted", "tion"])
"""Words that, at the end of another, are nearly always an ending, as in "furled" and "compassion"."""
_LEAST = 3  # letters of each part of two words in one


def derived(word: str, known: Callable[[str], tuple[int, ...] | None]) -> tuple[int, ...] | None:
    """The counts of a word that is not known itself; None if it is not composed of known ones.

    Args:
        word: folded, without apostrophes.
        known: the counts of a word, or None.
    """
    for stem, more in (*_inflected(word), *_affixed(word)):
        if len(stem) >= _LEAST and (counts := known(stem)) is not None:
            return tuple(count + more for count in counts)
    return _compound(word, known)


def _inflected(word: str) -> Iterator[tuple[str, int]]:
    """(stem, syllables that the ending adds) for plurals, verbs and comparatives, the likeliest stem first."""
    if word.endswith("ies"):
        yield word[:-3] + "y", 0
    if word.endswith("es"):
        stem = word[:-2]
        yield stem, int(stem.endswith(_SIBILANTS))
    if word.endswith("s") and not word.endswith("ss"):
        stem = word[:-1]
        yield stem, int(stem.endswith(_SIBILANTS))
    for ending in ("ed", "ing", "er", "est", "ers"):
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            for whole in (
                stem,
                stem + "e",
                stem[:-1] if stem[-2:-1] == stem[-1:] else "",
                stem[:-1] + "y" if stem[-1:] == "i" else "",
            ):
                if ending == "ed":
                    yield whole, int(stem.endswith(("t", "d")))
                else:  # "sparkle", "sparkler": the l is no syllable any more
                    syllabic = stem.endswith("l") and stem[-2:-1] not in "aeiou" and whole == f"{stem}e"
                    yield whole, int(not syllabic)


def _affixed(word: str) -> Iterator[tuple[str, int]]:
    """(stem, syllables that the affix adds)."""
    for ending in _WHOLE:
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            yield stem, int(not word.endswith("ically"))
            if stem.endswith("i"):
                yield stem[:-1] + "y", 1
    for beginning, syllables in _BEFORE.items():
        if word.startswith(beginning):
            yield word.removeprefix(beginning), syllables


def _compound(word: str, known: Callable[[str], tuple[int, ...] | None]) -> tuple[int, ...] | None:
    """Two known words in one; of several ways the one with the longest shorter part."""
    ways = sorted(range(_LEAST, len(word) - _LEAST + 1), key=lambda at: -min(at, len(word) - at))
    for at in ways:
        first, second = known(word[:at]), known(word[at:])
        if word[at:] in _NO_PARTS:
            continue
        if second is None and word[at:].endswith("s") and len(word) - at > _LEAST:
            second = known(word[at:-1]) if not word[:-1].endswith(_SIBILANTS) else None
        if first is not None and second is not None:
            return (first[0] + second[0],)
    return None
