"""Tests of auria_bot.art.films.water_flow."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.films import video
from auria_bot.art.films.optical_flow import trust
from auria_bot.art.films.video_writer import FORMATS, VideoWriter
from auria_bot.art.films.water_flow import WaterFlow
from auria_bot.errors import InputError, ModelCorrupt
from auria_bot.settings.locations import shipped

if TYPE_CHECKING:
    from pathlib import Path

needs_video = pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")


def pattern(height: int, width: int, seed: int = 1) -> np.ndarray:
    """Smooth coloured spots."""
    small = np.random.default_rng(seed).integers(0, 255, (height // 5, width // 5, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def flowing(speed: float) -> WaterFlow:
    """A field that stands in the upper half and flows downwards in the lower; frame heights a second."""
    field = np.zeros((9, 16, 2), np.float32)
    field[5:, :, 1] = speed
    return WaterFlow(field=field)


def write_video(path: Path, speed: float) -> Path:
    """A video of 112 x 64 pixels whose lower half moves down by so many pixels a second."""
    picture = pattern(300, 112)
    with VideoWriter.create(path, FORMATS[".mp4"], size=(112, 64), rate=Fraction(12)) as writer:
        for number in range(36):
            frame = picture[:64].copy()
            start = 150 - round(number * speed / 12)
            frame[32:] = picture[start : start + 32]
            writer.write(frame)
    return path


@needs_video
def test_motion_is_learnt_from_a_video_where_anything_moves(tmp_path: Path) -> None:
    """Its direction and speed; what stands has none."""
    learnt = WaterFlow.learn(write_video(tmp_path / "a.mp4", 12.0))
    assert learnt.field.shape == (9, 16, 2)
    assert np.abs(learnt.field[:3]).max() < 0.01
    assert np.median(learnt.field[6:8, 2:-2, 1]) == pytest.approx(12 / 64, rel=0.25)
    assert np.abs(np.median(learnt.field[6:8, 2:-2, 0])) < 0.02


@needs_video
def test_a_video_in_which_nothing_moves_is_refused(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(InputError, match=r"a\.mp4: nothing moves"):
        WaterFlow.learn(write_video(tmp_path / "a.mp4", 0.0))


def test_a_frame_is_carried_along_where_water_flows() -> None:
    """As fast as the field says; the sky keeps its bytes."""
    flow, frame = flowing(0.08), pattern(64, 112)
    period = flow.period(None)
    one, two = (flow.carried(frame, time, period) for time in (0.4, 0.6))
    assert np.array_equal(one[:20], frame[:20])
    light = [shown.astype(np.float32) @ np.array([0.3, 0.59, 0.11], np.float32) for shown in (two, one)]
    found = -trust(*light)[0][44:58, 10:-10]
    assert np.median(found[..., 1]) == pytest.approx(0.08 * 64 * 0.2, rel=0.35)


def test_the_motion_repeats_after_a_period_and_a_loop_holds_whole_ones() -> None:
    """So that its last frame leads to the first."""
    flow, frame = flowing(0.05), pattern(64, 112)
    period = flow.period(10.0)
    assert 10.0 / period == pytest.approx(round(10.0 / period))
    assert np.array_equal(flow.carried(frame, 0.0, period), flow.carried(frame, 10.0, period))


def test_contrast_stays_while_copies_fade() -> None:
    """The water neither pulses nor turns to fog."""
    flow, frame = flowing(0.08), pattern(64, 112)
    period = flow.period(None)
    contrast = [flow.carried(frame, share * period, period)[40:].std() for share in np.linspace(0, 1, 9)]
    assert min(contrast) > 0.75 * frame[40:].std()
    assert max(contrast) / min(contrast) < 1.25


def test_a_field_survives_json_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    """The one that ships flows towards the viewer, and its sky stands."""
    path = tmp_path / "flow.json"
    path.write_text(json.dumps(flowing(0.05).to_json()))
    assert WaterFlow.read(path).sha256 == flowing(0.05).sha256
    own = WaterFlow.read(shipped("models") / "film-waves" / "flow.json")
    assert own.field[6:8, :, 1].mean() > 0.01
    assert np.abs(own.field[:3]).max() < 0.005
    path.write_text('{"velocity": [[1, 2]]}')
    with pytest.raises(ModelCorrupt, match="holds no velocities"):
        WaterFlow.read(path)
