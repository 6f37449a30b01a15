"""PDF documents of pictures and poems, set in EB Garamond with its kerning, ligatures and old-style figures.

All lengths are millimetres of the trimmed page, from its upper left corner; with a bleed the sheet is larger around it,
and TrimBox and BleedBox say so. Fonts are embedded, only the glyphs that occur. The same content gives the same bytes.

ISO 32000-1:2008, 14.11.2 (page boundaries).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from auria_bot.art.exporters.card import drawable, font_file, poem_rows
from auria_bot.errors import BackendMissing
from auria_bot.files import output_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

__all__ = ["INK", "QUIET", "Arrangement", "PdfDocument", "Plate", "arrange", "require_pdf"]

_POINT = 72 / 25.4  # points of a millimetre
INK, QUIET = (28, 25, 23), (98, 91, 84)
"""Colours of poems and of small text, RGB; contrast to white 17 and 6.5."""

_LEADING = 1.5  # line distance of a poem, in type sizes
_LEAST_POEM = 0.63  # of the type size, to which a long line makes a poem shrink; a longer one is broken, as on a card
_MOST_ROWS = 5  # of small text beneath a poem
_FEATURES = {"kern": True, "liga": True, "onum": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A picture with its poem and the small lines beneath."""

    picture: Path  # a JPEG of the proportions of 4:5
    alt_text: str
    poem: Sequence[str]
    small: Sequence[str]  # whom to credit, when it was made ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """Where picture and texts stand on a page, in millimetres."""

    picture: tuple[float, float, float, float]  # left, top, width, height
    text: tuple[float, float]  # left edge and measure
    poem: float  # baseline of the first line
    type_size: float  # of the poem
    foot: float  # baseline of the last small line
    small: float  # type size of the small lines


def arrange(width: float, height: float, lines: int = 3, small: int = 2) -> Arrangement:
    """Arrange a page: poem beneath the picture, or beside it on a wide page; the picture is 4:5.

    Args:
        width: of the page, in millimetres.
        height: likewise.
        small: lines beneath the poem.
    """
    size = 0.024 * (width * height) ** 0.5
    tiny = max(0.42 * size, 2.6)  # 7 points are the least that can be read
    if width >= 1.2 * height:
        margin = 0.085 * height
        high = height - 2 * margin
        left = margin + 0.8 * high + 0.06 * width
        first = 0.47 * height - size * _LEADING * (lines - 1) / 2
        return Arrangement(
            picture=(margin, margin, 0.8 * high, high),
            text=(left, width - margin - left),
            poem=first,
            type_size=size,
            foot=height - margin - 0.22 * tiny,
            small=tiny,
        )
    side, top, bottom = 0.09 * width, 0.09 * min(width, height), 0.1 * min(width, height)
    text = size * (1.9 + _LEADING * (lines - 1) + 1.9) + tiny * 1.4 * (small - 1)
    high = min((width - 2 * side) * 1.25, height - top - bottom - text)
    left = (width - 0.8 * high) / 2
    spare = height - top - bottom - text - high  # where the width limits the picture
    return Arrangement(
        picture=(left, top + 0.4 * spare, 0.8 * high, high),
        text=(left, 0.8 * high),
        poem=top + 0.4 * spare + high + 1.9 * size,
        type_size=size,
        foot=height - bottom,
        small=tiny,
    )


class PdfDocument:
    """A document whose pages all have one size.

    Args:
        size: (width, height) of the trimmed page in millimetres.
        bleed: millimetres around it.
        made_at: its date, instead of today's.

    Raises:
        BackendMissing: the extra `print` is not installed.
    """

    def __init__(self, size: tuple[float, float], *, title: str, made_at: datetime, bleed: float = 0.0) -> None:
        require_pdf()
        from fpdf import FPDF

        self.width, self.height = size
        self._bleed = bleed
        self._pdf: Any = FPDF(unit="mm", format=(self.width + 2 * bleed, self.height + 2 * bleed))
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margin(0)
        self._pdf.c_margin = 0
        self._pdf.set_title(title)
        self._pdf.set_author("Auria")
        self._pdf.set_lang("en")
        self._pdf.set_creator("auria_bot")
        self._pdf.set_creation_date(made_at)
        # Variable fonts have the weight 400 unless another is asked for.
        self._pdf.add_font("garamond", "", font_file())
        self._pdf.add_font("garamond", "I", font_file(italic=True))

    def add_page(self) -> None:
        """Begin a page."""
        self._pdf.add_page()
        low, wide, high = (
            round(side * _POINT, 3) for side in (self._bleed, self.width + self._bleed, self.height + self._bleed)
        )
        sheet = [round((side + 2 * self._bleed) * _POINT, 3) for side in (self.width, self.height)]
        # fpdf2 knows the media box only, and writes this attribute as it stands.
        whole = f"[0 0 {sheet[0]} {sheet[1]}]"
        page = self._pdf.pages[self._pdf.page]
        page.media_box = f"{whole}\n/BleedBox {whole}\n/TrimBox [{low} {low} {wide} {high}]"

    def picture(self, path: Path, box: tuple[float, float, float, float], *, alt_text: str = "") -> None:
        """Place a JPEG, whose bytes go into the document unchanged; `box` is left, top, width and height."""
        left, top, wide, high = box
        self._pdf.image(path, left + self._bleed, top + self._bleed, wide, high, alt_text=alt_text or None)

    def width_of(self, text: str, size: float, *, italic: bool = False) -> float:
        """Millimetres that a text takes at a type size in millimetres."""
        self._choose(size, italic=italic)
        return float(self._pdf.get_string_width(text))

    def line(
        self,
        text: str,
        place: tuple[float, float],
        size: float,
        *,
        italic: bool = False,
        capitals: bool = False,
        colour: tuple[int, int, int] = INK,
        align: str = "left",
    ) -> None:
        """Set one line.

        Args:
            place: where the baseline begins, or its middle or end by `align`.
            size: type size in millimetres.
            capitals: whether in spaced small capitals.
            colour: RGB.
            align: "left", "centre" or "right".
        """
        self._choose(size, italic=italic, capitals=capitals)
        wide = self._pdf.get_string_width(text)
        left = place[0] - {"left": 0.0, "centre": wide / 2, "right": wide}[align]
        self._pdf.set_text_color(*colour)
        self._pdf.set_xy(left + self._bleed, place[1] + self._bleed - 0.8 * size)  # fpdf2's baseline in a cell
        self._pdf.cell(wide, size, text)
        if capitals:
            self._pdf.set_char_spacing(0)

    def plate(self, plate: Plate, *, foot: str = "") -> None:
        """Set a page with a picture, its poem and small lines; `foot` is a page number."""
        at, size, lines, rows = self._laid_out(plate, foot)
        self.add_page()
        self.picture(plate.picture, at.picture, alt_text=plate.alt_text)
        left, measure = at.text
        for number, (line, continued) in enumerate(lines):
            start = left + (1.5 * size if continued else 0.0)
            self.line(line, (start, at.poem + number * at.type_size * _LEADING), size)
        for number, row in enumerate(reversed(rows)):
            self.line(row, (left, at.foot - number * at.small * 1.4), at.small, italic=True, colour=QUIET)
        if foot:
            self.line(foot, (left + measure, at.foot), at.small, colour=QUIET, align="right")

    def _laid_out(self, plate: Plate, foot: str) -> tuple[Arrangement, float, list[tuple[str, bool]], list[str]]:
        """The arrangement of a page, the type size and the rows of its poem, and its small lines."""
        poem = [drawable(line) for line in plate.poem]
        count = len(poem)
        while True:
            at, small = self._arranged(plate, count, foot)
            size, rows = self._poem(poem, at)
            if len(rows) <= count:
                return at, size, rows, small
            count = len(rows)

    def _poem(self, poem: Sequence[str], at: Arrangement) -> tuple[float, list[tuple[str, bool]]]:
        """The type size and the rows of a poem; the rest of a line too long for the measure is marked as indented."""
        measure = at.text[1]
        widest = max(self.width_of(line, at.type_size) for line in poem)
        size = at.type_size * max(min(1.0, measure / max(widest, 1.0)), _LEAST_POEM)
        rows = poem_rows(poem, lambda line, width: self.wrapped(line, size, width), size, measure)
        widest = max(self.width_of(row, size) + (1.5 * size if continued else 0.0) for row, continued in rows)
        return size * min(1.0, measure / max(widest, 1.0)), rows

    def _arranged(self, plate: Plate, lines: int, foot: str) -> tuple[Arrangement, list[str]]:
        """The arrangement of a page, and its small lines broken to the measure; the picture makes room for them."""
        count = len(plate.small)
        while True:
            at = arrange(self.width, self.height, lines, count)
            measure = at.text[1] - (self.width_of(foot, at.small) + 2 * at.small if foot else 0)
            measure -= self.width_of(" \u2026", at.small)  # of a last row that is cut
            rows = [row for text in plate.small for row in self.wrapped(drawable(text), at.small, measure, italic=True)]
            if len(rows) > _MOST_ROWS:
                rows = [*rows[: _MOST_ROWS - 1], f"{rows[_MOST_ROWS - 1]} \u2026"]
            if len(rows) <= count:
                return at, rows
            count = len(rows)

    def wrapped(self, text: str, size: float, measure: float, *, italic: bool = False) -> list[str]:
        """A text in lines that fit a measure."""
        rows = [""]
        for word in text.split():
            longer = f"{rows[-1]} {word}".strip()
            if rows[-1] and self.width_of(longer, size, italic=italic) > measure:
                rows.append(word)
            else:
                rows[-1] = longer
        return rows

    def save(self, path: Path) -> None:
        """Write the document; a reader sees the old file or the new one.

        Raises:
            DiskError: the file cannot be written.
        """
        with output_path(path) as scratch:
            self._pdf.output(str(scratch))
        for font in self._pdf.fonts.values():
            font.ttfont.close()

    def _choose(self, size: float, *, italic: bool = False, capitals: bool = False) -> None:
        self._pdf.set_font("garamond", "I" if italic else "", size * _POINT)
        self._pdf.set_text_shaping(True, features={**_FEATURES, **({"smcp": True} if capitals else {})})
        self._pdf.set_char_spacing(0.06 * size * _POINT if capitals else 0)


def require_pdf() -> None:
    """Make sure that PDF can be written, before the pictures are painted.

    Raises:
        BackendMissing: the extra `print` is not installed.
    """
    if find_spec("fpdf") is None or find_spec("uharfbuzz") is None:
        raise BackendMissing("PDF pages need fpdf2 and uharfbuzz: pip install 'auria-bot[print]'")
