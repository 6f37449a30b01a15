"""Print one draft: its picture to the edge as PNG, TIFF or PDF, or a PDF page with the poem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.domain.artwork import ArtworkInProgress
from auria_bot.errors import InputError
from auria_bot.files import atomic_path, disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo
    from pathlib import Path

    from PIL import Image

    from auria_bot.art.exporters.pdf import PdfDocument, Plate
    from auria_bot.domain.draft import Draft
    from auria_bot.services.prints.painting import CanvasPainter
    from auria_bot.services.prints.sheet_size import Sheet

__all__ = ["FORMATS", "day", "page_picture", "plate_of", "print_draft"]

FORMATS = ("png", "tiff", "pdf")


def print_draft(
    painter: CanvasPainter,
    draft: Draft,
    target: Path,
    *,
    sheet: Sheet,
    dpi: int,
    form: str,
    poem: bool,
    zone: tzinfo,
    progress: Callable[[int, int, str], None],
) -> tuple[int, int]:
    """Write a print, atomically.

    Args:
        painter: paints the picture anew.
        draft: what to print.
        target: the file to write.
        sheet: the size of the sheet.
        dpi: pixels an inch.
        form: one of FORMATS.
        poem: whether a PDF page shows picture and poem; else the picture fills the sheet.
        zone: the operator's time zone, for the date.
        progress: called with (done, total, what is being done).

    Returns:
        Width and height of the picture in pixels.

    Raises:
        InputError: no such format, or too many pixels.
        AuriaError: see `CanvasPainter.paint`.
        BackendMissing: PDF needs the extra `print`.
        DiskError: the file cannot be written.
    """
    if form not in FORMATS:
        raise InputError(f"a print cannot be written as {form[:40]!r}; known: {', '.join(FORMATS)}")
    size = sheet.pixels(dpi)
    if form == "pdf":
        return _print_pdf(painter, draft, target, sheet=sheet, dpi=dpi, poem=poem, zone=zone, progress=progress)
    progress(0, 2, f"{size[0]} x {size[1]} pixels")
    picture = painter.paint(draft, size)
    progress(1, 2, target.name)
    _save(picture, draft, target, dpi=dpi, form=form)
    progress(2, 2, target.name)
    return size


def _print_pdf(
    painter: CanvasPainter,
    draft: Draft,
    target: Path,
    *,
    sheet: Sheet,
    dpi: int,
    poem: bool,
    zone: tzinfo,
    progress: Callable[[int, int, str], None],
) -> tuple[int, int]:
    from auria_bot.art.exporters.pdf import PdfDocument, require_pdf

    require_pdf()
    size = page_picture(sheet, dpi) if poem else sheet.pixels(dpi)
    progress(0, 2, f"{size[0]} x {size[1]} pixels")
    path = painter.kept(draft, size, dpi)
    progress(1, 2, target.name)
    document = PdfDocument(
        (sheet.width, sheet.height), title=draft.artwork.haiku.lines[0], made_at=draft.made_at, bleed=sheet.bleed
    )
    if poem:
        document.plate(plate_of(draft, path, zone))
    else:
        _fill(document, path, sheet, draft.alt_text)
    document.save(target)
    painter.tidy((path,))
    progress(2, 2, target.name)
    return size


def _fill(document: PdfDocument, path: Path, sheet: Sheet, alt_text: str) -> None:
    """A page that the picture fills, bleed included."""
    edge = sheet.bleed
    document.add_page()
    document.picture(path, (-edge, -edge, sheet.width + 2 * edge, sheet.height + 2 * edge), alt_text=alt_text)


def page_picture(sheet: Sheet, dpi: int) -> tuple[int, int]:
    """Pixels of the picture on a page with its poem.

    Raises:
        InputError: more than can be painted.
    """
    from auria_bot.art.exporters.pdf import arrange

    sheet.pixels(dpi)
    _, _, wide, high = arrange(sheet.width, sheet.height).picture
    return round(wide / 25.4 * dpi), round(high / 25.4 * dpi)


def plate_of(draft: Draft, picture: Path, zone: tzinfo, *, number: int | None = None) -> Plate:
    """The page of a draft: poem, credit and date."""
    from auria_bot.art.exporters.pdf import Plate

    credit = draft.artwork.style.credit
    signed = f"Auria, {day(draft, zone)}" if number is None else f"{number}. Auria, {day(draft, zone)}"
    return Plate(
        picture=picture,
        alt_text=draft.alt_text,
        poem=draft.artwork.haiku.lines,
        small=(signed, credit[:1].upper() + credit[1:]),
    )


def day(draft: Draft, zone: tzinfo) -> str:
    """The date of a draft: "3 November 2026"."""
    made = draft.made_at.astimezone(zone)
    return f"{made.day} {made:%B %Y}"


def _save(picture: Image.Image, draft: Draft, target: Path, *, dpi: int, form: str) -> None:
    from auria_bot.art.exporters.exporter import icc_profile, png_chunks, tiff_tags

    artwork = ArtworkInProgress.from_json(
        {"key": "", **draft.artwork.to_json(), "alt_text": draft.alt_text, "theme": None}
    )
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(target, mode=None) as scratch:
            common = {"dpi": (dpi, dpi), "icc_profile": icc_profile()}
            if form == "png":
                picture.save(scratch, "PNG", pnginfo=png_chunks(artwork, profile=True), compress_level=4, **common)
            else:
                picture.save(scratch, "TIFF", compression="tiff_adobe_deflate", tiffinfo=tiff_tags(artwork), **common)
