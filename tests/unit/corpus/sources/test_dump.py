"""Dumps are read as a stream: every line once, bad ones counted, little memory."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from auria_bot.corpus.sources import stream
from auria_bot.corpus.sources.dump import listed, submissions
from auria_bot.corpus.sources.stream import Tally
from auria_bot.errors import InputError, NotFound

if TYPE_CHECKING:
    from pathlib import Path


def record(number: int = 1, subreddit: str = "haiku", **changes: Any) -> bytes:
    """A line of a dump."""
    values = {"id": f"a{number}", "subreddit": subreddit, "title": f"poem {number}", "created_utc": 1_500_000_000}
    return json.dumps({**values, **changes}).encode()


def written(folder: Path, content: bytes, name: str = "dump.ndjson") -> Path:
    """A dump on the disk, packed as its name says."""
    packed = {"gz": gzip.compress, "zst": zstandard.ZstdCompressor().compress}.get(name.rsplit(".", 1)[1], bytes)(
        content
    )
    (folder / name).write_bytes(packed)
    return folder / name


@pytest.mark.parametrize("name", ["dump.ndjson", "dump.gz", "dump.zst"])
def test_packed_or_not_it_is_read_alike(tmp_path: Path, name: str) -> None:
    """In order, with a last line that may lack its end."""
    path = written(tmp_path, b"\n".join(record(number) for number in range(500)), name)
    tally, told = Tally(), list[int]()
    found = [one.id for one in submissions(path, tally=tally, tell=told.append)]
    assert found == [f"a{number}" for number in range(500)]
    assert (tally.lines, tally.wanted, tally.bad) == (500, 500, 0)
    assert told[-1] == path.stat().st_size


def test_only_the_wanted_subreddits_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any case and spacing; a name within a title decides nothing."""
    lines = [
        record(1, "Haiku"),
        record(2, "poetry"),
        record(3, "haikus"),
        record(4).replace(b'": "', b'":"'),
        record(5, "nba", title='"subreddit": "haiku"'),
        record(6, "nba", nested={"subreddit": "haiku"}),
    ]
    path = written(tmp_path, b"\n".join(lines) + b"\n")
    assert [one.id for one in submissions(path, subreddits=["r/HAIKU"])] == ["a1", "a4"]


def test_bad_lines_are_counted_and_sampled_and_stop_nothing(tmp_path: Path) -> None:
    """With their numbers and the reason; control characters are not passed on."""
    lines = [
        record(1),
        b"{",
        b"",
        b"[1]",
        b'{"id": "x"}',
        b"\x00\x1b[2J",
        record(2),
        b"[" * 100_000,
        record(3, created_utc="soon"),
    ]
    tally = Tally()
    assert [one.id for one in submissions(written(tmp_path, b"\n".join(lines)), tally=tally)] == ["a1", "a2"]
    assert tally.bad == 6
    assert [number for number, _, _ in tally.samples] == [2, 4, 5, 6, 8, 9]
    assert "\x1b" not in "".join(text for _, _, text in tally.samples)
    numbered = Tally()
    list(submissions(written(tmp_path, b"\n" * 9 + b'{"subreddit": "haiku"}\n'), subreddits=["haiku"], tally=numbered))
    assert numbered.samples[0][:2] == (10, "no id")


def test_a_line_without_end_takes_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted as one bad line; what follows is read."""
    monkeypatch.setattr(stream, "LONGEST_LINE", 1 << 16)
    monkeypatch.setattr(stream, "_BLOCK", 1 << 14)
    path = written(
        tmp_path, record(1) + b"\n" + b"x" * (8 << 20) + b"\n" + record(2) + b"\n" + b"y" * (1 << 20), "dump.zst"
    )
    tally = Tally()
    tracemalloc.start()
    try:
        assert [one.id for one in submissions(path, tally=tally)] == ["a1", "a2"]
        assert tracemalloc.get_traced_memory()[1] < 3 << 20
    finally:
        tracemalloc.stop()
    assert (tally.bad, tally.lines) == (2, 4)
    assert [number for number, _, _ in tally.samples] == [2, 4]


@pytest.mark.parametrize(
    ("name", "content"), [("a.zst", b"no"), ("a.gz", b"no"), ("b.gz", gzip.compress(b"x" * 5000, mtime=0)[:-9])]
)
def test_a_file_that_is_not_what_it_says_is_told(tmp_path: Path, name: str, content: bytes) -> None:
    """With its name."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        list(submissions(tmp_path / name))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """At the first record."""
    with pytest.raises(NotFound):
        list(submissions(tmp_path / "none.zst"))


@given(
    lines=st.lists(
        st.one_of(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b" ")), st.just(record(7))), max_size=12
    ),
    block=st.integers(1, 64),
)
def test_however_the_blocks_fall_the_lines_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], block: int
) -> None:
    """Nothing is lost or doubled at a block's border, whatever stands in the file."""
    path = tmp_path_factory.mktemp("dump") / "dump.ndjson"
    path.write_bytes(b"\n".join([b"#", *lines]))  # not the first bytes of a compressed file
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "_BLOCK", block)
        assert sum(1 for _ in submissions(path, subreddits=["haiku"])) == lines.count(record(7))


def test_the_largest_window_of_the_archives_is_read(tmp_path: Path) -> None:
    """2 GiB, of which no more memory is taken than the file fills."""
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=31, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters)
    content = b"\n".join(record(number) for number in range(50))
    with (tmp_path / "RS_2020-01.zst").open("wb") as file, packer.stream_writer(file) as out:
        out.write(content)
    assert len(list(submissions(tmp_path / "RS_2020-01.zst"))) == 50


def test_a_listing_is_read_like_a_dump() -> None:
    """Its posts, with what is no post counted; of the wanted subreddits only."""
    children = [
        {"kind": "t3", "data": json.loads(record(1))},
        {"kind": "t1", "data": {}},
        7,
        {"kind": "t3", "data": {"id": "x"}},
        {"kind": "t3", "data": json.loads(record(2, "nba"))},
    ]
    tally = Tally()
    found = list(listed({"kind": "Listing", "data": {"children": children}}, subreddits=["haiku"], tally=tally))
    assert [one.id for one in found] == ["a1"]
    assert (tally.lines, tally.wanted, tally.bad) == (5, 1, 2)
    assert len(list(listed({"kind": "Listing", "data": {"children": children}}))) == 2
    for wrong in (None, [], {}, {"kind": "Listing"}, {"kind": "Listing", "data": {"children": {}}}):
        with pytest.raises(InputError, match="not a listing"):
            list(listed(wrong))
