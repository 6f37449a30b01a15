"""Fits a post's text to a platform's limits: hashtags are dropped first, then the signature; the poem is never cut.

A text consists of paragraphs; the first one is the poem, and nothing of it is left out. From the rest, hashtags are
dropped from the end, as long as only hashtags stand there, then the signature, if it is the last line and begins with
a dash. Platforms hand in how they count characters and what they recognise as a hashtag.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from auria_bot.domain.interfaces import PreparedText
from auria_bot.errors import BackendMissing, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.domain.interfaces import Limits

__all__ = ["ANY_HASHTAG", "HASHTAG", "fit_text", "graphemes"]

# Spacing vowel signs, accents, and the joiners of Persian and Indic scripts, which \w leaves out.
_MARKS = "".join(chr(code) for code in range(0x300, 0xFE30) if unicodedata.category(chr(code)).startswith("M"))
_WORD = rf"[\w{_MARKS}\u200c\u200d]"

HASHTAG = re.compile(rf"[#\uff03](?=[\d_]*[^\W\d_]){_WORD}+")
"""A hashtag of any script: letters with marks, digits and underscores, one of them a letter (X, Mastodon)."""

ANY_HASHTAG = re.compile(rf"[#\uff03]{_WORD}+")
"""The same, where digits alone make a hashtag too (Instagram)."""

_TAG_AT_END = re.compile(rf"(?<!\S){ANY_HASHTAG.pattern}\s*\Z")
_SIGNATURE = re.compile(r"[^\S\n]*[\u2014\u2013-][^\S\n]*\S[^\n]*")  # begins with a dash, of any length
_POEM = re.compile(r"\s*\S.*?(?=\n[^\S\n]*\n|\Z)", re.DOTALL)


def graphemes(text: str) -> int:
    """The number of extended grapheme clusters (Unicode, UAX 29): characters as people see them.

    Raises:
        BackendMissing: the package regex is not installed.
    """
    if text.isascii():
        return len(text) - text.count("\r\n")  # the only cluster of several ASCII characters
    try:
        import regex
    except ImportError:
        raise BackendMissing(
            "counting characters as Bluesky and Mastodon do needs a package: pip install regex"
        ) from None
    return len(regex.findall(r"\X", text))


def fit_text(
    text: str,
    alt_text: str,
    limits: Limits,
    *,
    name: str,
    count: Callable[[str], int] = len,
    hashtag: re.Pattern[str] = HASHTAG,
) -> PreparedText:
    """Fit a text to limits; a text within them is only stripped of white space at its end.

    Args:
        text: of the post: the poem, the signature, hashtags.
        alt_text: of its picture; never changed.
        name: of the channel, for messages.
        count: how the platform counts a text's characters.
        hashtag: what the platform recognises as a hashtag.

    Raises:
        Rejected: nothing more can be left out, or the alt text is too long; the message names the limit.
    """
    if limits.alt_characters is not None and len(alt_text) > limits.alt_characters:
        raise Rejected(
            f"{name} takes an alt text of at most {limits.alt_characters} characters, and this has {len(alt_text)};"
            " shorten it and approve again"
        )
    dropped: list[str] = []
    text = text.rstrip()
    while (excess := _excess(text, limits, count, hashtag)) is not None:
        unit, size, most = excess
        text, part = _without_last_part(text, only_hashtags=unit == "hashtags")
        if not part:
            raise Rejected(
                f"{name} takes at most {most} {unit}, and this text has {size}; shorten the text and approve again"
            )
        dropped.append(part)
    return PreparedText(text=text, alt_text=alt_text, dropped=tuple(dropped), characters=count(text))


def _excess(
    text: str, limits: Limits, count: Callable[[str], int], hashtag: re.Pattern[str]
) -> tuple[str, int, int] | None:
    """The first limit that the text exceeds: the unit, the text's size, and the limit."""
    measured = (
        ("hashtags", len(hashtag.findall(text)), limits.hashtags),
        ("characters", count(text), limits.characters),
        ("bytes of text", len(text.encode("utf-8", "surrogatepass")), limits.text_bytes),
    )
    return next(((unit, size, most) for unit, size, most in measured if most is not None and size > most), None)


def _without_last_part(text: str, *, only_hashtags: bool) -> tuple[str, str]:
    """The text without its last hashtag or its signature, and the removed part; "" if nothing can be removed."""
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
    """Whether the part of a line before a hashtag is hashtags, or the signature and hashtags."""
    while tag := _TAG_AT_END.search(line):
        line = line[: tag.start()]
    return not line.strip() or _SIGNATURE.fullmatch(line) is not None
