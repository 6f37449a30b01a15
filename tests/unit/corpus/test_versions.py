"""A version's file holds the same bytes for the same verses, and gives them back."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from typing import TYPE_CHECKING

import pytest

from auria_bot.corpus.item import from_row
from auria_bot.corpus.sources.rows import Row
from auria_bot.corpus.sources.stream import zstandard
from auria_bot.corpus.versions import described, digests, write
from auria_bot.errors import BackendMissing

if TYPE_CHECKING:
    from pathlib import Path

PIECES = [
    from_row(
        Row(text="an old silent pond/a frog jumps into the pond/splash! silence again", author="Basho"),
        origin="f",
        names=True,
    ),
    from_row(Row(text="first snow/on the half-finished/bridge", licence="CC0", collection="a book"), origin="f"),
]


@pytest.mark.parametrize("suffix", [".jsonl", ".gz", ".zst"])
def test_verses_are_written_and_read(tmp_path: Path, suffix: str):
    """However they are packed; the hash is of the rows alone."""
    made = []
    for name in ("a", "b"):
        file = io.BytesIO()
        made.append(write(file, iter(PIECES), suffix=suffix))
        (tmp_path / f"{name}{suffix}").write_bytes(file.getvalue())
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    rows = b"".join(
        json.dumps(described(piece), ensure_ascii=False, sort_keys=True).encode() + b"\n" for piece in PIECES
    )
    assert made == [(2, hashlib.sha256(rows).hexdigest())] * 2
    assert list(digests(tmp_path / f"a{suffix}")) == [(piece.digest, piece.lines) for piece in PIECES]
    if suffix == ".gz":
        assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == rows


def test_a_row_tells_what_training_needs_and_where_it_is_from():
    """A row has the fields that training needs and its source; an author's name only where it is stored."""
    first, second = map(described, PIECES)
    assert (first["form"], first["syllables"], first["tier"], first["nature"], first["author"]) == (
        "575",
        [5, 7, 5],
        "poets",
        1,
        "Basho",
    )
    assert (second["form"], second["licence"], second["subreddit"], second["season"]) == (
        "free",
        "CC0",
        "a book",
        "winter",
    )
    assert "author" not in second


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch):
    """With how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(BackendMissing, match=r"auria-bot\[corpus\]"):
        zstandard()
