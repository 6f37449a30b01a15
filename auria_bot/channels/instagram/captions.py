"""Instagram's limits, for both APIs, and the comparison of captions.

| item | limit |
|---|---|
| caption | 2,200 characters, counted as UTF-16 does |
| hashtags | 30 by the platform, 5 by choice |
| alt text | 1,000 characters |
| picture | JPEG, 8 MB, from 4:5 to 1.91:1, sent with 1,080 by 1,350 pixels at most |
| film, as a reel | 3 s to 15 min, 300 MB, 1,920 pixels, 23 to 60 frames a second; no alt text; by the official API |
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from auria_bot.channels.text_limits import ANY_HASHTAG, fit_text
from auria_bot.domain.interfaces import Limits

if TYPE_CHECKING:
    from auria_bot.domain.interfaces import PreparedText

__all__ = ["LIKE_POST", "LIMITS", "fit_caption", "same_caption"]

LIKE_POST = "Instagram lists a post with the same caption from before the attempt by this machine's clock: look there"
"""What is said where it may be the post, because the clock may have been fast."""

LIMITS = Limits(
    characters=2200, alt_characters=1000, picture_bytes=8_000_000, picture_pixels=1350, ratios=(0.8, 1.91), hashtags=5
)
"""The limits of both Instagram channels."""


def fit_caption(text: str, alt_text: str, *, name: str) -> PreparedText:
    """A post's caption and alt text as they are sent.

    Raises:
        Rejected: a limit is exceeded and nothing more can be left out.
    """
    return fit_text(
        text,
        alt_text,
        LIMITS,
        name=name,
        count=lambda caption: len(caption.encode("utf-16-le")) // 2,
        hashtag=ANY_HASHTAG,
    )


def same_caption(one: str, other: str) -> bool:
    """Whether two captions have the same letters and digits: the platform may change everything else."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    known = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in known if character.isalnum()) or " ".join(known.split())
