"""Sizes of printed sheets, as operators write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from auria_bot.errors import InputError, UnknownName

__all__ = ["MOST_PIXELS", "Sheet", "length", "sheet"]

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
            raise InputError(
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
            raise InputError(f"a side of {side:g} mm cannot be printed; {_LEAST:g} to {_MOST:g} mm are possible")
    if landscape:
        width, height = max(width, height), min(width, height)
    edge = length(bleed)
    if edge > _MOST_BLEED:
        raise InputError(f"a bleed of {edge:g} mm is too wide; at most {_MOST_BLEED:g} mm are possible")
    return Sheet(name=name, width=width, height=height, bleed=edge)


def length(text: str) -> float:
    """Millimetres of a length such as "3mm", "0.125in" or "3".

    Raises:
        InputError: it is no length.
    """
    found = _LENGTH.fullmatch(text.strip().lower())
    if found is None:
        raise InputError(f"{text[:40]!r} is no length; write it as 3mm, 0.3cm or 0.125in")
    return float(found[1]) * _UNITS[found[2]]
