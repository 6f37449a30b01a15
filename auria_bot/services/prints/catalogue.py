"""A catalogue of many works as PDF: a title page, a page for each picture with its poem, an index and a colophon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot import __version__
from auria_bot.art.exporters.card import drawable
from auria_bot.art.exporters.pdf import QUIET, PdfDocument, require_pdf
from auria_bot.domain.draft import PUBLISHED, DraftState
from auria_bot.errors import InputError, NotFound
from auria_bot.files import check_target
from auria_bot.services.prints.printing import day, page_picture, plate_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, tzinfo
    from pathlib import Path

    from auria_bot.domain.draft import Draft
    from auria_bot.services.prints.printing import CanvasPainter, Sheet
    from auria_bot.services.studio.review import Review

__all__ = ["MOST_WORKS", "Selection", "select", "write_catalogue"]

MOST_WORKS = 500
"""Most works of one catalogue, which is held in memory while it is written."""

_LEAST_TITLE = 0.5  # of the usual type size; a longer title is broken
_MOST_TITLE_ROWS = 6
_USUAL = (str(DraftState.APPROVED), str(DraftState.SCHEDULED), PUBLISHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which drafts a catalogue shows; all conditions hold."""

    ids: Sequence[int] = ()  # in this order; empty: by state and date, the oldest first
    states: Sequence[str] = ()  # of DraftState, or PUBLISHED; empty: all that were approved
    first: date | None = None  # made on this day or later, in the operator's time zone
    last: date | None = None  # made on this day or earlier


def select(review: Review, wanted: Selection, zone: tzinfo) -> tuple[Draft, ...]:
    """The drafts of a catalogue.

    Raises:
        NotFound: there is none, or no draft of such a number.
        InputError: more than MOST_WORKS.
    """
    if wanted.ids:
        found = [review.draft(number) for number in dict.fromkeys(wanted.ids)]
        if wanted.states:
            listed = {draft.id for draft in review.drafts(wanted.states)}
            found = [draft for draft in found if draft.id in listed]
    else:
        found = sorted(review.drafts(wanted.states or _USUAL), key=lambda draft: (draft.made_at, draft.id))
    made = [(draft, draft.made_at.astimezone(zone).date()) for draft in found]
    found = [
        draft
        for draft, on in made
        if (wanted.first is None or on >= wanted.first) and (wanted.last is None or on <= wanted.last)
    ]
    if not found and wanted.ids:
        raise NotFound("none of these works has that state and that date; leave out --state, --from or --to")
    if not found:
        raise NotFound("no such work; a catalogue shows approved ones, or name others: --ids 3,5 or --state made")
    if len(found) > MOST_WORKS:
        raise InputError(f"{len(found)} works are too many for one catalogue; choose {MOST_WORKS} by --from and --to")
    return tuple(found)


def write_catalogue(
    painter: CanvasPainter,
    drafts: Sequence[Draft],
    target: Path,
    *,
    sheet: Sheet,
    dpi: int,
    title: str,
    zone: tzinfo,
    progress: Callable[[int, int, str], None],
) -> int:
    """Write the catalogue, atomically; pictures that an interrupted one has painted are used.

    Args:
        drafts: the works, in their order.
        target: the PDF file.
        dpi: pixels an inch of the pictures.
        zone: the operator's time zone, for dates.
        progress: called with (done, total, what is being done).

    Returns:
        How many pages it has.

    Raises:
        AuriaError: see `CanvasPainter.kept`.
        BackendMissing: the extra `print` is not installed.
        DiskError: the file cannot be written.
    """
    require_pdf()
    check_target(target)
    size = page_picture(sheet, dpi)
    painter.tidy()
    paths = []
    for number, draft in enumerate(drafts):
        progress(number, len(drafts), str(draft.artwork.haiku.lines[0]))
        paths.append(painter.kept(draft, size, dpi))
    progress(len(drafts), len(drafts), target.name)
    made_at = max(draft.made_at for draft in drafts)
    document = PdfDocument((sheet.width, sheet.height), title=title, made_at=made_at, bleed=sheet.bleed)
    _title_page(document, drafts, title, zone)
    for number, (draft, path) in enumerate(zip(drafts, paths, strict=True), start=1):
        document.plate(plate_of(draft, path, zone, number=number), foot=str(number + 1))
    pages = len(drafts) + 1
    pages += _index(document, drafts, first=pages + 1)
    _colophon(document, drafts, dpi)
    document.save(target)
    painter.tidy(tuple(paths))
    return pages + 1


def _title_page(document: PdfDocument, drafts: Sequence[Draft], title: str, zone: tzinfo) -> None:
    document.add_page()
    size = 0.05 * (document.width * document.height) ** 0.5
    left, measure = 0.12 * document.width, 0.76 * document.width
    title = drawable(title)
    size *= max(min(1.0, measure / max(document.width_of(title, size), 1.0)), _LEAST_TITLE)
    rows = document.wrapped(title, size, measure)
    if len(rows) > _MOST_TITLE_ROWS:
        rows = [*rows[: _MOST_TITLE_ROWS - 1], f"{rows[_MOST_TITLE_ROWS - 1]} \u2026"]
    size *= min(1.0, measure / max(*(document.width_of(row, size) for row in rows), 1.0))
    for number, row in enumerate(reversed(rows)):
        document.line(row, (left, 0.36 * document.height - number * 1.2 * size), size)
    works = "One work" if len(drafts) == 1 else f"{len(drafts)} works"
    days = [draft.made_at for draft in drafts]
    first, last = (next(draft for draft in drafts if draft.made_at == found) for found in (min(days), max(days)))
    span = day(first, zone) if day(first, zone) == day(last, zone) else f"{day(first, zone)} to {day(last, zone)}"
    small = 0.42 * size
    document.line(works, (left, 0.36 * document.height + 2.6 * small), small, italic=True)
    document.line(span, (left, 0.36 * document.height + 4.1 * small), small, italic=True, colour=QUIET)


def _index(document: PdfDocument, drafts: Sequence[Draft], *, first: int) -> int:
    """The pages with the list of works; how many there are."""
    size = max(0.0165 * (document.width * document.height) ** 0.5, 2.8)
    left, right = 0.12 * document.width, 0.88 * document.width
    top, step = 0.14 * document.height, 2.75 * size
    room = max(1, int((0.88 * document.height - top - 2 * size) / step))
    pages = -(-len(drafts) // room)
    for page in range(pages):
        document.add_page()
        document.line("works" if page == 0 else "works, continued", (left, top), 1.25 * size, capitals=True)
        for row, draft in enumerate(drafts[page * room : (page + 1) * room]):
            number, at = page * room + row + 1, top + 2.2 * size + row * step
            document.line(f"{number}", (left + 1.4 * size, at), size, colour=QUIET, align="right")
            text = left + 2.2 * size
            poem = _fitting(document, draft.artwork.haiku.lines[0], size, right - text - 3 * size)
            document.line(poem, (text, at), size)
            document.line(str(number + 1), (right, at), size, align="right")
            credit = draft.artwork.style.credit
            small = _fitting(document, credit, 0.8 * size, right - text - 3 * size, italic=True)
            document.line(small, (text, at + 1.1 * size), 0.8 * size, italic=True, colour=QUIET)
        document.line(str(first + page), (right, 0.93 * document.height), 0.8 * size, colour=QUIET, align="right")
    return pages


def _fitting(document: PdfDocument, text: str, size: float, measure: float, *, italic: bool = False) -> str:
    """The text on one line, cut at a word with an ellipsis where it is longer than the measure."""
    rows = document.wrapped(drawable(text), size, measure, italic=italic)
    return rows[0] if len(rows) == 1 else f"{rows[0]} \u2026"


def _colophon(document: PdfDocument, drafts: Sequence[Draft], dpi: int) -> None:
    document.add_page()
    size = max(0.0155 * (document.width * document.height) ** 0.5, 2.6)
    left, measure = 0.12 * document.width, min(0.6 * document.width, 30 * size)
    made = (
        "Poems and pictures are by Auria, an artist who lives on a server. Each picture was painted for its poem by a"
        " trained model, took on the colours of the painting that is named beneath it, and was painted anew for this"
        f" page, stroke by stroke, at {dpi} dots an inch."
    )
    chosen = all(draft.decided_at and draft.state is not DraftState.REJECTED for draft in drafts)
    seen = "Her operator chose every work." if chosen else ""
    font = f"Set in EB Garamond by Georg Duffner and Octavio Pardo. Made with auria_bot {__version__}."
    paragraphs = [text for text in (made, seen, font) if text]
    rows: list[str] = []
    for paragraph in paragraphs:
        rows += [*document.wrapped(paragraph, size, measure), ""]
    start = 0.9 * document.height - 1.5 * size * (len(rows) - 2)
    document.line("colophon", (left, start - 2.4 * size), 1.1 * size, capitals=True, colour=QUIET)
    for number, row in enumerate(rows):
        if row:
            document.line(row, (left, start + number * 1.5 * size), size)
