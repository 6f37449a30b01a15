"""Count syllables: by CMUdict for a word or for those it is made of, by rule for numbers, by a learned guess elsewhere.

CMUdict has "glisten", "dragon" and "fly", but neither "glistens" nor "dragonfly": words with an ending, a prefix, or
two words in one are counted by their parts. Numbers in digits are counted as English says them.

The table and the weights of the guesser are in models/words; `python -m auria_bot.art.training.words` derives them.
"""

from __future__ import annotations

import json
import re
import zlib
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from auria_bot.corpus.language.words import table, word_set, words
from auria_bot.errors import ModelCorrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = [
    "FORM",
    "NUMERAL",
    "by_dictionary",
    "counts",
    "derived",
    "dictionary_words",
    "fits",
    "guess",
    "in_dictionary",
    "line_counts",
    "nuclei",
    "numeral_counts",
    "settled",
    "spoken_counts",
    "text_counts",
]

FORM = (5, 7, 5)
"""Syllables of each line of a haiku."""

_ONES = (2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 3, 1, 2, 2, 2, 2, 3, 2, 2)  # zero to nineteen
_TENS = (0, 0, 2, 2, 2, 2, 2, 3, 2, 2)  # twenty to ninety
_HUNDRED, _THOUSAND, _MILLION = 2, 2, 2
_LONGEST = 9  # digits of a number that is said as one
_CURRENCIES = {"$": 2, "\N{POUND SIGN}": 1, "\N{EURO SIGN}": 2, "\N{YEN SIGN}": 1}  # dollars, pounds, euros, yen
_POINT, _PERCENT, _CENTS, _CLOCK = 1, 2, 1, 2  # "point", "percent", "cents", "a m"

NUMERAL = re.compile(
    r"(?P<currency>[$\N{POUND SIGN}\N{EURO SIGN}\N{YEN SIGN}])?(?P<whole>\d{1,3}(?:,\d{3})+"
    r"|\d+)(?:\.(?P<fraction>\d+))?"
    r"(?:(?P<ordinal>st|nd|rd|th)|'?(?P<decade>s)|\s?(?P<percent>%)|\s?(?P<clock>[ap]\.?m\b\.?))?(?![^\W\d_])",
    re.IGNORECASE,
)
"""A number as it is written in a text, with what belongs to it."""

_VOWELS = re.compile(r"[aeiouy]+")
_LETTERS = re.compile(r"[^a-z']+")
_ELISIONS = frozenset(["e'er", "ne'er", "o'er", "e'en", "heav'n", "dont", "wont", "neath"])
_CONTRACTIONS = {
    written.replace("'", ""): written
    for written in word_set(
        "ain't aren't couldn't didn't doesn't don't hadn't hasn't haven't isn't mustn't needn't shouldn't wasn't "
        "weren't wouldn't could've might've must've should've would've i'm i've you're you've you'd you'll they're "
        "they've they'd they'll it'll that'll there'll that's there's what's who's here's how's where's "
        "let's he's she's"
    )
}
"""Contractions that are written without their apostrophe and mean nothing else."""
_EXCEPTIONS = {
    **dict.fromkeys(["aeon", "aeons", "wigeon", "wigeons"], (2,)),
    **dict.fromkeys(["giggly", "subtly", "twinkly", "wiggly"], (2, 3)),
    **dict.fromkeys(["camellia", "camellias"], (3, 4)),
    **dict.fromkeys(["cerulean", "ikebana", "plumeria", "plumerias", "pyracantha"], (4,)),
    # The poet has learnt these with their first reading.
    "wobbly": (3, 2),
    "azalea": (3, 4),
    "azaleas": (3, 4),
    "sake": (1, 2),
}
"""Words that CMUdict misjudges or lacks, the guesser with them."""
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
    known = _known(word)
    if known is not None:
        return known
    if word in _CONTRACTIONS:
        return counts(_CONTRACTIONS[word])
    stem, apostrophe, ending = word.partition("'")
    if apostrophe and ending == "s":
        sibilant = stem.endswith(("s", "x", "z", "ch", "sh", "ce", "ge", "se", "ze"))
        return tuple(count + sibilant for count in counts(stem))
    if word.isascii() and word.isdigit():
        return spoken_counts(word)
    if word in _ELISIONS:
        return (1,)
    return _parts(word) or (guess(word),)


def _known(word: str) -> tuple[int, ...] | None:
    return _EXCEPTIONS.get(word) or _dictionary().get(word)


@lru_cache(maxsize=4096)
def _parts(word: str) -> tuple[int, ...] | None:
    """The counts of a word that is composed of words of the dictionary."""
    return derived(word[:LONGEST], _known) if word.isascii() else None


def by_dictionary(word: str) -> bool:
    """Whether the count comes from CMUdict: of the word itself, or of the words it is composed of."""
    folded = word.lower().removesuffix("'s")
    return in_dictionary(word) or in_dictionary(folded) or _parts(folded) is not None


def in_dictionary(word: str) -> bool:
    """Whether CMUdict has the word."""
    return word.lower() in _dictionary()


def dictionary_words() -> Iterable[str]:
    """Every word that CMUdict has."""
    return _dictionary().keys()


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


def numeral_counts(found: re.Match[str]) -> frozenset[int]:
    """The syllables that a match of NUMERAL may have.

    Amounts are read with and without the name of the currency or its cents: "five dollars fifty", "five fifty".
    """
    digits, fraction = found["whole"].replace(",", ""), found["fraction"]
    readings = spoken_counts(digits) if "," not in found["whole"] else (spoken_counts(digits)[-1],)
    if found["ordinal"]:
        number = int(digits[-2:])
        longer = (number == 2 or (number % 10 == 2 and number != 12)) or (number >= 20 and number % 10 == 0)
        return frozenset({readings[-1] + longer})  # "second", "twentieth"
    if found["currency"]:
        named = {count + _CURRENCIES[found["currency"]] for count in readings}
        if not fraction:
            return frozenset(named)
        cents = spoken_counts(fraction)[-1]
        return frozenset({count + cents for count in (*readings, *named)} | {count + cents + _CENTS for count in named})
    if fraction:
        after = _POINT + sum(_ONES[int(digit)] for digit in fraction)
        readings = tuple(count + after for count in readings)
    more = _PERCENT if found["percent"] else _CLOCK if found["clock"] else 0
    return frozenset(count + more for count in readings)


def spoken_counts(digits: str) -> tuple[int, ...]:
    """The syllables of a number, the commonest reading first: 1984 as a year, then as a number.

    Args:
        digits: only digits; with a leading zero, or very long, they are read one by one.
    """
    if not digits.isascii() or len(digits) > _LONGEST or (digits[0] == "0" and len(digits) > 1):
        return (max(1, sum(_ONES[int(digit)] for digit in digits if digit.isascii() and digit.isdigit())),)
    number = int(digits)
    whole = _whole(number)
    year = _year(number)
    return (whole,) if year in {None, whole} else (int(year or 0), whole)


def _whole(number: int) -> int:
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (_ONES[number % 10] if number % 10 else 0)
    for size, name in ((1_000_000, _MILLION), (1000, _THOUSAND), (100, _HUNDRED)):
        if number >= size:
            head, rest = divmod(number, size)
            return _whole(head) + name + (_whole(rest) if rest else 0)
    return 1


def _year(number: int) -> int | None:
    """1984 is nineteen eighty-four, 1905 nineteen oh five, 1900 nineteen hundred; None if it is not read as a year."""
    head, rest = divmod(number, 100)
    if not 11 <= head <= 20 or (head == 20 and rest < 10):
        return None
    if not rest:
        return _whole(head) + _HUNDRED
    return _whole(head) + (1 if rest < 10 else 0) + _whole(rest)


_SIBILANTS = ("s", "x", "z", "ch", "sh", "ce", "ge", "se", "ze")
_WHOLE = ("less", "ness", "ful", "ship", "hood", "ward", "wards", "like", "ly", "ment")
"""Endings that are a syllable of their own, whatever precedes them."""
_BEFORE = {"un": 1, "re": 1, "mid": 1, "out": 1, "over": 2, "under": 2, "after": 2, "non": 1, "ex": 1}
_NO_PARTS = frozenset(["hen", "ion", "ions", "led", "lied", "lies", "lion", "ned", "red", "ted", "tion"])
"""Words that, at the end of another, are nearly always an ending, as in "furled" and "compassion"."""
_BRITISH = re.compile("our(?=s?$|ed$|ful$|ing$|less$)")  # "splendour", which CMUdict has as "splendor"
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
    american = _BRITISH.sub("or", word)
    return derived(american, known) or known(american) if american != word else _compound(word, known)


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
