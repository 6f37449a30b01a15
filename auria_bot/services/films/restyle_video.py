"""Restyle a video with a stylist of the project: steady in time, in segments, with the sound of the original.

Every frame keeps its time, also where they are uneven. What a segment leaves for the next one is kept with it, so that
a video that was interrupted goes on and is the same.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from auria_bot import __version__
from auria_bot.art.exporters.exporter import COMPOSITE_TYPE, CREATOR
from auria_bot.art.films.sound import CopiedSound
from auria_bot.art.films.sound_reading import sound_state
from auria_bot.art.films.steady_style import SteadyStyle
from auria_bot.art.films.video import Frame, Video
from auria_bot.art.films.video_writer import VideoFormat, VideoWriter, format_of, join, require_size
from auria_bot.art.pictures import open_picture
from auria_bot.art.stylists.media import STROKE_MODES
from auria_bot.domain.artwork import Haiku
from auria_bot.domain.mood import find_mood
from auria_bot.domain.pipeline import MODES
from auria_bot.errors import InputError, UnknownName, UsageError
from auria_bot.files import check_target, output_path, readable_name, scratch_folder, sha256_of
from auria_bot.services.films.segments import Segments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from PIL import Image

    from auria_bot.domain.artwork import Style
    from auria_bot.domain.interfaces import Stylist

__all__ = ["Restyled", "VideoRequest", "restyle_video", "restyled_frame"]

SEGMENT = 48  # frames
_MOST_HEIGHT = 2160  # pixels
_CLOSEST = Fraction(1, 40_000)  # seconds between two frames; times are rounded to 1/90,000 twice
_KEPT_SECONDS = 30 * 86_400.0  # after which what an interrupted call left is removed
_NO_POEM = Haiku(lines=("", "", ""), syllables=(0, 0, 0))
_COLOURS_ONLY = "photorealistic"  # the mode that is steady by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRequest:
    """How a video should be restyled."""

    style: str  # a style's key, an artist, or a part of a title
    mode: str = "painterly"  # of domain.pipeline.MODES
    mood: str = "serene"  # decides the strength, and among several paintings of an artist
    strength: float | None = None  # 0 to 1; None: the mood's
    seed: int = 1
    every: int = 3  # restyle each so many frames; the others are carried along
    height: int | None = None  # pixels; None: the video's own
    steady: bool = True  # False restyles each frame by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Restyled:
    """What was made."""

    style: Style
    frames: int
    seconds: float
    size: tuple[int, int]
    sound: str  # "copied", "encoded" or "none"
    damaged: int  # parts of the original's picture that could not be decoded
    damaged_sound: int  # parts of its sound that could not be decoded, for which there is silence


def restyle_video(
    stylist: Stylist,
    source: Path,
    target: Path,
    request: VideoRequest,
    *,
    work: Path,
    progress: Callable[[int, int], None],
) -> Restyled:
    """Write a video in another style.

    Args:
        source: any video that can be read.
        target: an MP4 or WebM file.
        work: a folder for what an interrupted call leaves.
        progress: called with (frames that are done, frames in all, as the file states it).

    Raises:
        InputError: the video cannot be read, the target is no such file, or a number is out of range.
        UnknownName: there is no such style, mode or mood.
        InvalidTransition: another process makes the same video.
        DiskError: it cannot be written.
    """
    form = format_of(target)
    _require(request, source, target)
    with Video.open(source) as video:
        first = next(video.frames(), None)
        if first is None:
            raise InputError(f"{readable_name(source)}: has no frame that can be decoded")
        size = _size(first.size, request.height)
        style = _style(stylist, first, request)
        begin, rate = video.begin, video.rate
        expected = max(1, round((video.duration or 0.0) * float(rate)))
    plan = _plan(stylist, source, request, style, size, form.suffix)
    _tidy(work)
    folder = work / hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()[:16]
    with Segments.open(folder, plan) as segments, Video.open(source) as video:
        maker = _Maker(partial(restyled_frame, stylist, style, request.seed), request, size, form, rate)
        maker.go_on(segments)
        progress(maker.count, max(expected, maker.count))
        frames = itertools.islice(video.frames(), maker.count, None)
        while (head := next(frames, None)) is not None:
            some = itertools.chain([head], itertools.islice(frames, SEGMENT - 1))
            segments.add(partial(maker.write, some, lambda: progress(maker.count, max(expected, maker.count))))
        soundtrack, damaged_sound = _sound(source, begin)
        parts = [(path, Fraction(note["begin"])) for path, note in zip(segments.paths, segments.notes, strict=True)]
        with output_path(target) as scratch:
            join(parts, scratch, form, metadata=_metadata(plan, style), soundtrack=soundtrack)
        segments.remove()
    sound = "none" if soundtrack is None else "copied" if soundtrack.copies else "encoded"
    return Restyled(
        style=style,
        frames=maker.count,
        seconds=float(maker.time),
        size=size,
        sound=sound,
        damaged=video.broken,
        damaged_sound=damaged_sound,
    )


def _sound(source: Path, begin: Fraction) -> tuple[CopiedSound | None, int]:
    """What copies a video's sound, where any can be decoded; and how many parts of it cannot."""
    state = sound_state(source)
    if state is None:
        return None, 0
    return None if state.is_silent else CopiedSound(source, state, begin=begin), state.damaged


class _Maker:
    """Restyles frames one after the other, and writes them in segments."""

    def __init__(
        self,
        style: Callable[[Image.Image], Image.Image],
        request: VideoRequest,
        size: tuple[int, int],
        form: VideoFormat,
        rate: Fraction,
    ) -> None:
        self._size, self._form, self._rate = size, form, rate
        self._steady = (
            SteadyStyle(style, every=request.every) if request.steady and request.mode != _COLOURS_ONLY else None
        )
        self._restyle = self._steady.restyle if self._steady is not None else style
        self.count, self.time = 0, Fraction(0)
        """Frames so far, and the time of the last one."""

    def go_on(self, segments: Segments) -> None:
        """Go on after the segments that are there."""
        for note in segments.notes:
            self.count, self.time = note["frames"], Fraction(note["end"])
        if self._steady is not None and (state := segments.state) is not None:
            self._steady.restore(state)

    def write(self, frames: Iterator[Frame], tell: Callable[[], None], path: Path) -> tuple[Any, bytes | None]:
        """Write some frames as a segment; what is noted with it, and what it leaves for the next one."""
        import numpy as np

        begin: Fraction | None = None
        with VideoWriter.create(path, self._form, size=self._size, rate=self._rate, even=False) as writer:
            for frame in frames:
                time = max(frame.time, self.time + _CLOSEST) if self.count else frame.time
                begin = time if begin is None else begin
                picture = self._restyle(frame.picture(self._size))
                writer.write(np.asarray(picture), time - begin)
                self.count, self.time = self.count + 1, time
                tell()
        note = {"begin": str(begin), "end": str(self.time), "frames": self.count}
        return note, self._steady.state() if self._steady is not None else None


def _require(request: VideoRequest, source: Path, target: Path) -> None:
    if request.mode not in MODES:
        raise UnknownName(f"no style mode named {request.mode[:20]!r}; known: {', '.join(MODES)}")
    if request.strength is not None and not 0 <= request.strength <= 1:
        raise UsageError(f"a style cannot have the strength {request.strength:g}; 0 to 1 are possible")
    if request.height is not None and not 64 <= request.height <= _MOST_HEIGHT:
        raise UsageError(f"a video cannot be {request.height} pixels high; 64 to {_MOST_HEIGHT} are possible")
    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError(f"{target.name[:60]!r} is the video itself; name another file")
    check_target(target)


def _size(shown: tuple[int, int], height: int | None) -> tuple[int, int]:
    """Width and height of the restyled video: even numbers, never larger than the video's own."""
    factor = 1.0 if height is None else min(1.0, height / shown[1])
    size = (max(2, 2 * int(shown[0] * factor / 2)), max(2, 2 * int(shown[1] * factor / 2)))
    require_size(size)
    return size


def _style(stylist: Stylist, first: Frame, request: VideoRequest) -> Style:
    """The style that is asked for; where that is an artist, the painting that suits the first frame."""
    mood = find_mood(request.mood)
    with scratch_folder() as scratch:
        path = scratch / "first.png"
        first.picture(first.size).save(path)
        found = stylist.choose(mood=mood, haiku=_NO_POEM, picture=path, seed=request.seed, wanted=request.style)
    return replace(found, mode=request.mode, strength=found.strength if request.strength is None else request.strength)


def restyled_frame(stylist: Any, style: Style, seed: int, frame: Image.Image) -> Image.Image:
    """A frame in the style, at the same size; in memory, where the stylist can."""
    if style.mode in STROKE_MODES and hasattr(stylist, "painted"):
        painted: Image.Image = stylist.painted(frame, style, size=frame.size, seed=seed)
        return painted
    if hasattr(stylist, "restyled"):
        restyled: Image.Image = stylist.restyled(frame, style)
        return restyled
    with scratch_folder() as scratch:
        source, target = scratch / "frame.png", scratch / "styled.png"
        frame.save(source, compress_level=1)
        stylist.restyle(source, target, style=style, seed=seed)
        styled = open_picture(target)
    return styled if styled.size == frame.size else styled.resize(frame.size)


def _plan(
    stylist: Stylist, source: Path, request: VideoRequest, style: Style, size: tuple[int, int], suffix: str
) -> dict[str, Any]:
    """Everything that decides about the content."""
    return {
        "source_sha256": sha256_of(source),
        "style": style.key,
        "mode": style.mode,
        "strength": style.strength,
        "seed": request.seed,
        "every": request.every,
        "steady": request.steady,
        "size": list(size),
        "format": suffix[1:],
        "models": dict(stylist.models()),
        "program": __version__,
    }


def _metadata(plan: dict[str, Any], style: Style) -> dict[str, str]:
    """What the file says of itself; nothing of the original but its hash."""
    record = {"software": f"auria_bot {__version__}", "digital_source_type": COMPOSITE_TYPE, **plan}
    del record["program"]
    return {
        "artist": CREATOR,
        "description": f"A video restyled {style.credit}.",
        "comment": json.dumps(record, sort_keys=True),
    }


def _tidy(work: Path) -> None:
    """Remove what calls left that were interrupted a month ago."""
    for folder in work.iterdir() if work.is_dir() else ():
        if time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
