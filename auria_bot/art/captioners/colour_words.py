"""Name the main colours of a picture by measuring its pixels.

A named colour's share is the share of pixels nearest to it in CIELAB. The names are everyday ones (Berlin and Kay's
basic terms, with light and dark variants where landscapes need them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from auria_bot.art.colour import to_lab
from auria_bot.art.pictures import to_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["NAMED", "join_names", "name_colours"]

NAMED: Final = {
    "black": ("101014", "1c1a1a"),
    "dark grey": ("4a4a4a",),
    "grey": ("808080", "8b8f94", "8c8880"),
    "pale grey": ("bdbdbd", "c3c8cc"),
    "white": ("ffffff", "f2f2f0", "e6e9ec"),
    "cream": ("f3e9cf", "e8dcc0"),
    "dark brown": ("3b2415", "4a3222"),
    "brown": ("7a4b2a", "6b4f36", "8a6544"),
    "tan": ("b8946a", "c8a97e"),
    "dark red": ("6e1414", "7f1d2d"),
    "red": ("c81e1e", "d9352b", "ff0000"),
    "orange": ("e8791e", "d2691e", "f39a3c"),
    "gold": ("d9a521", "c9a23c"),
    "yellow": ("f6e03a", "f0e68c", "ffff00"),
    "olive green": ("6b6b2a", "80803c"),
    "dark green": ("1b3a1e", "2c4a30"),
    "green": ("3f8a3a", "5a9a4a", "008000", "20e020"),
    "pale green": ("a9cf9a", "98c490"),
    "teal": ("1f7a7a", "3a8a8c"),
    "turquoise": ("5cc8c8", "7ad0cc", "00ffff"),
    "dark blue": ("14204a", "1f2f5c", "26344e", "000080"),
    "blue": ("2a5cb8", "3f6fb0", "4a78a8", "0000ff"),
    "slate blue": ("56688a", "66788f"),
    "pale blue": ("9cc0e0", "b4cfe4", "8fb4d8"),
    "purple": ("5a2a7a", "6e4a8c", "800080"),
    "lilac": ("b49cd0", "a890bc"),
    "pink": ("e89ab4", "f0b8c4", "d87a9c", "ff40c0"),
}
"""Colour names and their sRGB values (hexadecimal)."""

_SIDE = 48  # pixels a side of the reduced picture that is measured
_LEAST = 0.1  # share of the picture below which a colour is not named
_RELATED_PAIRS = (  # of each pair only the more frequent is named
    "black/dark grey, dark grey/grey, grey/pale grey, pale grey/white, white/cream, dark brown/brown, brown/tan, "
    "tan/cream, dark red/red, orange/gold, gold/yellow, olive green/dark green, dark green/green, green/pale "
    "green, green/olive green, teal/turquoise, dark blue/blue, blue/slate blue, slate blue/pale blue, blue/pale "
    "blue, dark blue/slate blue, purple/lilac, lilac/pink, grey/slate blue, black/dark brown"
)
_RELATED = tuple(set(pair.split("/")) for pair in _RELATED_PAIRS.split(", "))


def _prototypes() -> tuple[list[str], NDArray[np.float32]]:
    names = [name for name, codes in NAMED.items() for _ in codes]
    codes = [code for codes in NAMED.values() for code in codes]
    rgb = np.array([[int(code[at : at + 2], 16) for at in (0, 2, 4)] for code in codes], dtype=np.float32) / 255
    return names, to_lab(rgb)


def _small(picture: Image.Image) -> NDArray[np.float32]:
    return to_array(picture.resize((_SIDE, _SIDE), Image.Resampling.BOX))


def name_colours(picture: Image.Image, most: int = 3) -> list[tuple[str, float]]:
    """The picture's main colours and their shares, the largest first; of similar colours only one."""
    names, prototypes = _prototypes()
    lab = to_lab(_small(picture)).reshape(-1, 1, 3)
    nearest = np.square(lab - prototypes).sum(2).argmin(1)
    shares: dict[str, float] = {}
    for place in nearest.tolist():
        shares[names[place]] = shares.get(names[place], 0.0) + 1 / len(nearest)
    chosen: list[tuple[str, float]] = []
    for name, share in sorted(shares.items(), key=lambda item: (-item[1], item[0])):
        if len(chosen) == most or (chosen and share < _LEAST):
            break
        if not any({name, other} in _RELATED for other, _ in chosen):
            chosen.append((name, share))
    return chosen


def join_names(names: Sequence[str]) -> str:
    """Join words as English does: "gold", "gold and teal", "gold, teal and black"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
