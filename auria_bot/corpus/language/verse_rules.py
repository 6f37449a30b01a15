"""Rules of verse: where a line may break, what a poem may not repeat, its kind, and the place of a word in it.

The rule for line breaks: a line must not end in a word that leans on the next one. Such words are
articles and other determiners, possessives, prepositions, conjunctions, subject pronouns (alone or contracted
with a verb), auxiliary verbs and a few adverbs of degree. The last line may end in a preposition that is also
an adverb ("passing by"). Places and kinds are inputs of the poet's net beside the words.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from auria_bot.corpus.language.words import LINE, START, word_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ADVERBS",
    "FUNCTION_WORDS",
    "HAIKU_KIND",
    "KINDS",
    "LEADING",
    "LEANING",
    "NOT_FIRST",
    "NO_KIND",
    "POSITIONS",
    "advance",
    "bad_breaks",
    "is_content",
    "kind_of",
    "positions",
    "repetitions",
]

_DETERMINERS = word_set(
    "a an any each every her his its my no our some such the their these this those what which whose your "
)
_PREPOSITIONS = word_set(
    "about above across after against along amid among amongst around as at before behind below beneath "
    "beside besides between beyond by despite down during except for from in inside into like near of off on "
    "onto out outside over past per since than through throughout till to toward towards under unlike until "
    "up upon via with within without "
)
_CONJUNCTIONS = word_set(
    "although and because but how if lest nor or so that though unless when whenever where wherever whether "
    "while who whom why yet "
)
_SUBJECTS = word_set(
    "he he'll he's here's how's i i'd i'll i'm i've it'll it's let's she she'll she's that's there's they "
    "they'll they're they've we we'll we're we've what's where's who who's you'll you're you've "
)
_AUXILIARIES = word_set(
    "ain't am are aren't be been being can can't cannot could couldn't did didn't do does doesn't don't had "
    "hadn't has hasn't have haven't having is isn't may might must never not shall should shouldn't was "
    "wasn't were weren't will won't would wouldn't "
)
_DEGREES = word_set(
    "almost another both either even few just least less many more most much nearly neither only other quite "
    "rather several too very "
)

LEADING = word_set("a an the my your his her its our their this that these those no every each some")
"""Articles, possessives and the like: words that lead up to a noun."""

ADVERBS = word_set(
    "about above after along around before behind below beyond by down in inside near off on out outside "
    "over past through up within without "
)
"""Prepositions in which the last line may end."""

LEANING = _DETERMINERS | _PREPOSITIONS | _CONJUNCTIONS | _SUBJECTS | _AUXILIARIES | _DEGREES
"""Words in which a line must not end."""

FUNCTION_WORDS = LEANING | word_set(
    "it you me him us them you're then there here now oh o one all once again still too away back"
)
"""Words that may occur more than once in a poem."""

NOT_FIRST = word_set("'s and as but him me nor of or than them us ")
"""Words with which a poem does not begin."""


def bad_breaks(lines: Sequence[Sequence[str]]) -> list[int]:
    """The numbers of the lines (from 0) that end in a leaning word, or are empty."""
    last = len(lines) - 1
    return [
        number
        for number, line in enumerate(lines)
        if not line or (line[-1] in LEANING and not (number == last and line[-1] in ADVERBS and len(line) > 1))
    ]


def is_content(word: str) -> bool:
    """Whether a word carries meaning of its own."""
    return word not in FUNCTION_WORDS


def repetitions(lines: Sequence[Sequence[str]]) -> list[str]:
    """Faulty repetitions of a poem: a line, a word right after itself ("the the"), a content word three times."""
    found = [f"line {' '.join(line)!r}" for number, line in enumerate(lines) if line in lines[:number]]
    flat = [word for line in lines for word in line]
    found.extend(f"{first} {second}" for first, second in pairwise(flat) if first == second)
    found.extend(sorted({word for word in flat if is_content(word) and flat.count(word) > 2}))
    return found


_TIERS = ("poets", "reddit")
_NATURES = 3  # no word of nature, one, more

KINDS = (
    "none",
    *(f"{form} {tier} {nature}" for form in ("575", "free") for tier in _TIERS for nature in range(_NATURES)),
    "tercet",
    "stanza",
)
"""The kinds of poem that condition the net; the first means unspecified."""

NO_KIND = 0
HAIKU_KIND = KINDS.index("575 poets 2")
"""What Auria writes: a formal haiku of nature in the style of published poets."""

_MOST_SYLLABLES = 11  # more in a line count as this many
_MOST_LINES = 4  # lines from the fourth on count as the fourth
POSITIONS = _MOST_LINES * (_MOST_SYLLABLES + 1)


def kind_of(form: str, tier: str, nature: int) -> int:
    """The number of a poem's kind.

    Args:
        form: "575" or "free".
        tier: "poets" or "reddit"; anything else is public-domain verse.
        nature: words of nature in it.
    """
    if tier not in _TIERS:
        return KINDS.index("tercet")
    return KINDS.index(f"{form} {tier} {min(max(nature, 0), _NATURES - 1)}")


def advance(position: int, token: int, syllables: int) -> int:
    """The position after a token of so many syllables: the line's number and the syllables it has so far."""
    if token == START:
        return 0
    line, spoken = divmod(position, _MOST_SYLLABLES + 1)
    if token == LINE:
        return min(line + 1, _MOST_LINES - 1) * (_MOST_SYLLABLES + 1)
    return line * (_MOST_SYLLABLES + 1) + min(spoken + syllables, _MOST_SYLLABLES)


def positions(tokens: Iterable[int], syllables: Sequence[int]) -> list[int]:
    """The position after each token; `syllables` holds each vocabulary word's count."""
    at, found = 0, []
    for token in tokens:
        at = advance(at, token, syllables[token])
        found.append(at)
    return found
