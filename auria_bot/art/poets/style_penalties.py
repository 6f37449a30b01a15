"""Small blemishes that a likelihood does not see: clashing seasons and hours, echoes, the same turn again and again."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from auria_bot.corpus.language.verse_rules import is_content

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["style_penalties"]

_SEASONS = (
    frozenset({"spring", "spring's"}),
    frozenset({"summer", "summer's", "midsummer"}),
    frozenset({"autumn", "autumn's"}),
    frozenset({"winter", "winter's", "midwinter"}),
)
_HOURS = (
    frozenset({"dawn", "morning", "sunrise", "daybreak"}),
    frozenset({"noon", "midday", "afternoon"}),
    frozenset({"dusk", "evening", "twilight", "sunset"}),
    frozenset({"night", "midnight", "tonight", "nightfall"}),
)
_TURNS = frozenset({"in", "on", "of", "from", "to", "at", "with", "by", "for", "into", "through", "under", "over"})
_STEM = 3  # letters
_MANY = 3  # such turns in a poem are plenty


def style_penalties(lines: Sequence[Sequence[str]]) -> float:
    """How much mars a poem of folded words: 0 for nothing, about 1 for what a reader would strike out."""
    flat = [word for line in lines for word in line]
    found = 1.0 * _clash(flat, _SEASONS) + 0.5 * _clash(flat, _HOURS)
    found += 0.4 * max(0, sum(word in _TURNS for word in flat) - _MANY)
    found += 0.5 * max(0, flat.count("of") - 1) + 0.4 * max(0, flat.count("and") - 1)
    found += 0.4 * _echoes(flat)
    opened = [line[0] for line in lines if line]
    found += 0.3 * (len(opened) - len(set(opened)))
    leaning = sum(word in _TURNS for word in opened)
    return found + 0.3 * max(0, leaning - 1)


def _clash(words: Sequence[str], groups: Sequence[frozenset[str]]) -> int:
    """How many groups beyond the first a poem draws from."""
    return max(0, sum(any(word in group for word in words) for group in groups) - 1)


def _echoes(words: Sequence[str]) -> int:
    """How many pairs of different content words begin with the same word, like sun and sunlight."""
    content = {word for word in words if is_content(word) and len(word) >= _STEM}
    return sum(
        first.startswith(second) or second.startswith(first) for first, second in combinations(sorted(content), 2)
    )
