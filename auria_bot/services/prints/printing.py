"""Print one draft: its picture to the edge as PNG, TIFF or PDF, or a PDF page with the poem; sizes of printed sheets.

Drafts are painted anew at any size: the same strokes as on the picture that was posted, larger on a larger canvas. What
a longer piece of work has painted is kept in a folder as JPEG, named by everything that it depends on, so that an
interrupted catalogue continues with its next picture.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot import registry
from auria_bot.art.exporters.exporter import icc_profile, png_chunks, tiff_tags
from auria_bot.art.exporters.pdf import PdfDocument, Plate, arrange, require_pdf
from auria_bot.art.pictures import open_picture
from auria_bot.art.stylists.media import STROKE_MODES
from auria_bot.domain.artwork import ArtworkInProgress
from auria_bot.errors import InputError, UnknownName, UsageError
from auria_bot.files import atomic_path, check_target, disk_errors, output_path, scratch_folder
from auria_bot.services.studio.plan import derive
from auria_bot.settings.options import configure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    from PIL import Image

    from auria_bot.domain.artwork import Style
    from auria_bot.domain.draft import Draft
    from auria_bot.services.studio.plan import BackendSpec
    from auria_bot.store.files import Pictures

__all__ = [
    "FORMATS",
    "MOST_PIXELS",
    "CanvasPainter",
    "Sheet",
    "day",
    "length",
    "page_picture",
    "plate_of",
    "print_draft",
    "sheet",
]

_NAMED = {
    "A0": (841.0, 1189.0),
    "A1": (594.0, 841.0),
    "A2": (420.0, 594.0),
    "A3": (297.0, 420.0),
    "A4": (210.0, 297.0),
    "A5": (148.0, 210.0),
    "A6": (105.0, 148.0),
    "LETTER": (215.9, 279.4),
    "TABLOID": (279.4, 431.8),
}
_UNITS = {"mm": 1.0, "cm": 10.0, "in": 25.4, "": 1.0}  # millimetres
_LENGTH = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s*(mm|cm|in|)")
_SIZE = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s*[x\u00d7]\s*(\d{1,5}(?:\.\d{1,3})?)\s*(mm|cm|in|)")
_LEAST, _MOST = 50.0, 2000.0  # millimetres of a side
_MOST_BLEED = 20.0  # millimetres
MOST_PIXELS = 150_000_000
"""Most pixels of a print: A0 at 300 dpi with bleed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A printed sheet, trimmed, with the bleed around it."""

    name: str  # for file names
    width: float  # millimetres
    height: float
    bleed: float = 0.0

    def pixels(self, dpi: int) -> tuple[int, int]:
        """Width and height in pixels, bleed included.

        Raises:
            InputError: more than MOST_PIXELS.
        """
        wide, high = (round((side + 2 * self.bleed) / 25.4 * dpi) for side in (self.width, self.height))
        if wide * high > MOST_PIXELS:
            raise UsageError(
                f"{self.name} at {dpi} dpi has {wide * high / 1e6:.0f} million pixels; at most"
                f" {MOST_PIXELS // 1_000_000} million are painted; give a lower --dpi"
            )
        return wide, high


def sheet(text: str, *, landscape: bool = False, bleed: str = "0") -> Sheet:
    """A sheet by name or by its sides.

    Args:
        text: "A2", "letter", "600x800mm", "50x70cm", "24x36in".
        landscape: the longer side is the width.
        bleed: see `length`.

    Raises:
        UnknownName: it is neither a name nor two sides.
        InputError: a side is out of range.
    """
    name = " ".join(text.split())
    if named := _NAMED.get(name.upper()):
        width, height = named
    elif found := _SIZE.fullmatch(name.lower()):
        width, height = (float(side) * _UNITS[found[3]] for side in found.groups()[:2])
    else:
        raise UnknownName(
            f"no size named {name[:40]!r}; known: {', '.join(_NAMED)}, or the sides, as 600x800mm, 50x70cm, 24x36in"
        )
    for side in (width, height):
        if not _LEAST <= side <= _MOST:
            raise UsageError(f"a side of {side:g} mm cannot be printed; {_LEAST:g} to {_MOST:g} mm are possible")
    if landscape:
        width, height = max(width, height), min(width, height)
    edge = length(bleed)
    if edge > _MOST_BLEED:
        raise UsageError(f"a bleed of {edge:g} mm is too wide; at most {_MOST_BLEED:g} mm are possible")
    return Sheet(name=name, width=width, height=height, bleed=edge)


def length(text: str) -> float:
    """Millimetres of a length such as "3mm", "0.125in" or "3".

    Raises:
        InputError: it is no length.
    """
    found = _LENGTH.fullmatch(text.strip().lower())
    if found is None:
        raise UsageError(f"{text[:40]!r} is no length; write it as 3mm, 0.3cm or 0.125in")
    return float(found[1]) * _UNITS[found[2]]


_STROKES = "oil"  # the mode of drafts that were restyled without strokes
_KEPT_SECONDS = 7 * 86_400.0  # after which a kept picture is deleted
_QUALITY = 95


class CanvasPainter:
    """Paints the pictures of drafts with the enlarger and the stylist that the settings choose.

    Args:
        pictures: where the drafts' paintings are.
        backends: the specification of "enlarger" and of "stylist".
        shared_options: for every backend whose Config has such a field.
        size: pixels of the short side to which paintings are enlarged before they are restyled.
        folder: where pictures are kept until the work is done.
    """

    def __init__(
        self,
        *,
        pictures: Pictures,
        backends: Mapping[str, BackendSpec],
        shared_options: Mapping[str, Any],
        size: int,
        folder: Path,
    ) -> None:
        self._pictures, self._specs, self._shared = pictures, backends, shared_options
        self._size, self._folder = size, folder
        self._made: dict[str, Any] = {}

    def paint(self, draft: Draft, size: tuple[int, int]) -> Image.Image:
        """The draft's picture on a canvas of a size in pixels, RGB; cropped to its proportions.

        Raises:
            NotFound: its painting is not there any more.
            InputError: the stylist of the settings cannot paint at other sizes.
            PictureError: the painting cannot be read.
            UnknownName: its style is not in the style bank any more.
        """
        stylist = self._backend("stylist")
        if not hasattr(stylist, "painted"):
            raise InputError(
                f"the stylist {self._specs['stylist'].name} cannot paint at other sizes;"
                ' set [stylist] backend = "magenta"'
            )
        artwork = draft.artwork
        source = self._pictures.path(draft.folder, artwork.files["painting"].name)
        with scratch_folder() as scratch:
            enlarged = scratch / "enlarged.png"
            self._backend("enlarger").enlarge(source, enlarged, size=self._size)
            picture = open_picture(enlarged)
        painted: Image.Image = stylist.painted(
            picture, _with_strokes(artwork.style), size=size, seed=derive(artwork.seed, "strokes")
        )
        return painted

    def kept(self, draft: Draft, size: tuple[int, int], dpi: int) -> Path:
        """A JPEG of the draft's picture, with an sRGB profile; painted only where it is not kept from before.

        Raises:
            AuriaError: see `paint`.
            DiskError: it cannot be written.
        """
        path = self._folder / f"{self._key(draft, size, dpi)}.jpg"
        if not path.is_file():
            picture = self.paint(draft, size)
            with disk_errors(path):
                self._folder.mkdir(parents=True, exist_ok=True)
                with atomic_path(path) as scratch:
                    picture.save(
                        scratch, "JPEG", quality=_QUALITY, subsampling=0, dpi=(dpi, dpi), icc_profile=icc_profile()
                    )
        return path

    def tidy(self, done: tuple[Path, ...] = ()) -> None:
        """Delete pictures that are needed no more, and those that were kept for a week."""
        for path in self._folder.glob("*.jpg") if self._folder.is_dir() else ():
            with contextlib.suppress(FileNotFoundError):  # another command tidies too
                if path in done or time.time() - path.stat().st_mtime > _KEPT_SECONDS:
                    path.unlink()

    def _key(self, draft: Draft, size: tuple[int, int], dpi: int) -> str:
        models = {role: dict(self._backend(role).models()) for role in self._specs}
        options = {role: [spec.name, spec.options] for role, spec in self._specs.items()}
        artwork = draft.artwork
        content = [draft.folder, artwork.seed, asdict(_with_strokes(artwork.style)), size, dpi, self._size]
        text = json.dumps([*content, models, options], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def _backend(self, role: str) -> Any:
        if role not in self._made:
            spec = self._specs[role]
            kind = registry.find_chosen(role, spec.name, section=role)
            config = configure(role, kind, spec.options, self._shared)
            self._made[role] = kind(config, models=Path(spec.models))
        return self._made[role]


def _with_strokes(style: Style) -> Style:
    """The style in a mode that paints stroke by stroke."""
    return style if style.mode in STROKE_MODES else replace(style, mode=_STROKES)


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
        raise UsageError(f"a print cannot be written as {form[:40]!r}; known: {', '.join(FORMATS)}")
    check_target(target)
    size = sheet.pixels(dpi)
    if form == "pdf":
        require_pdf()
        size = page_picture(sheet, dpi) if poem else size
    progress(0, 2, f"{size[0]} x {size[1]} pixels")
    if form == "pdf":
        path = painter.kept(draft, size, dpi)
        progress(1, 2, target.name)
        _save_pdf(path, draft, target, sheet, zone if poem else None)
        painter.tidy((path,))
    else:
        picture = painter.paint(draft, size)
        progress(1, 2, target.name)
        _save(picture, draft, target, dpi=dpi, form=form)
    progress(2, 2, target.name)
    return size


def _save_pdf(picture: Path, draft: Draft, target: Path, sheet: Sheet, zone: tzinfo | None) -> None:
    """A page with the poem; without a zone, one that the picture fills, bleed included."""
    title, edge = draft.artwork.haiku.lines[0], sheet.bleed
    document = PdfDocument((sheet.width, sheet.height), title=title, made_at=draft.made_at, bleed=edge)
    if zone is not None:
        document.plate(plate_of(draft, picture, zone))
    else:
        document.add_page()
        whole = (-edge, -edge, sheet.width + 2 * edge, sheet.height + 2 * edge)
        document.picture(picture, whole, alt_text=draft.alt_text)
    document.save(target)


def page_picture(sheet: Sheet, dpi: int) -> tuple[int, int]:
    """Pixels of the picture on a page with its poem.

    Raises:
        InputError: more than can be painted.
    """
    sheet.pixels(dpi)
    _, _, wide, high = arrange(sheet.width, sheet.height).picture
    return round(wide / 25.4 * dpi), round(high / 25.4 * dpi)


def plate_of(draft: Draft, picture: Path, zone: tzinfo, *, number: int | None = None) -> Plate:
    """The page of a draft: poem, credit and date."""
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
    artwork = ArtworkInProgress.from_json(
        {"key": "", **draft.artwork.to_json(), "alt_text": draft.alt_text, "theme": None}
    )
    with output_path(target) as scratch:
        common = {"dpi": (dpi, dpi), "icc_profile": icc_profile()}
        if form == "png":
            picture.save(scratch, "PNG", pnginfo=png_chunks(artwork, profile=True), compress_level=4, **common)
        else:
            picture.save(scratch, "TIFF", compression="tiff_adobe_deflate", tiffinfo=tiff_tags(artwork), **common)
