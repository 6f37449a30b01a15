"""Encodes a film anew as H.264 with AAC in MP4: upright, in square pixels, at an even rate, with the matrix of BT.709.

FFmpeg is used through PyAV, the extra `films`.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from auria_bot.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["SOUND_RATE", "encode", "picture_stream", "turn_of"]

SOUND_RATE = 128_000  # bits a second of encoded sound
_SAMPLES = 48_000  # a second
_THREADS = 2
_QUALITY = "21"  # x264's constant rate factor
_BT709, _BT601, _LIMITED = 1, 5, 1  # FFmpeg's numbers
_UNSTATED = frozenset({0, 2})
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}  # the scaler's number of the matrix of colours that a file states
_CLOCK_MAY_LEAP = 0x200  # FFmpeg's flag of formats whose clock may be set anew
_LEAP = 10  # seconds that it leaps at least
_HD = 720  # rows from which on a matrix that is not stated is that of BT.709
_FILTERS = {
    (1, 0, 0, 1): (),
    (-1, 0, 0, 1): (("hflip", ""),),
    (1, 0, 0, -1): (("vflip", ""),),
    (-1, 0, 0, -1): (("hflip", ""), ("vflip", "")),
    (0, 1, -1, 0): (("transpose", "dir=clock"),),
    (0, -1, 1, 0): (("transpose", "dir=cclock"),),
    (0, 1, 1, 0): (("transpose", "dir=cclock_flip"),),
    (0, -1, -1, 0): (("transpose", "dir=clock_flip"),),
}


def encode(source: Path, target: Path, *, size: tuple[int, int], rate: float, bits: float | None) -> None:
    """Encode a film as H.264 with AAC in MP4, its index first.

    Args:
        size: width and height in pixels.
        rate: frames a second; frames are repeated or left out to reach it.
        bits: most bits a second of sound and picture together; None: no limit.

    Raises:
        Rejected: the film is damaged.
    """
    import av

    steps = Fraction(rate).limit_denominator(1001)
    options = {"preset": "fast", "crf": _QUALITY, "profile": "high", "mbtree": "0"}
    with av.open(str(source), options={"protocol_whitelist": "file"}) as opened:
        sound = next((stream for stream in opened.streams.audio if stream.codec_context is not None), None)
        if bits is not None:
            most = max(int(bits) - (SOUND_RATE if sound is not None else 0), 20_000)
            options |= {"maxrate": str(most), "bufsize": str(most)}
        with av.open(str(target), "w", format="mp4", container_options={"movflags": "+faststart"}) as container:
            container.metadata.update(opened.metadata)
            video: Any = container.add_stream("libx264", rate=steps, options=options)
            video.width, video.height = size
            video.pix_fmt = "yuv420p"
            context = video.codec_context
            context.thread_count, context.time_base = _THREADS, 1 / steps
            picture = picture_stream(opened)
            _state_colours(picture.codec_context, context)
            heard: Any = container.add_stream("aac", rate=_SAMPLES, layout="stereo") if sound is not None else None
            if heard is not None:
                heard.bit_rate = SOUND_RATE
            streams = [picture, *([sound] if sound is not None else [])]
            clock = _Clock(opened, streams)
            if not _transcode(_decoded(opened, streams, source), container, (video, heard), steps, clock):
                raise Rejected(f"the film {source} is damaged: none of its frames can be decoded")


def _state_colours(told: Any, context: Any) -> None:
    """State for an encoder what a decoder's file states of its colours; the matrix and the range are converted."""
    context.color_primaries = told.color_primaries if int(told.color_primaries) not in _UNSTATED else _BT709
    context.color_trc = told.color_trc if int(told.color_trc) not in _UNSTATED else _BT709
    context.colorspace, context.color_range = _BT709, _LIMITED


class _Clock:
    """When frames are shown, in seconds from the beginning of the first of a file's streams.

    Stamps that leap back, or ahead past the file's stated end, are damaged, or their clock was set anew, as that of
    formats such as MPEG-TS may be at any time: what follows goes on at once.

    Args:
        streams: that of the picture comes first.
    """

    def __init__(self, container: Any, streams: Sequence[Any]) -> None:
        self.begin = min(Fraction(stream.start_time or 0) * (stream.time_base or 1) for stream in streams)
        self._step = 1 / Fraction(streams[0].average_rate or streams[0].guessed_rate or 25)
        self._following = self._shift = Fraction(0)
        stated = 0 if container.format.flags & _CLOCK_MAY_LEAP else container.duration or 0
        self._end = Fraction(stated, 1_000_000)

    def time(self, frame: Any) -> Fraction:
        """The time of the next frame; of one that states none, a step after the one before."""
        stamp = frame.pts if frame.pts is not None else frame.dts
        known = stamp is not None and frame.time_base
        time = stamp * frame.time_base - self.begin - self._shift if known else self._following
        ahead = time - self._following
        if ahead < -_LEAP or (ahead > _LEAP and time > self._end + _LEAP):
            self._shift += ahead
            time = self._following
        self._following = time + self._step
        return Fraction(time)


def _decoded(opened: Any, streams: Sequence[Any], source: Path) -> Iterator[tuple[bool, Any]]:
    """The frames of the streams, each with whether it is a picture.

    Raises:
        Rejected: the film is damaged.
    """
    import av

    packets = opened.demux(streams)
    while True:
        try:
            packet = next(packets)
            frames = packet.decode()
        except (StopIteration, av.EOFError, IndexError):  # PyAV ends so where a stream appears on the way
            return
        except (av.FFmpegError, ValueError) as error:
            raise Rejected(f"the film {source} is damaged: {error}") from None
        for frame in frames:
            yield packet.stream.type == "video", frame


def _transcode(
    frames: Iterator[tuple[bool, Any]], container: Any, targets: tuple[Any, Any], rate: Fraction, clock: _Clock
) -> int:
    """Encode frames into the targets for picture and sound; how many pictures."""
    import av

    video, heard = targets
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=_SAMPLES) if heard is not None else None
    count, early = 0, round(clock.begin * _SAMPLES)
    upright: _Upright | None = None

    def hear(frame: Any) -> None:
        for piece in resampler.resample(frame) if resampler is not None else ():
            if piece.pts is not None:
                piece.pts -= early
            container.mux(heard.encode(piece))

    for is_picture, frame in frames:
        if not is_picture:
            hear(frame)
            continue
        end = round(clock.time(frame) * rate) + 1
        if end <= count:
            continue
        upright = upright or _Upright(turn_of(frame), (video.width, video.height))
        shown = upright(frame)
        while count < end:
            shown.pts, shown.time_base, shown.pict_type = count, 1 / rate, 0
            container.mux(video.encode(shown))
            count += 1
    container.mux(video.encode(None))
    if heard is not None:
        hear(None)
        container.mux(heard.encode(None))
    return count


class _Upright:
    """Makes frames upright, of a size, and with the matrix of BT.709."""

    def __init__(self, turn: tuple[int, int, int, int], size: tuple[int, int]) -> None:
        from av.filter import Graph

        self._size = size if turn[0] else (size[1], size[0])
        self._graph: Any = None
        if filters := _FILTERS[turn]:
            self._graph = Graph()
            source = self._graph.add_buffer(
                width=self._size[0], height=self._size[1], format="yuv420p", time_base=Fraction(1, _SAMPLES)
            )
            nodes = [source, *(self._graph.add(*one) for one in filters), self._graph.add("buffersink")]
            self._graph.link_nodes(*nodes)
            self._graph.configure()

    def __call__(self, frame: Any) -> Any:
        """The frame upright."""
        matrix = _MATRICES.get(int(frame.colorspace), _BT709 if frame.height >= _HD else _BT601)
        width, height = self._size
        shown = frame.reformat(
            width,
            height,
            "yuv420p",
            src_colorspace=matrix,
            dst_colorspace=_BT709,
            dst_color_range=_LIMITED,
            interpolation="AREA",
        )
        if self._graph is None:
            return shown
        self._graph.push(shown)
        return self._graph.pull()


def picture_stream(container: Any) -> Any:
    """The first stream of moving pictures in a known coding.

    Raises:
        ValueError: there is none.
    """
    import av

    covers = int(av.stream.Disposition.attached_pic)
    for stream in container.streams.video:
        context = stream.codec_context
        if context is not None and not int(stream.disposition) & covers and min(context.width, context.height) > 0:
            return stream
    raise ValueError("it holds no moving picture")


def turn_of(frame: Any) -> tuple[int, int, int, int]:
    """The quarter turn and the mirroring (a, b, c, d) of a frame: shown at x' = ax + cy, y' = bx + dy, y downwards."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return 1, 0, 0, 1
    a, b, _, c, d = struct.unpack_from("=5i", bytes(data))
    signs = [-1 if value < 0 else 1 for value in (a, b, c, d)]
    return (signs[0], 0, 0, signs[3]) if abs(a) + abs(d) >= abs(b) + abs(c) else (0, signs[1], signs[2], 0)
