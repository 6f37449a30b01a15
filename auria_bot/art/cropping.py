"""Crop a picture to the shape in which it is posted."""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["POST_SIZE", "crop", "crop_size"]

POST_SIZE = (1080, 1350)  # pixels, 4:5, the tallest format of Instagram
_CENTRE = 0.6  # how much the middle is preferred over the detail at the rim


def crop_size(picture: tuple[int, int], canvas: tuple[int, int]) -> tuple[int, int]:
    """The largest size, (width, height), of the canvas's proportions that a picture holds."""
    ratio = min(picture[0] / canvas[0], picture[1] / canvas[1])
    return max(1, round(canvas[0] * ratio)), max(1, round(canvas[1] * ratio))


def crop(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Crop a picture to the shape of `size`, at that size, where it has the most detail, the middle preferred.

    Args:
        picture: RGB.
        size: (width, height) in pixels.
    """
    window = crop_size(picture.size, size)
    luma = np.asarray(picture.convert("L").resize((128, 128), Image.Resampling.BOX), np.float64)
    detail = np.abs(np.diff(luma, axis=0))[:, :-1] + np.abs(np.diff(luma, axis=1))[:-1]  # (127, 127)
    left = _place(detail.sum(axis=0), window[0] / picture.width) * (picture.width - window[0])
    top = _place(detail.sum(axis=1), window[1] / picture.height) * (picture.height - window[1])
    box = (round(left), round(top), round(left) + window[0], round(top) + window[1])
    return picture.crop(box).resize(size, Image.Resampling.LANCZOS)


def _place(detail: np.ndarray[tuple[int, ...], np.dtype[np.float64]], share: float) -> float:
    """Where a window of a share of the length should start, from 0 (beginning) to 1 (end)."""
    length = max(1, min(len(detail), round(share * len(detail))))
    places = len(detail) - length + 1
    if places <= 1:
        return 0.5
    sums = np.convolve(detail, np.ones(length), "valid")
    aside = np.abs(np.linspace(-1.0, 1.0, places))
    worth = sums / max(float(sums.max()), 1e-9) - _CENTRE * 0.5 * aside
    return float(np.argmax(worth)) / (places - 1)
