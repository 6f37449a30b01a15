"""The sound of videos: music and a voice over it, fitted to a film's length, or the sound of another video, copied.

Both are read and written piece by piece, in step with the picture. FFmpeg is used through PyAV, the extra `films`.
"""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from auria_bot.art.films.sound_reading import (
    SOUND_RATE,
    first_sound,
    has_sound,
    in_lengths,
    opened_sound,
    stereo,
    timed_packets,
    timed_stereo,
    without_gaps,
)
from auria_bot.art.films.video import require_video
from auria_bot.art.voice import LOUDNESS, RATE, loudness
from auria_bot.errors import InputError
from auria_bot.files import readable_name
from auria_bot.videos.streams import StreamClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.art.films.sound_reading import SoundState
    from auria_bot.art.films.video_writer import VideoFormat

__all__ = ["CopiedSound", "FilmSound", "Spoken", "write_sound"]

_BITS = 192_000  # a second, of encoded sound
_BIT_EXACT = 1 << 23
_GLOBAL_HEADER = 1 << 22
_PIECE = 4096  # samples, where the encoder takes any number
_ABOVE = 12.0  # LU that a voice is louder than the music under it
_LOWERED_IN, _RAISED_IN = 0.6, 1.2  # seconds before and after a line
_MEASURED = 120  # seconds of music from which its loudness is measured
_SPOKEN_BITS = 64_000  # a second, of a voice
_SPOKEN = {".m4a": ("mp4", "aac"), ".ogg": ("ogg", "libopus"), ".opus": ("ogg", "libopus")}  # container and encoder
_REPEATED = 48_000  # samples of music; less is held in memory, so that its file is not read thousands of times
_LEAST_MP3 = 16_000  # samples a second of MP3 in MP4


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A line that is spoken in a film."""

    begin: float  # seconds of the film
    samples: NDArray[np.float32]  # (n,) mono, -1 to 1, at voice.RATE

    @property
    def end(self) -> float:
        """When it is over, in seconds of the film."""
        return self.begin + len(self.samples) / RATE


class FilmSound:
    """The sound of a film: music, a voice, or both.

    Music is repeated from its beginning where it is too short, cut where it is too long, and faded; under the voice it
    is lowered, so that the voice stands out by _ABOVE.

    Args:
        music: a file with sound; None: silence.
        seconds: how long it is heard.
        spoken: what the voice says, in its order.
        fade_in: seconds.
        fade_out: seconds.

    Raises:
        InputError: the file cannot be read, or holds no sound that can be decoded.
    """

    def __init__(
        self,
        music: Path | None,
        *,
        seconds: Fraction,
        spoken: Sequence[Spoken] = (),
        fade_in: float = 1.0,
        fade_out: float = 3.0,
    ) -> None:
        self._path, self._total = music, round(seconds * SOUND_RATE)
        share = min(1.0, float(seconds) / max(fade_in + fade_out, 1e-6))
        self._fade_in, self._fade_out = share * fade_in * SOUND_RATE, share * fade_out * SOUND_RATE
        if music is not None:
            if not has_sound(music):
                raise InputError(f"{readable_name(music)}: holds no sound")
            if next(stereo(music), None) is None:
                raise InputError(f"{readable_name(music)}: its sound cannot be decoded")
        self._spoken = [(round(line.begin * SOUND_RATE), _at_film_rate(line.samples)) for line in spoken]
        self._lowered = 1.0
        self._container: Any = None
        self._stream: Any = None
        self._pieces: Iterator[NDArray[np.float32]] = iter(())
        self._done = 0

    def open(self, container: Any, form: VideoFormat) -> None:
        """Add the stream to the container that is written."""
        self._container, self._stream = container, _stream(container, form.sound)
        if self._path is not None and self._spoken:
            over = loudness(_beginning(self._path), SOUND_RATE) - (LOUDNESS - _ABOVE)
            self._lowered = min(1.0, 10 ** (-over / 20))
        self._pieces, self._done = self._shaped(_length(self._stream)), 0

    def write(self, until: Fraction | None) -> None:
        """Encode what is heard before a time in seconds; None: the rest."""
        end = self._total if until is None else min(self._total, round(until * SOUND_RATE))
        while self._done < end:
            piece = next(self._pieces)
            frame = _frame(self._stream, piece, self._done)
            self._done += piece.shape[1]
            self._container.mux(self._stream.encode(frame))
        if until is None:
            self._container.mux(self._stream.encode())

    def _shaped(self, length: int) -> Iterator[NDArray[np.float32]]:
        """(2, up to `length`) pieces of the whole, faded."""
        place = 0
        for read in in_lengths(self._repeated(), length):
            piece = read[:, : self._total - place]
            yield np.clip(piece * self._gain(place, piece.shape[1]) + self._voice(place, piece.shape[1]), -1, 1)
            place += piece.shape[1]
            if place >= self._total:
                return

    def _gain(self, place: int, count: int) -> NDArray[np.float32]:
        """(count,) how loud the music is: raised cosines at both ends, and around what is spoken."""
        at = np.arange(place, place + count, dtype=np.float64)
        found = _rise(at / max(self._fade_in, 1.0)) * _rise((self._total - at) / max(self._fade_out, 1.0))
        for begin, samples in self._spoken:
            before = (begin - at) / (_LOWERED_IN * SOUND_RATE)
            after = (at - begin - len(samples)) / (_RAISED_IN * SOUND_RATE)
            found = np.minimum(found, self._lowered + (1 - self._lowered) * _rise(np.maximum(before, after)))
        return np.asarray(found, np.float32)

    def _voice(self, place: int, count: int) -> NDArray[np.float32]:
        """(count,) what is spoken from a place on."""
        found = np.zeros(count, np.float32)
        for begin, samples in self._spoken:
            first, end = max(begin, place), min(begin + len(samples), place + count)
            if first < end:
                found[first - place : end - place] += samples[first - begin : end - begin]
        return found

    def _repeated(self) -> Iterator[NDArray[np.float32]]:
        while self._path is None:
            yield np.zeros((2, _PIECE), np.float32)
        first, count = [], 0
        for piece in stereo(self._path):
            first += [piece] if count < _REPEATED else []
            count += piece.shape[1]
            yield piece
        whole = np.concatenate(first, 1)
        while count < _REPEATED:
            yield np.tile(whole, (1, -(-_REPEATED // count)))
        while True:
            yield from stereo(self._path)


class CopiedSound:
    """The sound of another video: its first stream, bit for bit where the container takes it, else encoded anew.

    Sound that is damaged on the way is encoded anew too: silence stands for what cannot be decoded, so that the rest
    is heard at its time.

    Args:
        path: the other video.
        state: of its sound, which is not silent.
        begin: seconds of its clock at which the picture begins.
    """

    def __init__(self, path: Path, state: SoundState, *, begin: Fraction = Fraction(0)) -> None:
        self._path, self._state, self._begin = path, state, begin
        self.copies = True
        """Whether it is copied bit for bit; known when the container was opened."""
        self._stack = contextlib.ExitStack()
        self._packets: Iterator[Any] = iter(())
        self._waiting: Any = None
        self._container: Any = None

    def open(self, container: Any, form: VideoFormat) -> None:
        """Add the stream to the container that is written."""
        self._container = container
        source = self._stack.enter_context(opened_sound(self._path))
        stream = first_sound(source)
        is_whole = self._state.damaged == self._state.leading
        self.copies = is_whole and _can_be_copied(stream.codec_context, form)
        if self.copies:
            self._packets = self._copied(source, stream, container.add_stream_from_template(stream))
        else:
            self._packets = self._encoded(source, stream, _stream(container, form.sound))

    def write(self, until: Fraction | None) -> None:
        """Write what is heard before a time in seconds; None: the rest. What is damaged is left out."""
        import av

        while True:
            packet = self._waiting if self._waiting is not None else next(self._packets, None)
            self._waiting = packet
            if packet is None or (until is not None and packet.dts * packet.time_base >= until):
                break
            self._waiting = None
            with contextlib.suppress(av.InvalidDataError):
                self._container.mux(packet)
        if until is None:
            self._stack.close()

    def _copied(self, source: Any, stream: Any, target: Any) -> Iterator[Any]:
        clock = StreamClock(source)
        for packet in itertools.islice(timed_packets(source, stream), self._state.leading, None):
            base = packet.time_base
            time = clock.time(packet.dts * base, (packet.duration or 1) * base)
            dts = round(time / base) - round(self._begin / base)
            packet.pts = dts + (packet.pts - packet.dts if packet.pts is not None else 0)
            packet.dts, packet.stream = dts, target
            yield packet

    def _encoded(self, source: Any, stream: Any, target: Any) -> Iterator[Any]:
        timed = timed_stereo(source, stream)
        if (first := next(timed, None)) is not None:
            place = round((first[0] - self._begin) * SOUND_RATE)
            for piece in in_lengths(without_gaps(itertools.chain([first], timed)), _length(target)):
                yield from target.encode(_frame(target, piece, place))
                place += piece.shape[1]
        yield from target.encode()


def write_sound(
    path: Path, samples: NDArray[np.float32], rate: int, *, suffix: str, metadata: Mapping[str, str]
) -> None:
    """Write one channel of sound, such as a voice, without a picture; the same samples give the same bytes.

    Args:
        path: the file, which need not have the format's ending.
        samples: (n,) from -1 to 1.
        rate: samples a second.
        suffix: ".m4a" (AAC), ".ogg" or ".opus" (Opus).
        metadata: such as "title" and "comment".

    Raises:
        BackendMissing: PyAV is not installed.
    """
    require_video()
    import av

    container_name, codec = _SPOKEN[suffix]
    options = {"fflags": "+bitexact", **({"movflags": "+faststart"} if container_name == "mp4" else {})}
    with av.open(str(path), "w", format=container_name, container_options=options) as container:
        container.metadata.update(metadata)
        stream = _stream(container, codec, layout="mono", bits=_SPOKEN_BITS)
        context = stream.codec_context
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, np.float32)[None], format="fltp", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        resampler = av.AudioResampler(
            format=context.format.name, layout="mono", rate=SOUND_RATE, frame_size=context.frame_size or _PIECE
        )
        for shaped in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(shaped))
        container.mux(stream.encode())


def _rise(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """A raised cosine from 0 to 1 over shares from 0 to 1."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0.0, 1.0)), np.float64)


def _at_film_rate(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Samples of the voice at the rate of a film's sound, by their spectrum; a line begins and ends in silence."""
    count = len(samples) * SOUND_RATE // RATE
    return np.asarray(np.fft.irfft(np.fft.rfft(samples), count) * (SOUND_RATE / RATE), np.float32)


def _beginning(path: Path) -> NDArray[np.float32]:
    """(samples,) in one channel, of the first _MEASURED seconds of a file's sound."""
    parts, count = [np.zeros(0, np.float32)], 0
    for piece in stereo(path):
        parts.append(piece.mean(axis=0))
        count += piece.shape[1]
        if count >= _MEASURED * SOUND_RATE:
            break
    return np.concatenate(parts)


def _can_be_copied(context: Any, form: VideoFormat) -> bool:
    """Whether a container takes sound as it is."""
    if context.name.startswith("mp3") and context.sample_rate < _LEAST_MP3:
        return False
    return context.name in form.copied or context.codec.canonical_name in form.copied


def _stream(container: Any, codec: str, *, layout: str = "stereo", bits: int = _BITS) -> Any:
    """A stream of encoded sound in a container that is written."""
    stream = container.add_stream(codec, rate=SOUND_RATE, layout=layout)
    context = stream.codec_context
    context.bit_rate, context.thread_count = bits, 1
    context.flags |= _BIT_EXACT | _GLOBAL_HEADER
    context.format = "fltp" if codec == "aac" else "flt"
    context.open()
    return stream


def _length(stream: Any) -> int:
    """How many samples its encoder takes at once."""
    return int(stream.codec_context.frame_size) or _PIECE


def _frame(stream: Any, piece: NDArray[np.float32], place: int) -> Any:
    """PyAV's frame of (2, samples) at a place in samples, as the stream's encoder takes it."""
    import av

    form = stream.codec_context.format.name
    shown = np.ascontiguousarray(piece.T.reshape(1, -1) if form == "flt" else piece)
    frame = av.AudioFrame.from_ndarray(shown, format=form, layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, place, Fraction(1, SOUND_RATE)
    return frame
