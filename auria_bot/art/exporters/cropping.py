"""Cuts a picture to a shape where most happens in it."""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["cut"]

_CENTRE = 0.6  # how much the middle is preferred over the detail at the rim


def cut(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The part of a picture with the shape of `size`, at that size.

    The window slides along the longer way and stops where it holds the most detail, the middle preferred.

    Args:
        picture: RGB.
        size: (width, height) in pixels.
    """
    width, height = size
    ratio = min(picture.width / width, picture.height / height)
    window = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    luma = np.asarray(picture.convert("L").resize((128, 128), Image.Resampling.BOX), np.float64)
    detail = np.abs(np.diff(luma, axis=0))[:, :-1] + np.abs(np.diff(luma, axis=1))[:-1]  # (127, 127)
    left = _place(detail.sum(axis=0), window[0] / picture.width) * (picture.width - window[0])
    top = _place(detail.sum(axis=1), window[1] / picture.height) * (picture.height - window[1])
    box = (round(left), round(top), round(left) + window[0], round(top) + window[1])
    return picture.crop(box).resize(size, Image.Resampling.LANCZOS)


def _place(detail: np.ndarray[tuple[int, ...], np.dtype[np.float64]], share: float) -> float:
    """Where a window of a share of the length should lie, 0 at the beginning to 1 at the end."""
    length = max(1, min(len(detail), round(share * len(detail))))
    places = len(detail) - length + 1
    if places <= 1:
        return 0.5
    sums = np.convolve(detail, np.ones(length), "valid")
    aside = np.abs(np.linspace(-1.0, 1.0, places))
    worth = sums / max(float(sums.max()), 1e-9) - _CENTRE * 0.5 * aside
    return float(np.argmax(worth)) / (places - 1)
