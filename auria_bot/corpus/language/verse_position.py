"""The position of a word in a poem and the kind of the poem: inputs of the poet's net beside the words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.corpus.language.words import LINE, START

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["HAIKU_KIND", "KINDS", "NO_KIND", "POSITIONS", "advance", "kind_of", "positions"]

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
