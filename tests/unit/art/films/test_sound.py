"""Tests of auria_bot.art.films.sound."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from auria_bot.art.films import video
from auria_bot.art.films.sound import CopiedSound, FilmSound, Spoken, write_sound
from auria_bot.art.films.sound_reading import has_sound, sound_state
from auria_bot.art.films.video_writer import FORMATS, VideoWriter, join
from auria_bot.art.voice import LOUDNESS, loudness
from auria_bot.art.voice import RATE as VOICE_RATE
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
RATE = 48_000


def write_tone(path: Path, seconds: float, rate: int = 44_100) -> Path:
    """A tone of 440 Hz in one channel, as WAV."""
    import av

    count = round(seconds * rate)
    wave = (np.sin(np.arange(count) * 440 * 2 * np.pi / rate) * 9000).astype(np.int16)[None]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_part(path: Path, suffix: str, seconds: int = 2) -> Path:
    """A grey video at 10 frames a second."""
    with VideoWriter.create(path, FORMATS[suffix], size=(32, 32), rate=Fraction(10)) as writer:
        for _ in range(10 * seconds):
            writer.write(np.full((32, 32, 3), 120, np.uint8))
    return path


def heard(path: Path) -> np.ndarray:
    """(samples,) of the first channel, at 48 kHz."""
    import av

    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
    with av.open(str(path)) as opened:
        frames = [shaped for frame in opened.decode(audio=0) for shaped in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def packets(path: Path) -> list[bytes]:
    """The encoded sound of a file."""
    import av

    with av.open(str(path)) as opened:
        return [bytes(packet) for packet in opened.demux(audio=0) if packet.size]


def copied(path: Path) -> CopiedSound:
    """The sound of a file that has some."""
    state = sound_state(path)
    assert state is not None
    return CopiedSound(path, state)


@pytest.mark.parametrize("suffix", list(FORMATS))
@pytest.mark.parametrize("seconds", [0.7, 5.0])
def test_music_is_repeated_or_cut_to_the_length_and_faded(tmp_path: Path, suffix: str, seconds: float) -> None:
    """It is as long as the film, silent at both ends and loud in the middle."""
    music = FilmSound(write_tone(tmp_path / "a.wav", seconds), seconds=Fraction(2), fade_in=0.3, fade_out=0.3)
    target = tmp_path / "joined"
    join([(write_part(tmp_path / "part", suffix), Fraction(0))], target, FORMATS[suffix], metadata={}, soundtrack=music)
    found = heard(target)
    assert len(found) / RATE == pytest.approx(2.0, abs=0.05)
    ends, inner = np.abs(np.concatenate([found[:1500], found[-1500:]])), np.abs(found[RATE // 2 : -RATE // 2])
    assert ends.max() < 0.05
    assert inner[:48_000].reshape(-1, 480).max(1).min() > 0.1  # no gap where it is repeated


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_sound_that_the_container_takes_is_copied_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    """Its packets are the same."""
    part, first, second = write_part(tmp_path / "part", suffix), tmp_path / "first", tmp_path / "second"
    music = FilmSound(write_tone(tmp_path / "a.wav", 1.0), seconds=Fraction(2))
    join([(part, Fraction(0))], first, FORMATS[suffix], metadata={}, soundtrack=music)
    join([(part, Fraction(0))], second, FORMATS[suffix], metadata={}, soundtrack=copied(first))
    assert packets(second) == packets(first)
    assert len(packets(first)) > 50


def test_sound_that_the_container_does_not_take_is_encoded_anew(tmp_path: Path) -> None:
    """AAC becomes Opus in WebM, and is as long."""
    first, second = tmp_path / "first", tmp_path / "second"
    music = FilmSound(write_tone(tmp_path / "a.wav", 1.0), seconds=Fraction(2))
    join([(write_part(tmp_path / "a", ".mp4"), Fraction(0))], first, FORMATS[".mp4"], metadata={}, soundtrack=music)
    part = write_part(tmp_path / "b", ".webm")
    join([(part, Fraction(0))], second, FORMATS[".webm"], metadata={}, soundtrack=copied(first))
    assert len(heard(second)) == pytest.approx(len(heard(first)), abs=3000)


def test_a_file_without_sound_is_no_music(tmp_path: Path) -> None:
    """A silent video and a text are refused, each with its own sentence."""
    part = write_part(tmp_path / "a.mp4", ".mp4")
    assert not has_sound(part)
    with pytest.raises(InputError, match="holds no sound"):
        FilmSound(part, seconds=Fraction(1))
    (tmp_path / "b.mp3").write_text("no music")
    with pytest.raises(InputError, match="cannot be read as sound"):
        FilmSound(tmp_path / "b.mp3", seconds=Fraction(1))


def test_music_that_cannot_be_decoded_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    """A file that says it holds sound, and holds none."""
    write_tone(tmp_path / "a.wav", 0.1)
    content = (tmp_path / "a.wav").read_bytes()
    place = content.index(b"data")
    (tmp_path / "a.wav").write_bytes(content[: place + 4] + bytes(4))
    with pytest.raises(InputError, match="its sound cannot be decoded"):
        FilmSound(tmp_path / "a.wav", seconds=Fraction(1))


def test_a_moment_of_music_is_repeated_without_reading_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of a few samples would be opened thousands of times."""
    import av

    opened: list[str] = []
    opening = av.open
    music = FilmSound(write_tone(tmp_path / "a.wav", 10 / RATE, RATE), seconds=Fraction(2))
    monkeypatch.setattr(av, "open", lambda name, *rest, **more: (opened.append(name), opening(name, *rest, **more))[1])
    target, part = tmp_path / "joined", write_part(tmp_path / "part", ".mp4")
    join([(part, Fraction(0))], target, FORMATS[".mp4"], metadata={}, soundtrack=music)
    assert len(heard(target)) / RATE == pytest.approx(2.0, abs=0.05)
    assert opened.count(str(tmp_path / "a.wav")) == 1


def film_with_sound(path: Path, codec: str, rate: int = RATE, seconds: int = 2) -> Path:
    """A video of MPEG-4 with a tone, in the format of the file's name."""
    import av

    with av.open(str(path), "w") as container:
        shown = container.add_stream("mpeg4", rate=10)
        shown.width, shown.height, shown.pix_fmt = 32, 32, "yuv420p"
        stream = container.add_stream(codec, rate=rate, layout="mono")
        stream.codec_context.format = form = "s16" if codec == "flac" else "fltp"
        for number in range(10 * seconds):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 120, np.uint8), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(shown.encode(frame))
        container.mux(shown.encode())
        length = stream.codec_context.frame_size
        for place in range(0, rate * seconds, length):
            wave = np.sin((place + np.arange(length)) * 440 * 2 * np.pi / rate)[None] * 0.3
            sound = wave.astype(np.float32) if form == "fltp" else (wave * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(sound, format=form, layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, place, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def rejoined(tmp_path: Path, source: Path, suffix: str) -> tuple[CopiedSound, Path]:
    """The sound of a file beside another picture."""
    sound, target = copied(source), tmp_path / "target"
    part = write_part(tmp_path / "part", suffix, 4)
    join([(part, Fraction(0))], target, FORMATS[suffix], metadata={}, soundtrack=sound)
    return sound, target


def test_sound_whose_clock_was_set_back_goes_on(tmp_path: Path) -> None:
    """Of two recordings that were joined, all packets are copied, in a time that grows."""
    import av

    once = film_with_sound(tmp_path / "a.ts", "aac")
    (tmp_path / "b.ts").write_bytes(once.read_bytes() * 2)
    sound, target = rejoined(tmp_path, tmp_path / "b.ts", ".mp4")
    assert sound.copies
    assert len(packets(target)) == 2 * len(packets(once))
    with av.open(str(target)) as opened:
        times = [packet.dts for packet in opened.demux(audio=0) if packet.dts is not None]
    assert times == sorted(set(times))


def test_sound_of_a_rate_that_the_container_does_not_take_is_encoded_anew(tmp_path: Path) -> None:
    """MP3 of 8 kHz may not stand in MP4."""
    sound, target = rejoined(tmp_path, film_with_sound(tmp_path / "a.mkv", "libmp3lame", 8000), ".mp4")
    assert not sound.copies
    assert len(heard(target)) / RATE == pytest.approx(2.0, abs=0.1)


def spoil(path: Path, begin: int, end: int | None) -> int:
    """Overwrite some of the packets of sound in a file with noise, and count them."""
    content, place, rng = bytearray(path.read_bytes()), 0, np.random.default_rng(1)
    spoilt = [packet for packet in packets(path) if len(packet) > 16][begin:end]
    for packet in spoilt:
        place = content.index(packet, place)
        content[place : place + len(packet)] = rng.bytes(len(packet))
    path.write_bytes(content)
    return len(spoilt)


@pytest.mark.parametrize("suffix", list(FORMATS))
@pytest.mark.parametrize("codec", ["flac", "ac3"])
def test_damaged_sound_costs_what_is_damaged(tmp_path: Path, suffix: str, codec: str) -> None:
    """Also where a container would take it as it is, it becomes silence, and the rest is heard at its time."""
    source = film_with_sound(tmp_path / "a.mkv", codec)
    count = len(packets(source))
    spoil(source, count // 4, count // 2)
    sound, target = rejoined(tmp_path, source, suffix)
    assert not sound.copies
    found = np.abs(heard(target))
    assert len(found) / RATE == pytest.approx(2.0, abs=0.1)
    assert found[round(0.65 * RATE) : round(0.85 * RATE)].max() < 0.01
    assert found[round(0.2 * RATE) : round(0.4 * RATE)].max() > 0.1
    assert found[round(1.2 * RATE) : round(1.8 * RATE)].reshape(-1, 480).max(1).min() > 0.1


def test_sound_that_is_damaged_for_long_is_heard_again_afterwards(tmp_path: Path) -> None:
    """More packets in a row than a picture would be waited for."""
    source = film_with_sound(tmp_path / "a.mkv", "aac", seconds=4)
    assert spoil(source, 20, 150) == 130
    _, target = rejoined(tmp_path, source, ".mp4")
    assert np.abs(heard(target)[round(3.5 * RATE) :]).max() > 0.1


def test_sound_that_is_damaged_at_its_beginning_is_copied(tmp_path: Path) -> None:
    """As that of a recording that began amid a packet; what comes after is the same bit for bit."""
    source = film_with_sound(tmp_path / "a.mkv", "ac3")
    before = packets(source)
    spoil(source, 0, 3)
    sound, target = rejoined(tmp_path, source, ".mp4")
    assert sound.copies
    assert packets(target) == before[3:]


def test_music_is_lowered_under_a_voice_and_returns(tmp_path: Path) -> None:
    """A voice is 12 LU louder than the music under it; here it says nothing, so that the music alone is heard."""
    spoken = Spoken(begin=3.0, samples=np.zeros(VOICE_RATE, np.float32))
    music = write_tone(tmp_path / "a.wav", 8.0)
    sound = FilmSound(music, seconds=Fraction(8), spoken=(spoken,), fade_in=0.2, fade_out=0.2)
    target = tmp_path / "joined"
    part = write_part(tmp_path / "part", ".mp4", 8)
    join([(part, Fraction(0))], target, FORMATS[".mp4"], metadata={}, soundtrack=sound)
    found = heard(target)
    before, under, after = (np.abs(found[round(at * RATE) : round((at + 0.2) * RATE)]).max() for at in (1.8, 3.4, 5.8))
    assert before == pytest.approx(after, rel=0.05)
    tone = loudness(np.sin(np.arange(2 * RATE) * 440 * 2 * np.pi / RATE).astype(np.float32) * before, RATE)
    assert 20 * np.log10(under / before) == pytest.approx(LOUDNESS - 12 - tone, abs=0.5)


def test_a_voice_without_music_is_heard_at_its_place(tmp_path: Path) -> None:
    """At twice the rate, and as loud."""
    tone = (0.5 * np.sin(np.arange(VOICE_RATE) * 440 * 2 * np.pi / VOICE_RATE)).astype(np.float32)
    sound = FilmSound(None, seconds=Fraction(4), spoken=(Spoken(begin=1.5, samples=tone),))
    target = tmp_path / "joined"
    part = write_part(tmp_path / "part", ".webm", 4)
    join([(part, Fraction(0))], target, FORMATS[".webm"], metadata={}, soundtrack=sound)
    found = heard(target)
    assert np.abs(found[: round(1.4 * RATE)]).max() < 0.01
    assert np.abs(found[2 * RATE : round(2.4 * RATE)]).max() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("suffix", [".m4a", ".ogg"])
def test_a_voice_is_written_as_a_file(tmp_path: Path, suffix: str) -> None:
    """Without a picture."""
    import av

    path = tmp_path / f"a{suffix}"
    write_sound(path, np.zeros(VOICE_RATE, np.float32), VOICE_RATE, suffix=suffix, metadata={"title": "low tide"})
    with av.open(str(path)) as opened:
        assert not opened.streams.video
        assert opened.streams.audio[0].channels == 1
