"""Fits a post's words to a platform's limits: hashtags go first, then the signature; the poem is never cut.

A text is paragraphs, and the first of them is the poem: of it nothing is ever left out, not even a line that looks like a
signature. Of what follows, hashtags are dropped from the end, as long as nothing but hashtags stands there, and then the
signature, where it is the last line and begins with a dash. Knows no platform: how characters are counted is handed in.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from auria_bot.domain.interfaces import PreparedText
from auria_bot.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.domain.interfaces import Limits

__all__ = ["HASHTAG", "fit_words"]

# Vowel signs and accents that stand by themselves, and the joiners of Persian and Indic scripts, which \w leaves out.
_MARKS = "".join(chr(code) for code in range(0x300, 0xFE30) if unicodedata.category(chr(code)).startswith("M"))

HASHTAG = re.compile(rf"[#\uff03][^\W\d_][\w{_MARKS}\u200c\u200d]*")
"""A hashtag of any script: a letter, then letters with their marks, digits or underscores."""

_TAG_AT_END = re.compile(rf"(?<!\S){HASHTAG.pattern}\s*\Z")
_SIGNATURE = re.compile(r"[^\S\n]*[\u2014\u2013-][^\S\n]*\S[^\n]*")  # begins with a dash, of any length
_POEM = re.compile(r"\s*\S.*?(?=\n[^\S\n]*\n|\Z)", re.DOTALL)


def fit_words(
    text: str, alt_text: str, limits: Limits, *, name: str, count: Callable[[str], int] = len
) -> PreparedText:
    """The words as they can be sent; what fits stays as it is, but for white space at its end.

    Args:
        text: of the post: the poem, the signature, hashtags.
        alt_text: of its picture; never changed.
        limits: what the platform takes.
        name: of the channel, for messages.
        count: how the platform counts a text's characters.

    Raises:
        Rejected: nothing that may be left out is left, or the alt text is too long; the message names the limit.
    """
    if limits.alt_characters is not None and len(alt_text) > limits.alt_characters:
        raise Rejected(
            f"{name} takes an alt text of at most {limits.alt_characters} characters, and this has {len(alt_text)};"
            " shorten it and approve again"
        )
    dropped: list[str] = []
    text = text.rstrip()
    while (excess := _excess(text, limits, count)) is not None:
        what, size, most = excess
        text, words = _without_something(text, only_hashtags=what == "hashtags")
        if not words:
            raise Rejected(
                f"{name} takes at most {most} {what}, and this text has {size}; shorten the text and approve again"
            )
        dropped.append(words)
    return PreparedText(text=text, alt_text=alt_text, dropped=tuple(dropped))


def _excess(text: str, limits: Limits, count: Callable[[str], int]) -> tuple[str, int, int] | None:
    """The first limit that the text is beyond: what is counted, how many there are, and how many may be."""
    measured = (
        ("hashtags", len(HASHTAG.findall(text)), limits.hashtags),
        ("characters", count(text), limits.characters),
        ("bytes of text", len(text.encode("utf-8", "surrogatepass")), limits.text_bytes),
    )
    return next(((what, size, most) for what, size, most in measured if most is not None and size > most), None)


def _without_something(text: str, *, only_hashtags: bool) -> tuple[str, str]:
    """The text without its last hashtag, or without its signature, and what was taken away; "" when nothing could be."""
    poem = _POEM.match(text)
    kept = text[: poem.end() if poem else 0]
    rest = text[len(kept) :]
    last = rest[rest.rfind("\n") + 1 :]
    if (tag := _TAG_AT_END.search(last)) and _only_hashtags(last[: tag.start()]):
        return (kept + rest[: len(rest) - len(last) + tag.start()]).rstrip(), tag[0].strip()
    if not only_hashtags and _SIGNATURE.fullmatch(last):
        return (kept + rest[: len(rest) - len(last)]).rstrip(), last.strip()
    return text, ""


def _only_hashtags(line: str) -> bool:
    """Whether what stands before a hashtag on its line is hashtags, or the signature and hashtags."""
    while tag := _TAG_AT_END.search(line):
        line = line[: tag.start()]
    return not line.strip() or _SIGNATURE.fullmatch(line) is not None
