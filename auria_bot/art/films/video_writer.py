"""Write videos frame by frame, and join parts of one into a file with sound: H.264 in MP4, VP9 in WebM.

Frames are encoded as BT.709 with a limited range, and the file says so. The same frames give the same bytes: encoders
use a fixed number of threads, and files hold no time and no random number. FFmpeg is used through PyAV, the extra
`films`.

ITU-R BT.709-6, "Parameter values for the HDTV standards for production and international programme exchange", 2015.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from auria_bot.art.films.video import require_video
from auria_bot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["FORMATS", "Soundtrack", "VideoFormat", "VideoWriter", "format_of", "join", "require_size"]

MOST_SIDE = 4096  # pixels of a video's longer side
_BT709, _LIMITED, _FULL = 1, 1, 2  # FFmpeg's numbers
_GLOBAL_HEADER = 1 << 22
_BIT_EXACT = 1 << 23
_MOST_RATE = 1000  # frames a second that an encoder is told of where each has its own time; VP9 rounds more to 0 s
_THREADS = 2  # always, for the bytes depend on it


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFormat:
    """A kind of video file."""

    suffix: str
    container: str  # FFmpeg's name
    codec: str
    options: Mapping[str, str]  # of the encoder
    muxer: Mapping[str, str]  # options of the container
    sound: str  # the encoder of sound
    copied: frozenset[str]  # kinds of sound that the container takes as they are


FORMATS = {
    ".mp4": VideoFormat(
        suffix=".mp4",
        container="mp4",
        codec="libx264",
        # With mbtree, the same frames gave other bytes in 1 of 20 runs (x264 165).
        options={"preset": "fast", "crf": "21", "profile": "high", "mbtree": "0"},
        muxer={"movflags": "+faststart"},
        sound="aac",
        copied=frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}),
    ),
    ".webm": VideoFormat(
        suffix=".webm",
        container="webm",
        codec="libvpx-vp9",
        options={"crf": "28", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1", "auto-alt-ref": "1"},
        muxer={},
        sound="libopus",
        copied=frozenset({"opus", "vorbis"}),
    ),
}
"""The formats that can be written, by the file name's ending."""


class Soundtrack(Protocol):
    """The sound of a file that is being joined."""

    def open(self, container: Any, form: VideoFormat) -> None:
        """Add the stream to PyAV's container, before anything is written."""
        ...

    def write(self, until: Fraction | None) -> None:
        """Write what belongs before a time in seconds; None: the rest."""
        ...


def format_of(path: Path) -> VideoFormat:
    """The format that a file's name asks for.

    Raises:
        UsageError: none is known by that ending.
    """
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise UsageError(
            f"a video cannot be written as {path.name[:60]!r}; its name must end in {' or '.join(FORMATS)}"
        )
    return found


class VideoWriter:
    """Encodes a video file without sound.

    Usage::

        with VideoWriter.create(path, FORMATS[".mp4"], size=(1920, 1080), rate=Fraction(25)) as writer:
            writer.write(frame)
    """

    def __init__(self, container: Any, stream: Any, step: Fraction) -> None:
        self._container, self._stream, self._step = container, stream, step
        self.count = 0
        """Frames that were written."""

    @classmethod
    @contextlib.contextmanager
    def create(
        cls, path: Path, form: VideoFormat, *, size: tuple[int, int], rate: Fraction, even: bool = True
    ) -> Iterator[VideoWriter]:
        """Open a file to write, which need not have the format's ending; it is complete at the end of the block.

        Args:
            form: one of FORMATS.
            size: width and height in pixels, both even.
            rate: frames a second.
            even: all frames follow each other at that rate; otherwise each has a time of its own, and none is
                predicted from later ones.

        Raises:
            BackendMissing: the extra `films` is not installed.
            UsageError: the size is odd or too large.
        """
        require_video()
        import av

        require_size(size)
        with av.open(str(path), "w", format=form.container, container_options={"fflags": "+bitexact"}) as container:
            told = rate if even else min(rate, Fraction(_MOST_RATE))
            stream: Any = container.add_stream(form.codec, rate=told, options=dict(form.options))
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            context = stream.codec_context
            step = 1 / rate if even else Fraction(1, 90_000)
            context.time_base = step
            context.thread_count = _THREADS
            context.flags |= _BIT_EXACT | _GLOBAL_HEADER
            if not even:
                context.max_b_frames = 0
            context.color_primaries = context.color_trc = context.colorspace = _BT709
            context.color_range = _LIMITED
            writer = cls(container, stream, step)
            yield writer
            if writer.count:
                container.mux(stream.encode())

    def write(self, frame: NDArray[np.uint8], time: Fraction | None = None) -> None:
        """Append (height, width, 3) 8-bit sRGB; at a time in seconds, where the frames are not even."""
        import av

        rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")
        encoded = rgb.reformat(
            format="yuv420p",
            src_colorspace=_BT709,
            dst_colorspace=_BT709,
            src_color_range=_FULL,
            dst_color_range=_LIMITED,
            interpolation="AREA",
            threads=1,
        )
        encoded.time_base = self._step
        encoded.pts = self.count if time is None else round(time / self._step)
        self.count += 1
        self._container.mux(self._stream.encode(encoded))


def join(
    parts: Sequence[tuple[Path, Fraction]],
    target: Path,
    form: VideoFormat,
    *,
    metadata: Mapping[str, str],
    soundtrack: Soundtrack | None = None,
) -> None:
    """Write the parts of a video one after the other into a file, without decoding them.

    Args:
        parts: files that VideoWriter wrote with the same format, size and rate, each with the time in seconds at which
            its own times begin.
        target: the file to write, which need not have the format's ending.
        metadata: such as "title" and "comment".
    """
    import av

    first, _ = parts[0]
    options = {"fflags": "+bitexact", **form.muxer}
    with (
        av.open(str(target), "w", format=form.container, container_options=options) as container,
        av.open(str(first)) as opened,
    ):
        container.metadata.update(metadata)
        stream = container.add_stream_from_template(opened.streams.video[0])
        if soundtrack is not None:
            soundtrack.open(container, form)
        for path, begin in parts:
            with av.open(str(path)) as part:
                for packet in part.demux(part.streams.video[0]):
                    if packet.dts is None or packet.pts is None:
                        continue
                    offset = round(begin / packet.time_base)
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    if soundtrack is not None:
                        soundtrack.write(packet.pts * packet.time_base)
                    packet.stream = stream
                    container.mux(packet)
        if soundtrack is not None:
            soundtrack.write(None)


def require_size(size: tuple[int, int]) -> None:
    """Make sure that a video can have a width and height.

    Raises:
        UsageError: it cannot.
    """
    if size[0] % 2 or size[1] % 2 or not 16 <= min(size) <= max(size) <= MOST_SIDE:
        raise UsageError(
            f"a video cannot have {size[0]} x {size[1]} pixels; both must be even numbers from 16 to {MOST_SIDE}"
        )
