"""Whether a poem may leave the poet: form, breaks, repetitions, decency, originality.

The same checks stand behind every poet, whatever net wrote the lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auria_bot.corpus.language import content_filter, syllables, verse_rules
from auria_bot.corpus.language.words import words
from auria_bot.domain.haiku import LONGEST_THEME
from auria_bot.errors import InputError, TextRejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.corpus.originality import CopyGuard

__all__ = ["faults", "lines_of", "usable_theme"]


def faults(lines: Sequence[Sequence[str]], guard: CopyGuard | None) -> list[str]:
    """Why a poem, given as lines of folded words, must be dropped; an empty list when it may stay.

    Args:
        lines: the poem.
        guard: knows the training text; None where there is none to copy from.
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
    """A theme with its white space made plain; None for none.

    A theme is only ever read for its meaning, so quotes, slashes and any script are welcome.

    Raises:
        InputError: it is too long, has no letter, or hides characters.
        TextRejected: it holds a blocked word, a link, an address or a mention.
    """
    if theme is None:
        return None
    if len(theme) > LONGEST_THEME:
        raise InputError(f"the theme has {len(theme):,} characters; give at most {LONGEST_THEME}, better a few words")
    plain = re.sub(r"\s+", " ", theme).strip()
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
    """A text's lines as folded words, empty lines left out."""
    return [line for line in map(words, re.split(r"[\n/]", text)) if line]
