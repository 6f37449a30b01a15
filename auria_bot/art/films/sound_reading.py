"""Read the sound of files of any format piece by piece, in stereo at one rate; what is damaged is left out.

FFmpeg is used through PyAV, the extra `films`. Playlists and other formats that name further files are not read.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from auria_bot.art.films.video import FORMATS, decoded_frames
from auria_bot.errors import InputError
from auria_bot.files import readable_name
from auria_bot.videos.streams import StreamClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "SOUND_RATE",
    "SoundState",
    "first_sound",
    "has_sound",
    "in_lengths",
    "opened_sound",
    "sound_state",
    "stereo",
    "timed_packets",
    "timed_stereo",
    "without_gaps",
]

SOUND_RATE = 48_000
"""Samples a second."""

_FORMATS = f"{FORMATS},mp3,wav,w64,flac,aac,ac3,eac3,amr,aiff,au,caf,wv,tta,voc"
_PIECE = 4096  # samples of silence at a time
_GAP = 0.1  # seconds without sound, from which on silence stands for them
_LOUDEST = 16.0  # times full scale; more would be no sound


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundState:
    """How much of a file's sound can be decoded."""

    packets: int
    damaged: int  # packets that cannot be decoded
    leading: int  # of these, those before the first that can

    @property
    def is_silent(self) -> bool:
        """Whether no packet can be decoded."""
        return self.damaged == self.packets


def has_sound(path: Path) -> bool:
    """Whether a file has a stream of sound in a known coding.

    Raises:
        InputError: it cannot be read.
    """
    with opened_sound(path) as opened:
        return first_sound(opened) is not None


@contextlib.contextmanager
def opened_sound(path: Path) -> Iterator[Any]:
    """PyAV's container of a file that may hold sound.

    Raises:
        InputError: it cannot be read.
    """
    import av

    if path.exists() and not path.is_file():
        raise InputError(f"{readable_name(path)}: is not a file")
    options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
    try:
        opened = av.open(str(path.absolute()), container_options=options)
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InputError(f"{readable_name(path)}: cannot be read as sound or video ({reason})") from None
    with opened:
        yield opened


def first_sound(opened: Any) -> Any:
    """The first stream of sound in a known coding; None where there is none."""
    return next((stream for stream in opened.streams.audio if stream.codec_context is not None), None)


def sound_state(path: Path) -> SoundState | None:
    """Decode a file's sound once, to see how much of it is damaged; None where it has none.

    Raises:
        InputError: the file cannot be read.
    """
    import av

    packets = damaged = leading = 0
    with opened_sound(path) as opened:
        if (stream := first_sound(opened)) is None:
            return None
        for packet in timed_packets(opened, stream):
            try:
                packet.decode()
            except (av.FFmpegError, ValueError):
                leading += damaged == packets
                damaged += 1
            packets += 1
    return SoundState(packets=packets, damaged=damaged, leading=leading)


def timed_packets(opened: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream that have a time, up to where the file is damaged beyond reading."""
    import av

    with contextlib.suppress(av.FFmpegError, IndexError):  # as in `decoded_frames`
        for packet in opened.demux(stream):
            if packet.dts is not None:
                yield packet


def stereo(path: Path) -> Iterator[NDArray[np.float32]]:
    """(2, samples) pieces of a file's sound in stereo at SOUND_RATE; none where it holds none that can be decoded.

    Raises:
        InputError: the file cannot be read.
    """
    with opened_sound(path) as opened:
        if (stream := first_sound(opened)) is not None:
            for _, piece in timed_stereo(opened, stream):
                yield piece


def timed_stereo(opened: Any, stream: Any) -> Iterator[tuple[Fraction, NDArray[np.float32]]]:
    """When each piece of a stream is heard, in seconds of the file's clock, and (2, samples) of it as `stereo`.

    What is damaged is left out, and so are values that are no numbers. Rate and channels may change.
    """
    import av

    clock, time, step = StreamClock(opened), Fraction(0), Fraction(0)
    resampler: Any = None
    kind: tuple[Any, ...] = ()

    def resampled(frame: Any) -> list[tuple[Fraction, NDArray[np.float32]]]:
        try:
            found = resampler.resample(frame) if resampler is not None else []
        except (av.FFmpegError, ValueError):
            return []
        values = (np.nan_to_num(np.asarray(shaped.to_ndarray(), np.float32)) for shaped in found)
        return [(time, one.clip(-_LOUDEST, _LOUDEST)) for one in values if one.size]

    for frame in decoded_frames(opened, stream, lambda: None, patience=None):
        if kind != (kind := (frame.format.name, frame.layout.name, frame.sample_rate)):
            yield from resampled(None)  # what it holds back
            resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SOUND_RATE)
        stamp = frame.pts * frame.time_base if frame.pts is not None and frame.time_base else None
        time, step = clock.time(stamp, step), Fraction(frame.samples, frame.sample_rate or SOUND_RATE)
        yield from resampled(frame)
    yield from resampled(None)


def without_gaps(timed: Iterable[tuple[Fraction, NDArray[np.float32]]]) -> Iterator[NDArray[np.float32]]:
    """Pieces as `timed_stereo` gives them, with silence where there is nothing for longer than _GAP."""
    end: Fraction | None = None
    for time, piece in timed:
        if end is None or time - end > _GAP:
            missing = 0 if end is None else round((time - end) * SOUND_RATE)
            for place in range(0, missing, _PIECE):
                yield np.zeros((2, min(_PIECE, missing - place)), np.float32)
            end = time
        yield piece
        end += Fraction(piece.shape[1], SOUND_RATE)


def in_lengths(pieces: Iterable[NDArray[np.float32]], length: int) -> Iterator[NDArray[np.float32]]:
    """The same sound in pieces of (2, length), of which the last may be shorter."""
    waiting = np.zeros((2, 0), np.float32)
    for piece in pieces:
        waiting = np.concatenate([waiting, piece], 1)
        while waiting.shape[1] >= length:
            yield waiting[:, :length]
            waiting = waiting[:, length:]
    if waiting.shape[1]:
        yield waiting
