"""Records of every epoch read alike."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from auria_bot.corpus.sources import stream
from auria_bot.corpus.sources.stream import Tally
from auria_bot.corpus.sources.submission import from_records, listed, read_record, submissions
from auria_bot.errors import InputError, NotFound

if TYPE_CHECKING:
    from pathlib import Path

RECORD = {
    "id": "7xwg0",
    "subreddit": "haiku",
    "title": "a / b / c",
    "selftext": "",
    "author": "basho",
    "created_utc": 1_300_000_000,
    "score": 5,
}


@pytest.mark.parametrize(
    "created",
    [
        *(1_300_000_000, 1_300_000_000.0, "1300000000", 1_300_000_000_250),
        *("2011-03-13 07:06:40", "2011-03-13T07:06:40Z", "2011-03-13 07:06:40 UTC", "2011-03-13T09:06:40.5+02:00"),
        *(datetime(2011, 3, 13, 7, 6, 40), datetime(2011, 3, 13, 7, 6, 40, tzinfo=UTC)),  # noqa: DTZ001 - of a table
    ],
)
def test_the_time_of_creation_in_every_form(created: Any) -> None:
    """A number, with or without a point, or a text; milliseconds too; a date, as exports and tables write it."""
    time = datetime(2011, 3, 13, 7, 6, 40, tzinfo=UTC)
    assert read_record({**RECORD, "created_utc": created}).created == time
    assert read_record({**RECORD, "created_utc": None, "created": created}).created == time


@pytest.mark.parametrize(
    "created", ["yesterday", "0001-01-01T00:00:00+14:00", datetime(1999, 1, 1, tzinfo=UTC), "2011-03", True, []]
)
def test_a_time_that_reddit_did_not_know_is_none(created: Any) -> None:
    """The record is refused."""
    with pytest.raises(InputError, match="time of creation"):
        read_record({**RECORD, "created_utc": created})


@pytest.mark.parametrize(("value", "adult"), [(True, True), (1, True), ("True", True), ("1", True), ("false", False)])
def test_a_post_for_adults_is_told_in_many_ways(value: Any, adult: bool) -> None:
    """By exports of databases as a number, of tables as text; without a word it is for all."""
    assert read_record({**RECORD, "over_18": value}).over_18 is adult
    (found,) = from_records([{**RECORD, "over_18": value}], typed=False)
    assert found.over_18 is adult
    assert not read_record({**RECORD, "over_18": None}).over_18


@pytest.mark.parametrize("where", ["title", "subreddit", "id", "elsewhere"])
def test_a_record_of_many_levels_is_a_bad_line(tmp_path: Path, where: str) -> None:
    """However many: what can just be decoded may be too deep for everything else."""
    path, tally = tmp_path / "dump.ndjson", Tally()
    levels = range(900, 1010)
    deep = [f'{{"{where}": {"[" * level}{"]" * level}}}' for level in levels]
    path.write_text("\n".join([json.dumps(RECORD), *deep]), encoding="utf-8")
    assert [post.id for post in submissions(path, tally=tally)] == ["7xwg0"]
    assert tally.bad == len(levels)
    nested: list[Any] = []
    for _ in range(5000):
        nested = [nested]
    assert list(from_records([{where: nested}, nested], subreddits=["haiku"])) == []
    assert list(from_records([{where: nested}, nested])) == []


def test_what_is_escaped_is_unescaped_once() -> None:
    """Titles and bodies of old dumps."""
    found = read_record({**RECORD, "title": "you &amp; me &lt;3", "selftext": "&amp;amp;"})
    assert (found.title, found.body) == ("you & me <3", "&amp;")


@pytest.mark.parametrize("identifier", [{"name": "t3_7xwg0"}, {"id": "t3_7xwg0"}])
def test_the_id_is_found_by_either_name(identifier: dict[str, str]) -> None:
    """With or without its kind."""
    assert read_record({**{k: v for k, v in RECORD.items() if k != "id"}, **identifier}).id == "7xwg0"


@pytest.mark.parametrize(
    "sign",
    [
        {"selftext": "[deleted]"},
        {"title": "[removed]"},
        {"title": "[deleted by user]"},
        {"removed_by_category": "moderator"},
        {"banned_by": "someone"},
        {"_meta": {"removal_type": "deleted"}},
        {"_meta": {"was_deleted_later": True}},
    ],
)
def test_a_removal_is_told_in_many_ways(sign: dict[str, Any]) -> None:
    """Each makes it removed; a record without any is not."""
    assert read_record({**RECORD, **sign}).removed
    assert not read_record({**RECORD, "removed_by_category": None, "_meta": {"retrieved_2nd_on": 1}}).removed


def test_a_deleted_authors_name_is_none() -> None:
    """The post itself may still stand."""
    found = read_record({**RECORD, "author": "[deleted]"})
    assert found.author == ""
    assert not found.removed


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": None}, "no id"),
        ({"id": "t1_abc"}, "t1_abc"),
        ({"id": 5}, "no id"),
        ({"title": None, "body": "so true"}, "comment"),
        ({"title": 5}, "without a title"),
        ({"subreddit": ""}, "no subreddit"),
        ({"subreddit": "x" * 101}, "too long"),
        ({"created_utc": None}, "no time"),
        ({"created_utc": "nan"}, "nan"),
        ({"created_utc": True}, "True"),
        ({"created_utc": 1e300}, "1e"),
        ({"created_utc": -5}, "-5"),
        ({"created_utc": 5_000_000_000}, "5000000000"),
    ],
)
def test_what_is_no_submission_is_refused_with_its_reason(changes: dict[str, Any], why: str) -> None:
    """One reason, short enough for a report."""
    with pytest.raises(InputError, match=why):
        read_record({**RECORD, **changes})


def test_a_score_that_is_none_counts_nothing() -> None:
    """Hidden scores and odd values; a number as text is one."""
    with pytest.raises(InputError, match="out of range"):
        read_record({**RECORD, "score": 10**400})
    with pytest.raises(InputError, match="out of range"):
        read_record({**RECORD, "score": 1e12})
    assert [read_record({**RECORD, "score": value}).score for value in (None, "5", float("inf"), 7.0)] == [0, 5, 0, 7]


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


@pytest.mark.parametrize("text", ["None", "null", "nan", "true", "False"])
def test_a_text_that_looks_like_nothing_or_a_truth_value_stays_text(tmp_path: Path, text: str) -> None:
    """In a dump, a JSON list and a listing alike; `true` and `nan` are also ids."""
    post = {**RECORD, "title": text, "selftext": text, "author": text, "subreddit": text, "id": text.lower()}
    child = {"kind": "t3", "data": post}
    for found in (
        submissions(written(tmp_path, json.dumps(post).encode())),
        from_records([post]),
        listed({"kind": "Listing", "data": {"children": [child]}}),
    ):
        assert [(one.id, one.title, one.body, one.author, one.subreddit) for one in found] == [
            (text.lower(), text, text, text, text)
        ]


@pytest.mark.parametrize("nothing", ["", "None", "null", "nan"])
def test_a_source_without_types_writes_nothing_as_text(nothing: str) -> None:
    """In a CSV file these are empty cells; true and false are truth values only where one is meant."""
    post = {**RECORD, "title": "True", "selftext": nothing, "author": nothing, "removed_by_category": nothing}
    (found,) = from_records([{**post, "over_18": "True"}], typed=False)
    assert (found.title, found.body, found.author, found.removed, found.over_18) == ("True", "", "", False, True)
