"""Read dumps of Reddit: NDJSON of Pushshift and Arctic Shift, and the JSON of a listing.

Only lines that name a wanted subreddit are decoded. Bad lines are counted and sampled, and do not stop the reading.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any

from auria_bot.corpus.sources.stream import Tally, lines
from auria_bot.corpus.sources.submission import read_record
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from auria_bot.corpus.sources.stream import Tell
    from auria_bot.corpus.sources.submission import Submission

__all__ = ["each", "from_records", "is_post", "listed", "submissions"]


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
    for number, line in lines(path, pattern=_pattern(wanted), tally=counted, tell=tell):
        try:
            record = json.loads(line.removeprefix(codecs.BOM_UTF8))
        except (ValueError, RecursionError):
            counted.note_bad(number, "not JSON", line)
            continue
        yield from _submission(record, number, wanted, counted)


def from_records(
    records: Iterable[Any], *, subreddits: Sequence[str] = (), tally: Tally | None = None
) -> Iterator[Submission]:
    """Read the submissions among decoded records: of a JSON list, a CSV file, an Arrow table or a listing.

    Args:
        records: each an object, or a listing's child of the kind "t3"; anything else is a bad line.
        subreddits: only of these, in any case; of all when empty.
        tally: counts submissions and faults; the records were counted by their reader.
    """
    counted = tally if tally is not None else Tally()
    wanted = _plain(subreddits)
    for record in records:
        inner = record
        if isinstance(record, dict) and isinstance(record.get("data"), dict) and "kind" in record:
            inner = record["data"] if record["kind"] == "t3" else None
        if isinstance(inner, dict):
            inner = {name: _cell(value) for name, value in inner.items()}
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
        tally.note_bad(number, "not a submission", json.dumps(record, default=str)[:400].encode())
        return
    if wanted and str(record.get("subreddit")).lower() not in wanted:
        return
    try:
        found = read_record(record)
    except InputError as error:
        tally.note_bad(number, str(error), json.dumps(record, default=str)[:400].encode())
        return
    tally.wanted += 1
    yield found


def _cell(value: Any) -> Any:
    """A value as JSON would have it: tables write nothing, true and false as text."""
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - not a number
        return None
    if not isinstance(value, str):
        return value
    return {"": None, "null": None, "none": None, "nan": None, "true": True, "false": False}.get(value.lower(), value)


def _plain(subreddits: Sequence[str]) -> set[str]:
    return {name.removeprefix("r/").lower() for name in subreddits}


def _pattern(names: set[str]) -> re.Pattern[bytes] | None:
    """The pattern of lines worth decoding; None for every line."""
    if not names:
        return None
    spelt = b"|".join(re.escape(name.encode()) for name in sorted(names))
    # The key is outside the case-insensitive group, so that the search can skip from one key to the next.
    return re.compile(rb'"subreddit"\s*:\s*"(?i:' + spelt + rb')"')
