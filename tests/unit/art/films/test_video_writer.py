"""Tests of auria_bot.art.films.video_writer."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from auria_bot.art.films import video
from auria_bot.art.films.video_writer import FORMATS, VideoWriter, format_of, join, require_size
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

needs_av = pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
COLOURS = np.array([(200, 40, 30), (30, 160, 60), (40, 60, 200), (230, 230, 60)], np.uint8)


def frame_of(number: int) -> np.ndarray:
    """(32, 48, 3) four fields of colour that take turns."""
    return np.kron(np.roll(COLOURS, number, 0).reshape(2, 2, 3), np.ones((16, 24, 1), np.uint8))


def parts_of(folder: Path, suffix: str, count: int = 3, each: int = 6) -> list[tuple[Path, Fraction]]:
    """Parts of six frames each."""
    made = []
    for part in range(count):
        path = folder / f"part-{part}"
        with VideoWriter.create(path, FORMATS[suffix], size=(48, 32), rate=Fraction(25)) as writer:
            for number in range(each):
                writer.write(frame_of(part * each + number))
        made.append((path, Fraction(part * each, 25)))
    return made


@needs_av
@pytest.mark.parametrize("suffix", list(FORMATS))
def test_parts_are_joined_into_one_video_at_a_constant_rate(tmp_path: Path, suffix: str) -> None:
    """Every frame is there once, in its order and at its time, and says what its colours are."""
    import av

    target = tmp_path / "joined"
    join(parts_of(tmp_path, suffix), target, FORMATS[suffix], metadata={"title": "Waves", "comment": "seed 3"})
    with av.open(str(target)) as opened:
        metadata = {name.lower(): value for name, value in opened.metadata.items()}
        shown = [(float(one.pts * one.time_base), one.to_ndarray(format="rgb24")) for one in opened.decode(video=0)]
        context = opened.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
        assert context.pix_fmt == "yuv420p"
    assert metadata["title"] == "Waves"
    assert metadata["comment"] == "seed 3"
    assert [time for time, _ in shown] == pytest.approx([number / 25 for number in range(18)], abs=0.002)


@needs_av
@pytest.mark.parametrize("suffix", list(FORMATS))
def test_colours_survive_within_a_few_steps(tmp_path: Path, suffix: str) -> None:
    """What is read by the project's own reader, which looks at the flags, is what was written."""
    target = tmp_path / f"a{suffix}"
    join(parts_of(tmp_path, suffix, 1, 2), target, FORMATS[suffix], metadata={})
    with video.Video.open(target) as opened:
        first = np.asarray(next(opened.frames()).picture((48, 32)), float)
    for row, column in ((8, 12), (8, 36), (24, 12), (24, 36)):
        assert np.abs(first[row, column] - frame_of(0)[row, column]).max() < 12


@needs_av
@pytest.mark.parametrize("suffix", list(FORMATS))
def test_the_same_frames_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    """Neither clock nor chance is in a file."""
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        join(parts_of(tmp_path / name, suffix), tmp_path / name / "whole", FORMATS[suffix], metadata={"title": "x"})
        contents.append((tmp_path / name / "whole").read_bytes())
    assert contents[0] == contents[1]


@needs_av
def test_frames_can_have_times_of_their_own(tmp_path: Path) -> None:
    """Times that are uneven come back as they were, across parts too."""
    import av

    times, parts = [Fraction(number**2, 100) for number in range(12)], []
    for first in (0, 6):
        path = tmp_path / f"part-{first}"
        with VideoWriter.create(path, FORMATS[".mp4"], size=(48, 32), rate=Fraction(25), even=False) as writer:
            for number in range(first, first + 6):
                writer.write(frame_of(number), times[number] - times[first])
        parts.append((path, times[first]))
    join(parts, tmp_path / "whole", FORMATS[".mp4"], metadata={})
    with av.open(str(tmp_path / "whole")) as opened:
        found = [float(one.pts * one.time_base) for one in opened.decode(video=0)]
    assert found == pytest.approx([float(time) for time in times], abs=1e-4)


def test_a_size_that_cannot_be_encoded_is_refused() -> None:
    """Odd, too small and too large ones; the message says what is possible."""
    for size in ((641, 360), (640, 8), (8192, 4096)):
        with pytest.raises(InputError, match="even numbers from 16 to 4096"):
            require_size(size)


def test_the_ending_of_the_name_chooses_the_format(tmp_path: Path) -> None:
    """Others are refused."""
    assert format_of(tmp_path / "a.MP4").codec == "libx264"
    assert format_of(tmp_path / "a.webm").codec == "libvpx-vp9"
    with pytest.raises(InputError, match=r"must end in \.mp4 or \.webm"):
        format_of(tmp_path / "a.avi")
