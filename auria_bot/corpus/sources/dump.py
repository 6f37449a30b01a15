"""Read dumps of Reddit: NDJSON of Pushshift and Arctic Shift, and the JSON of a listing.

Only lines that name a wanted subreddit are decoded. Bad lines are counted and sampled, and do not stop the reading.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from auria_bot.corpus.sources.stream import Tally, lines
from auria_bot.corpus.sources.submission import read_record
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from auria_bot.corpus.sources.stream import Tell
    from auria_bot.corpus.sources.submission import Submission

__all__ = ["listed", "submissions"]


def submissions(
    path: Path, *, subreddits: Sequence[str] = (), tally: Tally | None = None, tell: Tell | None = None
) -> Iterator[Submission]:
    """Read the submissions of a dump.

    Args:
        path: .ndjson, .jsonl or any plain text; .gz; .zst.
        subreddits: only of these, in any case; of all when empty.
        tally: counts lines, records and faults.
        tell: called regularly with the bytes of the file read so far.

    Raises:
        NotFound: there is no such file.
        InputError: the file does not have the format of its name, or is damaged.
        BackendMissing: a .zst file, and zstandard is not installed.
    """
    counted = tally if tally is not None else Tally()
    names = {name.removeprefix("r/").lower() for name in subreddits}
    pattern = _pattern(names)
    for number, line in lines(path, pattern=pattern, tally=counted, tell=tell):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            counted.note_bad(number, "not JSON", line)
            continue
        if not isinstance(record, dict):
            counted.note_bad(number, "not an object", line)
            continue
        if names and str(record.get("subreddit")).lower() not in names:
            continue  # the wanted name occurs elsewhere in the line
        try:
            found = read_record(record)
        except InputError as error:
            counted.note_bad(number, str(error), line)
            continue
        counted.wanted += 1
        yield found


def _pattern(names: set[str]) -> re.Pattern[bytes] | None:
    """The pattern of lines worth decoding; None for every line."""
    if not names:
        return None
    spelt = b"|".join(re.escape(name.encode()) for name in sorted(names))
    # The key is outside the case-insensitive group, so that the search can skip from one key to the next.
    return re.compile(rb'"subreddit"\s*:\s*"(?i:' + spelt + rb')"')


def listed(document: Any, *, subreddits: Sequence[str] = (), tally: Tally | None = None) -> Iterator[Submission]:
    """Read the submissions of a listing of Reddit's API.

    Args:
        document: the decoded JSON, `{"kind": "Listing", "data": {"children": [...]}}`.
        subreddits: only of these, in any case; of all when empty.
        tally: counts children, records and faults.

    Raises:
        InputError: it is not a listing.
    """
    counted = tally if tally is not None else Tally()
    names = {name.removeprefix("r/").lower() for name in subreddits}
    inner = document.get("data") if isinstance(document, dict) and document.get("kind") == "Listing" else None
    children = inner.get("children") if isinstance(inner, dict) else None
    if not isinstance(children, list):
        raise InputError("this is not a listing of Reddit")
    for child in children:
        counted.lines += 1
        record = child.get("data") if isinstance(child, dict) and child.get("kind") == "t3" else None
        if not isinstance(record, dict):
            counted.note_bad(counted.lines, "not a submission", json.dumps(child).encode())
            continue
        if names and str(record.get("subreddit")).lower() not in names:
            continue
        try:
            found = read_record(record)
        except InputError as error:
            counted.note_bad(counted.lines, str(error), json.dumps(record).encode())
            continue
        counted.wanted += 1
        yield found
