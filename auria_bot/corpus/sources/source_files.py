"""Opens a file or folder of any kind and says what it holds: posts of Reddit's, or rows of something else.

Knows names of files and looks at their first lines; does not know what a post or a row means.
"""

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
_LOOKED_AT = 50  # lines until it is clear what a file holds


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContents:
    """What a file holds: one of the two, read as a stream."""

    posts: Iterator[Submission] | None = None
    rows: Iterator[Row] | None = None


def opened(
    path: Path, *, subreddits: Sequence[str] = (), mapping: Mapping[str, str], tally: Tally, tell: Tell | None = None
) -> SourceContents:
    """Open a file or folder.

    Args:
        path: .ndjson, .jsonl, .json, .csv, .tsv, .txt, each maybe with .gz or .zst; .arrow, .parquet, or a folder of them.
        subreddits: of Reddit's posts only those of these; all when empty.
        mapping: which field is what (`rows.FIELDS`); given, JSON lines are no dump.
        tally: counts what is met.
        tell: told how far it is.

    Raises:
        NotFound: there is no such file.
        InputError: it is too large, or is not what its name says; some of it is only found while reading.
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
    """What a file's name says that it is, packed or not."""
    if path.is_dir():
        return "folder"
    suffixes = [suffix.lower().removeprefix(".") for suffix in path.suffixes]
    while suffixes and suffixes[-1] in {"gz", "zst"}:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _document(path: Path) -> Any:
    """A .json file that is a list, or a listing of Reddit's; None for anything else.

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
    """Whether the first object is a record of Reddit's: what names no subreddit is none."""
    for _, line in islice(lines(path, tally=Tally()), _LOOKED_AT):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            return "subreddit" in record and "lines" not in record and bool({"title", "body"} & record.keys())
    return True
