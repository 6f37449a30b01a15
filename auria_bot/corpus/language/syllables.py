"""Count syllables: by CMUdict for a word or for the words it is made of, by a learned guess elsewhere.

The table and the weights of the guesser are in models/words; `python -m auria_bot.art.training.words` derives them.
"""

from __future__ import annotations

import json
import re
import zlib
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from auria_bot.corpus.language.numerals import NUMERAL, numeral_counts, spoken_counts
from auria_bot.corpus.language.shipped_tables import table
from auria_bot.corpus.language.suffix_syllables import derived
from auria_bot.corpus.language.words import words
from auria_bot.errors import ModelCorrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "FORM",
    "by_dictionary",
    "counts",
    "fits",
    "guess",
    "in_dictionary",
    "line_counts",
    "nuclei",
    "settled",
    "text_counts",
]

FORM = (5, 7, 5)
"""Syllables of each line of a haiku."""

_VOWELS = re.compile(r"[aeiouy]+")
_LETTERS = re.compile(r"[^a-z']+")
_ELISIONS = frozenset(["e'er", "ne'er", "o'er", "e'en", "heav'n", "dont", "wont", "neath"])
_CONTRACTIONS = {
    written.replace("'", ""): written
    for written in [
        "ain't",
        "aren't",
        "couldn't",
        "didn't",
        "doesn't",
        "don't",
        "hadn't",
        "hasn't",
        "haven't",
        "isn't",
        "mustn't",
        "shouldn't",
        "wasn't",
        "weren't",
        "wouldn't",
        "i'm",
        "i've",
        "you're",
        "you've",
        "they're",
        "they've",
        "that's",
        "there's",
        "what's",
        "who's",
        "here's",
        "let's",
        "he's",
        "she's",
        "couldn't",
    ]
}
"""Contractions that are written without their apostrophe and mean nothing else."""
_SHORT = re.compile(r"[a-z]*(?:ire|yre|ower|our)(?:s|d|ed)?")
"""Words whose last two syllables are often said as one, as in "tired" and "flower"."""
_SPELT = re.compile(r"[A-Z]{2,5}")
_SOUNDED = re.compile(r"([a-z]+)[\N{LATIN SMALL LETTER E WITH GRAVE}\N{LATIN SMALL LETTER E WITH ACUTE}](d|st)")
_TOKEN = re.compile(
    rf"{NUMERAL.pattern}|(?P<with>\bw/(?:o\b)?)|(?P<and>&)|"
    r"(?P<word>[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}][^\W\d_]+)*)",
    re.IGNORECASE,
)
LONGEST = 64  # letters considered by the estimate: no word is longer


def counts(word: str) -> tuple[int, ...]:
    """The syllable counts a word may have, the commonest pronunciation's first; never empty.

    Args:
        word: one word in any case; a hyphen or space is not part of a word.
    """
    word = word.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").strip("'")
    known = _dictionary().get(word)
    if known is not None:
        return known
    stem, apostrophe, ending = word.partition("'")
    if apostrophe and ending == "s":
        sibilant = stem.endswith(("s", "x", "z", "ch", "sh", "ce", "ge", "se", "ze"))
        return tuple(count + sibilant for count in counts(stem))
    if word.isascii() and word.isdigit():
        return spoken_counts(word)
    if word in _ELISIONS:
        return (1,)
    return _parts(word) or (guess(word),)


@lru_cache(maxsize=4096)
def _parts(word: str) -> tuple[int, ...] | None:
    """The counts of a word that is composed of words of the dictionary."""
    return derived(word[:LONGEST], _dictionary().get) if word.isascii() else None


def by_dictionary(word: str) -> bool:
    """Whether the count comes from CMUdict: of the word itself, or of the words it is composed of."""
    folded = word.lower().removesuffix("'s")
    return in_dictionary(word) or in_dictionary(folded) or _parts(folded) is not None


def in_dictionary(word: str) -> bool:
    """Whether CMUdict has the word."""
    return word.lower() in _dictionary()


def settled(word: str) -> int | None:
    """The number of syllables if CMUdict has the word and all its pronunciations agree, else None."""
    known = _dictionary().get(word.lower())
    return known[0] if known is not None and len(known) == 1 else None


def line_counts(words: Iterable[str]) -> frozenset[int]:
    """All counts that a line may have, over all pronunciations of its words."""
    totals = {0}
    for word in words:
        totals = {total + count for total in totals for count in counts(word)}
    return frozenset(totals)


def text_counts(line: str) -> frozenset[int]:
    """Every count that a line may have as it is written, over all readings of its words and numbers.

    Beyond `line_counts`: ordinals, amounts, decades and the like; "&"; contractions without apostrophe; letters spelt
    out; sounded accents ("bless\N{LATIN SMALL LETTER E WITH GRAVE}d"); and words like "tired", with one syllable less.
    """
    shouted = line.isupper()
    totals = {0}
    for token in _TOKEN.finditer(line):
        readings = _readings(token, spelt_out=not shouted)
        totals = {total + count for total in totals for count in readings}
    return frozenset(totals)


def _readings(token: re.Match[str], *, spelt_out: bool) -> frozenset[int]:
    if token["whole"]:
        return numeral_counts(token)
    if token["and"] or token["with"]:
        return frozenset({2 if "o" in (token["with"] or "").lower() else 1})
    written = token["word"]
    if sounded := _SOUNDED.fullmatch(written.lower()):
        return frozenset(count + 1 for count in counts(sounded[1]))
    word = "".join(words(written)) or written
    found = set(counts(_CONTRACTIONS.get(word, word)))
    if _SHORT.fullmatch(word) and min(found) > 1:
        found.add(min(found) - 1)
    if spelt_out and _SPELT.fullmatch(written):
        found.add(sum(3 if letter == "W" else 1 for letter in written))
    return frozenset(found)


def fits(lines: Sequence[Sequence[str]], form: Sequence[int] = FORM) -> bool:
    """Whether some reading of the lines, given as words, has the form."""
    return len(lines) == len(form) and all(
        wanted in line_counts(words) for words, wanted in zip(lines, form, strict=True)
    )


def guess(word: str) -> int:
    """Estimate the syllables of a word that is in no dictionary; at least 1.

    The rounded sum of learned weights, one for each group of vowels in its context.
    """
    weights, scale = _guesser()
    letters = _LETTERS.sub("", word.lower())[:LONGEST]
    total = sum(weights.get(key, 0) for key in nuclei(letters))
    return max(1, round(total / scale))


def nuclei(word: str) -> Iterator[str]:
    """The features of the estimate: each vowel group with growing context."""
    yield "*"
    padded = f"^{word}$"
    groups = list(_VOWELS.finditer(padded))
    for group in groups:
        left, vowels = padded[group.start() - 1], group.group()
        right = padded[group.end() : group.end() + 3]
        yield vowels
        yield f"{left}{vowels}"
        for reach in range(1, len(right) + 1):
            yield f"{vowels}|{right[:reach]}"
            yield f"{left}{vowels}|{right[:reach]}"
        if group.start() > 1:
            yield f"{padded[group.start() - 2]}{left}{vowels}|{right[:2]}"
    for first, second in pairwise(groups):
        yield f"{first.group()}{padded[first.end() : second.end()]}"


@cache
def _dictionary() -> dict[str, tuple[int, ...]]:
    text = _unpack("syllables.z")
    words: dict[str, tuple[int, ...]] = {}
    for row in text.splitlines():
        numbers, _, members = row.partition("\t")
        words.update(dict.fromkeys(members.split(" "), tuple(map(int, numbers.split(",")))))
    return words


@cache
def _guesser() -> tuple[dict[str, int], int]:
    stored = json.loads(_unpack("guesser.z"))
    return stored["weights"], stored["scale"]


def _unpack(name: str) -> str:
    try:
        return zlib.decompress(table("words", name).read_bytes()).decode("ascii")
    except (zlib.error, UnicodeDecodeError) as error:
        raise ModelCorrupt(f"models/words/{name} cannot be read ({error}); reinstall auria-bot") from None
