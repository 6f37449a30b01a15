"""Paint a picture with a hand and its medium: oil, watercolour, ink, or a woodblock's print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.art.stylists.oil_strokes import paint
from auria_bot.art.stylists.washes import paint_ink, paint_watercolour, print_woodblock

if TYPE_CHECKING:
    from PIL import Image

    from auria_bot.art.stylists.hands import Hand
    from auria_bot.art.stylists.oil_strokes import OnLayer

__all__ = ["STROKE_MODES", "render"]

STROKE_MODES = ("oil", "watercolour", "ink")
"""The modes that paint stroke by stroke, at the size of the finished picture."""


def render(
    picture: Image.Image, *, size: tuple[int, int], hand: Hand, seed: int, on_layer: OnLayer | None = None
) -> Image.Image:
    """Paint a picture anew on a canvas of a size.

    Strokes are laid by proportions of the canvas and drawn at its own resolution, never enlarged: a canvas for A1 at
    300 dpi (7016 x 9933 pixels) shows the strokes of the one that is posted, with sharp edges and bristles. Memory
    beyond the canvas itself is bounded, because it is worked on in bands.

    Args:
        picture: RGB of any size, of about the canvas's proportions; measured at about 540 pixels.
        size: (width, height) of the canvas in pixels.
        seed: the same seed gives the same bytes at the same size, and about the same strokes at every size.
        on_layer: called after each layer of oil, and each wash of watercolour and ink; a print has none.

    Returns:
        RGB of that size.
    """
    if hand.medium == "oil":
        return paint(picture, size, hand, seed=seed, on_layer=on_layer)
    if hand.medium == "woodblock":
        return print_woodblock(picture, size, hand, seed=seed)
    washed = paint_ink if hand.medium == "ink" else paint_watercolour
    return washed(picture, size, hand, seed=seed, on_layer=on_layer)
