"""Read folders of paintings and the tables that describe them, for style banks.

Reads picture folders, a `metadata.csv` beside the pictures, the operator's own mood tables, and the annotation TSV of
WikiArt Emotions.

S. Mohammad and S. Kiritchenko, "WikiArt Emotions: An Annotated Dataset of Emotions Evoked by Art", LREC 2018.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auria_bot.domain.mood import EMOTIONS, MOODS
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["PaintingFile", "read_folder", "read_table", "slug"]

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
_TABLES = {".csv", ".tsv", ".txt"}
_METADATA = ("metadata.csv", "metadata.tsv")
_MOST_TABLE_BYTES = 64_000_000
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


def read_folder(folder: Path, moods: Path | None = None) -> tuple[PaintingFile, ...]:
    """List every file of a folder and its subfolders that may be a painting, with its description.

    Tables and hidden files are left out. Whether a file is a picture is checked later, so that each failure can be
    reported.

    Args:
        folder: where the pictures are.
        moods: an optional table, see `read_table`.

    Raises:
        InputError: there is no such folder, it is empty, or a table cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of paintings")
    tables = [folder / name for name in _METADATA if (folder / name).is_file()]
    known: dict[str, PaintingFile] = {}
    for table in [*tables, *([moods] if moods is not None else [])]:
        for name, painting in read_table(table).items():
            known[name] = _merged(known.get(name), painting)
    tables_read = {table.resolve() for table in tables} | ({moods.resolve()} if moods is not None else set())
    files = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or not path.is_file() or path.resolve() in tables_read:
            continue
        known_values = known.get(path.name.casefold()) or known.get(path.stem.casefold())
        name = " ".join(path.stem.replace("_", " ").replace("-", " ").split())
        files.append(
            replace(known_values, path=path) if known_values is not None else PaintingFile(path=path, title=name)
        )
    if not files:
        raise InputError(f"{folder} holds no files; give a folder of paintings")
    return tuple(files)


def read_table(table: Path) -> Mapping[str, PaintingFile]:
    """Read a table of paintings, by file name or ID in lower case.

    Two kinds are read, comma- or tab-separated, in UTF-8: one with a column `file` and any of `title`, `artist`,
    `year`, `licence`, `moods` (separated by semicolons: emotions of WikiArt Emotions or Auria's moods) and `nsfw`; and
    the annotation TSV of WikiArt Emotions ("Ag4" or "All"), whose `ID` is the picture's file name without its suffix.

    Raises:
        InputError: the file cannot be read, or its header is of neither kind.
    """
    try:
        if table.stat().st_size > _MOST_TABLE_BYTES:
            raise InputError(f"{table.name} has more than {_MOST_TABLE_BYTES:,} bytes; it is not a table of paintings")
        text = table.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"{table} cannot be read: {error.strerror or error}") from None
    first = text.split("\n", 1)[0]
    separator = "\t" if first.count("\t") >= first.count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=False))
    except csv.Error as error:
        raise InputError(f"{table.name} is not a table: {error}") from None
    header = [" ".join(cell.split()).casefold() for cell in rows[0]] if rows else []
    if "id" in header and any(cell.startswith(tuple(_WIKIART_BLOCKS)) for cell in header):
        return _wikiart(header, rows[1:])
    if "file" in header:
        return _own(header, rows[1:], table.name)
    raise InputError(
        f"{table.name} is not a table of paintings: its header needs a column `file`, or `ID` and "
        f"`Art (image+title): happiness` ... as in WikiArt Emotions; it has {', '.join(header)[:120] or 'nothing'}"
    )


def _merged(old: PaintingFile | None, new: PaintingFile) -> PaintingFile:
    if old is None:
        return new
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
        if name:
            known_values = {key: " ".join(cells[at[key]].split()) for key in ("artist", "title", "year") if key in at}
            found[name.casefold()] = PaintingFile(
                path=_nowhere(name),
                title=known_values.get("title") or name,
                artist=known_values.get("artist", ""),
                year=known_values.get("year", ""),
                emotions=_shares(weights),
            )
    return found


def _own(header: list[str], rows: list[list[str]], table: str) -> dict[str, PaintingFile]:
    """Read a table with a column `file`."""
    found = {}
    for number, row in enumerate(rows, start=2):
        cells = dict(zip(header, row, strict=False))
        name = cells.get("file", "").strip()
        if not name:
            continue
        weights: dict[str, float] = {}
        for mood in filter(None, (part.strip().casefold() for part in re.split(r"[;|]", cells.get("moods", "")))):
            weights[_emotion(mood, f"{table}, line {number}")] = 1.0
        nudity = _number(cells.get("nsfw", "")) if cells.get("nsfw", "").strip() else None
        base = name.replace("\\", "/").rsplit("/", 1)[-1]
        found[base.casefold()] = PaintingFile(
            path=_nowhere(base),
            title=" ".join(cells.get("title", "").split()) or base.rsplit(".", 1)[0],
            artist=" ".join(cells.get("artist", "").split()),
            year=cells.get("year", "").strip(),
            licence=cells.get("licence", "").strip(),
            emotions=_shares(weights),
            nudity=nudity,
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


def _number(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        return 0.0
    return min(max(value, 0.0), 1.0) if value == value else 0.0  # noqa: PLR0124 - not a number


def _nowhere(name: str) -> Path:
    from pathlib import Path

    return Path(name)
