"""The checks that every poem and theme must pass: form, line breaks, repetitions, blocked words, originality."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auria_bot.corpus.language import content_filter, syllables, verse_rules
from auria_bot.corpus.language.words import words
from auria_bot.domain.artwork import LONGEST_THEME
from auria_bot.errors import InputError, TextRejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.corpus.originality import CopyGuard

__all__ = ["faults", "lines_of", "usable_theme"]


def faults(lines: Sequence[Sequence[str]], guard: CopyGuard | None) -> list[str]:
    """List why a poem must be rejected; an empty list when it passes.

    Args:
        lines: the poem as lines of folded words.
        guard: hashes of the training text; None where there is no text to copy from.
    """
    found = []
    if not syllables.fits(lines):
        found.append("not 5-7-5")
    found += [f"line {number + 1} breaks badly" for number in verse_rules.bad_breaks(lines)]
    found += [f"repeats {what}" for what in verse_rules.repetitions(lines)]
    found += content_filter.faults("\n".join(" ".join(line) for line in lines))
    if guard is not None:
        found += ["copies a line" for _ in guard.copied(lines)]
    return found


def usable_theme(theme: str | None) -> str | None:
    """Normalise a theme's white space; None for none.

    A theme is only used for its meaning, so any script and punctuation is accepted.

    Raises:
        InputError: it is too long, has no letter, or contains invisible characters.
        TextRejected: it contains a blocked word, a link, an address or a mention.
    """
    if theme is None:
        return None
    if len(theme) > LONGEST_THEME:
        raise InputError(f"the theme has {len(theme):,} characters; give at most {LONGEST_THEME}, better a few words")
    plain = re.sub(r"\s+", " ", content_filter.normalised(theme)).strip()
    if not plain:
        return None
    hidden = content_filter.hidden_characters(plain)
    if hidden:
        raise InputError(
            f"the theme holds characters that cannot be seen ({', '.join(hidden[:4])}); type it without them"
        )
    if not any(letter.isalpha() for letter in plain):
        raise InputError(f"the theme {plain[:40]!r} has no word in it")
    reasons = content_filter.faults(plain, names=False)
    if reasons:
        raise TextRejected(f"the theme cannot be used: {reasons[0]}")
    return plain


def lines_of(text: str) -> list[list[str]]:
    """Split a text into lines of folded words; empty lines are left out."""
    return [line for line in map(words, re.split(r"[\n/]", text)) if line]
