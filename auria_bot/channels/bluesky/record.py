"""The record of a post on Bluesky: its key, its hashtags' places and its fields. Knows no network.

The key is made from the post's idempotency key, so every attempt names the same place, and the server is asked to
write it only where nothing stands: a repeat can neither make a second post nor change the first.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auria_bot.channels.graphemes import graphemes
from auria_bot.channels.text_limits import HASHTAG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["COLLECTION", "hashtag_facets", "post_record", "record_key", "record_time"]

COLLECTION = "app.bsky.feed.post"
"""Where posts are kept in an account's repository."""

_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"  # base32-sortable
_FIRST = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000  # microseconds
_SPAN = 3 * 365 * 86_400 * 1_000_000  # microseconds: all within the past, as servers want it
_TAG = re.compile(rf"(?<![\w#&/]){HASHTAG.pattern}")
_TAG_GRAPHEMES = 64  # of a hashtag, by the lexicon
_TAG_BYTES = 640


def record_key(key: str) -> str:
    """The record's key: a TID, 13 characters that stand for 64 bits, made from the post's idempotency key alone.

    The highest bit is 0. Of the SHA-256 of the key, the first 8 bytes choose one of the 9.5e13 microseconds of the years
    2023 to 2025 (53 bits), the next two the clock's number (10 bits): 56 bits by which posts differ. So ten thousand
    posts of an account share a key with a probability below 1e-9, and then the later one is not sent.
    """
    digest = hashlib.sha256(key.encode()).digest()
    moment = _FIRST + int.from_bytes(digest[:8], "big") % _SPAN
    number = moment << 10 | int.from_bytes(digest[8:10], "big") & 0x3FF
    return "".join(_DIGITS[number >> shift & 31] for shift in range(60, -5, -5))


def hashtag_facets(text: str) -> list[dict[str, Any]]:
    """The hashtags of a text as facets, by their places in its UTF-8 bytes."""
    facets = []
    for found in _TAG.finditer(text):
        tag = found[0][1:]
        if graphemes(tag) > _TAG_GRAPHEMES or len(tag.encode()) > _TAG_BYTES:
            continue
        start = len(text[: found.start()].encode())
        facets.append(
            {
                "index": {"byteStart": start, "byteEnd": start + len(found[0].encode())},
                "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": tag}],
            }
        )
    return facets


def post_record(
    *, text: str, alt_text: str, blob: Mapping[str, Any], size: tuple[int, int], languages: Sequence[str], at: datetime
) -> dict[str, Any]:
    """The fields of a post with one picture.

    Args:
        text: at most 300 graphemes and 3,000 bytes.
        alt_text: of the picture.
        blob: the reference that the server gave for the picture.
        size: width and height of the picture in pixels.
        languages: BCP 47 tags, at most three.
        at: when it is posted.
    """
    record: dict[str, Any] = {
        "$type": COLLECTION,
        "text": text,
        "createdAt": record_time(at),
        "embed": {
            "$type": "app.bsky.embed.images",
            "images": [{"alt": alt_text, "image": blob, "aspectRatio": {"width": size[0], "height": size[1]}}],
        },
    }
    if languages:
        record["langs"] = list(languages)[:3]
    if facets := hashtag_facets(text):
        record["facets"] = facets
    return record


def record_time(at: datetime) -> str:
    """A time as records hold it: UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
