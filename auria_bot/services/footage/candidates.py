"""The frames of one source that may be kept: read, measured and written to a folder, in which a later run goes on."""

from __future__ import annotations

import hashlib
import io
import json
from collections import deque
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

from auria_bot.errors import InputError
from auria_bot.files import readable_name, sha256_of, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PIL import Image

__all__ = ["Candidate", "SourceFrames", "Wanted", "is_still", "read_source"]

_QUALITY = 95  # of the JPEG files, colours at full resolution
_MOVING = ("GIF", "PNG")  # formats of pictures that FFmpeg plays
_MARGIN = Fraction(2)  # seconds of frames that are looked at again before those that a stopped run has not judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which frames are wanted, and how large."""

    size: tuple[int, int]  # width and height in pixels
    every: Fraction  # seconds from one frame to the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A frame that was looked at."""

    file: str  # in the folder; "" where the frame shows nothing
    time: float  # seconds
    fault: str  # "damaged", "small", "black", "blank", "cut" or ""
    sha256: str = ""
    fingerprint: str = ""
    light: str = ""
    colour: tuple[float, float, float] = (0.0, 0.0, 0.0)
    sharpness: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFrames:
    """What was found in a source."""

    candidates: tuple[Candidate, ...]
    seconds: float  # up to the last frame
    size: tuple[int, int]  # width and height of the source, upright
    note: str  # what was wrong with it


def is_still(path: Path) -> bool:
    """Whether a file is a picture that does not move; also one that is damaged, or of several pages."""
    from PIL import Image, UnidentifiedImageError

    from auria_bot.art.pictures import FORMATS

    try:
        with Image.open(path, formats=FORMATS) as picture:
            return getattr(picture, "n_frames", 1) == 1 or picture.format not in _MOVING
    except UnidentifiedImageError:
        return False
    except Exception:  # noqa: BLE001 - decoders raise whatever they like; `open_picture` says what is wrong
        return True


def read_source(path: Path, wanted: Wanted, folder: Path, progress: Callable[[float], None]) -> SourceFrames:
    """Look at the frames of a video, or at a still.

    Args:
        folder: holds the frames found so far, and a journal of them; an existing one is continued.
        progress: called with the share that is done, 0 to 1.

    Raises:
        InputError: the source cannot be used; the message says why.
        BackendMissing: it is a video, and the extra `films` is not installed.
        OSError: a frame cannot be written.
    """
    if is_still(path):
        return _read_still(path, wanted, folder)
    with _Journal(folder) as journal:
        return _read_video(path, wanted, journal, progress)


class _Journal:
    """The candidates so far, a line of JSON for each, written after its file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.candidates: list[Candidate] = []
        self._path = folder / "journal.jsonl"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = b""
        for line in self._path.read_bytes().splitlines(keepends=True) if self._path.exists() else ():
            candidate = self._whole(line)
            if candidate is None:
                break  # it was being written when the run was stopped
            self.candidates.append(candidate)
            kept += line
        write_atomic(self._path, kept, durable=False)
        self._file = self._path.open("ab")
        return self

    def _whole(self, line: bytes) -> Candidate | None:
        """The candidate of a line, if line and file are complete."""
        try:
            one = json.loads(line) if line.endswith(b"\n") else {}
            candidate = Candidate(**one | {"colour": tuple(one["colour"])})
        except (ValueError, KeyError, TypeError):
            return None
        path = self.folder / candidate.file
        if candidate.file and (not path.is_file() or sha256_of(path) != candidate.sha256):
            return None
        return candidate

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, candidate: Candidate, content: bytes) -> None:
        if candidate.file:
            write_atomic(self.folder / candidate.file, content, durable=False)
        self.candidates.append(candidate)
        self._file.write(json.dumps(asdict(candidate)).encode() + b"\n")
        self._file.flush()


def _read_still(path: Path, wanted: Wanted, folder: Path) -> SourceFrames:
    from auria_bot.art.pictures import open_picture

    picture = open_picture(path)
    size = picture.size
    _check_size(readable_name(path), size, wanted.size)
    factor = max(wanted.size[0] / size[0], wanted.size[1] / size[1])
    width, height = wanted.size[0] / factor, wanted.size[1] / factor
    left, top = (size[0] - width) / 2, (size[1] - height) / 2
    cropped = picture.resize(wanted.size, 1, box=(left, top, left + width, top + height), reducing_gap=None)
    candidate, content = _measured(0, 0.0, cropped, "")
    folder.mkdir(parents=True, exist_ok=True)
    if candidate.file:
        write_atomic(folder / candidate.file, content, durable=False)
    return SourceFrames(candidates=(candidate,), seconds=0.0, size=size, note="")


def _read_video(path: Path, wanted: Wanted, journal: _Journal, progress: Callable[[float], None]) -> SourceFrames:
    from auria_bot.art.films.shot_boundaries import ShotBoundaries
    from auria_bot.art.films.video import Video

    name = readable_name(path)
    boundaries, known = ShotBoundaries(), len(journal.candidates)
    resumed = Fraction(journal.candidates[-1].time) - _MARGIN if known else Fraction(-1)
    waiting: deque[tuple[Fraction, Candidate, bytes]] = deque()
    size, last, following, number = (0, 0), Fraction(0), Fraction(0), 0
    with Video.open(path) as video:
        for frame in video.frames():
            if not any(size):
                size = frame.size
                _check_size(name, size, wanted.size)
            last = frame.time
            if frame.time >= resumed:
                boundaries.add(frame.time, frame.thumbnail())
            if frame.time >= following:
                following = (frame.time // wanted.every + 1) * wanted.every
                if number >= known:
                    picture = frame.picture(wanted.size)
                    fault = "damaged" if frame.damaged else "" if _covers(frame.size, wanted.size) else "small"
                    found = _measured(number, float(frame.time), picture, fault)
                    waiting.append((frame.time, *found))
                number += 1
                progress(min(float(frame.time) / video.duration, 1.0) if video.duration else 0.0)
            _judge(waiting, boundaries, journal)
        boundaries.end()
        _judge(waiting, boundaries, journal)
        note = _note(video, float(last))
    if not journal.candidates:
        raise InputError(f"{name}: no frame could be decoded; it may be cut short or damaged")
    return SourceFrames(candidates=tuple(journal.candidates), seconds=round(float(last), 3), size=size, note=note)


def _judge(waiting: deque[tuple[Fraction, Candidate, bytes]], boundaries: Any, journal: _Journal) -> None:
    """Write the waiting candidates of which enough is known."""
    while waiting and boundaries.can_judge(waiting[0][0]):
        time, candidate, content = waiting.popleft()
        if not candidate.fault and boundaries.is_cut(time):
            candidate = Candidate(file="", time=candidate.time, fault="cut")
        journal.add(candidate, content)


def _measured(number: int, time: float, picture: Image.Image, fault: str) -> tuple[Candidate, bytes]:
    """A candidate and its JPEG file; the file is empty where the frame has a fault."""
    from auria_bot.art.films.frame_measures import measure

    measures = measure(picture)
    if fault := fault or measures.fault:
        return Candidate(file="", time=round(time, 6), fault=fault), b""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    content = buffer.getvalue()
    candidate = Candidate(
        file=f"{number:07d}.jpg",
        time=round(time, 6),
        fault="",
        sha256=hashlib.sha256(content).hexdigest(),
        fingerprint=measures.fingerprint,
        light=measures.light,
        colour=measures.colour,
        sharpness=measures.sharpness,
    )
    return candidate, content


def _covers(size: tuple[int, int], wanted: tuple[int, int]) -> bool:
    return size[0] >= wanted[0] and size[1] >= wanted[1]


def _check_size(name: str, size: tuple[int, int], wanted: tuple[int, int]) -> None:
    if not _covers(size, wanted):
        fits = min(size[1], size[0] * wanted[1] // wanted[0])
        raise InputError(
            f"{name}: has {size[0]} x {size[1]} pixels, too few for frames of {wanted[0]} x {wanted[1]};"
            f" frames are never enlarged: --size {fits} is the most it gives"
        )


def _note(video: Any, last: float) -> str:
    notes = []
    if video.duration and last + float(1 / video.rate) < 0.9 * video.duration - 1.0:
        notes.append(f"cut short: it says {video.duration:.1f} s, and ends at {last:.1f} s")
    if video.broken:
        notes.append(f"{video.broken} damaged packets were left out")
    return "; ".join(notes)
