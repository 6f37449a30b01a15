"""Make a contact sheet: finished pictures side by side, each with its poem beneath."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from auria_bot.art.exporters.card import load_font
from auria_bot.errors import InputError, PictureError
from auria_bot.files import atomic_path, disk_errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Frame", "write"]

_PAPER, _INK, _FAINT = "#f7f4ee", "#2b2825", "#8a8378"
_PICTURE = (432, 540)  # pixels, 4:5 like the posts
_GAP = 44  # pixels between and around the frames
_LINE = 29  # pixels from one line of the poem to the next
_CAPTION = 150  # pixels below a picture
_COLUMNS = 4  # at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture of the sheet."""

    picture: Path
    poem: tuple[str, ...]
    caption: str  # a small line under the poem


def write(frames: Sequence[Frame], target: Path, *, quality: int = 88) -> None:
    """Write the sheet as JPEG, atomically; a missing folder is created.

    Args:
        frames: at least one.
        quality: of the JPEG, 1 to 95.

    Raises:
        InputError: there is no frame.
        PictureError: a picture cannot be read.
        DiskError: the sheet cannot be written.
        BackendMissing: the font's package is not installed.
    """
    if not frames:
        raise InputError("a contact sheet needs at least one picture")
    columns = _columns(len(frames))
    rows = math.ceil(len(frames) / columns)
    cell = (_PICTURE[0] + _GAP, _PICTURE[1] + _CAPTION + _GAP)
    sheet = Image.new("RGB", (columns * cell[0] + _GAP, rows * cell[1] + _GAP), _PAPER)
    for number, frame in enumerate(frames):
        _place_frame(sheet, frame, _GAP + number % columns * cell[0], _GAP + number // columns * cell[1])
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(target, mode=None) as scratch:
            sheet.save(scratch, "JPEG", quality=quality, optimize=True)


def _columns(count: int) -> int:
    """Columns for a nearly square sheet: at most four, and three for five or six pictures."""
    return min(_COLUMNS, count) if count <= _COLUMNS else 3 if count <= 6 else _COLUMNS


def _place_frame(sheet: Image.Image, frame: Frame, left: int, top: int) -> None:
    """Paste one picture, cut to 4:5, and write its poem."""
    try:
        with Image.open(frame.picture) as opened:
            picture = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureError(f"{frame.picture} cannot be read: {error}") from None
    sheet.paste(_cut(picture), (left, top))
    draw = ImageDraw.Draw(sheet)
    poem, small = load_font(23, "italic"), load_font(16, "italic")
    middle, y = left + _PICTURE[0] // 2, top + _PICTURE[1] + 30
    for line in frame.poem:
        draw.text((middle, y), _shortened(draw, line, poem), font=poem, fill=_INK, anchor="mm")
        y += _LINE
    draw.text((middle, y + 8), _shortened(draw, frame.caption, small), font=small, fill=_FAINT, anchor="mm")


def _cut(picture: Image.Image) -> Image.Image:
    """The largest 4:5 part from the middle, in the size of the sheet's pictures."""
    width, height = picture.size
    wide = min(width, height * _PICTURE[0] / _PICTURE[1])
    high = wide * _PICTURE[1] / _PICTURE[0]
    box = ((width - wide) / 2, (height - high) / 2, (width + wide) / 2, (height + high) / 2)
    return picture.resize(_PICTURE, Image.Resampling.LANCZOS, box=box)


def _shortened(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont) -> str:
    """The text, cut with an ellipsis where it is wider than the picture."""
    room = _PICTURE[0]
    if draw.textlength(text, font=font) <= room:
        return text
    while text and draw.textlength(f"{text}…", font=font) > room:
        text = text[:-1]
    return f"{text.rstrip()}…"
