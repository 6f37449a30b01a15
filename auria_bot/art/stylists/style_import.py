"""Read folders of paintings and the tables that describe them, for style banks.

Reads picture folders, a `metadata.csv` beside the pictures, the operator's own mood tables, and the annotation TSV of
WikiArt Emotions.

S. Mohammad and S. Kiritchenko, "WikiArt Emotions: An Annotated Dataset of Emotions Evoked by Art", LREC 2018.
"""

from __future__ import annotations

import csv
import html
import io
import math
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from auria_bot.domain.mood import EMOTIONS, MOODS
from auria_bot.errors import InputError, NotFound
from auria_bot.files import readable_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["PaintingFile", "cleaned", "read_file", "read_folder", "read_table", "slug", "year_of"]

_ALIASES = {
    "calm": "agreeableness",
    "awe": "surprise",
    "joy": "happiness",
    "hope": "optimism",
    "anxiety": "fear",
    "melancholy": "sadness",
    "peace": "agreeableness",
    "serenity": "agreeableness",
}
_WIKIART_BLOCKS = {"art (image+title)": 1.0, "imageonly": 0.5}  # annotations of titles alone are not used
_METADATA = ("metadata.csv", "metadata.tsv")
_MOST_TABLE_BYTES = 64_000_000
_MOST_ESCAPES = 4  # times that a cell may be escaped; some tables are twice, and without a limit one could take hours
_MISSING = frozenset({"nan", "NaN", "<NA>", "NaT", "NULL", "null", "None", "#N/A"})  # how programs write an empty cell
_WHOLE_YEAR = re.compile(r"(-?\d{1,4})[.,]0+")
_FIRST_OF_YEAR = re.compile(r"(\d{4})-01-01(?:[T ]00:00(?::00)?(?:\.0+)?Z?)?")  # a year that was read as a date
csv.field_size_limit(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintingFile:
    """A picture file and what is known of the painting."""

    path: Path
    title: str
    artist: str = ""
    year: str = ""
    licence: str = ""
    emotions: tuple[tuple[str, float], ...] = ()  # shares that sum to 1; empty when unknown
    nudity: float | None = None  # 0 to 1; None when it was not scored


def slug(text: str, *, longest: int = 60) -> str:
    """Lower-case ASCII letters and digits joined by hyphens; "untitled" for none."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return words[:longest].rstrip("-") or "untitled"


def cleaned(cell: str) -> str:
    """A cell of a table as text: HTML entities unescaped, invisible characters dropped, "" for a missing value."""
    text = cell
    for _ in range(_MOST_ESCAPES):
        text = html.unescape(text)
    text = " ".join(text.split())
    visible = "".join(letter for letter in text if unicodedata.category(letter) not in {"Cc", "Cf", "Cs"})
    return "" if visible in _MISSING else unicodedata.normalize("NFC", visible)


def year_of(cell: str) -> str:
    """A year as it is printed: "1889" for "1889.0", which a column of floats holds; "" for a missing one."""
    text = cleaned(cell)
    whole = _WHOLE_YEAR.fullmatch(text) or _FIRST_OF_YEAR.fullmatch(text)
    return whole[1] if whole else text


def read_folder(folder: Path, moods: Path | None = None) -> tuple[PaintingFile, ...]:
    """List every file of a folder and its subfolders that may be a painting, with its description.

    The tables that are read and hidden files are left out. Whether a file is a picture is checked later, so that each
    failure can be reported.

    Args:
        moods: an optional table, see `read_table`.

    Raises:
        InputError: there is no such folder, it is empty, or a table cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of paintings")
    tables = [folder / name for name in _METADATA if (folder / name).is_file()]
    tables += [moods] if moods is not None else []
    rows = [_by_name(read_table(table).values()) for table in tables]
    tables_read = {table.resolve() for table in tables}
    places = [
        path.relative_to(folder)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.resolve() not in tables_read
    ]
    places = [place for place in places if not any(part.startswith(".") for part in place.parts)]
    present = frozenset(_parts(place) for place in places)
    files = []
    for place in places:
        path = folder / place
        painting = PaintingFile(path=path, title="")
        for row in filter(None, (_row_of(place, by_name, present) for by_name in rows)):
            painting = _merged(painting, row)
        files.append(replace(painting, path=path, title=painting.title or _title_of(path)))
    if not files:
        raise InputError(f"{folder} holds no files; give a folder of paintings")
    return tuple(files)


def read_file(path: Path) -> PaintingFile:
    """One picture, with its description where a `metadata.csv` beside it has one.

    Raises:
        NotFound: there is no such file.
        InputError: the table cannot be read.
    """
    if not path.is_file():
        raise NotFound(f"{path} is not a file; name the picture of a painting")
    painting, place = PaintingFile(path=path, title=_title_of(path)), Path(path.name)
    for table in (path.parent / name for name in _METADATA if (path.parent / name).is_file()):
        if row := _row_of(place, _by_name(read_table(table).values()), frozenset({_parts(place)})):
            painting = replace(_merged(painting, row), path=path)
    return painting


def _title_of(path: Path) -> str:
    """A title for a picture that has none: its file's name."""
    return cleaned(readable_name(path).removesuffix(path.suffix).replace("_", " ").replace("-", " "))


def _by_name(rows: Iterable[PaintingFile]) -> dict[str, list[PaintingFile]]:
    """The rows of a table by file name without its folders."""
    found: dict[str, list[PaintingFile]] = {}
    for row in rows:
        found.setdefault(_parts(row.path)[-1], []).append(row)
    return found


def _row_of(
    place: Path, rows: Mapping[str, Sequence[PaintingFile]], present: frozenset[tuple[str, ...]]
) -> PaintingFile | None:
    """The row of a file: the one whose path agrees furthest from the end; None if there is none, or no single one.

    Args:
        place: the file, relative to the folder of paintings.
        rows: as `_by_name` gives them; a name may lack its suffix.
        present: the parts of every file; a row with the path of one of them describes no other.
    """
    best: list[PaintingFile] = []
    parts, most = _parts(place), 0
    for row in rows.get(parts[-1]) or rows.get(_parts(Path(place.stem))[-1]) or ():
        named = _parts(row.path)
        if named != parts and len(named) > 1 and named in present:
            continue
        score = _agreement(parts[:-1], named[:-1])
        if score > most:
            best, most = [], score
        if score == most:
            best.append(row)
    return best[0] if len(best) == 1 else None


def _agreement(left: Sequence[str], right: Sequence[str]) -> int:
    """How many folders agree, counted from the file; -1 where both name folders and the nearest differ."""
    count = 0
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one != other:
            break
        count += 1
    return count if count or not left or not right else -1


def _parts(path: Path) -> tuple[str, ...]:
    """A path's parts in the form in which they are compared."""
    return tuple(unicodedata.normalize("NFC", part).casefold() for part in path.parts)


def read_table(table: Path) -> Mapping[str, PaintingFile]:
    """Read a table of paintings, by file name or ID in lower case; by path where a file name occurs twice.

    Two kinds are read, comma- or tab-separated, in UTF-8: one with a column `file` and any of `title`, `artist`,
    `year`, `licence`, `moods` (separated by semicolons: emotions of WikiArt Emotions or Auria's moods) and `nsfw`; and
    the annotation TSV of WikiArt Emotions ("Ag4" or "All"), whose `ID` is the picture's file name without its suffix,
    and where quotation marks are part of a title. UTF-16 and Windows-1252 are read too.

    Raises:
        InputError: the file cannot be read, or its header is of neither kind.
    """
    try:
        if table.stat().st_size > _MOST_TABLE_BYTES:
            raise InputError(f"{table.name} has more than {_MOST_TABLE_BYTES:,} bytes; it is not a table of paintings")
        text = _decoded(table.read_bytes())
    except OSError as error:
        raise InputError(f"{table} cannot be read: {error.strerror or error}") from None
    first = text.split("\n", 1)[0]
    separator = "\t" if first.count("\t") >= first.count(",") else ","
    rows = _cells(text, separator, table.name)
    header = [" ".join(cell.split()).casefold() for cell in rows[0]] if rows else []
    if "id" in header and any(cell.startswith(tuple(_WIKIART_BLOCKS)) for cell in header):
        return _wikiart(header, (rows if separator == "," else _cells(text, separator, table.name, quoted=False))[1:])
    if "file" in header:
        return _own(header, rows[1:], table.name)
    raise InputError(
        f"{table.name} is not a table of paintings: its header needs a column `file`, or `ID` and "
        f"`Art (image+title): happiness` ... as in WikiArt Emotions; it has {', '.join(header)[:120] or 'nothing'}"
    )


def _decoded(data: bytes) -> str:
    """The text of a table: UTF-8, UTF-16 with its mark, else Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _cells(text: str, separator: str, name: str, *, quoted: bool = True) -> list[list[str]]:
    lines = io.StringIO(text, newline="")
    try:
        if quoted:
            return list(csv.reader(lines, delimiter=separator, strict=False))
        return list(csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE, strict=False))
    except csv.Error as error:
        raise InputError(f"{name} is not a table: {error}") from None


def _merged(old: PaintingFile, new: PaintingFile) -> PaintingFile:
    names = ("title", "artist", "year", "licence", "emotions", "nudity")
    return replace(old, **{name: getattr(new, name) for name in names if getattr(new, name)})


def _wikiart(header: list[str], rows: list[list[str]]) -> dict[str, PaintingFile]:
    """Read the two blocks that concern the picture: 20 columns of 0 and 1 each."""
    columns = []  # (place, emotion, weight)
    for place, cell in enumerate(header):
        block, _, emotion = (part.strip() for part in cell.partition(":"))
        if block in _WIKIART_BLOCKS and emotion in EMOTIONS:
            columns.append((place, emotion, _WIKIART_BLOCKS[block]))
    at = {name: header.index(name) for name in ("id", "artist", "title", "year", "is painting") if name in header}
    found = {}
    for row in rows:
        cells = row + [""] * (len(header) - len(row))
        weights: dict[str, float] = {}
        for place, emotion, weight in columns:
            value = _number(cells[place])
            if value:
                weights[emotion] = weights.get(emotion, 0.0) + weight * value
        name = cells[at["id"]].strip()
        if Path(name).name:
            known_values = {key: cells[at[key]] for key in ("artist", "title", "year") if key in at}
            found[name.casefold()] = PaintingFile(
                path=Path(name),
                title=cleaned(known_values.get("title", "")) or name,
                artist=cleaned(known_values.get("artist", "")),
                year=year_of(known_values.get("year", "")),
                emotions=_shares(weights),
            )
    return found


def _own(header: list[str], rows: list[list[str]], table: str) -> dict[str, PaintingFile]:
    """Read a table with a column `file`."""
    found: dict[str, PaintingFile] = {}
    for number, row in enumerate(rows, start=2):
        cells = dict(zip(header, row, strict=False))
        path = PurePosixPath(cells.get("file", "").strip().replace("\\", "/"))
        if not path.name or path.name in _MISSING:
            continue
        weights: dict[str, float] = {}
        for mood in filter(None, (cleaned(part).casefold() for part in re.split(r"[;|]", cells.get("moods", "")))):
            weights[_emotion(mood, f"{table}, line {number}")] = 1.0
        nsfw = cleaned(cells.get("nsfw", ""))
        key = path.name.casefold()
        if key in found and _parts(found[key].path) != _parts(Path(path)):
            key = str(path).casefold()
        found[key] = PaintingFile(
            path=Path(path),
            title=cleaned(cells.get("title", "")),
            artist=cleaned(cells.get("artist", "")),
            year=year_of(cells.get("year", "")),
            licence=cleaned(cells.get("licence", "")),
            emotions=_shares(weights),
            nudity=_score(nsfw, f"{table}, line {number}") if nsfw else None,
        )
    return found


def _emotion(name: str, where: str) -> str:
    """The WikiArt emotion for its own name, one of Auria's moods, or an everyday synonym."""
    if name in EMOTIONS:
        return name
    if name in MOODS:
        return MOODS[name].parent
    if name in _ALIASES:
        return _ALIASES[name]
    raise InputError(
        f"{where}: no mood named {name[:40]!r}; known: {', '.join(sorted({*EMOTIONS, *MOODS, *_ALIASES}))}"
    )


def _shares(weights: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    total = sum(weights.values())
    return tuple((name, weight / total) for name, weight in sorted(weights.items())) if total > 0 else ()


def _score(cell: str, where: str) -> float | None:
    """A score for nudity; None for one that is not a number, which some programs write for none."""
    try:
        score = float(cell)
    except ValueError:
        raise InputError(f"{where}: nsfw {cell[:40]!r} is no score; write a number from 0 to 1, as 0.85") from None
    return None if math.isnan(score) else min(max(score, 0.0), 1.0)


def _number(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        return 0.0
    return min(max(value, 0.0), 1.0) if value == value else 0.0  # noqa: PLR0124 - not a number
