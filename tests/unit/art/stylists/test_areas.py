"""Areas of one colour, and the textures of paper."""

from __future__ import annotations

import numpy as np
from PIL import Image

from auria_bot.art.stylists.areas import Areas, bands, clouds, enlarged_rows, grain


def halves() -> Image.Image:
    """Dark on the left, light on the right."""
    values = np.full((40, 40, 3), 40, np.uint8)
    values[:, 20:] = 220
    return Image.fromarray(values)


def test_two_halves_are_two_areas_with_a_border_between_them() -> None:
    """Each pixel has its area; at the border in the middle, the other one is that of the other side."""
    areas = Areas(halves(), (80, 80), count=4, smoothing=8.0, ragged=0.0, chance=np.random.default_rng(1))
    band = areas.band(0, 80)
    left, right = (int(band.area[40, x]) for x in (10, 70))
    assert areas.colours[left].mean() < 60
    assert areas.colours[right].mean() > 200
    assert int(band.other[40, 39]) == right
    assert int(band.other[40, 40]) == left
    assert abs(int(band.distance[40].argmin()) - 40) <= 2


def test_bands_of_an_area_are_rows_of_the_whole() -> None:
    """Worked on in bands, a canvas is the same as at once."""
    areas = Areas(halves(), (80, 80), count=4, smoothing=8.0, ragged=0.1, chance=np.random.default_rng(1))
    whole = areas.band(0, 80)
    parts = [areas.band(top, top + 20) for top in range(0, 80, 20)]
    assert (np.concatenate([part.area for part in parts]) == whole.area).mean() > 0.99


def test_bands_cover_a_canvas_once() -> None:
    """Large canvases are worked on in several, and none is empty."""
    found = list(bands((7016, 999)))
    assert [end for _, end in found[:-1]] == [top for top, _ in found[1:]]
    assert (found[0][0], found[-1][1]) == (0, 999)
    assert all(top < end for top, end in found)


def test_enlarged_rows_are_those_of_the_enlarged_picture() -> None:
    """Within two steps of 8 bits, since the rows beyond a band are not seen."""
    picture = Image.fromarray(np.linspace(0, 255, 100).reshape(10, 10).astype(np.uint8))
    whole = np.asarray(picture.resize((50, 50), Image.Resampling.BICUBIC), np.int16)[10:30]
    assert np.abs(np.asarray(enlarged_rows(picture, (50, 50), 10, 30), np.int16) - whole).max() <= 2


def test_textures_depend_on_the_seed_alone() -> None:
    """Clouds are smooth; the grain of some rows is that of the whole."""
    one, again = (clouds((60, 40), 6, np.random.default_rng(3)) for _ in range(2))
    assert one.shape == (40, 60)
    assert (one == again).all()
    assert np.abs(np.diff(one, axis=1)).mean() < 0.5 * one.std()
    assert (grain((10, 20), 50, 2.0, 1) == grain((0, 30), 50, 2.0, 1)[10:20]).all()
