"""Read verse from files that are not dumps: plain text, CSV, JSON lines, and folders or tables of Arrow and Parquet.

Each gives rows: a text with its metadata. Which field is what is given by a mapping or inferred from usual names. All
are read as a stream.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auria_bot.corpus.sources.stream import Tally, decoded, excerpt, lines
from auria_bot.corpus.sources.submission import dated, storable
from auria_bot.errors import BackendMissing, InputError, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from auria_bot.corpus.sources.stream import Tell

__all__ = ["FIELDS", "Row", "arrow_records", "csv_records", "from_records", "from_text"]

FIELDS = {
    "text": ("lines", "poem", "haiku", "verse", "text", "content", "title", "body"),
    "id": ("id", "_id", "uuid", "name"),
    "author": ("author", "poet", "user"),
    "created": ("created_utc", "created", "created_at", "date", "year"),
    "score": ("score", "ups", "likes"),
    "licence": ("licence", "license", "rights"),
    "collection": ("subreddit", "collection", "source"),
}
"""The fields of a row, and the usual names under which each is looked for without a mapping."""

_MOST_LINES = 60  # of a block of plain text: more is prose
_LONGEST = 4000  # characters of a text that are looked at
_LOOKED_AT = 50  # objects without a text until it is clear that the file has none
_LAST = 4_102_444_800  # seconds since 1970: the year 2100; what is larger is in milliseconds
_LARGEST_CELL = 131_072  # characters of a CSV's cell: a longer one is a quote without end


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A text and its metadata."""

    text: str  # lines separated by line breaks, slashes or the like
    id: str = ""
    author: str = ""
    created: datetime | None = None  # aware, UTC
    score: int | None = None
    licence: str = ""
    collection: str = ""  # a subreddit, a book


def from_text(path: Path, *, tally: Tally, tell: Tell | None = None) -> Iterator[Row]:
    """Plain text: one poem per block, blocks separated by empty lines."""
    block: list[str] = []
    begun = 1
    for number, raw in lines(path, tally=tally, tell=tell, blank=True):
        text = decoded(raw, number, tally)
        if text is None:
            continue
        line = text.rstrip("\r")
        if line.strip():
            if not block:
                begun = number
            if len(block) <= _MOST_LINES:
                block.append(line)
        elif block:
            yield from _block(block, begun, tally)
            block = []
    if block:
        yield from _block(block, begun, tally)


def _block(block: list[str], begun: int, tally: Tally) -> Iterator[Row]:
    if len(block) > _MOST_LINES:
        tally.note_bad(begun, f"a block of more than {_MOST_LINES} lines", block[0].encode())
        return
    tally.wanted += 1
    yield Row(text="\n".join(block)[:_LONGEST])


def csv_records(path: Path, *, tally: Tally, tell: Tell | None = None) -> Iterator[dict[str, str]]:
    """The records of a CSV file with a header; separated by commas, semicolons, tabs or bars.

    Raises:
        InputError: the header cannot be read.
    """
    csv.field_size_limit(_LARGEST_CELL)  # the limit is global, and another library may have raised it
    texts = (
        text.rstrip("\r") + "\n"
        for number, raw in lines(path, tally=tally, tell=tell, blank=True)  # a cell may hold empty lines
        if (text := decoded(raw, number, tally)) is not None
    )
    # Excel writes "sep=;" before the header.
    head = next((text for text in texts if text.strip() and not text.lower().startswith("sep=")), "")
    delimiter = max(",;\t|", key=head.count)
    try:
        names = next(csv.reader([head], delimiter=delimiter), [])
    except csv.Error as error:
        raise InputError(f"{path}: the header cannot be read: {error}") from None
    reader = csv.reader(texts, delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            tally.note_bad(tally.lines, str(error), b"")
            continue
        if not any(map(str.strip, cells)):
            continue
        if len(cells) == len(names):
            yield dict(zip(names, cells, strict=True))
        else:
            tally.note_bad(tally.lines, f"{len(cells)} cells instead of {len(names)}", delimiter.join(cells).encode())


def from_records(
    records: Iterable[tuple[int, Any]], mapping: Mapping[str, str], *, path: Path, tally: Tally
) -> Iterator[Row]:
    """The rows of numbered objects, which their reader has counted; one without a text, as a heading, is a bad line.

    Raises:
        InputError: the mapping fits none of the first objects, or nothing in them looks like a text.
    """
    fields: dict[str, str] = {}
    unfit: list[InputError] = []
    for number, record in records:
        if not isinstance(record, dict):
            tally.note_bad(number, "not an object", excerpt(record))
            continue
        if not fields or fields["text"] not in record:
            try:
                fields = _fields(list(record), mapping, path)
            except InputError as error:
                unfit.append(error)
                if not fields and len(unfit) == _LOOKED_AT:
                    break
                tally.note_bad(number, "no field looks like a poem", excerpt(record))
                continue
        yield from _row(record, fields, number, tally)
    if unfit and not fields:
        raise unfit[0]


def arrow_records(path: Path, *, tally: Tally, tell: Tell | None = None) -> Iterator[dict[str, Any]]:
    """The records of a folder saved by `datasets`, with or without splits, or of a single .arrow or .parquet file.

    Raises:
        NotFound: the folder contains no table.
        InputError: a file does not have the format of its name.
        BackendMissing: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise BackendMissing("reading Arrow and Parquet needs a package: pip install 'auria-bot[arrow]'") from None
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.suffix in {".arrow", ".parquet"})
    if not files:
        raise NotFound(
            f"{path} contains no .arrow or .parquet file; name a folder saved by `datasets` with save_to_disk"
        )
    for file in files:
        try:
            for batch in _batches(file, pa, parquet):
                yield from _records(batch, pa, tally)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{file} is damaged or not a table: {error}") from None
        tally.bytes_read += file.stat().st_size
        if tell is not None:
            tell(tally.bytes_read)


def _batches(file: Path, pa: Any, parquet: Any) -> Iterator[Any]:
    """The rows of one table, a batch at a time."""
    if file.suffix == ".parquet":
        yield from parquet.ParquetFile(file).iter_batches(batch_size=2048)
        return
    with pa.memory_map(str(file)) as mapped:
        try:
            batches: Any = pa.ipc.open_stream(mapped)  # what `datasets` writes
        except pa.ArrowInvalid:
            whole = pa.ipc.open_file(mapped)
            batches = (whole.get_batch(number) for number in range(whole.num_record_batches))
        for batch in batches:
            for at in range(0, batch.num_rows, 2048):
                yield batch.slice(at, 2048)


def _records(batch: Any, pa: Any, tally: Tally) -> Iterator[dict[str, Any]]:
    """The rows of a batch as Python's values; a row with a value that Python cannot hold is a bad line."""
    for at, column in enumerate(batch.schema):
        if column.type == pa.timestamp("ns", getattr(column.type, "tz", None)):  # Python has no nanoseconds
            coarse = batch.column(at).cast(pa.timestamp("us", column.type.tz), safe=False)
            batch = batch.set_column(at, column.name, coarse)
    try:
        found = batch.to_pylist()
    except (ValueError, OverflowError):
        if batch.num_rows > 1:
            for number in range(batch.num_rows):
                yield from _records(batch.slice(number, 1), pa, tally)
            return
        found = [None]
    for record in found:
        tally.lines += 1
        if record is None:
            tally.note_bad(tally.lines, "a value is out of range, or no text", b"")
        else:
            yield record


def _fields(names: list[str], mapping: Mapping[str, str], path: Path) -> dict[str, str]:
    """The name of each of FIELDS in this file.

    Raises:
        InputError: the mapping does not fit, or nothing looks like a text.
    """
    for what, name in mapping.items():
        if what not in FIELDS:
            raise UsageError(f"--map {what[:40]}=...: unknown field {what[:40]!r}; known: {', '.join(FIELDS)}")
        if name not in names:
            raise InputError(f"{path} has no field {name[:40]!r}; it has: {', '.join(names)[:300]}")
    found = dict(mapping)
    plain = {name.strip().lower(): name for name in reversed(names)}
    for what, usual in FIELDS.items():
        if what not in found and (name := next((plain[one] for one in usual if one in plain), "")):
            found[what] = name
    if "text" not in found:
        raise InputError(
            f"{path}: no field looks like a poem; say which with --map text=FIELD; it has: {', '.join(names)[:300]}"
        )
    return found


def _row(record: Mapping[str, Any], fields: Mapping[str, str], number: int, tally: Tally) -> Iterator[Row]:
    values = {what: record.get(name) for what, name in fields.items()}
    text = values["text"]
    if isinstance(text, list) and all(isinstance(line, str) for line in text):
        text = "\n".join(text)
    if not isinstance(text, str) or not text.strip():
        tally.note_bad(number, f"no text in {fields['text']}", excerpt(record))
        return
    try:
        created = _time(values.get("created"))
    except (OverflowError, ValueError):
        tally.note_bad(number, f"{fields['created']} is out of range", text[:400].encode("utf-8", "replace"))
        return
    tally.wanted += 1
    yield Row(
        text=text[:_LONGEST],
        id=_plain(values.get("id")),
        author=_plain(values.get("author")),
        created=created,
        score=_number(values.get("score")),
        licence=_plain(values.get("licence")),
        collection=_plain(values.get("collection"))[:100],
    )


def _plain(value: Any) -> str:
    return storable(str(value).strip()[:200]) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _number(value: Any) -> int | None:
    try:
        return max(-(2**31), min(int(float(value)), 2**31 - 1))
    except (TypeError, ValueError, OverflowError):
        return None


def _time(value: Any) -> datetime | None:
    """A time in any usual form: (milli)seconds since 1970, a year, an ISO date with or without hyphens, or None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        try:
            return dated(value)
        except ValueError:
            return None
    return _moment(number) if math.isfinite(number) else None


def _moment(number: float) -> datetime | None:
    """The time that a number means: a year, a day, seconds or milliseconds since 1970; None if it is none."""
    if number == int(number) and 1 <= number <= 2200:
        return datetime(int(number), 1, 1, tzinfo=UTC)
    if (day := _day(number)) is not None:
        return day
    seconds = number / 1000 if _LAST < number <= 1000 * _LAST else number
    return datetime.fromtimestamp(int(seconds), UTC) if 86_400 <= seconds <= _LAST else None


def _day(number: float) -> datetime | None:
    """The day that eight digits such as 20240115 write, from 1900 to 2200; None if they write none."""
    if number != int(number) or not 19_000_101 <= number <= 22_001_231:
        return None
    year, rest = divmod(int(number), 10_000)
    try:
        return datetime(year, *divmod(rest, 100), tzinfo=UTC)
    except ValueError:
        return None
