"""Fits a post's words to a platform's limits: hashtags go first, then the signature; the poem is never cut.

A text is paragraphs; hashtags are dropped only from its last lines that hold nothing else, and the signature only
where it is a line of its own that begins with a dash. Knows no platform: how characters are counted is handed in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auria_bot.domain.roles import Fitted
from auria_bot.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.domain.roles import Limits

__all__ = ["HASHTAG", "fit_words"]

HASHTAG = re.compile(r"#[^\W\d_]\w*")
"""A hashtag: a letter, then letters, digits or underscores."""

_TAG_LINE = re.compile(rf"\s*{HASHTAG.pattern}(\s+{HASHTAG.pattern})*\s*")
_SIGNATURE = re.compile(r"\s*[—–-]\s*\S.*")  # noqa: RUF001 - an en dash is meant


def fit_words(text: str, alt_text: str, limits: Limits, *, name: str, count: Callable[[str], int] = len) -> Fitted:
    """The words as they can be sent.

    Args:
        text: of the post: the poem, the signature, hashtags.
        alt_text: of its picture; never changed.
        limits: what the platform takes.
        name: of the channel, for messages.
        count: how the platform counts a text's characters.

    Raises:
        Refused: nothing that may be left out is left, or the alt text is too long; the message names the limit.
    """
    if limits.alt_characters is not None and len(alt_text) > limits.alt_characters:
        raise Refused(
            f"{name} takes an alt text of at most {limits.alt_characters} characters, and this has {len(alt_text)};"
            " shorten it and approve again"
        )
    dropped: list[str] = []
    while (excess := _excess(text, limits, count)) is not None:
        shorter, words = _without_something(text, only_hashtags=" hashtags," in excess)
        if not words:
            raise Refused(f"{name} takes at most {excess}; shorten the text and approve again")
        text, dropped = shorter, [*dropped, words]
    return Fitted(text=text, alt_text=alt_text, dropped=tuple(dropped))


def _excess(text: str, limits: Limits, count: Callable[[str], int]) -> str | None:
    """The limit that the text is beyond, in words."""
    measured = (
        ("hashtags", len(HASHTAG.findall(text)), limits.hashtags),
        ("characters", count(text), limits.characters),
        ("bytes of text", len(text.encode()), limits.text_bytes),
    )
    for what, size, most in measured:
        if most is not None and size > most:
            return f"{most} {what}, and this text has {size}"
    return None


def _without_something(text: str, *, only_hashtags: bool) -> tuple[str, str]:
    """The text without its last hashtag, or without its signature, and what was taken away; "" when nothing could be."""
    lines = text.rstrip().split("\n")
    if len(lines) > 1 and _TAG_LINE.fullmatch(lines[-1]):
        tag = HASHTAG.findall(lines[-1])[-1]
        rest = lines[-1].rstrip()[: -len(tag)].rstrip()
        return "\n".join([*lines[:-1], rest] if rest else lines[:-1]).rstrip(), tag
    if not only_hashtags and len(lines) > 1 and _SIGNATURE.fullmatch(lines[-1]):
        return "\n".join(lines[:-1]).rstrip(), lines[-1].strip()
    return text, ""
