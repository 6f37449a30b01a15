"""The frames that a film model learns from: of a set of footage, or of videos, by clip; the end of each is held out.

They are scaled once to a little more than the model's size and kept as raw bytes that are mapped into memory, so that
large sets need no more memory than small ones.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from auria_bot.errors import InputError
from auria_bot.files import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["Clip", "FilmFrames", "FrameOptions", "read_frames"]

_VIDEOS = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mts", ".mpg", ".mpeg"}
_MOST_EXCESS = 1.75  # sides of a stored frame in those of the model's
_FORMAT = 2  # of the stored frames
_LEAST_FRAMES = 16  # to train with


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameOptions:
    """How frames are read."""

    height: int  # pixels of the model's frames
    width: int
    every: float = 0.125  # seconds between frames; of videos
    margin: float = 1.125  # how much larger the stored frames are, so that crops differ
    held_out: float = 0.15  # share of each clip, its end, that is not trained on
    gap: float = 1.0  # seconds before it that are not used at all
    cut_top: tuple[tuple[str, float], ...] = ()  # (file name, share of the height), to leave out a label


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """The frames of a source that follow each other."""

    name: str
    frames: NDArray[np.uint8]  # (n, height, width, 3) RGB, at least as large as the model's
    times: NDArray[np.float64]  # (n,) seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFrames:
    """Frames for training, and frames that were held out."""

    options: FrameOptions
    training: tuple[Clip, ...]
    held_out: tuple[Clip, ...]

    def batch(self, rng: np.random.Generator, count: int, *, held_out: bool = False) -> NDArray[np.uint8]:
        """Random crops (count, height, width, 3), half of them mirrored; a clip counts by the root of its frames."""
        clips = self.held_out if held_out else self.training
        share = np.sqrt([len(clip.frames) for clip in clips])
        chosen = rng.choice(len(clips), count, p=share / share.sum())
        return np.stack([self._crop(clips[number], rng) for number in chosen])

    def _crop(self, clip: Clip, rng: np.random.Generator) -> NDArray[np.uint8]:
        frame = clip.frames[rng.integers(len(clip.frames))]
        top = int(rng.integers(frame.shape[0] - self.options.height + 1))
        left = int(rng.integers(frame.shape[1] - self.options.width + 1))
        cut = frame[top : top + self.options.height, left : left + self.options.width]
        shown: NDArray[np.uint8] = cut[:, ::-1] if rng.random() < 0.5 else cut
        return shown

    def thinned(self, *, held_out: bool, apart: float) -> NDArray[np.uint8]:
        """The middles of frames that lie so many seconds apart: (n, height, width, 3)."""
        found = []
        for clip in self.held_out if held_out else self.training:
            last = -math.inf
            for frame, time in zip(clip.frames, clip.times, strict=True):
                if time - last >= apart:
                    last = float(time)
                    top = (frame.shape[0] - self.options.height) // 2
                    left = (frame.shape[1] - self.options.width) // 2
                    found.append(frame[top : top + self.options.height, left : left + self.options.width])
        return np.stack(found)


def read_frames(
    footage: Path, options: FrameOptions, cache: Path, *, limit: int | None = None, log: Callable[[str], None] = print
) -> FilmFrames:
    """Read footage, or use what an earlier call stored.

    Args:
        footage: the folder of a set of `auria footage`, or a folder of videos.
        cache: a folder of which one subfolder is used.
        limit: the first so many frames of each source only; they have a cache of their own.

    Raises:
        InputError: there is no footage, too little, or it is too small.
        BackendMissing: there are videos, and the extra `films` is not installed.
    """
    sources = _sources(footage)
    key = hashlib.sha256(repr((_FORMAT, asdict(options), sorted(sources.items()))).encode()).hexdigest()[:16]
    place = cache / (f"frames-{key}" if limit is None else f"frames-{key}-{limit}")
    if not (place / "index.json").is_file():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        rows = []
        for number, (name, source) in enumerate(sorted(sources.items())):
            row = _store(islice(_decoded(source, options, name), limit), place / f"{number:04d}.rgb")
            if row:
                rows.append({"name": name, "file": f"{number:04d}.rgb", **row})
                log(f"{name}: {len(row['times'])} frames of {row['shape'][1]} x {row['shape'][0]} pixels")
        write_json(place / "index.json", {"clips": rows}, mode=None)
    return _split(_clips(place), options)


def _sources(footage: Path) -> dict[str, Any]:
    """By name: the path of a video, or the pictures (time, path) of a source of a set."""
    if (footage / "index.json").is_file():
        try:
            index = json.loads((footage / "index.json").read_text("utf-8"))
            names = [one["name"] for one in index["sources"]]
            rows = sorted((one["source"], one["time"], one["file"]) for one in index["frames"])
        except (OSError, ValueError, KeyError, TypeError):
            raise InputError(f"{footage / 'index.json'} is not that of a set of footage; move it away") from None
        return {
            f"{number:04d} {names[number]}": [(time, str(footage / "frames" / file)) for _, time, file in group]
            for number, group in groupby(rows, key=lambda row: row[0])
        }
    videos = sorted(path for path in footage.iterdir() if path.suffix.lower() in _VIDEOS) if footage.is_dir() else []
    if not videos:
        raise InputError(f"{footage} holds no videos and no set of footage; make one: auria footage add VIDEO")
    return {path.name: str(path) for path in videos}


def _decoded(source: Any, options: FrameOptions, name: str) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Times and frames of a source, scaled, without what is cut from the top."""
    cut = dict(options.cut_top).get(name, 0.0)
    if isinstance(source, list):
        for time, path in source:
            with Image.open(path) as picture:
                size = _stored_size(picture.size, options, cut, name)
                scaled = picture.convert("RGB").resize(size, Image.Resampling.BOX, reducing_gap=None)
            yield time, _middle(scaled, options, cut)
        return
    from auria_bot.art.films.video import Video

    following = 0.0
    with Video.open(Path(source)) as video:
        for frame in video.frames():
            time = float(frame.time)
            if time >= following and not frame.damaged:
                following = (time // options.every + 1) * options.every
                size = _stored_size(frame.size, options, cut, name)
                yield time, _middle(frame.picture(size), options, cut)


def _middle(frame: Image.Image, options: FrameOptions, cut: float) -> NDArray[np.uint8]:
    """A frame without what is cut from its top; of one that is much higher or wider than the model's, the middle.

    The edges of such are often mere sky or sand.
    """
    pixels = np.asarray(frame)
    pixels = pixels[math.ceil(len(pixels) * cut) :]
    height, width = (round(side * _MOST_EXCESS) for side in (options.height, options.width))
    top, left = max(0, (pixels.shape[0] - height) // 2), max(0, (pixels.shape[1] - width) // 2)
    return pixels[top : top + height, left : left + width]


def _stored_size(size: tuple[int, int], options: FrameOptions, cut: float, name: str) -> tuple[int, int]:
    """Width and height to which a frame is scaled before its top is cut: it is never enlarged."""
    width, height = size[0], size[1] * (1 - cut)
    least = max(options.width / width, options.height / height)
    if least > 1.0:
        raise InputError(
            f"{name}: has {size[0]} x {size[1]} pixels, too few for frames of {options.width} x {options.height};"
            " train a smaller model with --size"
        )
    factor = min(1.0, least * options.margin)
    return max(round(size[0] * factor), options.width), math.ceil(size[1] * factor) + (1 if cut else 0)


def _store(frames: Iterable[tuple[float, NDArray[np.uint8]]], path: Path) -> dict[str, Any]:
    """Append frames to a file; its times and the shape of a frame, or nothing where there was none."""
    times: list[float] = []
    shape: tuple[int, ...] = ()
    with path.open("wb") as file:
        for time, pixels in frames:
            shape = shape or pixels.shape
            if pixels.shape == shape:
                file.write(np.ascontiguousarray(pixels).tobytes())
                times.append(time)
    return {"times": times, "shape": list(shape)} if times else {}


def _clips(place: Path) -> list[Clip]:
    found = []
    for row in json.loads((place / "index.json").read_text("utf-8"))["clips"]:
        shape = (len(row["times"]), *row["shape"])
        frames: NDArray[np.uint8] = np.memmap(place / row["file"], np.uint8, "r", shape=shape)
        found.append(Clip(name=row["name"], frames=frames, times=np.asarray(row["times"], np.float64)))
    return found


def _split(clips: list[Clip], options: FrameOptions) -> FilmFrames:
    """The end of each clip is held out, after a gap; stills and short clips are trained on as a whole."""
    training, held_out = [], []
    for clip in clips:
        begin = clip.times[-1] * (1 - options.held_out)
        before, after = (int(np.searchsorted(clip.times, time)) for time in (begin - options.gap, begin))
        if before == 0:
            before = after = len(clip.times)
        training.append(_part(clip, slice(0, before)))
        if after < len(clip.times):
            held_out.append(_part(clip, slice(after, None)))
    count = sum(len(clip.frames) for clip in training)
    if count < _LEAST_FRAMES or not held_out:
        raise InputError(f"the footage has {count} frames to train with; add longer videos: auria footage add VIDEO")
    return FilmFrames(options=options, training=tuple(training), held_out=tuple(held_out))


def _part(clip: Clip, part: slice) -> Clip:
    return Clip(name=clip.name, frames=clip.frames[part], times=clip.times[part])
