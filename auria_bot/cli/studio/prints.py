"""Prints of drafts: `print` and `catalogue`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.app import DraftId, Json, app_context, check_states
from auria_bot.cli.terminal.console import counted, note, print_result
from auria_bot.cli.terminal.progress import counting
from auria_bot.domain.draft import PUBLISHED, DraftState
from auria_bot.errors import UsageError

if TYPE_CHECKING:
    from auria_bot.domain.draft import Draft

__all__ = ["catalogue", "print_draft"]

_MOST_NAMED = 30  # characters

Dpi = Annotated[int, typer.Option("--dpi", min=50, max=1200, help="Pixels an inch.")]
Bleed = Annotated[str, typer.Option("--bleed", help="A border to be cut off, as 3mm.")]
Landscape = Annotated[bool, typer.Option("--landscape", help="Make the longer side the width.")]


def print_draft(
    draft_id: DraftId,
    size: Annotated[str, typer.Option("--size", help="A0 to A6, letter, tabloid, 600x800mm, 50x70cm or 24x36in.")],
    dpi: Dpi = 300,
    bleed: Bleed = "0",
    form: Annotated[
        str | None, typer.Option("--format", help="png, tiff or pdf. Default: by the file's name, else png.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write. Default: in this folder.")
    ] = None,
    landscape: Landscape = False,
    poem: Annotated[bool, typer.Option("--poem/--no-poem", help="Set the poem on the page of a PDF.")] = True,
    as_json: Json = False,
) -> None:
    """Print a draft at any size, its strokes painted anew.

    Nothing is enlarged: A2 at 300 dpi has 4961 x 7016 pixels. PNG and TIFF are filled by the picture; a PDF page shows
    the poem too, and needs auria-bot[print].
    """
    from auria_bot.services.prints import printing

    sheet = printing.sheet(size, landscape=landscape, bleed=bleed)
    chosen = _form(form, target)
    path = target or Path(f"auria-{draft_id}-{sheet.name.replace(' ', '')}.{chosen}")
    with app_context() as app:
        draft = app.review.draft(draft_id)
        with counting("making") as progress:
            pixels = printing.print_draft(
                app.canvas_painter,
                draft,
                path,
                sheet=sheet,
                dpi=dpi,
                form=chosen,
                poem=poem,
                zone=app.zone,
                progress=progress,
            )
    if poem and chosen == "pdf":
        _note_unset(draft)
    value = {"file": str(path.absolute()), "pixels": list(pixels), "mm": [sheet.width, sheet.height], "dpi": dpi}
    line = f"{path.absolute()}: {sheet.width:g} x {sheet.height:g} mm, {pixels[0]} x {pixels[1]} pixels at {dpi} dpi"
    print_result(value, line, as_json=as_json)


def _note_unset(*drafts: Draft, title: str = "") -> None:
    """Say which characters of what was set the font lacks."""
    from auria_bot.art.exporters.card import unset_characters

    texts = [text for draft in drafts for text in (*draft.artwork.haiku.lines, draft.artwork.style.credit)]
    if unset := unset_characters(title, *texts):
        note(f"EB Garamond lacks {counted(len(unset), 'character')}, left out: {' '.join(unset[:_MOST_NAMED])}")


def _form(form: str | None, target: Path | None) -> str:
    """The format: as named, else by the file's ending, else PNG.

    Raises:
        UsageError: the file's ending is of no format.
    """
    from auria_bot.services.prints.printing import FORMATS

    if form is not None or target is None or not target.suffix:
        return (form or "png").lower().replace("tif", "tiff").replace("tifff", "tiff")
    ending = {"tif": "tiff"}.get(target.suffix.lower()[1:], target.suffix.lower()[1:])
    if ending not in FORMATS:
        raise UsageError(
            f"a print cannot be written as {target.name[:60]!r}; its name must end in {', '.join(FORMATS)}"
        )
    return ending


def catalogue(
    target: Annotated[Path, typer.Option("--out", "-o", help="The PDF file to write.")],
    ids: Annotated[str | None, typer.Option("--ids", help="Drafts by number, as 3,5,8-12, in this order.")] = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="made, approved, scheduled or published; may be repeated. Default: all approved."),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Made on this day (2026-11-01) or later.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Made on this day or earlier.")] = None,
    size: Annotated[str, typer.Option("--size", help="Of a page: A4, letter, 240x300mm ...")] = "A4",
    dpi: Dpi = 300,
    bleed: Bleed = "0",
    landscape: Landscape = False,
    title: Annotated[str, typer.Option("--title", help="The catalogue's title.")] = "Auria",
    as_json: Json = False,
) -> None:
    """Write a catalogue of many works as PDF.

    A page for each, with picture, poem, date and the painting it takes after; then an index and a colophon. Needs
    auria-bot[print]. One that was interrupted goes on with its next picture.
    """
    from auria_bot.services.prints import catalogue as catalogues
    from auria_bot.services.prints import printing

    check_states(state, {*map(str, DraftState), PUBLISHED})
    sheet = printing.sheet(size, landscape=landscape, bleed=bleed)
    wanted = catalogues.Selection(
        ids=_numbers(ids), states=tuple(state or ()), first=_day(first, "--from"), last=_day(last, "--to")
    )
    with app_context() as app:
        drafts = catalogues.select(app.review, wanted, app.zone)
        with counting("making") as progress:
            pages = catalogues.write_catalogue(
                app.canvas_painter,
                drafts,
                target,
                sheet=sheet,
                dpi=dpi,
                title=title,
                zone=app.zone,
                progress=progress,
            )
    _note_unset(*drafts, title=title)
    value = {"file": str(target.absolute()), "works": [draft.id for draft in drafts], "pages": pages}
    line = f"{target.absolute()}: {counted(len(drafts), 'work')} on {counted(pages, 'page')}"
    print_result(value, line, as_json=as_json)


def _day(text: str | None, option: str) -> date | None:
    """A day as 2026-11-01.

    Raises:
        UsageError: it is none.
    """
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise UsageError(f"{option} {text[:40] if text else ''!r} is no date; write it as 2026-11-01") from None


def _numbers(text: str | None) -> tuple[int, ...]:
    """Numbers and ranges of numbers, separated by commas.

    Raises:
        UsageError: something else, or a range of more than 1,000.
    """
    found: list[int] = []
    for part in (text or "").replace(" ", "").split(",") if text is not None else ():
        first, _, last = part.partition("-")
        if (
            len(part) > 40
            or not (first.isdecimal() and (last or "0").isdecimal())
            or (last and not 0 <= int(last) - int(first) < 1000)
        ):
            raise UsageError(f"--ids {part[:40]!r} is no draft's number; write them as 3,5,8-12")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)
