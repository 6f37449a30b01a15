"""Pictures in a terminal: as kitty, iTerm2 or sixel graphics where it has them, otherwise as coloured half blocks.

Protocols: https://sw.kovidgoyal.net/kitty/graphics-protocol/ ; https://iterm2.com/documentation-images.html ;
sixel after DEC STD 070.
"""

from __future__ import annotations

import contextlib
import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.errors import PictureError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from PIL.Image import Image

__all__ = ["Drawing", "DrawingOption", "choose", "draw", "in_terminal", "known_drawing", "size_in_cells"]


class Drawing(StrEnum):
    """How a picture is drawn."""

    AUTO = "auto"
    KITTY = "kitty"
    ITERM = "iterm"
    SIXEL = "sixel"
    BLOCKS = "blocks"  # half blocks in 24-bit colours
    BLOCKS_256 = "blocks-256"  # half blocks in the 256 colours of older terminals
    NONE = "none"


def known_drawing(given: str) -> str:
    """Callback of an option that names a way to draw: what was given.

    Raises:
        UnknownName: there is no such way.
    """
    if given not in set(Drawing):
        raise UnknownName(f"invalid value {given[:40]!r} for --picture; known: {', '.join(Drawing)}")
    return given


_WAYS = "How to draw: auto, kitty, iterm, sixel, blocks, blocks-256 or none."
DrawingOption = Annotated[str, typer.Option("--picture", callback=known_drawing, help=_WAYS)]
"""The option `--picture` of commands that draw."""

_CELL = (9, 18)  # pixels of a character cell that sixel pictures are sized for
_KITTY_CHUNK = 4096  # base64 characters a command may carry


def choose(environment: Mapping[str, str], *, terminal: bool) -> Drawing:
    """The best way to draw, by the environment variables of the terminal."""
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if not terminal or term in {"", "dumb", "linux"} or environment.get("NO_COLOR"):
        return Drawing.NONE
    if not (environment.get("TMUX") or term.startswith(("screen", "tmux"))):  # multiplexers swallow pictures
        if "kitty" in term or "ghostty" in term or environment.get("KITTY_WINDOW_ID") or program == "ghostty":
            return Drawing.KITTY
        if program in {"iTerm.app", "WezTerm"}:
            return Drawing.ITERM
        if "sixel" in term or term.startswith(("foot", "mlterm", "yaft", "contour")):
            return Drawing.SIXEL
    if environment.get("COLORTERM", "").lower() in {"truecolor", "24bit"} or term.endswith("-direct"):
        return Drawing.BLOCKS
    return Drawing.BLOCKS_256 if "256" in term else Drawing.NONE


def in_terminal(drawing: Drawing) -> Drawing:
    """How this terminal draws: as it was chosen, or for AUTO the best way."""
    return choose(os.environ, terminal=sys.stdout.isatty()) if drawing is Drawing.AUTO else drawing


def draw(path: Path, drawing: Drawing, *, columns: int, rows: int) -> str:
    """The text that shows the picture when printed, ending with a newline; "" for NONE.

    Args:
        path: any picture that Pillow reads.
        drawing: how to draw; AUTO must be resolved before.
        columns: the width available, in cells.
        rows: the height available, in cells; the aspect ratio is kept, a cell counting as twice as high as wide.

    Raises:
        PictureError: the file cannot be read.
    """
    if drawing in {Drawing.NONE, Drawing.AUTO}:
        return ""
    with _opened(path) as opened:
        picture = opened.convert("RGB")
    wide, high = _fit(picture.size, max(columns, 2), max(rows, 1))
    if drawing is Drawing.KITTY:
        return "".join(_kitty(picture, wide, high)) + "\n"
    if drawing is Drawing.ITERM:
        return _iterm(picture, wide, high) + "\n"
    if drawing is Drawing.SIXEL:
        return _sixel(picture.resize((wide * _CELL[0], high * _CELL[1]))) + "\n"
    return _blocks(picture.resize((wide, high * 2)), full=drawing is Drawing.BLOCKS)


def size_in_cells(path: Path, columns: int, rows: int) -> tuple[int, int]:
    """Width and height in cells that `draw` gives a picture within the available size.

    Raises:
        PictureError: the file cannot be read.
    """
    with _opened(path) as opened:
        return _fit(opened.size, max(columns, 2), max(rows, 1))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image]:
    from PIL import Image

    try:
        with Image.open(path) as opened:
            yield opened
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureError(f"{path} cannot be drawn: {error}") from None


def _fit(size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """Width and height in cells that keep the aspect ratio within the available size."""
    width, height = size
    scale = min(columns / width, 2 * rows / height)
    return max(1, round(width * scale)), max(1, round(height * scale / 2))


def _encoded(picture: Image, kind: str) -> str:
    import base64
    import io

    small = picture.copy()
    small.thumbnail((900, 900))
    buffer = io.BytesIO()
    small.save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _kitty(picture: Image, columns: int, rows: int) -> Iterator[str]:
    data = _encoded(picture, "PNG")
    for start in range(0, len(data), _KITTY_CHUNK):
        more = int(start + _KITTY_CHUNK < len(data))
        # q=2: the terminal must not answer, as its answer would be read as keys
        head = f"a=T,f=100,q=2,c={columns},r={rows},m={more}" if start == 0 else f"m={more}"
        yield f"\x1b_G{head};{data[start : start + _KITTY_CHUNK]}\x1b\\"


def _iterm(picture: Image, columns: int, rows: int) -> str:
    data = _encoded(picture, "JPEG")
    return f"\x1b]1337;File=inline=1;width={columns};height={rows};preserveAspectRatio=1:{data}\x07"


def _sixel(picture: Image) -> str:
    """Six rows a band, one pass a colour, runs of more than three abbreviated."""
    from itertools import groupby

    import numpy as np

    indexed = picture.quantize(256)
    palette = np.asarray(indexed.getpalette() or [], dtype=np.int64).reshape(-1, 3)  # (colours, 3), 0 to 255
    pixels = np.asarray(indexed)  # (height, width)
    height, width = pixels.shape
    out = [f'\x1bP0;1q"1;1;{width};{height}']
    out += [
        f"#{n};2;{r * 100 // 255};{g * 100 // 255};{b * 100 // 255}" for n, (r, g, b) in enumerate(palette.tolist())
    ]
    for top in range(0, height, 6):
        band = pixels[top : top + 6]  # (up to 6, width)
        weights = 1 << np.arange(len(band))[:, None]
        passes = []
        for colour in np.unique(band).tolist():
            bits = ((band == colour) * weights).sum(axis=0).tolist()
            runs = ((chr(63 + value), len(list(run))) for value, run in groupby(bits))
            passes.append(f"#{colour}" + "".join(f"!{n}{char}" if n > 3 else char * n for char, n in runs))
        out.append("$".join(passes) + "-")
    return "".join(out) + "\x1b\\"


def _blocks(picture: Image, *, full: bool) -> str:
    """Each cell shows two pixels: the upper half block in the colour above, on the colour below."""
    width, height = picture.size
    data = picture.tobytes()
    pixels = [tuple(data[at : at + 3]) for at in range(0, len(data), 3)]
    code = _true_colour if full else _colour_256
    lines = []
    for y in range(0, height, 2):
        line, last = "", ("", "")
        for x in range(width):
            ink, paper = code(pixels[y * width + x]), code(pixels[(y + 1) * width + x])
            if (ink, paper) != last:
                line += f"\x1b[38;{ink};48;{paper}m"
                last = (ink, paper)
            line += "▀"
        lines.append(f"{line}\x1b[0m\n")
    return "".join(lines)


def _true_colour(pixel: tuple[int, ...]) -> str:
    red, green, blue = pixel
    return f"2;{red};{green};{blue}"


def _colour_256(pixel: tuple[int, ...]) -> str:
    """The nearest of the 6x6x6 cube's colours."""
    steps = (0, 95, 135, 175, 215, 255)
    red, green, blue = (min(range(6), key=[abs(step - value) for step in steps].__getitem__) for value in pixel)
    return f"5;{16 + 36 * red + 6 * green + blue}"
