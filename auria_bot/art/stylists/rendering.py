"""Render a picture by hand at any size: the strokes are the same on every canvas, larger on a larger one and sharp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.art.stylists.oil_strokes import paint
from auria_bot.art.stylists.washes import paint_ink, paint_watercolour
from auria_bot.art.stylists.woodblock import print_woodblock

if TYPE_CHECKING:
    from PIL import Image

    from auria_bot.art.stylists.hands import Hand

__all__ = ["render"]


def render(picture: Image.Image, *, size: tuple[int, int], hand: Hand, seed: int) -> Image.Image:
    """Paint a picture anew on a canvas of a size.

    Strokes are laid by proportions of the canvas and drawn at its own resolution, never enlarged: a canvas for A1 at
    300 dpi (7016 x 9933 pixels) shows the strokes of the one that is posted, with sharp edges and bristles. Memory
    beyond the canvas itself is bounded, because it is worked on in bands.

    Args:
        picture: RGB of any size, of about the canvas's proportions; measured at about 540 pixels.
        size: (width, height) of the canvas in pixels.
        hand: how to paint, with which medium.
        seed: the same seed gives the same bytes at the same size, and about the same strokes at every size.

    Returns:
        RGB of that size.
    """
    return _MEDIA[hand.medium](picture, size, hand, seed=seed)


_MEDIA = {"oil": paint, "woodblock": print_woodblock, "ink": paint_ink, "watercolour": paint_watercolour}
