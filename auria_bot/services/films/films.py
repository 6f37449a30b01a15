"""Films: a walk through a film model, rendered to the size and length that was asked for, kept in the home.

A film is a folder `films/NAME-1a2b3c4d` with `film.mp4` or `film.webm`, `poster.jpg` and `film.json`; the digits are a
hash of everything that decides about its content. So the same request finds the film that is there, or goes on with one
that was interrupted, and another request never replaces it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import time
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from auria_bot.errors import NotFound, UsageError
from auria_bot.files import atomic_path, disk_errors, remove_strays, scratch_folder, sha256_of, write_json
from auria_bot.services.films.segments import Segments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from auria_bot.art.films.steady_style import SteadyStyle
    from auria_bot.domain.interfaces import Stylist
    from auria_bot.services.films.film_plan import PlannedFilm

__all__ = ["Estimate", "Film", "FilmLibrary", "estimate", "render"]

SEGMENT = 50  # frames
_AHEAD = 32  # frames of a loop's end that are painted before its beginning
_TRIED = 10  # frames from which an estimate is made
_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,80}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A finished film."""

    label: str
    path: Path
    poster: Path
    facts: Mapping[str, Any]  # what film.json says


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How long a film takes to make, and how large it becomes, judged by a few frames of it."""

    seconds: float
    bytes: int


class FilmLibrary:
    """The films of a home."""

    def __init__(self, home: Path) -> None:
        self._root = home / "films"

    def folder(self, label: str) -> Path:
        """A film's folder, which need not be there.

        Raises:
            UsageError: the label is none.
        """
        if not _LABEL.fullmatch(label):
            raise UsageError(f"{label[:60]!r} is no film; auria film list shows them")
        return self._root / label

    def all(self) -> tuple[Film, ...]:
        """All finished films, the newest first."""
        found = sorted(self._root.glob("*/film.json"), key=lambda path: -path.stat().st_mtime_ns)
        return tuple(film for path in found if (film := self._read(path)) is not None)

    def find(self, label: str) -> Film | None:
        """A finished film; None where there is none."""
        return self._read(self.folder(label) / "film.json")

    def remove(self, label: str) -> None:
        """Remove a film, or what an interrupted call left of one.

        Raises:
            NotFound: there is none of that label.
            InvalidTransition: it is being made.
            DiskError: it cannot be removed.
        """
        folder = self.folder(label)
        if not folder.is_dir():
            raise NotFound(f"no film {label[:60]!r}; auria film list shows them")
        with disk_errors(folder), Segments.open(folder / "parts", {}):
            (folder / "film.json").unlink(missing_ok=True)
            shutil.rmtree(folder)

    @staticmethod
    def _read(path: Path) -> Film | None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            facts = json.loads(path.read_text("utf-8"))
            film = path.parent / facts["file"]
            if film.is_file():
                return Film(label=path.parent.name, path=film, poster=path.parent / "poster.jpg", facts=facts)
        return None


def render(
    library: FilmLibrary,
    film: PlannedFilm,
    progress: Callable[[int, int], None],
    stylist: Callable[[], Stylist] | None = None,
) -> tuple[Film, bool]:
    """Make a film, going on where an interrupted call stopped; whether it was there already.

    Args:
        progress: called with (frames that are done, frames in all).
        stylist: loads what paints it, for a film of strokes.

    Raises:
        InputError: the music cannot be read.
        InvalidTransition: another process makes the same film.
        DiskError: it cannot be written.
    """
    label = _label(film)
    if (known := library.find(label)) is not None:
        shutil.rmtree(known.path.parent / "parts", ignore_errors=True)  # of a call that was killed at its very end
        return known, True
    folder, timing = library.folder(label), film.frames.timing
    with Segments.open(folder / "parts", film.plan) as segments:
        painter = _painter(film, stylist)
        if painter is not None and segments.done < -(-timing.frames // SEGMENT):
            _prepare(painter, film, segments.state)
        progress(min(segments.done * SEGMENT, timing.frames), timing.frames)
        for first in range(segments.done * SEGMENT, timing.frames, SEGMENT):
            end = min(first + SEGMENT, timing.frames)
            segments.add(partial(_write, film, painter, first=first, end=end, progress=progress))
        target = folder / f"film{film.form.suffix}"
        with disk_errors(folder):
            remove_strays(folder)
        with disk_errors(target), atomic_path(target, mode=0o644) as scratch:
            _join(film, segments.paths, scratch)
        _write_poster(film, target, folder / "poster.jpg")
        facts = {**film.plan, "file": target.name, "sha256": sha256_of(target), "bytes": target.stat().st_size}
        with disk_errors(folder):
            write_json(folder / "film.json", facts, pretty=True, mode=0o644)
        segments.remove()
    made = library.find(label)
    if made is None:
        raise NotFound(f"{folder} was removed while the film was made")
    return made, False


def estimate(film: PlannedFilm, stylist: Callable[[], Stylist] | None = None) -> Estimate:
    """Make a few frames of a film, and judge by them."""
    import av

    timing, painter = film.frames.timing, _painter(film, stylist)
    count = min(_TRIED, timing.frames)
    with scratch_folder() as scratch:
        path = scratch / "part"
        began = time.monotonic()
        _write(film, painter, path, first=0, end=count, progress=lambda _done, _all: None)
        seconds = time.monotonic() - began
        with av.open(str(path)) as part:
            sizes = [packet.size for packet in part.demux(part.streams.video[0]) if packet.dts is not None]
    segments = -(-timing.frames // SEGMENT)
    later = sum(sizes[1:]) / max(len(sizes) - 1, 1)
    size = segments * sizes[0] + (timing.frames - segments) * later
    sound = float(timing.seconds) * 24_000 if film.music is not None or film.spoken else 0.0
    return Estimate(seconds=seconds / count * timing.frames, bytes=round(size + sound))


def _label(film: PlannedFilm) -> str:
    digest = hashlib.sha256(json.dumps(film.plan, sort_keys=True).encode()).hexdigest()
    return f"{film.name}-{digest[:8]}"


def _painter(film: PlannedFilm, stylist: Callable[[], Stylist] | None) -> SteadyStyle | None:
    """What paints the frames with strokes, which stay where they were laid; None for a film without."""
    from auria_bot.art.films.steady_style import SteadyStyle
    from auria_bot.services.films.restyle_video import restyled_frame

    if film.strokes is None or stylist is None:
        return None
    return SteadyStyle(partial(restyled_frame, stylist(), film.strokes, int(film.plan["seed"])))


def _prepare(painter: SteadyStyle, film: PlannedFilm, state: bytes | None) -> None:
    """Let the painter go on after what there is; a loop begins with the strokes of its last seconds.

    Little is left of a stroke after _AHEAD frames, so that the film's own last frame carries about the same.
    """
    from PIL import Image

    total = film.frames.timing.frames
    if state is not None:
        painter.restore(state)
    elif film.plan["loop"]:
        for frame in film.frames.frames(max(0, total - _AHEAD), total):
            painter.restyle(Image.fromarray(frame))


def _write(
    film: PlannedFilm,
    painter: SteadyStyle | None,
    path: Path,
    *,
    first: int,
    end: int,
    progress: Callable[[int, int], None],
) -> tuple[None, bytes | None]:
    """Write some frames; nothing is noted with them, and what a painter carries along is left for the next ones."""
    import numpy as np
    from PIL import Image

    from auria_bot.art.films.video_writer import VideoWriter

    timing = film.frames.timing
    with VideoWriter.create(path, film.form, size=timing.size, rate=timing.rate) as writer:
        for frame in film.frames.frames(first, end):
            writer.write(frame if painter is None else np.asarray(painter.restyle(Image.fromarray(frame))))
            progress(first + writer.count, timing.frames)
    return None, painter.state() if painter is not None else None


def _join(film: PlannedFilm, parts: list[Path], target: Path) -> None:
    from auria_bot.art.films.sound import FilmSound
    from auria_bot.art.films.video_writer import join

    timing = film.frames.timing
    timed = [(path, Fraction(number * SEGMENT) / timing.rate) for number, path in enumerate(parts)]
    sound = film.music is not None or film.spoken
    soundtrack = FilmSound(film.music, seconds=timing.seconds, spoken=film.spoken) if sound else None
    join(timed, target, film.form, metadata=film.metadata, soundtrack=soundtrack)


def _write_poster(film: PlannedFilm, made: Path, path: Path) -> None:
    """The first frame; of a painted film that of the finished file, for no other is kept."""
    from PIL import Image

    from auria_bot.art.films.video import Video
    from auria_bot.art.pictures import save_picture

    if film.strokes is None:
        (frame,) = film.frames.frames(0, 1)
        save_picture(Image.fromarray(frame), path, quality=90)
        return
    with Video.open(made) as video:
        save_picture(next(video.frames()).picture(film.frames.timing.size), path, quality=90)
