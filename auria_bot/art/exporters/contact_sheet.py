"""A contact sheet of frames: thumbnails in rows, each with a line of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from auria_bot.art.exporters.card import drawable, load_font
from auria_bot.art.pictures import open_picture
from auria_bot.errors import InputError
from auria_bot.files import output_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["MOST_FRAMES", "write_contact_sheet"]

MOST_FRAMES = 400
"""Most frames of one sheet."""

_PAPER, _INK, _FAINT = "#f7f4ee", "#2b2825", "#8a8378"
_WIDTH = 2000  # pixels of the sheet
_GAP = 14  # pixels between frames
_TEXT = 26  # pixels beneath a frame
_HEAD = 90  # pixels above the frames


def write_contact_sheet(title: str, frames: Sequence[tuple[Path, str]], target: Path) -> None:
    """Write the sheet as JPEG, atomically; a missing folder is created.

    Args:
        title: stands above the frames.
        frames: the pictures, all of the same size, each with the text beneath it.

    Raises:
        InputError: there is no frame, or more than MOST_FRAMES.
        PictureError: a frame cannot be read.
        DiskError: the sheet cannot be written.
        BackendMissing: the font's package is not installed.
    """
    if not 0 < len(frames) <= MOST_FRAMES:
        raise InputError(f"a contact sheet shows 1 to {MOST_FRAMES} frames, not {len(frames)}")
    first = open_picture(frames[0][0])
    columns = max(2, min(len(frames), round(math.sqrt(len(frames) * 1.4 * first.height / first.width))))
    wide = (_WIDTH - _GAP) // columns - _GAP
    high = round(wide * first.height / first.width)
    rows = math.ceil(len(frames) / columns)
    sheet = Image.new("RGB", (_WIDTH, _HEAD + rows * (high + _TEXT + _GAP) + _GAP), _PAPER)
    draw, head, small = ImageDraw.Draw(sheet), load_font(34), load_font(15)
    draw.text((_GAP, _HEAD // 2), drawable(title), font=head, fill=_INK, anchor="lm")
    for number, (path, text) in enumerate(frames):
        left = _GAP + number % columns * (wide + _GAP)
        top = _HEAD + number // columns * (high + _TEXT + _GAP)
        sheet.paste(open_picture(path).resize((wide, high), Image.Resampling.LANCZOS), (left, top))
        shown = drawable(text)  # a file's name may hold line breaks, which have no length
        while shown and small.getlength(shown) > wide:
            shown = shown[1:]
        draw.text((left, top + high + 4), shown, font=small, fill=_FAINT)
    with output_path(target) as scratch:
        sheet.save(scratch, "JPEG", quality=88)
