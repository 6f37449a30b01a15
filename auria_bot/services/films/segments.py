"""A video that is made in segments: what was made stays, and a later call goes on after it.

A folder holds the segments and a journal, which names the plan that they belong to and the SHA-256 of each. A segment
counts when the journal has it; so a kill at any moment costs one segment at most, and the result is the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from auria_bot.errors import AuriaError, InvalidTransition
from auria_bot.files import acquire_lock, atomic_path, disk_errors, remove_strays, sha256_of, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Segments"]

_JOURNAL = "journal.json"


class Segments:
    """The segments of one video.

    Usage::

        with Segments.open(folder, plan) as segments:
            for number in range(segments.done, count):
                segments.add(lambda path, state: ...)
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any]) -> None:
        self._folder, self._plan = folder, json.loads(json.dumps(plan))
        self._entries = self._kept()

    @classmethod
    @contextlib.contextmanager
    def open(cls, folder: Path, plan: Mapping[str, Any]) -> Iterator[Segments]:
        """The segments in a folder, which is made where it is missing; those of another plan, or damaged, are removed.

        Args:
            folder: for this video alone.
            plan: everything that decides about the content, ready for JSON.

        Raises:
            InvalidTransition: another process makes the same video.
            DiskError: the folder cannot be written.
        """
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = acquire_lock(folder / ".lock", wait=0.2)
        if descriptor is None:
            raise InvalidTransition("this video is being made by another command; wait until it is done")
        try:
            with disk_errors(folder):
                remove_strays(folder)
                found = cls(folder, plan)
            yield found
        finally:
            os.close(descriptor)

    @property
    def done(self) -> int:
        """How many segments there are."""
        return len(self._entries)

    @property
    def paths(self) -> list[Path]:
        """The segments' files, in their order."""
        return [self._folder / entry["file"] for entry in self._entries]

    @property
    def notes(self) -> list[Any]:
        """What was noted with each segment."""
        return [entry["note"] for entry in self._entries]

    @property
    def state(self) -> bytes | None:
        """What the last segment left for the next one."""
        if not self._entries or not self._entries[-1]["state"]:
            return None
        path: Path = self._folder / self._entries[-1]["state"]
        return path.read_bytes()

    def add(self, write: Callable[[Path], tuple[Any, bytes | None]]) -> None:
        """Make the next segment.

        Args:
            write: writes it into a file, and returns what is noted with it, ready for JSON, and what it leaves for
                the next one.

        Raises:
            DiskError: it cannot be written.
        """
        number = len(self._entries)
        file, state_file = f"{number:05d}.segment", ""
        with disk_errors(self._folder):
            with atomic_path(self._folder / file) as scratch:
                note, state = write(scratch)
            if state is not None:
                state_file = f"{number:05d}.state"
                with atomic_path(self._folder / state_file) as scratch:
                    scratch.write_bytes(state)
            entry = {
                "file": file,
                "sha256": sha256_of(self._folder / file),
                "state": state_file,
                "state_sha256": sha256_of(self._folder / state_file) if state_file else "",
                "note": note,
            }
            self._save([*self._entries, entry])
        previous = self._entries[-1]["state"] if self._entries else ""
        self._entries.append(entry)
        if previous and previous != state_file:
            (self._folder / previous).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove everything, when the video is complete."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _save(self, entries: list[dict[str, Any]]) -> None:
        write_json(self._folder / _JOURNAL, {"plan": self._plan, "segments": entries})

    def _kept(self) -> list[dict[str, Any]]:
        """The segments of the same plan that are whole; the other files are removed."""
        entries: list[dict[str, Any]] = []
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            journal = json.loads((self._folder / _JOURNAL).read_text("utf-8"))
            if journal["plan"] == self._plan:
                for entry in journal["segments"]:
                    if not self._is_whole(entry["file"], entry["sha256"]):
                        break
                    entries.append(entry)
        # Only the last state is kept: where segments at the end are damaged, none goes on from the middle.
        if entries and entries[-1]["state"] and not self._is_whole(entries[-1]["state"], entries[-1]["state_sha256"]):
            entries = []
        named = {name for entry in entries for name in (entry["file"], entry["state"])} | {_JOURNAL, ".lock"}
        for path in self._folder.iterdir():
            if path.name not in named:
                path.unlink()
        self._save(entries)
        return entries

    def _is_whole(self, file: str, sha256: str) -> bool:
        try:
            return sha256_of(self._folder / file) == sha256
        except AuriaError:
            return False
