"""The sets of footage in the home: frames as a JPEG sequence, with an index of where each comes from.

A set is a folder `footage/NAME` with `frames/000001.jpg` and so on, and `index.json`, which is replaced at once
when a source was added: what it does not name does not belong to the set.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from auria_bot.errors import InputError, InvalidTransition, NotFound, UsageError
from auria_bot.files import acquire_lock, disk_errors, remove_strays, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["REASONS", "SHAPES", "Footage", "FootageLibrary", "LeftOutFrame", "Source", "StoredFrame"]

SHAPES = ("square", "16:9")
"""The proportions that frames can have."""

REASONS = {
    "damaged": "the decoder found errors in it",
    "small": "it is smaller than the set's frames, and none is enlarged",
    "black": "it is black",
    "blank": "it has one colour",
    "cut": "it lies at a cut or inside a dissolve",
    "blurred": "it is out of focus, compared with its clip",
    "duplicate": "it nearly equals a frame that was kept",
    "common": "its colours are common enough in the set (--even)",
}
"""Why frames are left out."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFrame:
    """A frame of a set."""

    file: str  # in the folder frames
    source: int  # its place among the sources, from 0
    time: float  # seconds from the source's first frame; 0 of a still
    sha256: str  # of the file
    fingerprint: str  # perceptual hash, 16 hexadecimal digits
    light: str  # luma of 8 x 8 equal parts, two hexadecimal digits each
    colour: tuple[float, float, float]  # mean CIELAB
    sharpness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutFrame:
    """A frame that was looked at and not kept."""

    source: int
    time: float  # seconds
    reason: str  # of REASONS
    of: str = ""  # of a duplicate: the file of the frame that it repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A video or still that frames come from."""

    name: str
    sha256: str
    every: float | None  # seconds between frames; None of a still
    seconds: float  # up to the last frame
    size: tuple[int, int]  # width and height, upright
    note: str = ""  # what was wrong with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """A set of footage."""

    name: str
    width: int
    height: int
    shape: str  # of SHAPES
    sources: tuple[Source, ...] = ()
    frames: tuple[StoredFrame, ...] = ()
    left_out: tuple[LeftOutFrame, ...] = ()
    last_number: int = 0  # of a file so far, also of one that was left out since

    def counts(self, source: int | None = None) -> Mapping[str, int]:
        """How many frames were left out, by reason; of one source, or of all."""
        found = dict.fromkeys(REASONS, 0)
        for frame in self.left_out:
            if source is None or frame.source == source:
                found[frame.reason] += 1
        return {reason: count for reason, count in found.items() if count}

    @property
    def next_number(self) -> int:
        """The number of the next frame's file, which no frame has had: labels are kept by the file's name."""
        return 1 + max([self.last_number, *(int(frame.file.partition(".")[0]) for frame in self.frames)])

    def to_json(self) -> dict[str, Any]:
        """The index."""
        return {"format": _FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Footage:
        """The set of an index.

        Raises:
            KeyError, TypeError, ValueError: it is not one.
        """
        if data["format"] != _FORMAT:
            raise ValueError(f"format {data['format']}")
        return cls(
            name=str(data["name"]),
            width=int(data["width"]),
            height=int(data["height"]),
            shape=str(data["shape"]),
            sources=tuple(Source(**one | {"size": tuple(one["size"])}) for one in data["sources"]),
            frames=tuple(StoredFrame(**one | {"colour": tuple(one["colour"])}) for one in data["frames"]),
            left_out=tuple(LeftOutFrame(**one) for one in data["left_out"]),
            last_number=int(data.get("last_number", 0)),
        )


class FootageLibrary:
    """The sets of footage of a home."""

    def __init__(self, home: Path) -> None:
        self._root = home / "footage"

    def folder(self, name: str) -> Path:
        """The folder of a set, which need not be there.

        Raises:
            InputError: the name is none.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name[:60]!r} cannot name footage; use small letters, digits, - and _, 40 at most, as in baltic-waves"
            )
        return self._root / name

    def names(self) -> tuple[str, ...]:
        """The names of all sets."""
        if not self._root.is_dir():
            return ()
        found = (one.name for one in self._root.iterdir() if (one / "index.json").is_file())
        return tuple(sorted(name for name in found if _NAME.fullmatch(name)))

    def find(self, name: str) -> Footage | None:
        """A set; None where there is none of that name.

        Raises:
            InputError: the name is none, or the index was damaged.
        """
        path = self.folder(name) / "index.json"
        try:
            return replace(Footage.from_json(json.loads(path.read_text("utf-8"))), name=name)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path} cannot be read ({type(error).__name__}: {str(error)[:80]});"
                f" remove the set and add its videos again: auria footage remove {name}"
            ) from None

    def get(self, name: str) -> Footage:
        """A set.

        Raises:
            NotFound: there is none of that name.
            InputError: as `find`.
        """
        found = self.find(name)
        if found is None:
            names = self.names()
            known = f"there are: {', '.join(names)}" if names else "make one: auria footage add VIDEO"
            raise NotFound(f"no footage named {name[:40]!r}; {known}")
        return found

    def all(self) -> tuple[Footage, ...]:
        """All sets, by name.

        Raises:
            InputError: an index was damaged.
        """
        return tuple(self.get(name) for name in self.names())

    def save(self, footage: Footage) -> None:
        """Replace the index of a set, and remove the frames that it does not name.

        Raises:
            DiskError: it cannot be written.
        """
        folder = self.folder(footage.name)
        with disk_errors(folder):
            (folder / "frames").mkdir(parents=True, exist_ok=True)
            write_json(folder / "index.json", footage.to_json(), mode=None)
            named = {frame.file for frame in footage.frames}
            for path in (folder / "frames").iterdir():
                if path.name not in named:
                    path.unlink()

    def remove(self, name: str) -> int:
        """Remove a set with its frames, or what an interrupted first call left of one; how many frames there were.

        Raises:
            NotFound: there is none of that name.
            InvalidTransition: it is being added to.
            DiskError: it cannot be removed.
        """
        folder = self.folder(name)
        if not folder.is_dir():
            self.get(name)
        with self.lock(name), disk_errors(folder):
            count = sum(1 for _ in (folder / "frames").glob("*.jpg"))
            (folder / "index.json").unlink(missing_ok=True)
            shutil.rmtree(folder)
        return count

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Keep other processes from changing a set, whose folder is made and rid of what killed ones left.

        Raises:
            InvalidTransition: another process changes it.
            DiskError: the folder cannot be written.
        """
        folder = self.folder(name)
        with disk_errors(self._root):
            self._root.mkdir(parents=True, exist_ok=True)
            descriptor = acquire_lock(self._root / f".{name}.lock", wait=0.2)
        if descriptor is None:
            raise InvalidTransition(f"footage {name!r} is being changed by another command; wait until it is done")
        try:
            with disk_errors(folder):
                folder.mkdir(exist_ok=True)  # not before: the lock's last holder may have removed it
                remove_strays(folder)
            yield
        finally:
            with contextlib.suppress(OSError):
                folder.rmdir()  # where it holds nothing, as of a set that was removed a moment ago
            os.close(descriptor)
