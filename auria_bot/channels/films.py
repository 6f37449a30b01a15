"""Fits a film to a platform's limits: as H.264 in MP4 with AAC, not too large, too fast or too many bytes.

A film that fits is sent unchanged. Otherwise it is encoded anew once for each set of limits and kept in the home's
cache, so that an attempt that took too long is not repeated from the start. Films are neither cut nor lengthened: one
of a length that a platform refuses is refused. FFmpeg is used through PyAV, the extra `films`.

ISO/IEC 14496-12:2022, "ISO base media file format".
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import math
import struct
import time
from dataclasses import astuple, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.channels.film_encoding import encode
from auria_bot.errors import BackendMissing, Rejected
from auria_bot.files import atomic_path, sha256_of
from auria_bot.videos.colours import is_bt709
from auria_bot.videos.streams import picture_stream, turn_of

if TYPE_CHECKING:
    from auria_bot.domain.post import FilmLimits, Post

__all__ = ["FittedFilm", "ReadFilm", "film_changes", "fit_film", "read_film"]

_BRAND = "mp4"  # of FFmpeg's names of the container
_SHARE = 0.9  # of the bytes allowed that is aimed at
_TRIES = 3
_KEPT_SECONDS = 30 * 86_400  # of an encoded film
_MISSING = "films need a package: pip install 'auria-bot[films]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedFilm:
    """A film within a platform's limits."""

    path: Path
    width: int
    height: int
    size: int  # bytes
    media_type: str = "video/mp4"

    def content(self) -> bytes:
        """The whole file."""
        return self.path.read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFilm:
    """What a video file says of itself."""

    seconds: float
    width: int  # upright, in square pixels
    height: int
    rate: float
    size: int  # bytes
    sound: bool
    standard: bool  # H.264 in 4:2:0, not HDR, with AAC or no sound, in MP4 that can be played while it is received


def read_film(path: Path) -> ReadFilm:
    """Read a video file's properties; only its first frame is decoded.

    Raises:
        Rejected: it cannot be read.
        BackendMissing: PyAV is not installed.
    """
    if importlib.util.find_spec("av") is None:
        raise BackendMissing(_MISSING)
    import av

    try:
        with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
            video, sounds = _picture_of(container), container.streams.audio
            seconds = float(container.duration or 0) / 1_000_000
            codecs = {stream.codec_context.name if stream.codec_context is not None else "" for stream in sounds}
            standard = (
                _BRAND in container.format.name.split(",")
                and video.codec_context.name == "h264"
                and video.codec_context.pix_fmt == "yuv420p"
                and is_bt709(video.codec_context)
                and codecs <= {"aac"}
                and _index_first(path)
            )
            width, height = _upright_size(container, video)
            return ReadFilm(
                seconds=seconds,
                width=width,
                height=height,
                rate=float(video.average_rate or video.guessed_rate or 0),
                size=path.stat().st_size,
                sound=bool(sounds),
                standard=standard,
            )
    except (OSError, ValueError, av.FFmpegError) as error:
        raise Rejected(f"the film {path} cannot be read: {error}") from None


def _picture_of(container: Any) -> Any:
    if (stream := picture_stream(container)) is None:
        raise ValueError("it holds no moving picture")
    return stream


def _upright_size(container: Any, video: Any) -> tuple[int, int]:
    """Width and height in square pixels as a film is shown; the turn is known from its first frame alone."""
    import av

    stated = video.sample_aspect_ratio or video.codec_context.sample_aspect_ratio
    aspect = Fraction(stated) if stated and 0.1 < stated < 10 else Fraction(1)
    size = max(1, round(video.codec_context.width * aspect)), int(video.codec_context.height)
    with contextlib.suppress(av.FFmpegError, ValueError, IndexError):  # told when it is encoded
        first = next(container.decode(video), None)
        if first is not None and not turn_of(first)[0]:
            return size[1], size[0]
    return size


def film_changes(film: ReadFilm, limits: FilmLimits | None, name: str, alt_text: str) -> tuple[str, ...]:
    """What is changed of a film to fit a channel's limits; empty if it is sent unchanged.

    Raises:
        Rejected: the channel takes no films, none of that length or form, or none with so long an alt text.
    """
    if limits is None:
        raise Rejected(f"{name} takes no films; approve it for other channels")
    if limits.seconds is not None and film.seconds > limits.seconds:
        raise Rejected(f"{name} takes films of at most {limits.seconds:g} seconds, and this has {film.seconds:.1f}")
    if film.seconds < limits.least_seconds:
        raise Rejected(f"{name} takes films from {limits.least_seconds:g} seconds, and this has {film.seconds:.2f}")
    ratio = film.width / film.height
    if limits.ratios is not None and not limits.ratios[0] <= ratio <= limits.ratios[1]:
        least, greatest = limits.ratios
        raise Rejected(f"{name} takes films of a ratio from {least:.3g} to {greatest:.3g}, and this has {ratio:.3g}")
    if limits.alt_characters and len(alt_text) > limits.alt_characters:
        raise Rejected(
            f"{name} takes an alt text of at most {limits.alt_characters} characters for films, and this has"
            f" {len(alt_text)}; shorten it and approve again"
        )
    changes = [] if film.standard else ["encoded as H.264 in MP4"]
    if (size := _size(film, limits)) != (film.width, film.height):
        changes.append(f"reduced to {size[0]}x{size[1]}")
    if (rate := _rate(film, limits)) != film.rate:
        changes.append(f"changed to {rate:g} frames a second")
    if limits.bytes is not None and film.size > limits.bytes:
        changes.append(f"compressed to {limits.bytes / 1e6:.0f} MB")
    return tuple(changes)


def fit_film(post: Post, limits: FilmLimits | None, cache: Path) -> FittedFilm:
    """Fit the approved film of a post.

    Args:
        cache: the folder of films that were encoded anew.

    Raises:
        Rejected: the film is missing, is not the approved one, or cannot be made to fit.
        BackendMissing: PyAV is not installed.
    """
    path = Path(post.film)
    if not path.is_file():
        raise Rejected(f"the film {path} is missing")
    if sha256_of(path) != post.film_sha256:
        raise Rejected(f"{path} is not the film that was approved")
    film = read_film(path)
    if not film_changes(film, limits, post.channel, post.alt_text) or limits is None:
        return _fitted(path, film)
    digest = hashlib.sha256(repr(astuple(limits)).encode()).hexdigest()
    target = cache / f"{post.film_sha256[:32]}-{digest[:16]}.mp4"
    if target.is_file():
        return _fitted(target, read_film(target))
    cache.mkdir(parents=True, exist_ok=True)
    _tidy(cache)
    bits = None if limits.bytes is None else limits.bytes * 8 * _SHARE / max(film.seconds, 0.1)
    for _ in range(_TRIES):
        with atomic_path(target) as scratch:
            encode(path, scratch, size=_size(film, limits), rate=_rate(film, limits), bits=bits)
        made = read_film(target)
        if limits.bytes is None or made.size <= limits.bytes:
            return _fitted(target, made)
        target.unlink()
        bits = (bits or 0.0) * 0.6
    raise Rejected(f"{path} cannot be reduced to {limits.bytes:,} bytes, the most that {post.channel} takes")


def _tidy(cache: Path) -> None:
    """Delete films that were encoded so long ago that no attempt needs them."""
    for path in cache.glob("*.mp4"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _KEPT_SECONDS:
                path.unlink()


def _fitted(path: Path, film: ReadFilm) -> FittedFilm:
    return FittedFilm(path=path, width=film.width, height=film.height, size=film.size)


def _size(film: ReadFilm, limits: FilmLimits) -> tuple[int, int]:
    """Width and height within the limits, both even."""
    share = min(1.0, (limits.pixels or math.inf) / max(film.width, film.height))
    if share == 1.0:  # H.264 in 4:2:0 has no odd sizes
        return max(2, film.width - film.width % 2), max(2, film.height - film.height % 2)
    return max(2, 2 * round(film.width * share / 2)), max(2, 2 * round(film.height * share / 2))


def _rate(film: ReadFilm, limits: FilmLimits) -> float:
    """Frames a second within the limits."""
    return min(max(film.rate, limits.least_rate), limits.rate or math.inf)


def _index_first(path: Path) -> bool:
    """Whether an MP4 file has its index before its data, as platforms that stream it ask."""
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind in {b"moov", b"mdat"}:
                return bool(kind == b"moov")
            if length == 1:
                (length,) = struct.unpack(">Q", file.read(8))
                file.seek(length - 16, 1)
            elif length < 8:
                return False
            else:
                file.seek(length - 8, 1)
    return False
