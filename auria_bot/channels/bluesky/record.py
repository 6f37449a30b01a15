"""The record of a post on Bluesky: its key, its hashtags' positions, its labels and its fields.

The key is derived from the post's idempotency key, so every attempt writes to the same key, and only if nothing is
stored there: a repeat can neither make a second post nor change the first.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auria_bot.channels.text_limits import graphemes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "COLLECTION",
    "HASHTAG",
    "RECORD_KEY",
    "SELF_LABELS",
    "hashtag_facets",
    "post_record",
    "record_key",
    "record_time",
    "self_labels",
]

COLLECTION = "app.bsky.feed.post"
"""The collection of posts in an account's repository."""

RECORD_KEY = re.compile("[234567a-z]{13}")
"""A record's key, by its form."""

SELF_LABELS = ("!no-unauthenticated", "porn", "sexual", "nudity", "graphic-media")
"""Labels that an account may put on its own posts."""

_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"  # base32-sortable
_FIRST = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000  # microseconds
_SPAN = 3 * 365 * 86_400 * 1_000_000  # microseconds: all in the past, as servers require
_INVISIBLE = r"\s\u00ad\u2060\u200a-\u200d\u20e2"
HASHTAG = re.compile(rf"(?<![\w#&/])[#\uff03](?!\ufe0f)(?=[^{_INVISIBLE}#]*[^\W\d_])[^{_INVISIBLE}#]+")
"""What Bluesky recognises as a hashtag: anything visible with a letter in it, without punctuation at its end."""

_TAG_GRAPHEMES = 64  # of a hashtag, by the lexicon
_TAG_BYTES = 640


def record_key(key: str) -> str:
    """The record's key: a TID, 13 characters for 64 bits, derived from the post's idempotency key alone.

    The highest bit is 0. Of the key's SHA-256, the first 8 bytes choose one of the 9.5e13 microseconds of the years
    2023 to 2025 (53 bits), the next two the clock's number (10 bits): 56 bits by which posts differ. So ten thousand
    posts of an account share a key with a probability below 1e-9, and then the later one is not sent.
    """
    digest = hashlib.sha256(key.encode()).digest()
    moment = _FIRST + int.from_bytes(digest[:8], "big") % _SPAN
    number = moment << 10 | int.from_bytes(digest[8:10], "big") & 0x3FF
    return "".join(_DIGITS[number >> shift & 31] for shift in range(60, -5, -5))


def hashtag_facets(text: str) -> list[dict[str, Any]]:
    """The hashtags of a text as facets, by their positions in its UTF-8 bytes."""
    facets = []
    for found in HASHTAG.finditer(text):
        tag = found[0][1:]
        while unicodedata.category(tag[-1]).startswith("P"):
            tag = tag[:-1]
        if graphemes(tag) > _TAG_GRAPHEMES or len(tag.encode()) > _TAG_BYTES:
            continue
        start = len(text[: found.start()].encode())
        facets.append(
            {
                "index": {"byteStart": start, "byteEnd": start + len(f"{found[0][0]}{tag}".encode())},
                "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": tag}],
            }
        )
    return facets


def post_record(
    *,
    text: str,
    alt_text: str,
    blob: Mapping[str, Any],
    size: tuple[int, int],
    languages: Sequence[str],
    at: datetime,
    labels: Sequence[str] = (),
    film: bool = False,
) -> dict[str, Any]:
    """The fields of a post with one picture or film.

    Args:
        text: at most 300 graphemes and 3,000 bytes.
        blob: the server's reference to the file.
        size: its width and height in pixels.
        languages: BCP 47 tags, at most three.
        labels: self-labels, of `SELF_LABELS`.
    """
    ratio = {"width": size[0], "height": size[1]}
    embed: dict[str, Any] = {
        "$type": "app.bsky.embed.images",
        "images": [{"alt": alt_text, "image": blob, "aspectRatio": ratio}],
    }
    if film:
        embed = {"$type": "app.bsky.embed.video", "video": blob, "alt": alt_text, "aspectRatio": ratio}
    record: dict[str, Any] = {"$type": COLLECTION, "text": text, "createdAt": record_time(at), "embed": embed}
    if languages:
        record["langs"] = list(languages)[:3]
    if labels:
        record["labels"] = self_labels(labels)
    if facets := hashtag_facets(text):
        record["facets"] = facets
    return record


def self_labels(names: Sequence[str]) -> dict[str, Any]:
    """The value of a record's field "labels"."""
    return {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": name} for name in names]}


def record_time(at: datetime) -> str:
    """A time in a record's format: UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
