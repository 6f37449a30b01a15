"""Open a file or folder of any kind and tell what it contains: posts of Reddit, or rows of something else."""

from __future__ import annotations

import codecs
import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from auria_bot.corpus.sources import rows, submission
from auria_bot.corpus.sources.stream import Tally, blocks, decoded, json_lines, lines
from auria_bot.errors import InputError, NotFound
from auria_bot.files import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from auria_bot.corpus.sources.rows import Row
    from auria_bot.corpus.sources.stream import Tell
    from auria_bot.corpus.sources.submission import Submission

__all__ = ["SourceContents", "opened", "readable"]

_LARGEST = 64 << 20  # bytes of a JSON document, which is read as a whole
_JSON = frozenset({"json", "jsonl", "ndjson"})
_AROUND = codecs.BOM_UTF8 + b" \t\r"
_PACKED = frozenset({"gz", "zst", "bz2", "xz", "zst_blocks"})
_LOOKED_AT = 50  # lines until it is clear what a file contains


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContents:
    """The contents of a file: one of the two, read as a stream."""

    posts: Iterator[Submission] | None = None
    rows: Iterator[Row] | None = None


def opened(
    path: Path, *, subreddits: Sequence[str] = (), mapping: Mapping[str, str], tally: Tally, tell: Tell | None = None
) -> SourceContents:
    """Open a file or folder.

    Args:
        path: .ndjson, .jsonl, .json, .csv, .tsv, .txt, optionally with .gz or .zst; .arrow, .parquet, or a
            folder of them.
        subreddits: of posts on Reddit only those of these; all if empty.
        mapping: which field is what (`rows.FIELDS`); if given, JSON lines are not taken for a dump.
        tell: called regularly with the bytes read.

    Raises:
        NotFound: there is no such file.
        InputError: it is too large, or does not have the format of its name; some of it is only found while reading.
        BackendMissing: a package that the file needs is not installed.
    """
    if not path.exists():
        raise NotFound(f"no file {path}")
    kind = _kind(path)
    document = _document(path, kind)
    if isinstance(document, dict):
        return SourceContents(posts=submission.listed(document, subreddits=subreddits, tally=tally))
    if document is not None:
        records: Iterable[Any] = submission.each(document, tally)
    elif kind in {"folder", "arrow", "parquet"}:
        records = rows.arrow_records(path, tally=tally, tell=tell)
    elif kind in {"csv", "tsv"}:
        records = rows.csv_records(path, tally=tally, tell=tell)
    elif kind == "txt" or not _is_json(path):
        return SourceContents(rows=rows.from_text(path, tally=tally, tell=tell))
    elif mapping or not _is_dump(path):
        objects = json_lines(path, tally=tally, tell=tell)
        return SourceContents(rows=rows.from_records(objects, mapping, path=path, tally=tally))
    else:
        return SourceContents(posts=submission.submissions(path, subreddits=subreddits, tally=tally, tell=tell))
    first, records = _peeked(records)
    if not mapping and submission.is_post(first):
        typed = kind not in {"csv", "tsv"}
        return SourceContents(posts=submission.from_records(records, subreddits=subreddits, tally=tally, typed=typed))
    numbered = ((tally.lines, record) for record in records)
    return SourceContents(rows=rows.from_records(numbered, mapping, path=path, tally=tally))


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """A path that can be read several times: a pipe or standard input is copied into a temporary file first."""
    if path.is_file() or path.is_dir() or not path.exists():
        yield path
        return
    with scratch_folder() as folder:
        copy = folder / path.name
        with path.open("rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
        yield copy


def _peeked(records: Iterable[Any]) -> tuple[Any, Iterator[Any]]:
    """The first of some records, and all of them."""
    rest = iter(records)
    first = next(rest, None)
    return first, chain(() if first is None else (first,), rest)


def _kind(path: Path) -> str:
    """The kind of a file by its name, without compression suffixes."""
    if path.is_dir():
        return "folder"
    suffixes = [suffix.lower().removeprefix(".") for suffix in path.suffixes]
    while suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _document(path: Path, kind: str) -> Any:
    """The records of a file that is one JSON document, or a listing of Reddit; None for one object a line and the rest.

    Raises:
        InputError: it is too large.
    """
    if not path.is_file() or kind in {"csv", "tsv", "txt", "arrow", "parquet"}:
        return None
    first = next((line.strip(_AROUND) for _, line in lines(path, tally=Tally())), b"")
    if (first[:1] != b"[" and first != b"{" and kind not in _JSON) or _is_object(first):
        return None
    content = bytearray()
    for block in blocks(path, Tally()):
        content += block
        if len(content) > _LARGEST:
            if kind != "json" and first[:1] != b"[":
                return None
            raise InputError(f"{path} is larger than {_LARGEST >> 20} MiB; give it one object a line, as .jsonl")
    try:
        found = _value(bytes(content))
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict) and isinstance(found.get("data"), list):  # as the archives' interfaces answer
        return found["data"]
    return [found] if isinstance(found, dict) and found.get("kind") != "Listing" else found


def _value(content: bytes) -> Any:
    """The value of JSON in an encoding that is read; raises ValueError or RecursionError for anything else."""
    return json.loads(decoded(content, 1, Tally()) or "")


def _is_object(line: bytes) -> bool:
    """Whether a line is one whole record, as in a dump."""
    try:
        found = _value(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("kind") != "Listing" and not isinstance(found.get("data"), list)


def _is_json(path: Path) -> bool:
    """Whether the first line that is not empty begins an object; files named .json, .jsonl or .ndjson always count."""
    if _kind(path) in _JSON:
        return True
    return all(line.lstrip(_AROUND).startswith(b"{") for _, line in islice(lines(path, tally=Tally()), 1))


def _is_dump(path: Path) -> bool:
    """Whether the first object is a record of Reddit: one without a subreddit is not."""
    for _, line in islice(lines(path, tally=Tally()), _LOOKED_AT):
        try:
            record = _value(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            return "subreddit" in record and "lines" not in record and bool({"title", "body"} & record.keys())
    return True
