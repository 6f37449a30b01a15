"""What a file holds is told by its name and its first lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from auria_bot.corpus.sources import source_files
from auria_bot.corpus.sources.source_files import opened
from auria_bot.corpus.sources.stream import Tally
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

RECORD = {"id": "a1", "subreddit": "haiku", "title": "a/b/c", "created_utc": 1_500_000_000}


@pytest.mark.parametrize(
    ("name", "content", "posts"),
    [
        ("RS_2011-01", json.dumps(RECORD), True),
        ("a.jsonl", json.dumps(RECORD), True),
        ("a.json", json.dumps(RECORD), True),
        ("a.ndjson", "\n\nno\n[]\n" + json.dumps(RECORD), True),
        ("a.jsonl", json.dumps({"subreddit": "haiku", "lines": ["a"], "title": "x"}), False),
        ("a.jsonl", json.dumps({"text": "a/b/c"}), False),
        ("a.json", json.dumps([RECORD]), False),
        ("a.json", json.dumps({"kind": "Listing", "data": {"children": [{"kind": "t3", "data": RECORD}]}}), True),
        ("A.TXT", "a/b/c", False),
        ("a.CSV", "text\na/b/c", False),
        ("empty.jsonl", "", True),
    ],
)
def test_posts_or_rows(tmp_path: Path, name: str, content: str, posts: bool):
    """Dumps and listings are posts, everything else is rows."""
    (tmp_path / name).write_text(content)
    found = opened(tmp_path / name, mapping={}, tally=Tally())
    assert (found.posts is not None) is posts
    assert len(list(found.posts or found.rows or ())) == (0 if name == "empty.jsonl" else 1)


def test_a_mapping_makes_rows_of_a_dump(tmp_path: Path):
    """Its records are then read as they are."""
    (tmp_path / "a.jsonl").write_text(json.dumps(RECORD))
    (row,) = opened(tmp_path / "a.jsonl", mapping={"text": "title"}, tally=Tally()).rows or ()
    assert (row.text, row.id, row.collection) == ("a/b/c", "a1", "haiku")


def test_a_json_file_that_is_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It would have to be read as a whole."""
    monkeypatch.setattr(source_files, "_LARGEST", 10)
    (tmp_path / "a.json").write_text(json.dumps([RECORD]))
    with pytest.raises(InputError, match=r"\.jsonl"):
        opened(tmp_path / "a.json", mapping={}, tally=Tally())


def test_a_listing_that_is_none_is_told(tmp_path: Path):
    """Its children are missing."""
    (tmp_path / "a.json").write_text('{"kind": "Listing", "data": 7}')
    with pytest.raises(InputError, match="not a listing"):
        list(opened(tmp_path / "a.json", mapping={}, tally=Tally()).posts or ())
