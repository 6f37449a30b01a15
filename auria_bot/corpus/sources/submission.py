"""Submissions to Reddit, from records of any epoch: dumps of Pushshift or Arctic Shift, and listings of the API.

Records differ by epoch: `created_utc` is a number or a string, `name` or `id` may be missing, `edited` is false or a
time, a removal is stated in one of four ways, and older titles are HTML-escaped. Of a dump (NDJSON), only lines that
name a wanted subreddit are decoded. Bad lines are counted and sampled, and do not stop the reading.
"""

from __future__ import annotations

import html
import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auria_bot.corpus.sources.stream import Tally, excerpt, json_lines
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from auria_bot.corpus.sources.stream import Tell

__all__ = ["Submission", "dated", "each", "from_records", "is_post", "listed", "read_record", "storable", "submissions"]

_ID = re.compile(r"[0-9a-z]{1,16}")
_GONE = frozenset({"[deleted]", "[removed]", "[deleted by user]", "[removed by reddit]", "[ removed by reddit ]"})
_TEXTS = frozenset({"id", "name", "subreddit", "title", "selftext", "author"})
_TIMES = ("created_utc", "created")
_LONGEST_NAME = 100  # characters of a subreddit's; Reddit allows 21
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
    if not subreddit or len(subreddit) > _LONGEST_NAME:
        raise InputError("the subreddit's name is too long" if subreddit else "no subreddit")
    body, author = _text(record, "selftext") or "", (_text(record, "author") or "")[:_LONGEST_NAME]
    return Submission(
        id=identifier,
        subreddit=subreddit,
        created=_time(next((record[name] for name in _TIMES if record.get(name) is not None), None)),
        title="" if _is_gone(title) else html.unescape(title),
        body="" if _is_gone(body) else html.unescape(body),
        score=_score(record.get("score")),
        author="" if _is_gone(author) else author,
        removed=_is_removed(record, title, body),
        over_18=_is_set(record.get("over_18")),
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
        seconds = _seconds(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError("no time of creation") from None
    if _LAST < seconds <= 1000 * _LAST:  # in milliseconds
        seconds /= 1000
    if not math.isfinite(seconds) or not _FIRST <= seconds <= _LAST or isinstance(value, bool):
        raise InputError(f"the time of creation {str(value)[:40]!r} is none")
    return datetime.fromtimestamp(int(seconds), UTC)


def _seconds(value: Any) -> float:
    """Seconds since 1970: of a number, or of a date."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return dated(value).timestamp()


def dated(value: Any) -> datetime:
    """The time of a date as exports and tables write it, aware and in UTC; one without a zone is in UTC.

    Raises:
        ValueError: it is none.
        OverflowError: no calendar has it.
    """
    written = str(value).strip().removesuffix("UTC").rstrip()
    found = value if isinstance(value, datetime) else datetime.fromisoformat(written)
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


def _is_set(value: Any) -> bool:
    """Whether a flag is set: exports of databases write it as a number, tables as text."""
    return value in (True, 1) or (isinstance(value, str) and value.strip().lower() in {"true", "1", "1.0"})


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


def submissions(
    path: Path, *, subreddits: Sequence[str] = (), tally: Tally | None = None, tell: Tell | None = None
) -> Iterator[Submission]:
    """Read the submissions of a dump.

    Args:
        path: one object per line, compressed or not.
        subreddits: only of these, in any case; of all when empty.
        tell: called regularly with the bytes of the file read so far.

    Raises:
        NotFound: there is no such file.
        InputError: the file does not have the format of its name, or is damaged.
        BackendMissing: a Zstandard file, and zstandard is not installed.
    """
    counted = tally if tally is not None else Tally()
    wanted = _plain(subreddits)
    for number, record in json_lines(path, pattern=_pattern(wanted), tally=counted, tell=tell):
        yield from _submission(record, number, wanted, counted)


def from_records(
    records: Iterable[Any], *, subreddits: Sequence[str] = (), tally: Tally | None = None, typed: bool = True
) -> Iterator[Submission]:
    """Read the submissions among decoded records: of a JSON list, a CSV file, an Arrow table or a listing.

    Args:
        records: each an object, or a listing's child of the kind "t3"; anything else is a bad line.
        subreddits: only of these, in any case; of all when empty.
        tally: counts submissions and faults; the records were counted by their reader.
        typed: whether the source tells a text "None" from nothing, as JSON and Arrow do and CSV does not.
    """
    counted = tally if tally is not None else Tally()
    wanted = _plain(subreddits)
    for record in records:
        inner = record
        if isinstance(record, dict) and isinstance(record.get("data"), dict) and "kind" in record:
            inner = record["data"] if record["kind"] == "t3" else None
        if isinstance(inner, dict):
            inner = {name: _cell(name, value, typed=typed) for name, value in inner.items()}
        yield from _submission(inner, counted.lines, wanted, counted)


def listed(document: Any, *, subreddits: Sequence[str] = (), tally: Tally | None = None) -> Iterator[Submission]:
    """Read the submissions of a listing of Reddit's API.

    Args:
        document: the decoded JSON, `{"kind": "Listing", "data": {"children": [...]}}`.
        subreddits: only of these, in any case; of all when empty.
        tally: counts children, records and faults.

    Raises:
        InputError: it is not a listing.
    """
    inner = document.get("data") if isinstance(document, dict) and document.get("kind") == "Listing" else None
    children = inner.get("children") if isinstance(inner, dict) else None
    if not isinstance(children, list):
        raise InputError("this is not a listing of Reddit")
    counted = tally if tally is not None else Tally()
    wrapped = (child if isinstance(child, dict) and "kind" in child else None for child in each(children, counted))
    return from_records(wrapped, subreddits=subreddits, tally=counted)


def each(records: Iterable[Any], tally: Tally) -> Iterator[Any]:
    """Decoded records one by one, each counted as a line."""
    for record in records:
        tally.lines += 1
        yield record


def is_post(record: Any) -> bool:
    """Whether an object is a post on Reddit rather than a row of somebody's poems."""
    return (
        isinstance(record, dict)
        and {"subreddit", "title"} <= record.keys()
        and "lines" not in record
        and bool({"id", "name"} & record.keys())
        and bool({"selftext", "created_utc", "permalink", "over_18", "removed_by_category"} & record.keys())
    )


def _submission(record: Any, number: int, wanted: set[str], tally: Tally) -> Iterator[Submission]:
    """The submission of a record, or none: of another subreddit, or a bad line."""
    if not isinstance(record, dict):
        tally.note_bad(number, "not a submission", excerpt(record))
        return
    subreddit = record.get("subreddit")
    if wanted and not (isinstance(subreddit, str) and subreddit.lower() in wanted):
        return
    try:
        found = read_record(record)
    except InputError as error:
        tally.note_bad(number, str(error), excerpt(record))
        return
    tally.wanted += 1
    yield found


def _cell(name: str, value: Any, *, typed: bool) -> Any:
    """A value as JSON would have it: tables write nothing, true and false as text."""
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - not a number
        return None
    if not isinstance(value, str):
        return value
    if not value or (value.lower() in {"null", "none", "nan"} and not (typed and name in _TEXTS)):
        return None
    return value if name in _TEXTS else {"true": True, "false": False}.get(value.lower(), value)


def _plain(subreddits: Sequence[str]) -> set[str]:
    return {name.removeprefix("r/").lower() for name in subreddits}


def _pattern(names: set[str]) -> re.Pattern[bytes] | None:
    """The pattern of lines worth decoding; None for every line."""
    if not names:
        return None
    spelt = b"|".join(re.escape(name.encode()) for name in sorted(names))
    # The key is outside the case-insensitive group, so that the search can skip from one key to the next.
    return re.compile(rb'"subreddit"\s*:\s*"(?i:' + spelt + rb')"')
