"""Tests of auria_bot.channels.films."""

from __future__ import annotations

import os
import struct
import time
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from auria_bot.art.films import video
from auria_bot.channels import film_encoding, films
from auria_bot.channels.films import film_changes, fit_film, read_film
from auria_bot.domain.post import FilmLimits
from auria_bot.errors import BackendMissing, Rejected
from auria_bot.files import sha256_of
from tests.platforms.video import sent_video
from tests.scenarios.films import film_file
from tests.scenarios.footage import Clip, make_clips
from tests.trials import film_post
from tests.unit.art.films.test_sound import film_with_sound, heard, spoil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

av = pytest.importorskip("av", reason="videos need the extra films")


def test_a_film_that_fits_is_sent_as_it_is(tmp_path: Path) -> None:
    """The same file, without a copy."""
    post = film_post(tmp_path, seconds=1.0)
    fitted = fit_film(post, FilmLimits(seconds=10, bytes=1_000_000, pixels=96, rate=30), tmp_path / "cache")
    assert str(fitted.path) == post.film
    assert (fitted.width, fitted.height, fitted.media_type) == (96, 54, "video/mp4")
    assert not (tmp_path / "cache").exists()


def test_a_film_is_encoded_anew_to_fit_once(tmp_path: Path) -> None:
    """Smaller, slower and within the bytes, with its sound, playable while it is received; the second call finds it."""
    post = film_post(tmp_path, seconds=1.0, rate=50, size=(256, 144), sound=True, noise=True)
    limits = FilmLimits(bytes=60_000, pixels=128, rate=25)
    fitted = fit_film(post, limits, tmp_path / "cache")
    sent = sent_video(fitted.content())
    assert sent.faults(most_bytes=60_000, longest=128, rate=(25, 25)) == []
    assert (sent.width, sent.height, sent.sound) == (128, 72, "aac")
    assert 24 <= sent.frames <= 26
    before = fitted.path.stat().st_mtime_ns
    assert fit_film(post, limits, tmp_path / "cache").path.stat().st_mtime_ns == before


def test_films_that_were_encoded_long_ago_are_deleted(tmp_path: Path) -> None:
    """When the next one is encoded: the cache does not grow for years."""
    cache = tmp_path / "cache"
    cache.mkdir()
    for name, days in (("old.mp4", 31), ("new.mp4", 29)):
        (cache / name).write_bytes(b"x")
        at = time.time() - days * 86_400
        os.utime(cache / name, (at, at))
    made = fit_film(film_post(tmp_path, seconds=0.5, rate=50), FilmLimits(rate=25), cache)
    assert {path.name for path in cache.iterdir()} == {"new.mp4", made.path.name}


def test_another_container_becomes_mp4(tmp_path: Path) -> None:
    """WebM is what no platform but Mastodon takes; frames are repeated to reach a least rate."""
    post = film_post(tmp_path, suffix=".webm", seconds=1.0, rate=10)
    sent = sent_video(fit_film(post, FilmLimits(least_rate=23), tmp_path / "cache").content())
    assert sent.faults(most_bytes=10**6, rate=(23, 23)) == []
    assert 22 <= sent.frames <= 24


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (None, "x takes no films"),
        (FilmLimits(seconds=2), "at most 2 seconds, and this has 3.2"),
        (FilmLimits(least_seconds=5), "from 5 seconds"),
        (FilmLimits(ratios=(0.5, 1.0)), "a ratio from 0.5 to 1"),
        (FilmLimits(alt_characters=3), "at most 3 characters for films"),
    ],
)
def test_what_cannot_fit_is_refused(tmp_path: Path, limits: FilmLimits | None, reason: str) -> None:
    """No film is cut, lengthened or framed."""
    film = read_film(film_file(tmp_path / "film.mp4"))
    with pytest.raises(Rejected, match=reason):
        film_changes(film, limits, "x", "A sea.")


@pytest.mark.parametrize("size", [(97, 55), (96, 55), (97, 54)])
def test_a_film_of_odd_size_is_encoded_too(tmp_path: Path, size: tuple[int, int]) -> None:
    """VP9 has such sizes, H.264 in 4:2:0 has none: a row or a column is left out."""
    path = film_file(tmp_path / "odd.webm", seconds=0.5, size=size)
    post = replace(film_post(tmp_path, seconds=0.5), film=str(path), film_sha256=sha256_of(path))
    fitted = fit_film(post, FilmLimits(), tmp_path / "cache")
    assert (fitted.width, fitted.height) == (96, 54)
    assert "reduced to 96x54" in film_changes(read_film(path), FilmLimits(), "x", "")


@pytest.mark.parametrize(
    "how",
    [{"turn": 90}, {"turn": 180}, {"turn": 270}, {"mirrored": True}, {"turn": 90, "mirrored": True}, {"aspect": 2}],
    ids=str,
)
def test_a_film_is_upright_after_it_was_encoded(tmp_path: Path, how: dict[str, Any]) -> None:
    """However it is stored: the bright corner is upper left and the red one upper right, in square pixels."""
    size = (48, 64) if "aspect" in how else (96, 64)
    (path,) = make_clips(tmp_path, [Clip(name="a.mov", size=size, seconds=0.4, **how)])
    film = read_film(path)
    assert (film.width, film.height) == (96, 64)
    post = replace(film_post(tmp_path, seconds=0.5), film=str(path), film_sha256=sha256_of(path))
    fitted = fit_film(post, FilmLimits(pixels=72), tmp_path / "cache")
    assert (fitted.width, fitted.height) == (72, 48)
    with video.Video.open(fitted.path) as opened:
        frame = next(opened.frames())
        assert (frame.turn, frame.aspect) == ((1, 0, 0, 1), 1)
        picture = np.asarray(frame.picture((48, 48)), np.float32)
    assert picture[1:5, 1:5].mean() > 200
    assert picture[1:5, -5:-1, 0].mean() > 150
    assert picture[1:5, -5:-1, 1:].mean() < 110


def test_frames_without_a_time_follow_each_other(tmp_path: Path) -> None:
    """A stream without a container states none; its length stays where the rate changes."""
    (path,) = make_clips(tmp_path, [Clip(name="a.h264", size=(96, 64), seconds=0.8)])
    film_encoding.encode(path, tmp_path / "b.mp4", size=(96, 64), rate=12.5, bits=None)
    sent = sent_video((tmp_path / "b.mp4").read_bytes())
    assert sent.frames in {10, 11}
    assert sent.seconds == pytest.approx(0.8, abs=0.1)


def stamped_film(path: Path, stamps: Sequence[int], colours: tuple[int, int] | None = None) -> Path:
    """A film whose frames are shown at stamps in 25ths of a second; it states primaries and transfer if given."""
    options = {"movflags": "+faststart"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", container_options=options) as container:
        stream = container.add_stream("libx264", rate=25, options={"tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        if colours is not None:
            stream.codec_context.color_primaries, stream.codec_context.color_trc = colours
        for number, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), 10 * number, np.uint8), "rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_clock_that_begins_later_adds_nothing(tmp_path: Path) -> None:
    """As that of a recording does: its first frame is not shown the longer."""
    path = stamped_film(tmp_path / "a.mkv", range(50, 70))
    film_encoding.encode(path, tmp_path / "b.mp4", size=(96, 64), rate=25, bits=None)
    assert sent_video((tmp_path / "b.mp4").read_bytes()).frames == 20


@pytest.mark.parametrize("name", ["a.ts", "a.mkv"])
def test_a_stamp_far_off_does_not_lengthen_a_film(tmp_path: Path, name: str) -> None:
    """A damaged one: its frame and those behind follow at once, and no hour of frames is written."""
    path = stamped_film(tmp_path / name, [*range(10), *range(20_000, 20_010)])
    content = path.read_bytes()
    if name == "a.mkv":  # which states how long it is
        place = content.index(b"\x44\x89\x88") + 3
        path.write_bytes(content[:place] + struct.pack(">d", 800.0) + content[place + 8 :])
    film_encoding.encode(path, tmp_path / "b.mp4", size=(96, 64), rate=25, bits=None)
    assert sent_video((tmp_path / "b.mp4").read_bytes()).frames == 20


def test_a_frame_that_is_shown_for_long_stays_so(tmp_path: Path) -> None:
    """As the file states: it is no damage."""
    path = stamped_film(tmp_path / "a.mkv", [0, 1, 301, 302])
    film_encoding.encode(path, tmp_path / "b.mp4", size=(96, 64), rate=25, bits=None)
    assert sent_video((tmp_path / "b.mp4").read_bytes()).frames == 303


def test_a_stream_that_appears_on_the_way_ends_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV raises IndexError there; what came before is kept."""
    opened = av.open(str(stamped_film(tmp_path / "a.mkv", range(20))))

    def demux(streams: Any) -> Iterator[Any]:
        yield from opened.demux(streams)
        raise IndexError("list index out of range")

    source = SimpleNamespace(
        streams=opened.streams, metadata={}, format=opened.format, start_time=0, duration=opened.duration, demux=demux
    )
    monkeypatch.setattr(
        av,
        "open",
        lambda *given, _open=av.open, **more: nullcontext(source) if len(given) == 1 else _open(*given, **more),
    )
    film_encoding.encode(tmp_path / "a.mkv", tmp_path / "b.mp4", size=(96, 64), rate=25, bits=None)
    monkeypatch.undo()
    opened.close()
    assert sent_video((tmp_path / "b.mp4").read_bytes()).frames == 20


@pytest.mark.parametrize(("stated", "told"), [(None, (1, 1)), ((5, 6), (5, 6)), ((9, 18), (1, 1)), ((12, 1), (1, 1))])
def test_an_encoded_film_states_its_colours(
    tmp_path: Path, stated: tuple[int, int] | None, told: tuple[int, int]
) -> None:
    """A player would otherwise take those of a smaller film for others; wide and bright ones are converted."""
    path = stamped_film(tmp_path / "a.mp4", range(5), stated)
    film_encoding.encode(path, tmp_path / "b.mp4", size=(48, 28), rate=25, bits=None)
    with av.open(str(tmp_path / "b.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_range) == (1, 1)
    assert (frame.color_primaries, frame.color_trc) == told
    assert read_film(path).standard == (stated is None or stated[0] == 5)


def test_a_film_of_wide_colours_is_shown_in_standard_ones(tmp_path: Path) -> None:
    """A grey of HLG becomes as bright as on a standard screen, and no colour is pale."""
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv444p10le"
        context = stream.codec_context
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = 1, 1, 12, 1
        frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), (185, 71, 58), np.uint8), "rgb24")
        shown = frame.reformat(format="yuv444p10le", dst_colorspace=1, dst_color_range=1)
        container.mux([*stream.encode(shown), *stream.encode()])
    film_encoding.encode(tmp_path / "a.mkv", tmp_path / "b.mp4", size=(96, 64), rate=25, bits=None)
    with video.Video.open(tmp_path / "b.mp4") as opened:
        picture = np.asarray(next(opened.frames()).picture((96, 64)), np.float32)
    assert np.abs(picture - (200, 60, 50)).max() <= 5


def _part(path: Path, *, begin: int, seconds: float, lit: bool) -> bytes:
    """A recording of a second by a clock that begins anew; where `lit`, with a flash and a click at its beginning."""
    rate = 48_000
    samples = np.zeros((round(seconds * rate), 2), np.int16)
    samples[: 2400 if lit else 0] = 25_000
    with av.open(str(path), "w", format="mpegts", container_options={"output_ts_offset": str(begin)}) as container:
        seen = container.add_stream("mpeg2video", rate=25)
        seen.width, seen.height, seen.pix_fmt = 96, 64, "yuv420p"
        heard = container.add_stream("mp2", rate=rate, layout="stereo")
        sound = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "stereo")
        sound.sample_rate, sound.pts = rate, 0
        packets = heard.encode(sound) + heard.encode(None)
        for number in range(25):
            frame = av.VideoFrame.from_ndarray(
                np.full((64, 96, 3), 235 if lit and number < 5 else 20, np.uint8), "rgb24"
            )
            packets += seen.encode(frame.reformat(format="yuv420p"))
        packets += seen.encode(None)
        container.mux(sorted(packets, key=lambda one: one.dts * one.time_base))
    return path.read_bytes()


def _joined(path: Path, *, begin: int, late: float) -> Path:
    """Two recordings of a second, of which the sound of the first ends `late` seconds before its picture."""
    first = _part(path, begin=5, seconds=1 - late, lit=False)
    path.write_bytes(first + _part(path, begin=begin, seconds=1, lit=True))
    return path


def _flash_and_click(path: Path) -> tuple[float, float, float]:
    """When the flash is seen, when the click is heard, and how long the sound is, in seconds."""
    with av.open(str(path)) as container:
        flash = next(one.time for one in container.decode(video=0) if one.to_ndarray(format="gray").mean() > 120)
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    times = np.concatenate([f.time + np.arange(f.samples) / f.sample_rate for f in frames])
    values = np.concatenate([np.abs(f.to_ndarray()[0]) for f in frames])
    return flash, float(times[np.argmax(values > 0.3)]), float(times[-1])


@pytest.mark.parametrize("late", [0.0, 0.2])
@pytest.mark.parametrize("begin", [6, 1000, 2])
def test_sound_and_picture_leap_together(tmp_path: Path, begin: int, late: float) -> None:
    """Where recordings were joined: what belongs together stays so, and what is missing of the sound is silence."""
    path = _joined(tmp_path / "a.ts", begin=begin, late=late)
    film_encoding.encode(path, tmp_path / "b.mp4", size=(96, 64), rate=25, bits=None)
    flash, click, end = _flash_and_click(tmp_path / "b.mp4")
    assert flash == pytest.approx(1.0, abs=0.09)
    assert click == pytest.approx(flash, abs=0.05)
    assert end == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize("name", ["sound.mp4", "cover.mp4"])
def test_a_file_without_a_moving_picture_is_refused(tmp_path: Path, name: str) -> None:
    """Sound alone, or with the picture of a cover."""
    with av.open(str(tmp_path / name), "w") as container:
        heard = container.add_stream("aac", rate=48_000, layout="stereo")
        cover = container.add_stream("mjpeg", rate=1) if name == "cover.mp4" else None
        if cover is not None:
            cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
            cover.disposition = av.stream.Disposition.attached_pic
            container.mux(cover.encode(av.VideoFrame(32, 32, "yuvj420p")))
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
        frame.sample_rate = 48_000
        container.mux([*heard.encode(frame), *heard.encode(None)])
    with pytest.raises(Rejected, match="cannot be read: it holds no moving picture"):
        read_film(tmp_path / name)


def test_what_changes_is_told_before(tmp_path: Path) -> None:
    """Without encoding anything."""
    film = read_film(film_file(tmp_path / "film.webm", seconds=0.5))
    changes = film_changes(film, FilmLimits(pixels=48, rate=12.5, bytes=100), "x", "")
    assert changes == (
        "encoded as H.264 in MP4",
        "reduced to 48x28",
        "changed to 12.5 frames a second",
        "compressed to 0 MB",
    )


def test_only_the_approved_film_is_sent(tmp_path: Path) -> None:
    """A missing, an exchanged or a damaged film is refused."""
    post = film_post(tmp_path, seconds=0.5)
    with pytest.raises(Rejected, match="not the film that was approved"):
        fit_film(replace(post, film_sha256="0" * 64), FilmLimits(), tmp_path)
    with pytest.raises(Rejected, match="is missing"):
        fit_film(replace(post, film=str(tmp_path / "none.mp4")), FilmLimits(), tmp_path)
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    with pytest.raises(Rejected, match="cannot be read"):
        read_film(tmp_path / "broken.mp4")


def test_a_film_that_cannot_be_decoded_is_refused(tmp_path: Path) -> None:
    """It is not tried again and again, and nothing is left."""
    post = film_post(tmp_path, seconds=0.5)
    film = Path(post.film)
    content = film.read_bytes()
    data = content.index(b"mdat") + 4
    film.write_bytes(content[:data] + bytes(reversed(content[data:])))
    with pytest.raises(Rejected, match="is damaged"):
        fit_film(replace(post, film_sha256=sha256_of(film)), FilmLimits(rate=12), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_sound_that_cannot_be_decoded_is_silent(tmp_path: Path) -> None:
    """The picture is sent as it was approved, and what is heard afterwards keeps its time."""
    source, target = film_with_sound(tmp_path / "a.mkv", "flac"), tmp_path / "b.mp4"
    spoil(source, 5, 11)
    film_encoding.encode(source, target, size=(32, 32), rate=10, bits=None)
    with av.open(str(target)) as opened:
        assert sum(1 for _ in opened.decode(video=0)) == 20
    found = np.abs(heard(target))
    assert found[round(0.65 * 48_000) : round(0.85 * 48_000)].max() < 0.01
    assert found[round(1.3 * 48_000) : round(1.8 * 48_000)].reshape(-1, 480).max(1).min() > 0.1


def test_a_size_that_cannot_be_reached_is_refused(tmp_path: Path) -> None:
    """After a few tries, without leaving anything."""
    post = film_post(tmp_path, seconds=1.0, noise=True)
    with pytest.raises(Rejected, match="cannot be reduced to 500 bytes"):
        fit_film(post, FilmLimits(bytes=500), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_pyav_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setattr(films.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BackendMissing, match=r"auria-bot\[films\]"):
        read_film(tmp_path / "film.mp4")
