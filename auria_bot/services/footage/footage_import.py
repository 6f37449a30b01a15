"""Add videos and stills to a set of footage: which frames are kept, each source in one step that can be repeated."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from auria_bot.errors import AuriaError, BackendMissing, DiskError, InputError, UsageError
from auria_bot.files import disk_errors, flush, readable_name, scratch_folder, sha256_of
from auria_bot.services.footage.candidates import Wanted, is_still, read_source
from auria_bot.services.footage.library import SHAPES, Footage, LeftOutFrame, Source, StoredFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from fractions import Fraction
    from pathlib import Path

    from auria_bot.services.footage.candidates import SourceFrames
    from auria_bot.services.footage.library import FootageLibrary

__all__ = ["Added", "FootageOptions", "add_footage", "frame_size"]

_STILLS = 100  # that are added in one step
_SIZE = 256  # pixels, of a new set


@dataclass(frozen=True, slots=True, kw_only=True)
class FootageOptions:
    """How frames are chosen and cropped."""

    size: int | None = None  # height in pixels; None: the set's own, 256 in a new one
    shape: str | None = None  # of SHAPES; None: the set's own, square in a new one
    every: Fraction  # seconds from one frame to the next
    distinct: int = 5  # bits of 64 in which the hashes of kept frames differ at least; 0 keeps duplicates
    even: bool = False  # at the end, leave out frames of colours that are more common than others
    dry_run: bool = False  # write nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of the sources."""

    footage: Footage  # as it is now, or with `dry_run` as it would be
    added: tuple[int, ...]  # places of the new sources
    known: tuple[str, ...]  # names of files that the set has already
    refused: tuple[str, ...]  # a sentence for each file that cannot be used
    evenness: tuple[float, float]  # of the colours, 0 to 1: before and after `even`


def frame_size(size: int, shape: str) -> tuple[int, int]:
    """Width and height in pixels of frames of a height; the width is even.

    Raises:
        InputError: there is no such shape.
    """
    if shape not in SHAPES:
        raise UsageError(f"no shape {shape[:20]!r}; known: {', '.join(SHAPES)}")
    return (size, size) if shape == "square" else (2 * round(size * 8 / 9), size)


def add_footage(
    library: FootageLibrary,
    name: str,
    files: Sequence[Path],
    options: FootageOptions,
    progress: Callable[[int, int, float, str], None],
) -> Added:
    """Add videos and stills; what an interrupted call has read is used.

    Args:
        name: of the set, which is made where it is missing.
        files: videos, stills, and folders of them.
        progress: called with (files done, files in all, share of the current one, its name).

    Raises:
        InputError: no file can be used, or the set has frames of another size.
        BackendMissing: there are videos, and the extra `films` is not installed.
        DiskError: a frame cannot be written.
    """
    footage = _begun(library.find(name), name, options)
    sources = list(dict.fromkeys(_expanded(files)))
    if not sources:
        raise InputError("there is no file in the folders that were named")
    with contextlib.ExitStack() as stack:
        if options.dry_run:
            work = stack.enter_context(scratch_folder())
        else:
            stack.enter_context(library.lock(name))
            footage = _begun(library.find(name), name, options)  # as it is now that nobody else changes it
            work = library.folder(name) / "work"
        run = _Import(library=library, footage=footage, options=options, work=work)
        run.add(sources, progress)
        before, after = run.spread_colours() if run.added or run.known else (1.0, 1.0)
        if not options.dry_run:
            shutil.rmtree(work, ignore_errors=True)
            if not run.footage.sources:
                shutil.rmtree(library.folder(name), ignore_errors=True)
    if not run.added and not run.known:
        raise InputError("; ".join(run.refused))
    return Added(
        footage=run.footage,
        added=tuple(run.added),
        known=tuple(run.known),
        refused=tuple(run.refused),
        evenness=(before, after),
    )


def _begun(found: Footage | None, name: str, options: FootageOptions) -> Footage:
    """The set, or a new one.

    Raises:
        InputError: it has frames of another size or shape.
    """
    if found is None:
        shape = options.shape or SHAPES[0]
        width, height = frame_size(options.size or _SIZE, shape)
        return Footage(name=name, width=width, height=height, shape=shape)
    if (options.size or found.height) != found.height or (options.shape or found.shape) != found.shape:
        raise UsageError(
            f"footage {name!r} has frames of {found.width} x {found.height} pixels ({found.shape});"
            f" leave --size and --shape out, or choose another --name"
        )
    return found


def _expanded(files: Sequence[Path]) -> Iterator[Path]:
    for path in files:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.is_file() and not one.name.startswith("."))
        else:
            yield path


@dataclass(slots=True, kw_only=True)
class _Read:
    """A source that was read and is not yet part of the set."""

    path: Path
    sha256: str
    folder: Path
    found: SourceFrames


class _Import:
    """One call of `add_footage`."""

    def __init__(self, *, library: FootageLibrary, footage: Footage, options: FootageOptions, work: Path) -> None:
        from auria_bot.art.films.frame_measures import KnownFrames

        self.footage = footage
        self.added: list[int] = []
        self.known: list[str] = []
        self.refused: list[str] = []
        self._library, self._options, self._work = library, options, work
        self._wanted = Wanted(size=(footage.width, footage.height), every=options.every)
        self._frames = KnownFrames(options.distinct)
        for frame in footage.frames:
            self._frames.add(frame.fingerprint, frame.light, frame.colour)
        self._waiting: list[_Read] = []

    def add(self, sources: Sequence[Path], progress: Callable[[int, int, float, str], None]) -> None:
        """Read every source, and enter it."""
        hashes = {source.sha256 for source in self.footage.sources}
        for number, path in enumerate(sources):
            name = readable_name(path)
            progress(number, len(sources), 0.0, name)
            try:
                read = self._read(path, hashes, partial(_share, progress, number, len(sources), name))
            except (BackendMissing, DiskError):
                raise
            except AuriaError as error:
                self.refused.append(str(error))
                continue
            if read is None:
                self.known.append(name)
                continue
            hashes.add(read.sha256)
            self._waiting.append(read)
            if read.found.seconds or len(self._waiting) >= _STILLS:
                self._enter()
        self._enter()
        progress(len(sources), len(sources), 0.0, "")

    def _read(self, path: Path, known: set[str], progress: Callable[[float], None]) -> _Read | None:
        if path.exists() and not path.is_file():
            raise InputError(f"{readable_name(path)}: is not a file")
        before = _state(path)
        sha256 = sha256_of(path)
        if sha256 in known:
            return None
        every = 0 if is_still(path) else self._options.every
        width, height = self._wanted.size
        key = f"{sha256[:32]}-{width}x{height}-{every}".replace("/", "_")
        with disk_errors(self._work):
            found = read_source(path, self._wanted, self._work / key, progress)
            if _state(path) != before:
                shutil.rmtree(self._work / key)
                raise InputError(f"{readable_name(path)}: changed while it was read; add it when it is complete")
        return _Read(path=path, sha256=sha256, folder=self._work / key, found=found)

    def _enter(self) -> None:
        """Choose among the frames of the sources that were read, and make them part of the set, in one step."""
        moves: list[tuple[Path, str]] = []
        for read in self._waiting:
            self._choose(read, moves)
        if self._waiting and not self._options.dry_run:
            frames = self._library.folder(self.footage.name) / "frames"
            with disk_errors(frames):
                frames.mkdir(parents=True, exist_ok=True)
                for path, name in moves:
                    shutil.copyfile(path, frames / name)
                    flush(frames / name)
                self._library.save(self.footage)
        for read in self._waiting:
            shutil.rmtree(read.folder, ignore_errors=True)
        self._waiting.clear()

    def _choose(self, read: _Read, moves: list[tuple[Path, str]]) -> None:
        from auria_bot.art.films.frame_measures import is_blurred

        place, number = len(self.footage.sources), self.footage.next_number
        sharpness = [one.sharpness for one in read.found.candidates if not one.fault]
        frames, left_out = list(self.footage.frames), list(self.footage.left_out)
        for one in read.found.candidates:
            reason, of = one.fault, ""
            if not reason and is_blurred(one.sharpness, sharpness):
                reason = "blurred"
            if not reason and (repeated := self._frames.repeats(one.fingerprint, one.light, one.colour)) is not None:
                reason, of = "duplicate", frames[repeated].file
            if reason:
                left_out.append(LeftOutFrame(source=place, time=one.time, reason=reason, of=of))
                continue
            file = f"{number:06d}.jpg"
            number += 1
            known = asdict(one)
            del known["fault"]
            frames.append(StoredFrame(**known | {"file": file, "source": place}))
            self._frames.add(one.fingerprint, one.light, one.colour)
            moves.append((read.folder / one.file, file))
        source = Source(
            name=readable_name(read.path),
            sha256=read.sha256,
            every=float(self._options.every) if read.found.seconds else None,
            seconds=read.found.seconds,
            size=read.found.size,
            note=read.found.note,
        )
        self.added.append(place)
        self.footage = replace(
            self.footage, sources=(*self.footage.sources, source), frames=tuple(frames), left_out=tuple(left_out)
        )

    def spread_colours(self) -> tuple[float, float]:
        """Leave out frames of common colours, where that is asked for; the evenness before and after."""
        from auria_bot.art.films.frame_measures import evenly_coloured, evenness

        colours = [frame.colour for frame in self.footage.frames]
        before = evenness(colours)
        if not self._options.even:
            return before, before
        stay = evenly_coloured(colours)
        frames = tuple(frame for frame, kept in zip(self.footage.frames, stay, strict=True) if kept)
        dropped = (
            LeftOutFrame(source=frame.source, time=frame.time, reason="common")
            for frame, kept in zip(self.footage.frames, stay, strict=True)
            if not kept
        )
        self.footage = replace(
            self.footage,
            frames=frames,
            left_out=(*self.footage.left_out, *dropped),
            last_number=self.footage.next_number - 1,
        )
        if not self._options.dry_run and self.footage.sources:
            self._library.save(self.footage)
        return before, evenness([frame.colour for frame in frames])


def _state(path: Path) -> tuple[int, int] | None:
    """What changes where a file is written; None where there is none."""
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_size, found.st_mtime_ns
    return None


def _share(progress: Callable[[int, int, float, str], None], done: int, total: int, name: str, share: float) -> None:
    progress(done, total, share, name)
