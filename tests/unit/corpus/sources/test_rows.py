"""Rows come out of every kind of file alike; what cannot be used is counted and stops nothing."""

from __future__ import annotations

import contextlib
import gzip
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auria_bot.corpus.sources import rows
from auria_bot.corpus.sources.rows import Row
from auria_bot.corpus.sources.source_files import opened
from auria_bot.corpus.sources.stream import Tally
from auria_bot.errors import InputError, NotFound

if TYPE_CHECKING:
    from pathlib import Path

NEITHER = "neither UTF-8 nor Windows-1252: save the file as UTF-8"
POEMS = [
    {
        "poem": "an old silent pond\na frog jumps into the pond\nsplash! silence again",
        "author": "Basho",
        "year": "1686",
        "id": 7,
    },
    {"poem": "first snow\non the half-finished\nbridge", "author": None, "year": None, "id": 8},
]
READ = [
    Row(text=POEMS[0]["poem"], author="Basho", created=datetime(1686, 1, 1, tzinfo=UTC), id="7"),
    Row(text=POEMS[1]["poem"], id="8"),
]


def read(path: Path, **mapping: str) -> tuple[list[Row], Tally]:
    """The rows of a file, and what was met."""
    tally = Tally()
    found = opened(path, mapping=mapping, tally=tally)
    assert found.posts is None
    return list(found.rows or ()), tally


def test_json_lines(tmp_path: Path):
    """Plain and packed, usual names found by themselves."""
    text = "".join(json.dumps(poem) + "\n" for poem in POEMS)
    (tmp_path / "a.jsonl").write_text(text)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("a.jsonl", "a.jsonl.gz"):
        found, tally = read(tmp_path / name)
        assert found == READ
        assert (tally.lines, tally.wanted, tally.bad) == (2, 2, 0)


def test_csv(tmp_path: Path):
    """Commas, semicolons or tabs; line breaks within quotes; a byte order mark."""
    for delimiter in ",;\t":
        lines = [delimiter.join(POEMS[0])]
        lines += [
            delimiter.join(f'"{value if value is not None else ""}"' for value in poem.values()) for poem in POEMS
        ]
        (tmp_path / "a.csv").write_text("\ufeff" + "\r\n".join(lines) + "\n", encoding="utf-8")
        assert read(tmp_path / "a.csv")[0] == READ


def test_plain_text(tmp_path: Path):
    """A poem a block; a block that is no verse is a bad line."""
    (tmp_path / "a.txt").write_text(
        "\ufeffone\ntwo\nthree\n\n\n  \na / b / c\n\n" + "prose\n" * 100 + "\nlast", encoding="utf-8"
    )
    found, tally = read(tmp_path / "a.txt")
    assert [row.text for row in found] == ["one\ntwo\nthree", "a / b / c", "last"]
    assert [(number, why) for number, why, _ in tally.samples] == [(9, "a block of more than 60 lines")]


def test_a_text_that_is_not_utf_8_is_read_as_windows_1252(tmp_path: Path):
    """The text is read and the lines counted; bytes that neither encoding has make a bad line."""
    (tmp_path / "b.txt").write_bytes(b"caf\xe9 in\nthe rain\n\n\x81 nothing\n")
    found, tally = read(tmp_path / "b.txt")
    assert [row.text for row in found] == ["caf\N{LATIN SMALL LETTER E WITH ACUTE} in\nthe rain"]
    assert (tally.recoded, [why for _, why, _ in tally.samples]) == (1, [NEITHER])
    (tmp_path / "c.csv").write_bytes(b"poem\nd\xe9j\xe0 vu\n")
    assert [row.text for row in read(tmp_path / "c.csv")[0]] == [
        "d\N{LATIN SMALL LETTER E WITH ACUTE}j\N{LATIN SMALL LETTER A WITH GRAVE} vu"
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("the moon\u2019s caf\u00e9".encode()[:-1], NEITHER),  # damaged UTF-8
        ("don\u2019t".encode("mac_roman"), NEITHER),
        ("\u043e\u0441\u0435\u043d\u044c moon".encode("cp1251"), NEITHER),
        ("\u201cmoon".encode("utf-16-le"), "NUL bytes, as of UTF-16 without its mark: save the file as UTF-8"),
    ],
    ids=["damaged", "Mac", "Cyrillic", "UTF-16"],
)
def test_nothing_is_read_in_another_encoding_than_its_own(tmp_path: Path, content: bytes, why: str):
    """A line that is not what it would be taken for is a bad one, of whatever kind the file is; the others are read."""
    files = {
        "a.txt": b"one\n\n" + content + b"\n\ntwo",
        "a.csv": b"poem\none\n" + content + b"\ntwo",
        "a.jsonl": b'{"poem": "one"}\n{"poem": "' + content + b'"}\n{"poem": "two"}',
    }
    for name, whole in files.items():
        (tmp_path / name).write_bytes(whole)
        found, tally = read(tmp_path / name)
        assert [row.text for row in found] == ["one", "two"]
        assert (tally.recoded, [told for _, told, _ in tally.samples]) == (0, [why])


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "dump.ndjson"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str, name: str):
    """Windows-1252 and UTF-16, with its mark and without."""
    poem = "the caf\u00e9\u2019s lamp"
    plain = {
        "a.jsonl": f'{{"poem": "{poem}"}}\n',
        "a.json": f'[\n{{"poem": "{poem}"}}\n]',
        "a.csv": f"poem\n{poem}\n",
        "dump.ndjson": f'{{"id": "a1", "subreddit": "haiku", "title": "{poem}", "created_utc": 1500000000}}\n',
    }[name]
    (tmp_path / name).write_bytes(plain.encode(encoding))
    tally = Tally()
    contents = opened(tmp_path / name, mapping={}, tally=tally)
    texts = [post.title for post in contents.posts or ()] + [row.text for row in contents.rows or ()]
    assert (texts, tally.bad) == ([poem], 0)


def test_what_a_database_refuses_is_taken_out_of_a_field(tmp_path: Path):
    """NUL and halves of surrogate pairs."""
    (tmp_path / "a.jsonl").write_text(r'{"poem": "a", "licence": "CC\ud800", "author": "x\u0000y"}')
    (row,) = read(tmp_path / "a.jsonl")[0]
    assert (row.licence, row.author) == ("CC", "xy")


def test_a_time_that_no_calendar_has_is_a_bad_line(tmp_path: Path):
    """A row with an impossible time is skipped, the others are read."""
    (tmp_path / "a.jsonl").write_text('{"poem": "a", "created": "0001-01-01T00:00:00+05:00"}\n{"poem": "b"}')
    found, tally = read(tmp_path / "a.jsonl")
    assert ([row.text for row in found], tally.bad) == (["b"], 1)


def test_a_list_of_lines_is_a_text(tmp_path: Path):
    """As verse is kept by this program's own exports."""
    (tmp_path / "a.jsonl").write_text(json.dumps({"lines": ["a", "b", "c"], "subreddit": "haiku", "licence": "CC0"}))
    assert read(tmp_path / "a.jsonl")[0] == [Row(text="a\nb\nc", collection="haiku", licence="CC0")]


def test_a_folder_that_datasets_saved(tmp_path: Path):
    """With splits, in the Arrow stream that `datasets` writes; Parquet and Arrow files too; a damaged one is told."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pa.Table.from_pylist(POEMS)
    for split in ("train", "test"):
        (tmp_path / "saved" / split).mkdir(parents=True)
        (tmp_path / "saved" / split / "state.json").write_text("{}")
        with (
            pa.OSFile(str(tmp_path / "saved" / split / "data-00000-of-00001.arrow"), "wb") as file,
            pa.ipc.new_stream(file, table.schema) as out,
        ):
            out.write_table(table)
    assert read(tmp_path / "saved", text="poem")[0] == READ * 2
    parquet.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet")[0] == READ
    with pa.OSFile(str(tmp_path / "b.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as out:
        out.write_table(table)
    assert read(tmp_path / "b.arrow")[0] == READ
    (tmp_path / "c.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match=r"c\.parquet"):
        read(tmp_path / "c.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match="save_to_disk"):
        read(tmp_path / "empty")


def test_bad_rows_are_counted(tmp_path: Path):
    """No JSON, no object, no text; too few cells; a quote without end."""
    (tmp_path / "a.jsonl").write_text('{"text": "a/b/c"}\n{\n[1]\n{"text": 7}\n{"text": "  "}\n{}\n{"text": "d/e/f"}\n')
    found, tally = read(tmp_path / "a.jsonl")
    assert [row.text for row in found] == ["a/b/c", "d/e/f"]
    assert (tally.bad, [number for number, _, _ in tally.samples]) == (5, [2, 3, 4, 5, 6])
    (tmp_path / "a.csv").write_text("text,id\na/b/c,1\nd/e/f\ng/h/i,3\n" + '"' + "x\n" * 90_000)
    found, tally = read(tmp_path / "a.csv")
    assert [row.text for row in found][:2] == ["a/b/c", "g/h/i"]
    assert "1 cells instead of 2" in {why for _, why, _ in tally.samples}
    assert any("field larger" in why for _, why, _ in tally.samples)


def test_a_mapping_must_fit(tmp_path: Path):
    """What is asked for must be there; without one, something must look like a text."""
    (tmp_path / "a.jsonl").write_text('{"words": "a/b/c", "n": 1}\n')
    with pytest.raises(InputError, match="--map text=FIELD"):
        read(tmp_path / "a.jsonl")
    with pytest.raises(InputError, match="no field 'verse'"):
        read(tmp_path / "a.jsonl", text="verse")
    with pytest.raises(InputError, match="known: text, id"):
        read(tmp_path / "a.jsonl", words="n")
    assert read(tmp_path / "a.jsonl", text="words", id="n")[0] == [Row(text="a/b/c", id="1")]


def test_a_heading_and_records_of_other_fields(tmp_path: Path):
    """What holds no text is a bad line; each record may call its text otherwise."""
    poem = POEMS[1]["poem"]
    (tmp_path / "a.jsonl").write_text(
        "\n".join(map(json.dumps, [{"made": 1}, {"poem": poem}, {"Text ": poem}, {"n": 1}]))
    )
    found, tally = read(tmp_path / "a.jsonl")
    assert (found, tally.bad) == ([Row(text=poem), Row(text=poem)], 2)


def test_a_table_saved_by_a_spreadsheet(tmp_path: Path):
    """It names its separator in a line of its own, and its columns with capitals."""
    (tmp_path / "a.csv").write_text("sep=;\nPoem;Author\na / b / c;Issa\n")
    assert read(tmp_path / "a.csv")[0] == [Row(text="a / b / c", author="Issa")]


def test_a_value_that_python_cannot_hold_is_one_bad_line(tmp_path: Path):
    """A time in nanoseconds loses these; one after the last year, or bytes that are no text, cost their row."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    text = pa.StringArray.from_buffers(
        3, pa.py_buffer(b"".join(at.to_bytes(4, "little") for at in (0, 5, 7, 12))), pa.py_buffer(b"a/b/c\xff\xfed/e/f")
    )
    far = pa.array([0, 0, 10**14], pa.timestamp("s"))
    parquet.write_table(pa.table({"text": text, "date": far}), tmp_path / "a.parquet")
    found, tally = read(tmp_path / "a.parquet")
    assert ([row.text for row in found], tally.bad, tally.lines) == (["a/b/c"], 2, 3)
    fine = pa.array([1_600_000_000_123_456_789], pa.timestamp("ns", "UTC"))
    parquet.write_table(pa.table({"text": ["a/b/c"], "created": fine}), tmp_path / "b.parquet")
    assert read(tmp_path / "b.parquet")[0][0].created == datetime(2020, 9, 13, 12, 26, 40, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1_500_000_000, datetime(2017, 7, 14, 2, 40, tzinfo=UTC)),
        ("1500000000", datetime(2017, 7, 14, 2, 40, tzinfo=UTC)),
        ("2017-07-14", datetime(2017, 7, 14, tzinfo=UTC)),
        ("20240115", datetime(2024, 1, 15, tzinfo=UTC)),
        (20240115, datetime(2024, 1, 15, tzinfo=UTC)),
        (20241399, datetime(1970, 8, 23, 6, 36, 39, tzinfo=UTC)),
        (1_500_000_000_999, datetime(2017, 7, 14, 2, 40, tzinfo=UTC)),
        ("1500000000000", datetime(2017, 7, 14, 2, 40, tzinfo=UTC)),
        ("2017-07-14T02:40:00+02:00", datetime(2017, 7, 14, 0, 40, tzinfo=UTC)),
        ("2017-07-14 02:40:00 UTC", datetime(2017, 7, 14, 2, 40, tzinfo=UTC)),
        (1686, datetime(1686, 1, 1, tzinfo=UTC)),
        ("soon", None),
        (float("nan"), None),
        (-5, None),
        ([], None),
        (1e30, None),
        (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_of_any_shape(value: Any, moment: datetime | None):
    """Seconds, milliseconds, years, dates with or without hyphens; anything else is no time."""
    assert rows._time(value) == moment


@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.jsonl", "a.txt", "a.json", "a.gz", "a.jsonl.gz"]))
def test_no_bytes_stop_a_reading(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str):
    """There is an answer, or an InputError."""
    path = tmp_path_factory.mktemp("rows") / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") and content[:1] > b"\x80" else content)
    with contextlib.suppress(InputError):
        found = opened(path, mapping={}, tally=Tally())
        for each in (found.posts, found.rows):
            list(each or ())
