"""What Instagram takes, whichever road leads there, and when two captions are the same.

| what | most |
|---|---|
| caption | 2,200 characters, counted as UTF-16 does |
| hashtags | 30 by the platform, 5 by choice |
| alt text | 1,000 characters |
| picture | JPEG, 8 MB, from 4:5 to 1.91:1, sent with 1,080 by 1,350 pixels at most |
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from auria_bot.channels.text_limits import fit_words
from auria_bot.domain.interfaces import Limits

if TYPE_CHECKING:
    from auria_bot.domain.interfaces import PreparedText

__all__ = ["LIMITS", "fit_caption", "same_caption"]

LIMITS = Limits(
    characters=2200, alt_characters=1000, picture_bytes=8_000_000, picture_pixels=1350, ratios=(0.8, 1.91), hashtags=5
)
"""What both of Instagram's channels take."""


def fit_caption(text: str, alt_text: str, *, name: str) -> PreparedText:
    """A post's words as they are sent.

    Raises:
        Rejected: they are beyond a limit, and nothing that may be left out is left.
    """
    return fit_words(text, alt_text, LIMITS, name=name, count=lambda words: len(words.encode("utf-16-le")) // 2)


def same_caption(one: str, other: str) -> bool:
    """Whether two captions are the same in their letters and digits: a platform may treat the rest as it likes."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    known = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in known if sign.isalnum()) or " ".join(known.split())
