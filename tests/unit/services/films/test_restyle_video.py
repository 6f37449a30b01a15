"""Tests of auria_bot.services.films.restyle_video."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from auria_bot.art.films import video
from auria_bot.art.films.sound import FilmSound
from auria_bot.art.films.video_writer import FORMATS, join
from auria_bot.errors import DiskError, InputError, UnknownName
from auria_bot.services.films import restyle_video as service
from auria_bot.services.films.restyle_video import Restyled, VideoRequest, restyle_video
from auria_bot.testing import FakeStylist
from tests.scenarios.footage import Clip, make_clips
from tests.unit.art.films.test_sound import film_with_sound, packets, spoil, write_tone

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    from auria_bot.domain.artwork import Style

pytestmark = pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")

REQUEST = VideoRequest(style="fake-03", height=96)


class Stopped(Exception):
    """Stands for a kill."""


def ignore(_done: int, _all: int) -> None:
    """Progress that nobody looks at."""


def restyled(
    source: Path, target: Path, request: VideoRequest = REQUEST, progress=ignore, kind: type[FakeStylist] = FakeStylist
) -> Restyled:
    """Restyle with the fake stylist, or one of that kind."""
    stylist = kind(kind.Config(), models=target.parent)
    return restyle_video(stylist, source, target, request, work=target.parent / "work", progress=progress)


def times(path: Path) -> list[Fraction]:
    """When the frames of a video are shown."""
    with video.Video.open(path) as opened:
        return [frame.time for frame in opened.frames()]


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    """Every frame has the time that it had; nothing is left of the work."""
    (source,) = make_clips(tmp_path, [Clip(name="a.mkv", size=(160, 96), seconds=2.0, uneven=True)])
    made = restyled(source, tmp_path / "b.mp4")
    before, after = times(source), times(tmp_path / "b.mp4")
    assert made.frames == len(before) == len(after)
    assert after == pytest.approx(before, abs=0.001)
    assert made.sound == "none"
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_frames_that_are_too_close_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    """A camera that states a microsecond between two frames loses none, also where a segment ends."""
    import av

    monkeypatch.setattr(service, "SEGMENT", 3)
    with av.open(str(tmp_path / "a.nut"), "w") as container:
        stream = container.add_stream("ffv1", rate=240_000)
        stream.width, stream.height, stream.pix_fmt = 96, 96, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1_000_000)
        for number in range(8):
            frame = av.VideoFrame.from_ndarray(np.full((96, 96, 3), 30 * number, np.uint8), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 1_000_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert restyled(tmp_path / "a.nut", tmp_path / f"b{suffix}").frames == 8
    with av.open(str(tmp_path / f"b{suffix}")) as opened:
        assert sum(1 for _ in opened.decode(video=0)) == 8


def test_a_turned_video_comes_out_upright(tmp_path: Path) -> None:
    """And with square pixels, its sides even numbers."""
    (source,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(160, 96), seconds=0.4, turn=90)])
    assert restyled(source, tmp_path / "b.mp4", replace(REQUEST, mode="photorealistic")).size == (160, 96)
    with video.Video.open(tmp_path / "b.mp4") as opened:
        frame = next(opened.frames())
        assert frame.size == (160, 96)
        assert frame.turn == (1, 0, 0, 1)


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_sound_is_copied_bit_for_bit_where_it_can_be(tmp_path: Path, suffix: str) -> None:
    """In the same format; in another one it is encoded anew."""
    (silent,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(160, 96), seconds=1.0)])
    restyled(silent, tmp_path / f"part{suffix}")
    source = tmp_path / f"source{suffix}"
    music = FilmSound(write_tone(tmp_path / "a.wav", 1.0), seconds=Fraction(1))
    join([(tmp_path / f"part{suffix}", Fraction(0))], source, FORMATS[suffix], metadata={}, soundtrack=music)
    assert restyled(source, tmp_path / f"b{suffix}").sound == "copied"
    assert packets(tmp_path / f"b{suffix}") == packets(source)
    if suffix == ".mp4":
        assert restyled(source, tmp_path / "c.webm").sound == "encoded"
        assert packets(tmp_path / "c.webm")


@pytest.mark.parametrize(
    ("codec", "begin", "end", "sound"),
    [("ac3", 20, 30, "encoded"), ("flac", 8, 12, "encoded"), ("flac", 0, None, "none")],
)
def test_damaged_sound_does_not_cost_the_picture(
    tmp_path: Path, codec: str, begin: int, end: int | None, sound: str
) -> None:
    """What is damaged is counted; where nothing can be decoded, the video has no sound."""
    source = film_with_sound(tmp_path / "a.mkv", codec)
    spoilt = spoil(source, begin, end)
    made = restyled(source, tmp_path / "b.mp4", replace(REQUEST, height=None))
    assert (made.frames, made.sound) == (20, sound)
    assert made.damaged_sound == pytest.approx(spoilt, abs=1)
    assert len(times(tmp_path / "b.mp4")) == 20


@pytest.mark.parametrize("moment", [3, 8, 13])
def test_an_interrupted_call_goes_on_and_makes_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """Within a segment and between two; the target is not there before it is complete."""
    monkeypatch.setattr(service, "SEGMENT", 8)
    (source,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(160, 96), seconds=0.8)])
    restyled(source, tmp_path / "whole.mp4")

    def stop(done: int, _all: int) -> None:
        if done == moment:
            raise Stopped

    with pytest.raises(Stopped):
        restyled(source, tmp_path / "b.mp4", progress=stop)
    assert not (tmp_path / "b.mp4").exists()
    seen: list[int] = []
    restyled(source, tmp_path / "b.mp4", progress=lambda done, _all: seen.append(done))
    assert seen[0] == (moment - 1) // 8 * 8
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_frame_by_frame_is_what_the_stylist_alone_makes(tmp_path: Path) -> None:
    """Its frames differ from the steady ones."""
    (source,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(160, 96), seconds=0.4)])
    for name, steady in (("a", True), ("b", False)):
        restyled(source, tmp_path / f"{name}-out.mp4", replace(REQUEST, steady=steady, every=3))
    shown = []
    for name in "ab":
        with video.Video.open(tmp_path / f"{name}-out.mp4") as opened:
            shown.append(np.stack([np.asarray(frame.picture((160, 96)), float) for frame in opened.frames()]))
    assert np.abs(shown[0][0] - shown[1][0]).mean() < 2
    assert np.abs(shown[0][2] - shown[1][2]).mean() > 0.2


def test_what_cannot_be_restyled_is_refused(tmp_path: Path) -> None:
    """Each with a sentence, and no file is left."""
    (source, sound) = make_clips(
        tmp_path, [Clip(name="a.mp4", size=(160, 96), seconds=0.2), Clip(name="b.mka", content="sound")]
    )
    for path, target, request, kind, words in (
        (source, "b.avi", REQUEST, InputError, "must end in"),
        (source, "b.mp4", replace(REQUEST, mode="crayon"), UnknownName, "known: oil"),
        (source, "b.mp4", replace(REQUEST, strength=2.0), InputError, "0 to 1"),
        (source, "b.mp4", replace(REQUEST, height=8), InputError, "64 to 2160"),
        (source, "a.mp4", REQUEST, InputError, "is the video itself"),
        (sound, "b.mp4", REQUEST, InputError, "no moving picture"),
        (tmp_path / "away.mp4", "b.mp4", REQUEST, InputError, "cannot be opened"),
    ):
        with pytest.raises(kind, match=words):
            restyled(path, tmp_path / target, request)
    assert not (tmp_path / "b.mp4").exists()


class InMemory(FakeStylist):
    """A stylist that restyles pictures without files."""

    def restyled(self, picture: Image.Image, style: Style) -> Image.Image:
        """The picture in grey."""
        return picture.convert("L").convert("RGB")


def last_frame(path: Path) -> NDArray[np.float64]:
    """The last frame of a video."""
    with video.Video.open(path) as opened:
        *_, last = opened.frames()
        return np.asarray(last.picture(last.size), float)


def test_a_target_that_cannot_be_written_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    """Not after an hour."""
    (source,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(160, 96), seconds=0.3)])
    (tmp_path / "folder.mp4").mkdir()
    seen: list[int] = []
    with pytest.raises(DiskError, match="what is there is no file"):
        restyled(source, tmp_path / "folder.mp4", progress=lambda done, _all: seen.append(done))
    assert not seen


def test_frames_are_restyled_in_memory_where_the_stylist_can(tmp_path: Path) -> None:
    """In modes of strokes it paints them; otherwise it restyles them, at the same size."""
    (source,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(160, 96), seconds=0.2)])
    request = replace(REQUEST, steady=False)
    restyled(source, tmp_path / "b.mp4", request, kind=InMemory)
    assert last_frame(tmp_path / "b.mp4").std(axis=-1).mean() < 2
    restyled(source, tmp_path / "c.mp4", replace(request, mode="ink"), kind=InMemory)
    assert last_frame(tmp_path / "c.mp4").std(axis=-1).mean() > 2


def test_what_was_interrupted_a_month_ago_is_removed(tmp_path: Path) -> None:
    """What was interrupted lately stays."""
    (source,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(160, 96), seconds=0.2)])
    for name in ("old", "new"):
        (tmp_path / "work" / name).mkdir(parents=True)
    os.utime(tmp_path / "work" / "old", (0, 0))
    restyled(source, tmp_path / "b.mp4")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["new"]


def test_a_video_without_a_frame_is_refused(tmp_path: Path) -> None:
    """As one that was cut short right after its head."""
    (source,) = make_clips(tmp_path, [Clip(name="a.mkv", size=(160, 96), seconds=0.2)])
    content = source.read_bytes()
    source.write_bytes(content[: content.index(b"\x1f\x43\xb6\x75") + 30])  # where the frames begin
    with pytest.raises(InputError, match=r"a\.mkv: has no frame that can be decoded"):
        restyled(source, tmp_path / "b.mp4")


def write_cut_recording(path: Path) -> None:
    """The first key frame is lost; a second after the next, the picture turns white and a tone is heard."""
    import av

    with av.open(str(path), "w") as container:
        shown = container.add_stream("mpeg2video", rate=25, options={"g": "25"})
        shown.width, shown.height, shown.pix_fmt = 96, 96, "yuv420p"
        heard = container.add_stream("aac", rate=48_000, layout="mono")
        packets = []
        for number in range(75):
            frame = av.VideoFrame.from_ndarray(np.full((96, 96, 3), 255 * (number >= 50), np.uint8), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            packets += shown.encode(frame)
        packets += shown.encode()
        for place in range(0, 3 * 48_000, 1024):
            at = place + np.arange(1024)
            wave = np.where(at >= 96_000, np.sin(at / 20), 0.0).astype(np.float32)[None]
            sound = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 48_000, place, Fraction(1, 48_000)
            packets += heard.encode(sound)
        packets += heard.encode()
        for packet in sorted(packets[1:], key=lambda one: one.dts * one.time_base):
            container.mux(packet)


def white_and_tone(path: Path) -> tuple[float, float]:
    """When a video turns white, and when a tone begins, in seconds."""
    import av

    with av.open(str(path)) as opened:
        whites = (frame.time for frame in opened.decode(video=0) if frame.to_ndarray(format="gray").mean() > 200)
        white = next(whites)
    with av.open(str(path)) as opened:
        return white, next(frame.time for frame in opened.decode(audio=0) if np.abs(frame.to_ndarray()).max() > 0.1)


def write_offset(path: Path, picture: Fraction, sound: Fraction) -> None:
    """Picture and sound begin at these seconds of the file's clock; a second after both, white and a tone."""
    import av

    turn = Fraction(math.ceil(25 * max(picture, sound)), 25) + 1
    with av.open(str(path), "w") as container:
        shown = container.add_stream("libx264", rate=25)
        shown.width, shown.height, shown.pix_fmt = 96, 96, "yuv420p"
        heard = container.add_stream("aac", rate=48_000, layout="mono")
        packets = []
        for number in range(50):
            time = picture + Fraction(number, 25)
            frame = av.VideoFrame.from_ndarray(np.full((96, 96, 3), 255 * (time >= turn), np.uint8), "rgb24")
            frame.pts, frame.time_base = round(time * 25), Fraction(1, 25)
            packets += shown.encode(frame)
        packets += shown.encode()
        for place in range(round(sound * 48_000), round((sound + 2) * 48_000), 1024):
            at = place + np.arange(1024)
            wave = np.where(at >= turn * 48_000, np.sin(at / 20), 0.0).astype(np.float32)[None]
            piece = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = 48_000, place, Fraction(1, 48_000)
            packets += heard.encode(piece)
        packets += heard.encode()
        for packet in sorted(packets, key=lambda one: one.dts * one.time_base):
            container.mux(packet)


@pytest.mark.parametrize("suffix", list(FORMATS))
@pytest.mark.parametrize(
    ("name", "picture", "sound"),
    [
        ("late.mp4", Fraction(0), Fraction(1, 2)),
        ("early.mp4", Fraction(12, 25), Fraction(0)),
        ("ten.mkv", Fraction(10), Fraction(10)),
        ("ten-late.mkv", Fraction(10), Fraction(21, 2)),
        ("ten-early.ts", Fraction(262, 25), Fraction(10)),
    ],
)
def test_sound_and_picture_stay_as_far_apart_as_they_are(
    tmp_path: Path, suffix: str, name: str, picture: Fraction, sound: Fraction
) -> None:
    """Where one begins later than the other, by an edit list or by its stamps, and where the clock begins late."""
    write_offset(tmp_path / name, picture, sound)
    restyled(tmp_path / name, tmp_path / f"b{suffix}", replace(REQUEST, mode="photorealistic"))
    before, after = white_and_tone(tmp_path / name), white_and_tone(tmp_path / f"b{suffix}")
    assert before[1] == pytest.approx(before[0], abs=0.03)
    assert after[1] == pytest.approx(after[0], abs=0.03)


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_sound_fits_the_picture_of_a_recording_that_was_cut(tmp_path: Path, suffix: str) -> None:
    """What cannot be decoded before the first key frame does not shift the sound."""
    write_cut_recording(tmp_path / "a.ts")
    restyled(tmp_path / "a.ts", tmp_path / f"b{suffix}", replace(REQUEST, mode="photorealistic"))
    white, tone = white_and_tone(tmp_path / f"b{suffix}")
    assert tone == pytest.approx(white, abs=0.06)
