"""Tests of auria_bot.art.films.video."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.films import video
from auria_bot.art.films.video import Video, require_video
from auria_bot.errors import BackendMissing, InputError
from tests.scenarios.footage import Clip, make_clips, picture_at

if TYPE_CHECKING:
    from pathlib import Path

needs_av = pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")


def test_without_the_extra_the_command_to_install_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what is missing and how to get it."""
    monkeypatch.setattr(video, "find_spec", lambda _name: None)
    with pytest.raises(BackendMissing, match=r"auria-bot\[films\]"):
        require_video()


@needs_av
def test_frames_come_with_their_times(tmp_path: Path) -> None:
    """At an odd rate each frame has its own time, from 0 on, and they grow."""
    clip = Clip(name="a.mkv", size=(64, 48), seconds=1.0, rate=Fraction(24000, 1001))
    (path,) = make_clips(tmp_path, [clip])
    with Video.open(path) as opened:
        times = [frame.time for frame in opened.frames()]
        assert opened.duration == pytest.approx(1.0, abs=0.1)
    assert times[0] == 0
    assert times[12] == pytest.approx(12 * 1001 / 24000, abs=0.001)
    assert all(after > before for before, after in itertools.pairwise(times))


@needs_av
@pytest.mark.parametrize(
    ("turn", "mirrored"), [(0, False), (90, False), (180, False), (270, False), (0, True), (90, True)]
)
def test_frames_are_upright(tmp_path: Path, turn: int, mirrored: bool) -> None:
    """However they are stored, the bright corner is upper left and the red one upper right."""
    (path,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(96, 64), seconds=0.2, turn=turn, mirrored=mirrored)])
    with Video.open(path) as opened:
        frame = next(opened.frames())
        assert frame.size == (96, 64)
        picture = np.asarray(frame.picture((64, 64)), np.float32)
    assert picture[1:7, 1:7].mean() > 200
    assert picture[1:7, -7:-1, 0].mean() > 150
    assert picture[1:7, -7:-1, 1:].mean() < 110


@needs_av
def test_pixels_become_square(tmp_path: Path) -> None:
    """A frame stored half as wide is shown at its full width."""
    (path,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(48, 64), seconds=0.2, aspect=Fraction(2))])
    with Video.open(path) as opened:
        assert next(opened.frames()).size == (96, 64)


@needs_av
def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A missing, an empty and a wrong file, and one of sound alone, each with its own sentence."""
    (tmp_path / "text.mp4").write_text("no video")
    (sound, empty) = make_clips(tmp_path, [Clip(name="a.mka", content="sound"), Clip(name="b.mp4", content="empty")])
    cases = {
        tmp_path / "away.mp4": "cannot be opened",
        tmp_path / "text.mp4": "no video",
        sound: "no moving picture",
        empty: "no bytes",
    }
    for path, words in cases.items():
        with pytest.raises(InputError, match=words), Video.open(path):
            pass


@needs_av
def test_a_frame_larger_than_four_k_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names its size and the most."""
    (path,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(96, 64), seconds=0.2)])
    monkeypatch.setattr(video, "MOST_PIXELS", 1000)
    with pytest.raises(InputError, match=r"96 x 64 pixels; at most 1,000"), Video.open(path):
        pass


@needs_av
def test_frames_that_become_too_large_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file goes on in another size, the most pixels hold for those frames too."""
    small, large = make_clips(
        tmp_path, [Clip(name="a.ts", size=(48, 32), seconds=0.4), Clip(name="b.ts", size=(96, 64), seconds=0.4)]
    )
    small.write_bytes(small.read_bytes() + large.read_bytes())
    monkeypatch.setattr(video, "MOST_PIXELS", 4000)
    with Video.open(small) as opened:
        assert {frame.size for frame in opened.frames()} == {(48, 32)}
        assert opened.broken > 0


@needs_av
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_frames_of_avi_are_evenly_timed(tmp_path: Path, codec: str) -> None:
    """It has no times for B-frames, which are shown in another order than they are stored."""
    import av

    with av.open(str(tmp_path / "a.avi"), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(25):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture_at(number / 25, (96, 64)), "rgb24")))
        container.mux(stream.encode())
    with Video.open(tmp_path / "a.avi") as opened:
        assert [frame.time for frame in opened.frames()] == [Fraction(number, 25) for number in range(25)]


@needs_av
@pytest.mark.parametrize("matrix", [1, 5, 6])
def test_colours_are_those_of_the_matrix_that_is_stated(tmp_path: Path, matrix: int) -> None:
    """Also of large frames, which phones and cameras store by either: BT.709, BT.601 of 625 lines or of 525."""
    import av

    orange = np.full((720, 1280, 3), (230, 90, 20), np.uint8)
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 1
        frame = av.VideoFrame.from_ndarray(orange, "rgb24")
        shown = frame.reformat(format="yuv420p", dst_colorspace=min(matrix, 5), dst_color_range=1)
        container.mux([*stream.encode(shown), *stream.encode()])
    with Video.open(tmp_path / "a.mp4") as opened:
        picture = np.asarray(next(opened.frames()).picture((64, 64)), np.float32)
    assert np.abs(picture - (230, 90, 20)).max() < 6


@needs_av
@pytest.mark.parametrize("primaries", [1, 9, 12])
def test_colours_of_wider_primaries_are_shown_as_srgb(tmp_path: Path, primaries: int) -> None:
    """As phones record them: BT.2020 and Display P3; otherwise they would be pale."""
    import av

    stored = {1: (200, 60, 50), 9: (165, 81, 58), 12: (185, 71, 58)}[primaries]
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv444p10le"
        context = stream.codec_context
        context.colorspace, context.color_range = 1, 1
        context.color_primaries, context.color_trc = primaries, 14 if primaries == 9 else 1
        frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), stored, np.uint8), "rgb24")
        shown = frame.reformat(format="yuv444p10le", dst_colorspace=1, dst_color_range=1)
        container.mux([*stream.encode(shown), *stream.encode()])
    with Video.open(tmp_path / "a.mkv") as opened:
        picture = np.asarray(next(opened.frames()).picture((96, 64)), np.float32)
    assert np.abs(picture - (200, 60, 50)).max() <= 4


@needs_av
def test_damaged_packets_are_left_out(tmp_path: Path) -> None:
    """Bytes overwritten in the middle cost some frames, not the rest."""
    (path,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(160, 96), seconds=2.0)])
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = np.random.default_rng(1).bytes(20_000)
    path.write_bytes(bytes(content))
    with Video.open(path) as opened:
        damaged = [frame.damaged for frame in opened.frames()]
        assert opened.broken + sum(damaged) > 0
    assert 30 < len(damaged) <= 50


@needs_av
def test_an_animated_avif_moves(tmp_path: Path) -> None:
    """Its first picture stands in the file once more, as a stream of its own."""
    pictures = [Image.new("RGB", (96, 64), (60 * number, 80, 200)) for number in range(4)]
    pictures[0].save(tmp_path / "a.avif", save_all=True, append_images=pictures[1:], duration=200)
    with Video.open(tmp_path / "a.avif") as opened:
        assert [frame.time for frame in opened.frames()] == [Fraction(number, 5) for number in range(4)]


@needs_av
def test_a_thumbnail_shows_the_whole_frame(tmp_path: Path) -> None:
    """Of a fixed size, in 0 to 255."""
    (path,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(96, 64), seconds=0.2)])
    with Video.open(path) as opened:
        small = next(opened.frames()).thumbnail()
    assert small.shape == (24, 24, 3)
    assert 20 < small.mean() < 200
    assert isinstance(Image.fromarray(small.astype(np.uint8)), Image.Image)


def _interlaced(path: Path, *, options: dict[str, str], count: int = 6) -> None:
    """A bar that moves: the even lines of each frame show one moment, the odd ones the next."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 96, 64, "yuv420p", 4_000_000
        for number in range(count):
            woven = np.full((64, 96, 3), 30, np.uint8)
            for field in (0, 1):
                left = 6 * (2 * number + field)
                woven[field::2, left : left + 20] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(woven, "rgb24").reformat(format="yuv420p")))
        container.mux(stream.encode())


@pytest.mark.parametrize(("options", "is_whole"), [({"flags": "+ildct+ilme"}, True), ({}, False)])
def test_interlaced_frames_are_made_whole(tmp_path: Path, options: dict[str, str], is_whole: bool) -> None:
    """As many frames, at the same times, without the comb; frames that do not say that they are interlaced stay."""
    _interlaced(tmp_path / "a.mpg", options=options)
    with Video.open(tmp_path / "a.mpg") as opened:
        found = [(frame.time, np.asarray(frame.picture((96, 64)), np.float32)) for frame in opened.frames()]
    assert [time for time, _ in found] == [Fraction(number, 25) for number in range(6)]
    combs = [np.abs(picture[1:-1] - (picture[:-2] + picture[2:]) / 2).mean() for _, picture in found]
    assert max(combs) < 3 if is_whole else min(combs) > 10


def test_a_single_interlaced_frame_is_made_whole(tmp_path: Path) -> None:
    """It has no neighbour to be compared with."""
    _interlaced(tmp_path / "a.mpg", options={"flags": "+ildct+ilme"}, count=1)
    with Video.open(tmp_path / "a.mpg") as opened:
        ((time, picture),) = [(one.time, np.asarray(one.picture((96, 64)), np.float32)) for one in opened.frames()]
    assert time == 0
    assert np.abs(picture[1:-1] - (picture[:-2] + picture[2:]) / 2).mean() < 3
