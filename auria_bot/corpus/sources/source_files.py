"""Open a file or folder of any kind and tell what it contains: posts of Reddit, or rows of something else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from auria_bot.corpus.sources import dump, rows
from auria_bot.corpus.sources.stream import Tally, lines
from auria_bot.errors import InputError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from auria_bot.corpus.sources.rows import Row
    from auria_bot.corpus.sources.stream import Tell
    from auria_bot.corpus.sources.submission import Submission

__all__ = ["SourceContents", "opened"]

_LARGEST = 64 << 20  # bytes of a .json file, which is read as a whole
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
        tally: counts lines, records and faults.
        tell: called regularly with the bytes read.

    Raises:
        NotFound: there is no such file.
        InputError: it is too large, or does not have the format of its name; some of it is only found while reading.
        BackendMissing: a package that the file needs is not installed.
    """
    if not path.exists():
        raise NotFound(f"no file {path}")
    kind, document = _kind(path), _document(path)
    if isinstance(document, dict):
        return SourceContents(posts=dump.listed(document, subreddits=subreddits, tally=tally))
    if document is not None:
        return SourceContents(rows=rows.from_records(document, mapping, path=path, tally=tally))
    if kind == "txt":
        return SourceContents(rows=rows.from_text(path, tally=tally, tell=tell))
    if reader := {
        "folder": rows.from_arrow,
        "arrow": rows.from_arrow,
        "parquet": rows.from_arrow,
        "csv": rows.from_csv,
        "tsv": rows.from_csv,
    }.get(kind):
        return SourceContents(rows=reader(path, mapping, tally=tally, tell=tell))
    if mapping or not _is_dump(path):
        return SourceContents(rows=rows.from_json_lines(path, mapping, tally=tally, tell=tell))
    return SourceContents(posts=dump.submissions(path, subreddits=subreddits, tally=tally, tell=tell))


def _kind(path: Path) -> str:
    """The kind of a file by its name, without compression suffixes."""
    if path.is_dir():
        return "folder"
    suffixes = [suffix.lower().removeprefix(".") for suffix in path.suffixes]
    while suffixes and suffixes[-1] in {"gz", "zst"}:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _document(path: Path) -> Any:
    """The content of a .json file that is a list or a listing of Reddit; None for anything else.

    Raises:
        InputError: it is too large.
    """
    if path.suffix.lower() != ".json" or not path.is_file():
        return None
    if path.stat().st_size > _LARGEST:
        raise InputError(f"{path} is larger than {_LARGEST >> 20} MiB; give it one object a line, as .jsonl")
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) or (isinstance(found, dict) and found.get("kind") == "Listing") else None


def _is_dump(path: Path) -> bool:
    """Whether the first object is a record of Reddit: one without a subreddit is not."""
    for _, line in islice(lines(path, tally=Tally()), _LOOKED_AT):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            return "subreddit" in record and "lines" not in record and bool({"title", "body"} & record.keys())
    return True
