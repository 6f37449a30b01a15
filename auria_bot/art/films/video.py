"""Read videos frame by frame: upright, with square pixels, scaled and cropped, in bounded memory.

FFmpeg is used through PyAV, the extra `films`. Playlists and other formats that name further files are not read.
"""

from __future__ import annotations

import contextlib
import gc
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from auria_bot.errors import BackendMissing, InputError
from auria_bot.files import readable_name
from auria_bot.videos.colours import ToBt709, is_bt709
from auria_bot.videos.streams import StreamClock, picture_stream, scaler_matrix, turn_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["FORMATS", "MOST_PIXELS", "Frame", "Video", "decoded_frames", "is_installed", "require_video"]

MOST_PIXELS = 4096 * 2304
"""Most pixels of a frame: 4K, in either direction. A decoder holds some 16 frames, so more would need much memory."""

FORMATS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,mxf,nut,h264,hevc,ivf,dv,obu,"
    "yuv4mpegpipe,3gp,apng,swf,rm,m4v,vob"
)
"""The formats that are read, by FFmpeg's names."""

_LEAST_SIDE = 8  # pixels
_UNREADABLE = 100  # packets in a row that cannot be decoded; then a picture is given up
_WITHOUT_TIMES = "avi"  # a format that states when a frame is decoded, not when it is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A decoded frame, not yet converted."""

    time: Fraction  # seconds from the first frame
    aspect: Fraction  # width of a pixel in heights
    turn: tuple[int, int, int, int]  # (a, b, c, d), each -1, 0 or 1: shown at x' = ax + cy, y' = bx + dy, y downwards
    damaged: bool  # the decoder found an error in it
    decoded: Any  # PyAV's frame
    colours: ToBt709  # of its film

    @property
    def size(self) -> tuple[int, int]:
        """Upright width and height in square pixels."""
        width, height = round(self.decoded.width * self.aspect), self.decoded.height
        return (height, width) if self.turn[0] == 0 else (width, height)

    def thumbnail(self, side: int = 24) -> NDArray[np.float32]:
        """(side, side, 3) the whole frame in sRGB, 0 to 255, not turned upright."""
        small = self.decoded.reformat(side, side, "rgb24", interpolation="AREA", threads=1)
        return np.asarray(small.to_ndarray(), np.float32)

    def picture(self, size: tuple[int, int]) -> Image.Image:
        """The middle of the frame, upright, in 8-bit sRGB, of a width and height in pixels."""
        wide, high = _scaled(self.size, size)
        scaled = (high, wide) if self.turn[0] == 0 else (wide, high)
        if is_bt709(self.decoded):
            matrix = scaler_matrix(int(self.decoded.colorspace), self.decoded.height)
            rgb = self.decoded.reformat(*scaled, "rgb24", src_colorspace=matrix, interpolation="AREA", threads=1)
        else:
            rgb = self.colours(self.decoded, scaled).reformat(format="rgb24", threads=1)
        picture = _upright(Image.fromarray(rgb.to_ndarray()), self.turn)
        left, top = (wide - size[0]) // 2, (high - size[1]) // 2
        return picture.crop((left, top, left + size[0], top + size[1]))


class Video:
    """A video file that is read from its beginning to its end, once.

    Usage::

        with Video.open(path) as video:
            for frame in video.frames():
                ...
    """

    def __init__(self, path: Path, container: Any, stream: Any) -> None:
        self.path = path
        self._container = container
        self._stream = stream
        self._shown: Fraction | None = None  # when the first frame was, by the file's clock
        self.broken = 0
        """Packets that could not be decoded."""

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path) -> Iterator[Video]:
        """Open a file of any video format.

        Raises:
            BackendMissing: the extra `films` is not installed.
            InputError: it is no video, is truncated before its index, too large, too small, or has no moving picture.
        """
        require_video()
        import av

        name = readable_name(path)
        try:
            empty = path.stat().st_size == 0
        except OSError as error:
            raise InputError(f"{name}: cannot be opened ({error.strerror or error})") from None
        if empty:
            raise InputError(f"{name}: is empty, it has no bytes")
        options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
        try:
            container = av.open(str(path.absolute()), container_options=options)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise InputError(f"{name}: is no video that can be read, or it is cut short ({_reason(error)})") from None
        try:
            yield cls(path, container, _picture_stream(container, name))
        finally:
            container.close()
            del container
            gc.collect()  # decoders refer to themselves and hold tens of megabytes

    @property
    def duration(self) -> float | None:
        """Seconds, as the file states; None where it does not."""
        if self._stream.duration is not None:
            return float(self._stream.duration * self._stream.time_base)
        if not self._container.duration:
            return None
        clock = float(self._container.duration) / 1e6  # of Matroska, the time at which it ends
        return clock - float(self._start) if "matroska" in self._container.format.name else clock

    @property
    def begin(self) -> Fraction:
        """Seconds of the file's clock at which the picture begins.

        That is when the first frame was shown, once it was read: where a recording was cut between two key frames,
        what comes before the next key frame cannot be decoded.
        """
        return self._start if self._shown is None else self._shown

    @property
    def _start(self) -> Fraction:
        """When the picture begins, as the file states it."""
        return Fraction(self._stream.start_time or 0) * (self._stream.time_base or 1)

    @property
    def rate(self) -> Fraction:
        """Frames a second, on the average; 25 where the file does not say."""
        return 1 / _step(self._stream)

    def frames(self) -> Iterator[Frame]:
        """All frames in the order in which they are shown; damaged packets are left out and counted in `broken`.

        Of frames that are stored as two fields of different times, the first field is shown, its missing lines filled.
        """
        first: Fraction | None = None
        turn: tuple[int, int, int, int] | None = None
        step, aspect, clock = _step(self._stream), _pixel_aspect(self._stream), StreamClock(self._container)
        colours = ToBt709()
        found = decoded_frames(self._container, self._stream, self._note_broken)
        if self._container.format.name == _WITHOUT_TIMES:
            found = _timed_as_stored(found)
        for decoded in _deinterlaced(found, self._stream):
            stamp = decoded.pts if decoded.pts is not None else decoded.dts
            base = decoded.time_base or self._stream.time_base
            time = clock.time(stamp * base if stamp is not None and base else None, step)
            if first is None or turn is None:
                first, turn = time, turn_of(decoded)
                self._shown = time if stamp is not None and base else None
            yield Frame(
                time=time - first,
                aspect=aspect,
                turn=turn,
                damaged=bool(decoded.is_corrupt),
                decoded=decoded,
                colours=colours,
            )

    def _note_broken(self) -> None:
        self.broken += 1


def decoded_frames(
    container: Any, stream: Any, broken: Callable[[], None], *, patience: int | None = _UNREADABLE
) -> Iterator[Any]:
    """The frames of a stream of PyAV's container; packets that cannot be decoded are left out, and told by `broken`.

    Args:
        patience: packets in a row that cannot be decoded, after which the rest is given up; None: never.
    """
    import av

    failed, packets = 0, container.demux(stream)
    while True:
        try:
            packet = next(packets)
            found = packet.decode()
        except (StopIteration, av.EOFError, IndexError):  # PyAV ends so where a stream appears on the way
            return
        except (av.FFmpegError, ValueError):
            broken()
            failed += 1
            if failed == patience:
                return
            continue
        failed = 0
        yield from found


def _timed_as_stored(frames: Iterator[Any]) -> Iterator[Any]:
    """Frames that are shown when they were due to be decoded; FFmpeg guesses other times wrongly where B-frames are."""
    last, step = 0, 1
    for frame in frames:
        stamp = last + step if frame.dts is None else frame.dts  # none where the decoder gives what it held back
        last, step = stamp, max(stamp - last, 1)
        frame.pts = stamp
        yield frame


def _deinterlaced(decoded: Iterator[Any], stream: Any) -> Iterator[Any]:
    """As many frames at the same times; those that say that they are interlaced are made whole by FFmpeg's bwdif."""
    whole: _Deinterlacer | None = None
    for frame in decoded:
        if whole is not None and not whole.takes(frame):
            yield from whole.end()
            whole = None
        if whole is None and frame.interlaced_frame:
            whole = _Deinterlacer(frame, stream)
        if whole is None:
            yield frame
        else:
            yield from whole.add(frame)
    if whole is not None:
        yield from whole.end()


class _Deinterlacer:
    """A filter of frames of one size and format, which leaves those alone that are not interlaced."""

    def __init__(self, frame: Any, stream: Any) -> None:
        from av.filter import Graph

        self._shape = (frame.width, frame.height, frame.format.name)
        self._graph = Graph()
        nodes = (
            self._graph.add_buffer(
                width=frame.width,
                height=frame.height,
                format=frame.format,
                time_base=frame.time_base or stream.time_base,
            ),
            self._graph.add("bwdif", "mode=send_frame:deint=interlaced"),
            self._graph.add("buffersink"),
        )
        self._graph.link_nodes(*nodes)
        self._graph.configure()
        self._only: Any = None  # the frame that was added, where there is one alone
        self._count = 0

    def takes(self, frame: Any) -> bool:
        """Whether a frame has the size and format."""
        return (frame.width, frame.height, frame.format.name) == self._shape

    def add(self, frame: Any) -> Iterator[Any]:
        """What comes out for a frame that goes in."""
        self._count += 1
        self._only = frame if self._count == 1 else None
        return self._filtered(frame)

    def end(self) -> Iterator[Any]:
        """What it still holds; a frame alone gets a neighbour, without which it would stay as it is."""
        if self._only is not None and self._only.pts is not None:
            self._only.pts += 1
        return self._filtered(self._only)

    def _filtered(self, frame: Any) -> Iterator[Any]:
        self._graph.push(frame)
        with contextlib.suppress(BlockingIOError, EOFError):
            while True:
                yield self._graph.pull()


def is_installed() -> bool:
    """Whether PyAV is installed, the extra `films`."""
    return find_spec("av") is not None


def require_video() -> None:
    """Make sure that videos can be read.

    Raises:
        BackendMissing: the extra `films` is not installed.
    """
    if not is_installed():
        raise BackendMissing("videos and encoded sound need PyAV: pip install 'auria-bot[films]'")


def _scaled(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[int, int]:
    """The smallest size of the same proportions that covers a wanted one; widths and heights in pixels."""
    factor = max(wanted[0] / size[0], wanted[1] / size[1])
    return max(round(size[0] * factor), wanted[0]), max(round(size[1] * factor), wanted[1])


def _picture_stream(container: Any, name: str) -> Any:
    """The first stream of moving pictures, set to decode with little memory."""
    stream = picture_stream(container)
    if stream is None:
        kinds = sorted({one.type for one in container.streams}) or ["nothing"]
        raise InputError(f"{name}: has no moving picture that can be read, only {', '.join(kinds)}; is it cut short?")
    context = stream.codec_context
    width, height = context.width, context.height
    if width * height > MOST_PIXELS:
        raise InputError(
            f"{name}: has {width} x {height} pixels; at most {MOST_PIXELS:,} (4K) are read; make it smaller first"
        )
    if min(width, height) < _LEAST_SIDE:
        raise InputError(f"{name}: has {width} x {height} pixels; each side needs at least {_LEAST_SIDE}")
    context.options = {"max_pixels": str(MOST_PIXELS)}  # also of frames that are larger than the first
    context.thread_type, context.thread_count = "SLICE", 2  # threads by frame would hold many more frames
    return stream


def _step(stream: Any) -> Fraction:
    """Seconds between two frames where the frames do not say."""
    rate = stream.average_rate or stream.guessed_rate
    return 1 / Fraction(rate) if rate else Fraction(1, 25)


def _pixel_aspect(stream: Any) -> Fraction:
    """Width of a pixel in heights; 1 where the file states nothing, or nonsense."""
    stated = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return Fraction(stated) if stated and 0.1 < stated < 10 else Fraction(1)


def _upright(picture: Image.Image, turn: tuple[int, int, int, int]) -> Image.Image:
    turns = {
        (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
        (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
        (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
        (0, 1, -1, 0): Image.Transpose.ROTATE_270,
        (0, -1, 1, 0): Image.Transpose.ROTATE_90,
        (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
        (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
    }
    method = turns.get(turn)
    return picture if method is None else picture.transpose(method)


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0][:120]
