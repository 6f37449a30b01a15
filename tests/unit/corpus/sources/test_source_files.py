"""What a file holds is told by its name and its first lines."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
import os
import threading
from typing import TYPE_CHECKING

import pytest

from auria_bot.corpus.sources import source_files
from auria_bot.corpus.sources.source_files import opened, readable
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
        ("a.json", json.dumps([RECORD]), True),
        ("a.json", json.dumps({"data": [RECORD]}), True),
        ("a.csv", "id,subreddit,title,created_utc\na1,haiku,a/b/c,1500000000", True),
        ("a.csv", "id,subreddit,title\na1,haiku,a/b/c", False),
        ("a", "a / b / c", False),
        ("a", json.dumps(RECORD), True),
        ("a.JSON", json.dumps([{"poem": "a/b/c"}]), False),
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


@pytest.mark.parametrize(
    "container", ["list", "data", "csv", "lines", "arrow", "list.json.gz", "list.ndjson", "data.json.xz", "list.part"]
)
def test_posts_are_the_same_in_any_container(tmp_path: Path, container: str):
    """Removed posts and those for adults are known as such; nothing and false are told from text in a table."""
    records = [
        {**RECORD, "over_18": False, "removed_by_category": None, "author": "one", "score": 5},
        {**RECORD, "id": "a2", "over_18": True, "removed_by_category": None, "author": "two", "score": 5},
        {**RECORD, "id": "a3", "over_18": False, "removed_by_category": "moderator", "author": "three", "score": 5},
    ]
    path = tmp_path / (f"a.{container}" if container in {"csv", "arrow"} or "." in container else "a.json")
    if container == "csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(records[0]))
            writer.writeheader()
            writer.writerows(records)
    elif container == "arrow":
        pa = pytest.importorskip("pyarrow")
        table = pa.Table.from_pylist(records)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    else:
        shown = {"list": records, "data": {"data": records}}.get(container.partition(".")[0])
        text = json.dumps(shown, indent=1) if shown else "\n".join(map(json.dumps, records))
        pack = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
        path.write_bytes(pack(text.encode()))
    found = list(opened(path, mapping={}, tally=Tally()).posts or ())
    assert [(post.id, post.over_18, post.removed, post.author, post.score) for post in found] == [
        ("a1", False, False, "one", 5),
        ("a2", True, False, "two", 5),
        ("a3", False, True, "three", 5),
    ]


def test_only_a_table_without_types_writes_nothing_as_a_word(tmp_path: Path):
    """The author None of a JSON file is somebody; that of a CSV file is nobody."""
    post = {**RECORD, "created_utc": 1_500_000_000, "author": "None"}
    (tmp_path / "a.json").write_text(json.dumps([post]))
    (tmp_path / "a.csv").write_text(",".join(post) + "\n" + ",".join(map(str, post.values())))
    authors = [
        [one.author for one in opened(tmp_path / name, mapping={}, tally=Tally()).posts or ()]
        for name in ("a.json", "a.csv")
    ]
    assert authors == [["None"], [""]]


def test_a_csv_keeps_the_paragraphs_of_a_post(tmp_path: Path):
    """An empty line within quotes parts a poem from a remark; between records it is nothing."""
    lines = [
        "id,subreddit,title,selftext,created_utc",
        "",
        'a1,haiku,untitled,"one',
        "two",
        "three",
        "",
        'a remark",1.6e9',
    ]
    (tmp_path / "a.csv").write_text("\n".join([*lines, "", ""]))
    tally = Tally()
    found = list(opened(tmp_path / "a.csv", mapping={}, tally=tally).posts or ())
    assert [post.body for post in found] == ["one\ntwo\nthree\n\na remark"]
    assert tally.bad == 0


def test_one_object_over_several_lines_is_one_record(tmp_path: Path):
    """As a program that indents writes it."""
    (tmp_path / "a.json").write_text(json.dumps(RECORD, indent=2))
    assert [post.id for post in opened(tmp_path / "a.json", mapping={}, tally=Tally()).posts or ()] == ["a1"]


def test_a_pipe_is_copied_and_read(tmp_path: Path):
    """A named pipe can be read once only; the copy is gone afterwards."""
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=("one\ntwo\nthree\n",))
    writer.start()
    with readable(tmp_path / "pipe") as copy:
        assert [row.text for row in opened(copy, mapping={}, tally=Tally()).rows or ()] == ["one\ntwo\nthree"]
    writer.join()
    assert not copy.exists()
    with readable(tmp_path) as same:
        assert same == tmp_path
