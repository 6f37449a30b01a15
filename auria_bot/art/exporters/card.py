"""The card, a picture beside its poem, and the contact sheet, pictures side by side with their poems beneath.

The card is set in EB Garamond on paper in a tint of the picture; the fonts come from the package fontpkg-eb-garamond
(SIL Open Font License 1.1).
"""

from __future__ import annotations

import logging
import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from auria_bot.art.colour import from_lab, to_lab
from auria_bot.art.pictures import KINDS, middle, save_picture
from auria_bot.errors import BackendMissing, InputError, PictureError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "LEAST_CONTRAST",
    "CardPalette",
    "Frame",
    "card",
    "contrast",
    "drawable",
    "font_file",
    "load_font",
    "palette_of_card",
    "poem_rows",
    "unset_characters",
    "write_sheet",
]

log = logging.getLogger(__name__)

WIDTH, HEIGHT = 1600, 1000  # pixels
_MOST_ROWS = 9  # of a poem; what is cut off is marked
_MARGIN = 88  # around everything
_PICTURE = HEIGHT - 2 * _MARGIN  # side of the picture
_GAP = 96  # between picture and poem
_LARGEST, _SMALLEST = 54, 34  # type sizes of the poem, in pixels
_LEADING = 1.56  # line distance in type sizes
_SMALL = 23  # type size of the credit
_MOST = 400  # characters of a line or a credit that are set
LEAST_CONTRAST = 7.0
"""Least contrast of ink and paper, WCAG 2.2 level AAA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPalette:
    """The card's colours, each (red, green, blue) from 0 to 255."""

    paper: tuple[int, int, int]
    ink: tuple[int, int, int]  # the poem; contrast to the paper at least 7
    quiet: tuple[int, int, int]  # the credit; likewise
    accent: tuple[int, int, int]  # of the logo


def contrast(first: Sequence[int], second: Sequence[int]) -> float:
    """WCAG 2.2 contrast of two colours, 1 to 21."""

    def light(colour: Sequence[int]) -> float:
        values = np.array(colour, np.float64) / 255
        linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        return float(linear @ np.array([0.2126, 0.7152, 0.0722]))

    high, low = sorted((light(first), light(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def palette_of_card(picture: Image.Image) -> CardPalette:
    """Choose paper and inks for a picture: dark paper for a night scene, else a light tint of its main hue."""
    lab = to_lab(np.asarray(picture.convert("RGB").resize((48, 48), Image.Resampling.BOX))).reshape(-1, 3)
    mean = lab.mean(axis=0)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    # Its length, 0 to 1, is how much of one hue there is.
    hue = (lab[:, 1:] * chroma[:, None]).sum(axis=0) / max(float((chroma**2).sum()), 1.0)
    night = float(mean[0]) < 27
    paper = (11.0, *(7.0 * hue)) if night else (95.5, *(4.5 * hue))
    ink = (92.0, *(4.0 * hue)) if night else (17.0, *(10.0 * hue))
    quiet = (74.0, *(6.0 * hue)) if night else (36.0, *(9.0 * hue))
    vivid = lab[np.argsort(-chroma, kind="stable")[: len(lab) // 12]].mean(axis=0)
    strength = max(float(np.hypot(vivid[1], vivid[2])), 1e-6)
    tint = vivid[1:] / strength * min(max(strength, 30.0), 55.0)
    accent = (58.0 if night else 46.0, *tint)
    base = _rgb(paper)
    return CardPalette(
        paper=base, ink=_readable(ink, base, night), quiet=_readable(quiet, base, night), accent=_rgb(accent)
    )


def _rgb(lab: Sequence[float]) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in from_lab(np.array([[*lab]], np.float32))[0] * 255 + 0.5)
    return red, green, blue


def _readable(lab: Sequence[float], paper: tuple[int, int, int], night: bool) -> tuple[int, int, int]:
    """A colour moved away from the paper's lightness until it can be read."""
    light = float(lab[0])
    while contrast(_rgb((light, *lab[1:])), paper) < LEAST_CONTRAST and 0 < light < 100:
        light += 1.5 if night else -1.5
    return _rgb((light, *lab[1:]))


def font_file(*, italic: bool = False) -> Path:
    """The file of EB Garamond, a variable font.

    Raises:
        BackendMissing: the font's package is not installed.
    """
    spec = find_spec("fontpkg_eb_garamond")
    if spec is None or spec.origin is None:
        raise BackendMissing("fontpkg-eb-garamond is not installed; run: pip install fontpkg-eb-garamond==1.3")
    return Path(spec.origin).parent / "files" / f"EBGaramond{'-Italic' if italic else ''}[wght].ttf"


@cache
def load_font(size: int, style: str = "regular") -> ImageFont.FreeTypeFont:
    """EB Garamond at a size in pixels, in the style "regular", "italic" or "bold".

    Raises:
        BackendMissing: the font's package is not installed.
    """
    font = ImageFont.truetype(str(font_file(italic=style == "italic")), size)
    font.set_variation_by_axes([500 if style == "bold" else 400])
    return font


def card(picture: Image.Image, lines: Sequence[str], credit: str, *, mood: str = "") -> Image.Image:
    """Typeset a poem beside its picture.

    Args:
        picture: RGB, any size; its middle square is shown.
        credit: the painting whose style the picture has.
        mood: one word, set small above the poem; may be empty.

    Returns:
        RGB, 1600 x 1000 pixels.
    """
    if unset := unset_characters(*lines, credit):
        log.warning("EB Garamond lacks these characters, which the card leaves out: %s", unset)
    palette = palette_of_card(picture)
    sheet = Image.new("RGB", (WIDTH, HEIGHT), palette.paper)
    square = picture.crop(middle(picture.size, (1, 1))).resize((_PICTURE, _PICTURE), Image.Resampling.LANCZOS)
    sheet.paste(square, (_MARGIN, _MARGIN))
    draw = ImageDraw.Draw(sheet)
    start = _MARGIN + _PICTURE + _GAP
    measure = WIDTH - _MARGIN - start
    clean = [drawable(line[:_MOST]) for line in lines]
    size = _type_size(clean, measure)
    font = load_font(size)
    rows = poem_rows(clean, lambda line, width: _wrapped(line, font, int(width)), size, measure)
    _draw_poem(draw, rows, start, size, palette)
    if mood:
        _draw_spaced(draw, (start, _MARGIN), drawable(mood).upper(), measure, palette.quiet)
    _draw_credit(draw, credit, start, measure, palette)
    return sheet


def poem_rows(
    lines: Sequence[str], wrapped: Callable[[str, float], Sequence[str]], size: float, measure: float
) -> list[tuple[str, bool]]:
    """Break a poem into rows; the rest of a line too long for the measure becomes a row marked as indented.

    Args:
        wrapped: breaks a line to a measure.
        size: of the type.
        measure: in the same unit.
    """
    rows: list[tuple[str, bool]] = []
    for line in lines:
        parts = wrapped(line, measure)
        if len(parts) > 1:
            parts = wrapped(line, measure - 2 * size)
        rows += [(part, number > 0) for number, part in enumerate(parts)]
    if len(rows) > _MOST_ROWS:
        last, continued = rows[_MOST_ROWS - 1]
        rows = [*rows[: _MOST_ROWS - 1], (f"{last} \u2026", continued)]
    return rows


def _draw_poem(
    draw: ImageDraw.ImageDraw, rows: Sequence[tuple[str, bool]], start: int, size: int, palette: CardPalette
) -> None:
    """Draw the lines, the block slightly above the middle, at the optical centre."""
    step = size * _LEADING
    first = HEIGHT * 0.465 - step * (len(rows) - 1) / 2  # baseline of the first line
    for number, (row, continued) in enumerate(rows):
        place = (start + (1.5 * size if continued else 0), first + number * step)
        draw.text(place, row, font=load_font(size), fill=palette.ink, anchor="ls")


def _draw_credit(draw: ImageDraw.ImageDraw, credit: str, start: int, measure: int, palette: CardPalette) -> None:
    """Draw the logo and, beneath it, the credit, which ends at the picture's lower edge."""
    font = load_font(_SMALL, "italic")
    rows = _wrapped(drawable(credit[:_MOST]), font, measure)[:3]
    base = HEIGHT - _MARGIN - 8  # descenders end where the picture does
    for number, row in enumerate(reversed(rows)):
        draw.text((start, base - number * round(_SMALL * 1.35)), row, font=font, fill=palette.quiet, anchor="ls")
    top = base - round((len(rows) - 1) * _SMALL * 1.35) - _SMALL - 24
    side = 40
    draw.rounded_rectangle((start, top - side, start + side, top), radius=5, fill=palette.accent)
    best = max(((255, 252, 246), (24, 22, 20)), key=lambda colour: contrast(colour, palette.accent))
    draw.text((start + side / 2, top - side / 2 - 1), "A", font=load_font(27, "bold"), fill=best, anchor="mm")
    draw.text((start + side + 16, top - side / 2), "Auria", font=load_font(27), fill=palette.ink, anchor="lm")


def _draw_spaced(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, measure: int, colour: tuple[int, int, int]
) -> None:
    """Draw letter-spaced capitals, as many as fit the measure."""
    font = load_font(18)
    x = float(place[0])
    for character in text:
        if x + font.getlength(character) > place[0] + measure:
            break
        draw.text((x, place[1] + 14), character, font=font, fill=colour, anchor="ls")
        x += font.getlength(character) + 18 * 0.2


def _type_size(lines: Sequence[str], measure: int) -> int:
    """The largest type size at which every line fits the measure."""
    widest = max(load_font(_LARGEST).getlength(line) for line in lines)
    size = int(_LARGEST * min(1.0, measure / max(widest, 1.0)))
    while size > _SMALLEST and max(load_font(size).getlength(line) for line in lines) > measure:
        size -= 1
    return max(size, _SMALLEST)  # longer lines are broken


def _wrapped(text: str, font: ImageFont.FreeTypeFont, measure: int) -> list[str]:
    rows: list[str] = [""]
    for word in text.split():
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and font.getlength(longer) > measure:
            rows.append(_shortened(word, font, measure))
        else:
            rows[-1] = longer if rows[-1] else _shortened(word, font, measure)
    return rows


def _shortened(text: str, font: ImageFont.FreeTypeFont, measure: int) -> str:
    """A text, cut with an ellipsis where it is wider than the measure."""
    if font.getlength(text) <= measure:
        return text
    while text and font.getlength(text + "\u2026") > measure:
        text = text[:-1]
    return text.rstrip() + "\u2026"


def drawable(text: str) -> str:
    """Text on one line, with curved apostrophes, without what EB Garamond lacks.

    Words in another script become an ellipsis; other signs, such as emoji, are left out.
    """
    shown = ""
    for character in _on_one_line(text):
        if _is_in_font(character):
            shown += character
        elif character.isalnum() and not shown.endswith("\u2026"):
            shown += "\u2026"
    return " ".join(re.sub("\u2026(?: \u2026)+", "\u2026", shown).split())


def unset_characters(*texts: str) -> str:
    """What `drawable` leaves out of texts because EB Garamond lacks it, each character once."""
    found = dict.fromkeys(character for text in texts for character in _on_one_line(text))
    return "".join(character for character in found if not _is_in_font(character))


def _on_one_line(text: str) -> str:
    plain = unicodedata.normalize("NFC", " ".join(text.split()))
    return " ".join("".join(filter(str.isprintable, plain)).replace("'", "\u2019").split())


@lru_cache(maxsize=4096)
def _is_in_font(character: str) -> bool:
    """Whether regular and italic have a glyph, which is not the box that stands for a missing one."""
    if character.isascii():
        return True
    fonts = (load_font(24), load_font(24, "italic"))
    return all(_drawn(font, character) != _drawn(font, "\U0010ffff") for font in fonts)


def _drawn(font: ImageFont.FreeTypeFont, character: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(character)
    return mask.size, bytes(mask)


_PAPER, _INK, _FAINT = "#f7f4ee", "#2b2825", "#8a8378"
_FRAME = (432, 540)  # pixels, 4:5 like the posts
_FRAME_GAP = 44  # pixels between and around the frames
_LINE = 29  # pixels from one line of the poem to the next
_CAPTION = 150  # pixels below a picture
_COLUMNS = 4  # at most
_HIGHEST = {"WEBP": 16_383}  # pixels that a format can hold
_HIGHEST_ELSE = 65_500  # a JPEG's; a higher PNG would take more memory than it is worth


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture of the sheet."""

    picture: Path
    poem: tuple[str, ...]
    caption: str  # a small line under the poem


def write_sheet(frames: Sequence[Frame], target: Path) -> None:
    """Write the sheet in the format of the file's suffix, atomically; a missing folder is created.

    Args:
        frames: at least one.

    Raises:
        InputError: there is no frame, there are more than the format has room for, or the suffix is of no format that
            is written.
        PictureError: a picture cannot be read.
        DiskError: the sheet cannot be written.
        BackendMissing: the font's package is not installed.
    """
    if not frames:
        raise InputError("a contact sheet needs at least one picture")
    if target.suffix.lower() not in KINDS:
        raise UsageError(f"{target.name[:60]!r} is named as no picture is; let it end with {', '.join(sorted(KINDS))}")
    columns = min(len(frames), 3 if len(frames) in {5, 6} else _COLUMNS)  # for a nearly square sheet
    rows = math.ceil(len(frames) / columns)
    cell = (_FRAME[0] + _FRAME_GAP, _FRAME[1] + _CAPTION + _FRAME_GAP)
    kind = KINDS[target.suffix.lower()]
    room = (_HIGHEST.get(kind, _HIGHEST_ELSE) - _FRAME_GAP) // cell[1] * _COLUMNS
    if len(frames) > room:
        raise InputError(f"a contact sheet as {kind} has room for {room} pictures, not {len(frames)}; write several")
    sheet = Image.new("RGB", (columns * cell[0] + _FRAME_GAP, rows * cell[1] + _FRAME_GAP), _PAPER)
    for number, frame in enumerate(frames):
        _place_frame(sheet, frame, _FRAME_GAP + number % columns * cell[0], _FRAME_GAP + number // columns * cell[1])
    save_picture(sheet, target, quality=88, optimize=True)


def _place_frame(sheet: Image.Image, frame: Frame, left: int, top: int) -> None:
    """Paste one picture, cut to 4:5, and set its poem."""
    try:
        with Image.open(frame.picture) as opened:
            picture = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureError(f"{frame.picture} cannot be read: {error}") from None
    sheet.paste(_cut(picture), (left, top))
    draw = ImageDraw.Draw(sheet)
    poem, small = load_font(23, "italic"), load_font(16, "italic")
    middle, y = left + _FRAME[0] // 2, top + _FRAME[1] + 30
    for line in frame.poem:
        draw.text((middle, y), _shortened(drawable(line), poem, _FRAME[0]), font=poem, fill=_INK, anchor="mm")
        y += _LINE
    draw.text(
        (middle, y + 8), _shortened(drawable(frame.caption), small, _FRAME[0]), font=small, fill=_FAINT, anchor="mm"
    )


def _cut(picture: Image.Image) -> Image.Image:
    """The largest 4:5 part from the middle, in the size of the sheet's pictures."""
    width, height = picture.size
    wide = min(width, height * _FRAME[0] / _FRAME[1])
    high = wide * _FRAME[1] / _FRAME[0]
    box = ((width - wide) / 2, (height - high) / 2, (width + wide) / 2, (height + high) / 2)
    return picture.resize(_FRAME, Image.Resampling.LANCZOS, box=box)
