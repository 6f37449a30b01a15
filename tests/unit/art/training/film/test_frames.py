"""Tests of auria_bot.art.training.film.frames."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.films import video
from auria_bot.art.training.film.frames import FrameOptions, read_frames
from auria_bot.errors import InputError
from tests.scenarios.footage import Clip, make_clips

if TYPE_CHECKING:
    from pathlib import Path

needs_av = pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
OPTIONS = FrameOptions(height=16, width=28)


def footage_set(folder: Path, *, size: tuple[int, int] = (32, 18), count: int = 40) -> Path:
    """A set of footage of one source, whose grey tells the time of a frame."""
    (folder / "frames").mkdir(parents=True)
    rows = []
    for number in range(count):
        Image.new("RGB", size, (number * 5,) * 3).save(folder / "frames" / f"{number:06d}.png")
        rows.append({"source": 0, "time": number / 2, "file": f"{number:06d}.png"})
    (folder / "index.json").write_text(json.dumps({"sources": [{"name": "a.mp4"}], "frames": rows}))
    return folder


def test_the_end_of_each_clip_is_held_out(tmp_path: Path) -> None:
    """The last 15 % after a gap of a second, in which no frame is used."""
    found = read_frames(footage_set(tmp_path / "waves"), OPTIONS, tmp_path / "cache", log=lambda _: None)
    (training,), (held_out,) = found.training, found.held_out
    assert training.times[-1] < 19.5 * 0.85 - 1.0
    assert held_out.times[0] >= 19.5 * 0.85
    assert training.frames.shape[1:] == (18, 32, 3)
    assert int(held_out.frames[-1].mean()) == 195


def test_batches_are_crops_of_the_size_and_the_same_of_a_seed(tmp_path: Path) -> None:
    """Also when they come from what an earlier call stored, without the footage being read again."""
    footage = footage_set(tmp_path / "waves")
    first = read_frames(footage, OPTIONS, tmp_path / "cache", log=lambda _: None)
    batch = first.batch(np.random.default_rng(1), 5)
    assert batch.shape == (5, 16, 28, 3)
    for path in (footage / "frames").iterdir():
        path.unlink()
    again = read_frames(footage, OPTIONS, tmp_path / "cache", log=lambda _: None)
    assert np.array_equal(again.batch(np.random.default_rng(1), 5), batch)


def test_thinned_frames_lie_apart(tmp_path: Path) -> None:
    """So many seconds at least, of each clip, and of the frames that were held out or of the others."""
    found = read_frames(footage_set(tmp_path / "waves"), OPTIONS, tmp_path / "cache", log=lambda _: None)
    greys = [int(frame.mean()) for frame in found.thinned(held_out=False, apart=2.0)]
    assert greys[:3] == [0, 20, 40]
    assert len(found.thinned(held_out=True, apart=100.0)) == 1


def test_frames_are_never_enlarged(tmp_path: Path) -> None:
    """Footage that is too small for the model is refused with its name."""
    with pytest.raises(InputError, match=r"0000 a\.mp4: has 24 x 14 pixels"):
        read_frames(footage_set(tmp_path / "waves", size=(24, 14)), OPTIONS, tmp_path / "cache", log=lambda _: None)


def test_a_folder_without_footage_is_refused(tmp_path: Path) -> None:
    """The message says how footage is made."""
    with pytest.raises(InputError, match="auria footage add"):
        read_frames(tmp_path, OPTIONS, tmp_path / "cache", log=lambda _: None)


@pytest.mark.parametrize("content", ["{}", "[]", "{", '{"sources": [{}], "frames": []}'])
def test_an_index_of_something_else_is_named(tmp_path: Path, content: str) -> None:
    """A folder of videos may hold one of another program."""
    (tmp_path / "index.json").write_text(content)
    with pytest.raises(InputError, match=r"index\.json is not that of a set"):
        read_frames(tmp_path, OPTIONS, tmp_path / "cache", log=lambda _: None)


@needs_av
def test_videos_are_read_at_intervals_and_without_their_labels(tmp_path: Path) -> None:
    """Eight frames a second, of an upright clip only the middle, of another without the top quarter."""
    folder = tmp_path / "videos"
    folder.mkdir()
    make_clips(folder, [Clip(name="a.mp4", size=(64, 96), seconds=4.0), Clip(name="b.mp4", size=(96, 64), seconds=4.0)])
    options = FrameOptions(height=16, width=28, cut_top=(("b.mp4", 0.25),))
    upright, wide = read_frames(folder, options, tmp_path / "cache", log=lambda _: None).training
    assert len(upright.frames) == pytest.approx(4 * 8 * 0.85 - 8, abs=2)
    assert upright.frames.shape[1:3] == (28, 32)
    assert wide.frames.shape[1] < 0.8 * 64 / 96 * wide.frames.shape[2]
