"""A submission to Reddit, from a record of any epoch: a dump of Pushshift or Arctic Shift, or a listing of the API.

Records differ by epoch: `created_utc` is a number or a string, `name` or `id` may be missing, `edited` is false or a
time, a removal is stated in one of four ways, and older titles are HTML-escaped.
"""

from __future__ import annotations

import html
import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Submission", "read_record", "storable"]

_ID = re.compile(r"[0-9a-z]{1,16}")
_GONE = frozenset({"[deleted]", "[removed]", "[deleted by user]", "[removed by reddit]", "[ removed by reddit ]"})
_FIRST, _LAST = 1_104_537_600, 4_102_444_800  # seconds since 1970: Reddit is younger than 2005; 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A post on Reddit."""

    id: str  # base 36, without the "t3_"
    subreddit: str  # as it is written, without the "r/"
    title: str  # unescaped
    body: str  # unescaped; "" for a link or where it is gone
    created: datetime  # aware, UTC
    score: int
    author: str  # "" when it is gone
    removed: bool  # deleted by its author, or removed by others
    over_18: bool


def read_record(record: Mapping[str, Any]) -> Submission:
    """Read a decoded record.

    Args:
        record: of a dump, or the `data` of a listing's child; unknown fields are ignored.

    Raises:
        InputError: it is not a submission, or lacks a required field; the message names it.
    """
    identifier = _identifier(record)
    title = _text(record, "title")
    if title is None:
        kind = "a comment" if isinstance(record.get("body"), str) else "a record"
        raise InputError(f"{kind} without a title")
    subreddit = _text(record, "subreddit")
    if not subreddit:
        raise InputError("no subreddit")
    body, author = _text(record, "selftext") or "", _text(record, "author") or ""
    return Submission(
        id=identifier,
        subreddit=subreddit,
        created=_time(record.get("created_utc", record.get("created"))),
        title="" if _is_gone(title) else html.unescape(title),
        body="" if _is_gone(body) else html.unescape(body),
        score=_score(record.get("score")),
        author="" if _is_gone(author) else author,
        removed=_is_removed(record, title, body),
        over_18=record.get("over_18") is True,
    )


def _identifier(record: Mapping[str, Any]) -> str:
    value = record.get("id")
    if value is None and isinstance(record.get("name"), str):
        value = record["name"]
    if not isinstance(value, str):
        raise InputError("no id")
    kind, _, rest = value.rpartition("_")
    if kind not in {"", "t3"} or not _ID.fullmatch(rest):
        raise InputError(f"the id {value[:40]!r} is not a submission's")
    return rest


def storable(text: str) -> str:
    """A text without what a database may refuse: NUL and other control characters, and halves of surrogate pairs."""
    if text.isprintable():
        return text
    return "".join(letter for letter in text if letter in "\n\t\r" or unicodedata.category(letter) not in {"Cc", "Cs"})


def _text(record: Mapping[str, Any], name: str) -> str | None:
    value = record.get(name)
    return storable(value) if isinstance(value, str) else None


def _time(value: Any) -> datetime:
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError("no time of creation") from None
    if not math.isfinite(seconds) or not _FIRST <= seconds <= _LAST or isinstance(value, bool):
        raise InputError(f"the time of creation {str(value)[:40]!r} is none")
    return datetime.fromtimestamp(int(seconds), UTC)


def _score(value: Any) -> int:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return 0
    except OverflowError:
        raise InputError("the score is out of range") from None
    if not math.isfinite(found):
        return 0
    if abs(found) >= 2**31:
        raise InputError("the score is out of range")
    return int(found)


def _is_gone(text: str) -> bool:
    return text.strip().lower() in _GONE


def _is_removed(record: Mapping[str, Any], title: str, body: str) -> bool:
    meta = record.get("_meta")
    stated = (
        record.get("removed_by_category"),
        record.get("removed_by"),
        record.get("banned_by"),
        *((meta.get("removal_type"), meta.get("was_deleted_later")) if isinstance(meta, dict) else ()),
    )
    return any(stated) or _is_gone(title) or _is_gone(body)
