"""Tests of auria_bot.videos.colours."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from auria_bot.art.films.video import Video
from auria_bot.videos.colours import ToBt709, is_bt709

if TYPE_CHECKING:
    from pathlib import Path

av = pytest.importorskip("av", reason="videos need the extra films")

PQ, HLG, BT2020 = 16, 18, 9


def pq(light: float) -> float:
    """The value of ST 2084 of light in cd/m2, by its text."""
    power = (light / 10_000) ** (2610 / 4096 / 4)
    return float(((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 4096 * 128))


def patches(values: list[tuple[float, float, float]], transfer: int) -> Any:
    """A frame with a square of each of the values of R'G'B', in ten bits by the matrix of BT.2020."""
    red, green, blue = np.repeat(np.array(values), 16, 0).T
    light = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    stored = (64 + 876 * light, 512 + 896 * (blue - light) / 1.8814, 512 + 896 * (red - light) / 1.4746)
    frame = av.VideoFrame(16 * len(values), 16, "yuv444p10le")
    for plane, row in zip(frame.planes, stored, strict=True):
        lines = np.zeros((16, plane.line_size // 2), np.uint16)
        lines[:, : len(row)] = np.round(row)
        plane.update(lines)
    frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc = 9, 1, BT2020, transfer
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    return frame


def shown(frame: Any) -> np.ndarray:
    """(patches, 3) what becomes of each, 0 to 255."""
    made = ToBt709()(frame, (frame.width, 16)).reformat(format="rgb24")
    assert is_bt709(made)
    return made.to_ndarray()[8, 8::16].astype(int)


def test_light_of_pq_is_rolled_off() -> None:
    """Below the knee as bright as it is by BT.1886; then less and less, up to a white at the peak of the display."""
    made = shown(patches([(pq(light),) * 3 for light in (0, 5, 20, 100, 203, 400, 1000, 4000)], PQ))
    assert made.max(axis=1) - made.min(axis=1) == pytest.approx(np.zeros(8), abs=1)
    assert made[:3, 0] == pytest.approx([0, 255 * (5 / 203) ** (1 / 2.4), 255 * (20 / 203) ** (1 / 2.4)], abs=2)
    assert list(made[6:, 0]) == [255, 255]
    assert 180 < made[3, 0] < made[4, 0] < made[5, 0] < 254


def test_light_of_hlg_is_rolled_off() -> None:
    """Its three quarters are what PQ states as 203 cd/m2, its end is white."""
    made = shown(patches([(value,) * 3 for value in (0.0, 0.25, 0.75, 1.0)], HLG))
    assert made[0, 0] == 0
    assert made[1, 0] == pytest.approx(255 * (1000 * (0.25**2 / 3) ** 1.2 / 203) ** (1 / 2.4), abs=2)
    assert made[2, 0] == pytest.approx(shown(patches([(pq(203),) * 3], PQ))[0, 0], abs=2)
    assert made[3, 0] >= 254


@pytest.mark.parametrize("wanted", [(0.10, 0.02, 0.02), (0.02, 0.08, 0.03), (0.03, 0.03, 0.10)])
def test_colours_of_high_range_keep_their_hue(wanted: tuple[float, float, float]) -> None:
    """A colour of BT.709 that is not rolled off is the same after it was stored in BT.2020 and PQ."""
    to_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    stored = [pq(203 * value) for value in to_2020 @ np.array(wanted)]
    (made,) = shown(patches([(stored[0], stored[1], stored[2])], PQ))
    assert made == pytest.approx(255 * np.array(wanted) ** (1 / 2.4), abs=3)


def test_the_peak_that_is_stated_is_the_brightest(tmp_path: Path) -> None:
    """Of the display on which a film was graded: without it white would begin at 1000 cd/m2, and the rest be lighter."""
    told = "colorprim=9:transfer=16:colormatrix=9:crf=1:log-level=none:hdr10=1"
    told += ":master-display=G(8500,39850)B(6550,2300)R(35400,14600)WP(15635,16450)L(40000000,1)"
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("libx265", rate=25, options={"x265-params": told, "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 16, "yuv444p10le"
        context = stream.codec_context
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = 9, 1, BT2020, PQ
        frame = patches([(pq(light),) * 3 for light in (203, 203, 4000, 4000)], PQ)
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with Video.open(tmp_path / "a.mkv") as video:
        picture = np.asarray(next(video.frames()).picture((64, 16)), int)
    assert picture[8, 16, 0] == pytest.approx(210, abs=6)
    assert picture[8, 48, 0] >= 252


@pytest.mark.parametrize(("colours", "told"), [((1, 1), True), ((2, 2), True), ((9, 14), False), ((1, 18), False)])
def test_standard_colours_are_left_alone(colours: tuple[int, int], told: bool) -> None:
    """Those that are not stated are taken for standard ones."""
    assert is_bt709(SimpleNamespace(color_primaries=colours[0], color_trc=colours[1])) is told
