"""Tests of auria_bot.art.cropping."""

from __future__ import annotations

import numpy as np
from PIL import Image

from auria_bot.art.cropping import crop


def test_the_cut_goes_where_something_is() -> None:
    """Detail on the right is retained, a plain picture is cropped in the middle, and the ratio is exact."""
    values = np.full((200, 200, 3), 120, np.uint8)
    values[:, 150:] = np.random.default_rng(0).integers(0, 256, (200, 50, 3))
    right = np.asarray(crop(Image.fromarray(values), (80, 200)))
    assert right[:, -20:].std() > 20
    middle = Image.fromarray(np.repeat(np.arange(200, dtype=np.uint8)[None, :, None], 200, 0).repeat(3, 2))
    assert abs(float(np.asarray(crop(middle, (80, 100))).mean()) - 99.5) < 2
    assert crop(middle, (33, 77)).size == (33, 77)
