"""Tests of auria_bot.art.films.sound_reading."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from auria_bot.art.films import video
from auria_bot.art.films.sound_reading import SOUND_RATE, has_sound, in_lengths, stereo, without_gaps
from auria_bot.errors import InputError
from tests.unit.art.films.test_sound import write_tone

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")


def write_wave(path: Path, samples: np.ndarray, *, form: int, rate: int = SOUND_RATE) -> Path:
    """A WAV file of (n, channels): form 1 are integers, 3 floating point numbers."""
    content, channels, width = samples.tobytes(), samples.shape[1], samples.itemsize
    head = struct.pack("<IHHIIHH", 16, form, channels, rate, rate * channels * width, channels * width, 8 * width)
    size = struct.pack("<I", len(content))
    path.write_bytes(b"RIFF" + struct.pack("<I", 36 + len(content)) + b"WAVEfmt " + head + b"data" + size + content)
    return path


def write_aac(path: Path, rate: int, layout: str) -> bytes:
    """A second of a tone as a stream of AAC, which can be joined with another."""
    import av

    with av.open(str(path), "w", format="adts") as container:
        stream = container.add_stream("aac", rate=rate, layout=layout)
        channels = len(stream.codec_context.layout.channels)
        for place in range(0, rate, 1024):
            wave = np.sin((place + np.arange(1024)) * 440 * 2 * np.pi / rate)
            frame = av.AudioFrame.from_ndarray(
                np.tile(wave * 0.3, (channels, 1)).astype(np.float32), format="fltp", layout=layout
            )
            frame.sample_rate, frame.pts, frame.time_base = rate, place, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".caf", ".w64", ".mka", ".nut"])
def test_formats_that_are_seldom_seen_are_read(tmp_path: Path, suffix: str) -> None:
    """What FFmpeg knows to be a file of sound is no surprise after hours of rendering."""
    found = np.concatenate(list(stereo(write_tone(tmp_path / f"a{suffix}", 0.5))), 1)
    assert found.shape[0] == 2
    assert found.shape[1] == pytest.approx(0.5 * SOUND_RATE, abs=20)
    assert np.abs(found).max() == pytest.approx(9000 / 32768 / 2**0.5, rel=0.05)


def test_rate_and_channels_may_change_on_the_way(tmp_path: Path) -> None:
    """As where recordings were joined: both are heard to their ends."""
    path = tmp_path / "joined.aac"
    path.write_bytes(write_aac(tmp_path / "a.aac", 44_100, "stereo") + write_aac(tmp_path / "b.aac", 22_050, "mono"))
    assert sum(piece.shape[1] for piece in stereo(path)) == pytest.approx(2 * SOUND_RATE, rel=0.1)


def test_values_that_are_no_numbers_are_silent(tmp_path: Path) -> None:
    """No encoder would take them."""
    wave = np.full((SOUND_RATE, 1), 0.25, np.float32)
    wave[::7], wave[1::7] = np.nan, 1e30
    found = np.concatenate(list(stereo(write_wave(tmp_path / "a.wav", wave, form=3))), 1)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 100


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    """A named pipe that nobody writes to would be waited for for ever."""
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(InputError, match=r"a\.wav: is not a file"):
        has_sound(tmp_path / "a.wav")


def test_a_playlist_is_refused(tmp_path: Path) -> None:
    """It would name further files."""
    write_aac(tmp_path / "a.aac", 44_100, "mono")
    (tmp_path / "a.ffconcat").write_text("ffconcat version 1.0\nfile a.aac\n")
    with pytest.raises(InputError, match="cannot be read as sound or video"):
        has_sound(tmp_path / "a.ffconcat")


def test_gaps_become_silence() -> None:
    """What comes after one is heard at its time."""
    tone = np.ones((2, SOUND_RATE // 2), np.float32)
    found = np.concatenate(list(without_gaps([(Fraction(3), tone), (Fraction(5), tone)])), 1)
    assert found.shape == (2, 5 * SOUND_RATE // 2)
    assert not found[:, SOUND_RATE // 2 : 2 * SOUND_RATE].any()
    assert found[:, 2 * SOUND_RATE :].all()


def test_pieces_are_cut_anew() -> None:
    """Nothing is lost, and only the last is shorter."""
    values = np.arange(20, dtype=np.float32).reshape(2, 10)
    found = list(in_lengths([values[:, :3], values[:, 3:9], values[:, 9:]], 4))
    assert [piece.shape[1] for piece in found] == [4, 4, 2]
    assert np.array_equal(np.concatenate(found, 1), values)
