"""A version of the corpus: verses in an immutable file, named by day and content.

The file has one JSON object per line, the verses sorted by their digests; the same verses give the same name.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from auria_bot.corpus.language.season_words import seasons_of
from auria_bot.corpus.sources.stream import Tally, lines, zstandard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from auria_bot.corpus.item import CorpusItem

__all__ = ["FILE", "MANIFEST", "CorpusVersion", "described", "digests", "write"]

FILE = "haiku.jsonl.zst"
"""The file of verses in a version's folder, as training reads it."""

MANIFEST = "manifest.json"
"""The file that describes a version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusVersion:
    """The description of a version."""

    name: str  # such as "2026-11-21-3f9a0c1d2e"
    made_at: datetime  # aware, UTC
    verses: int
    sha256: str  # of the rows, unpacked
    settings: Mapping[str, Any]  # how its verses were chosen, and statistics of them


def described(piece: CorpusItem) -> dict[str, Any]:
    """A verse as a row of the file: what training needs, and its provenance."""
    words_of_nature = sum(map(len, seasons_of(piece.lines).values()))
    row: dict[str, Any] = {
        "digest": piece.digest,
        "lines": list(piece.lines),
        "syllables": list(piece.syllables),
        "form": piece.form,
        "season": piece.season,
        "nature": words_of_nature,
        "tier": "reddit" if piece.source == "reddit" else "poets",
        "source": piece.source,
        "origin": piece.origin,
        "licence": piece.licence,
        "subreddit": piece.subreddit,
        "id": piece.external_id,
        "created_at": piece.created_at.isoformat() if piece.created_at else None,
        "score": piece.score,
    }
    return row | ({"author": piece.author} if piece.author else {})


def write(file: IO[bytes], pieces: Iterable[CorpusItem], *, suffix: str) -> tuple[int, str]:
    """Write verses into an open file, compressed according to the suffix (.zst, .gz, or anything else for plain).

    Returns:
        The number of verses, and the SHA-256 of the uncompressed rows.

    Raises:
        BackendMissing: for .zst, if zstandard is not installed.
    """
    count, hashed = 0, hashlib.sha256()
    with _packer(file, suffix) as stream:
        for piece in pieces:
            row = json.dumps(described(piece), ensure_ascii=False, sort_keys=True).encode() + b"\n"
            hashed.update(row)
            stream.write(row)
            count += 1
    return count, hashed.hexdigest()


def _packer(file: IO[bytes], suffix: str) -> Any:
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="")
    if suffix != ".zst":
        return contextlib.nullcontext(file)
    return zstandard().ZstdCompressor(level=12).stream_writer(file, closefd=False)


def digests(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The digest and lines of each verse of a version's file.

    Raises:
        NotFound, InputError, BackendMissing: as in `stream.lines`.
    """
    for _, line in lines(path, tally=Tally()):
        row = json.loads(line)
        yield row["digest"], tuple(row["lines"])
