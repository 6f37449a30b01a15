"""Encodes a film anew as H.264 with AAC in MP4: upright, in square pixels, at an even rate, in the colours of BT.709.

FFmpeg is used through PyAV, the extra `films`.
"""

from __future__ import annotations

import contextlib
from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from auria_bot.errors import Rejected
from auria_bot.videos.colours import ToBt709, is_bt709
from auria_bot.videos.streams import StreamClock, picture_stream, scaler_matrix, turn_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["SOUND_RATE", "encode"]

SOUND_RATE = 128_000  # bits a second of encoded sound
_SAMPLES = 48_000  # a second
_THREADS = 2
_QUALITY = "21"  # x264's constant rate factor
_BT709, _LIMITED = 1, 1  # FFmpeg's numbers
_UNSTATED = frozenset({0, 2})
_BEHIND = 1  # seconds that sound is read behind the picture, whose leaps it follows
_SLACK = Fraction(1)  # seconds that a frame may come late without being taken for one behind a leap of the clock
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
            begin = min(Fraction(stream.start_time or 0) * (stream.time_base or 1) for stream in streams)
            clock = StreamClock(opened, slack=_SLACK)
            step = 1 / Fraction(picture.average_rate or picture.guessed_rate or 25)
            pictures = _Pictures(container, video, begin, clock, step)
            sounds = _Sounds(container, heard, begin, StreamClock(opened, beside=clock, slack=_SLACK))
            for is_picture, frame in _decoded(opened, streams, source):
                if is_picture:
                    pictures.add(frame)
                else:
                    sounds.add(frame)
            if not pictures.count:
                raise Rejected(f"the film {source} is damaged: none of its frames can be decoded")
            container.mux(video.encode(None))
            sounds.end()


def _state_colours(told: Any, context: Any) -> None:
    """State for an encoder the colours of what it will get: those that are near enough to BT.709's stay as they are."""
    context.color_primaries = context.color_trc = _BT709
    if is_bt709(told):
        context.color_primaries = told.color_primaries if int(told.color_primaries) not in _UNSTATED else _BT709
        context.color_trc = told.color_trc if int(told.color_trc) not in _UNSTATED else _BT709
    context.colorspace, context.color_range = _BT709, _LIMITED


def _decoded(opened: Any, streams: Sequence[Any], source: Path) -> Iterator[tuple[bool, Any]]:
    """The frames of the streams, each with whether it is a picture; sound that is damaged is left out."""
    import av

    packets = opened.demux(streams)
    while True:
        is_picture = True
        try:
            packet = next(packets)
            is_picture = packet.stream.type == "video"
            frames = packet.decode()
        except (StopIteration, av.EOFError, IndexError):  # PyAV ends so where a stream appears on the way
            return
        except (av.FFmpegError, ValueError) as error:
            if not is_picture:
                continue
            raise Rejected(f"the film {source} is damaged: {error}") from None
        for frame in frames:
            yield is_picture, frame


class _Pictures:
    """Encodes frames at an even rate: each is repeated or left out, as its time asks."""

    def __init__(self, container: Any, target: Any, begin: Fraction, clock: StreamClock, step: Fraction) -> None:
        self._container, self._target = container, target
        self._begin, self._clock, self._step = begin, clock, step
        self._upright: _Upright | None = None
        self.count = 0
        """Frames that were encoded."""

    def add(self, frame: Any) -> None:
        rate = 1 / self._target.codec_context.time_base
        end = round(_shown(frame, self._clock, self._begin, self._step) * rate) + 1
        if end <= self.count:
            return
        self._upright = self._upright or _Upright(turn_of(frame), (self._target.width, self._target.height))
        shown = self._upright(frame)
        while self.count < end:
            shown.pts, shown.time_base, shown.pict_type = self.count, 1 / rate, 0
            self._container.mux(self._target.encode(shown))
            self.count += 1


class _Sounds:
    """Encodes sound at its times: silence where there is none, and what was already heard is left out."""

    def __init__(self, container: Any, target: Any, begin: Fraction, clock: StreamClock) -> None:
        self._container, self._target = container, target
        self._begin, self._clock = begin, clock
        self._graph: Any = None
        self._kind: tuple[Any, ...] = ()
        self._waiting: deque[Any] = deque()
        self._seconds = Fraction(0)  # that wait

    def add(self, frame: Any) -> None:
        """Encode what came before; the frame waits until the picture beside it was surely read."""
        self._waiting.append(frame)
        self._seconds += _length(frame)
        while self._seconds > _BEHIND:
            self._seconds -= _length(self._waiting[0])
            self._hear(self._waiting.popleft())

    def _hear(self, frame: Any) -> None:
        time = _shown(frame, self._clock, self._begin, _length(frame))
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:
            self._flush()
            self._graph = _evened(kind, is_first=not self._kind)
            self._kind = kind
        frame.pts, frame.time_base = round(time * _SAMPLES), Fraction(1, _SAMPLES)
        self._graph.push(frame)
        self._encode()

    def end(self) -> None:
        while self._waiting:
            self._hear(self._waiting.popleft())
        if self._target is not None:
            self._flush()
            self._container.mux(self._target.encode(None))

    def _flush(self) -> None:
        if self._graph is not None:
            self._graph.push(None)
            self._encode()

    def _encode(self) -> None:
        with contextlib.suppress(BlockingIOError, EOFError):
            while True:
                self._container.mux(self._target.encode(self._graph.pull()))


def _length(frame: Any) -> Fraction:
    """Seconds of a frame of sound."""
    return Fraction(frame.samples, frame.sample_rate or _SAMPLES)


def _evened(kind: tuple[Any, ...], *, is_first: bool) -> Any:
    """FFmpeg's filter that brings sound of a format, layout and rate to _SAMPLES in stereo, and follows its stamps."""
    from av.filter import Graph

    form, layout, rate = kind
    graph = Graph()
    nodes = (
        graph.add_abuffer(sample_rate=rate, format=form, layout=layout, time_base=Fraction(1, _SAMPLES)),
        graph.add("aresample", f"{_SAMPLES}:async=1" + (":first_pts=0" if is_first else "")),
        graph.add("aformat", f"sample_fmts=fltp:channel_layouts=stereo:sample_rates={_SAMPLES}"),
        graph.add("abuffersink"),
    )
    graph.link_nodes(*nodes)
    graph.configure()
    return graph


def _shown(frame: Any, clock: StreamClock, begin: Fraction, step: Fraction) -> Fraction:
    """When a frame is shown or heard, in seconds from the beginning of the first of the file's streams."""
    stamp = frame.pts if frame.pts is not None else frame.dts
    return clock.time(stamp * frame.time_base - begin if stamp is not None and frame.time_base else None, step)


class _Upright:
    """Makes frames upright, of a size, and in the colours of BT.709."""

    def __init__(self, turn: tuple[int, int, int, int], size: tuple[int, int]) -> None:
        from av.filter import Graph

        self._size = size if turn[0] else (size[1], size[0])
        self._colours = ToBt709()
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
        matrix = scaler_matrix(int(frame.colorspace), frame.height)
        seen = frame if is_bt709(frame) else self._colours(frame, self._size)
        shown = seen.reformat(
            *self._size,
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
