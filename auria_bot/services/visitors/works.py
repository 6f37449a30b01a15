"""The visitors' artworks on the disk: `<home>/visitors/<key>/`, with `work.json` and the artwork's files.

The key is the only way to an artwork, so it cannot be guessed. Of the visitor nothing is kept but the hash of a random
cookie, which says who may keep, offer or delete it. Records are read once and kept in memory; one process at a time
works with the folder.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import shutil
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import Artwork
from auria_bot.errors import NotFound
from auria_bot.files import disk_errors, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["VisitorWork", "VisitorWorks", "WorkState", "removed_works"]

log = logging.getLogger(__name__)

_RECORD = "work.json"
_REMOVED = ".removed"  # the keys of kept artworks that were deleted, a line each
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


class WorkState(StrEnum):
    """How far a visitor's artwork is."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # the server was stopped meanwhile


_OPEN = {WorkState.WAITING, WorkState.WORKING}


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorWork:
    """An artwork that a visitor asked for."""

    key: str  # the last part of its address
    owner: str  # SHA-256 of the visitor's cookie
    theme: str  # "" for none
    mood: str  # "" for none
    asked_at: datetime  # aware, UTC
    state: WorkState = WorkState.WAITING
    is_kept: bool = False  # for good
    draft: int | None = None  # the draft that it was offered as
    artwork: Mapping[str, Any] = field(default_factory=dict)  # as Artwork.to_json gives it, once it is done

    @property
    def is_open(self) -> bool:
        """Whether it waits or is being made."""
        return self.state in _OPEN

    @property
    def finished(self) -> Artwork:
        """The artwork.

        Raises:
            NotFound: it is not done.
        """
        if self.state is not WorkState.DONE:
            raise NotFound("the artwork is not finished")
        return Artwork.from_json(self.artwork)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form, read back by `from_json`."""
        return {**asdict(self), "asked_at": self.asked_at.isoformat()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> VisitorWork:
        """Read what `to_json` wrote; unknown fields of a newer version are left out.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is no such record, or names a file elsewhere.
        """
        known = {item.name for item in fields(cls)}
        data = {name: item for name, item in value.items() if name in known}
        state, asked_at = WorkState(data["state"]), datetime.fromisoformat(data["asked_at"])
        files = [str(file["name"]) for file in data.get("artwork", {}).get("files", {}).values()]
        for name in (data["key"], *files):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name[:40]!r} is no name of a folder or file of a visitor's artwork")
        return cls(**{**data, "state": state, "asked_at": asked_at})


class VisitorWorks:
    """All visitors' artworks of a home. The caller sees to it that one thread uses it at a time.

    Usage::

        works = VisitorWorks(home / "visitors")
        works.load()
        works.save(work)
    """

    def __init__(self, root: Path) -> None:
        """Nothing is read before `load`."""
        self.root = root
        self._works: dict[str, VisitorWork] = {}

    def load(self) -> None:
        """Read every record; artworks that a stopped server left unfinished are marked as interrupted.

        Raises:
            DiskError: the folder cannot be written.
        """
        with disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            for folder in sorted(path for path in self.root.iterdir() if not path.name.startswith(".")):
                work = _read(folder)
                if work is None:  # a server was killed while it began or deleted it
                    log.info("%s is no visitor's artwork and is deleted", folder)
                    shutil.rmtree(folder, ignore_errors=True)
                    continue
                self._works[work.key] = work
        for work in [work for work in self._works.values() if work.is_open]:
            self.save(replace(work, state=WorkState.INTERRUPTED))

    def get(self, key: str) -> VisitorWork:
        """The artwork of that key.

        Raises:
            NotFound: there is none, or it was deleted.
        """
        found = self._works.get(key)
        if found is None:
            raise NotFound("there is no such artwork; perhaps its time is over")
        return found

    def all(self) -> tuple[VisitorWork, ...]:
        """Every artwork, in no particular order."""
        return tuple(self._works.values())

    def save(self, work: VisitorWork) -> VisitorWork:
        """Write an artwork's record.

        Raises:
            DiskError: the disk does not take it.
        """
        folder = self.root / work.key
        self._works[work.key] = work  # also where the disk does not take it, so that nobody waits for it
        with disk_errors(folder):
            folder.mkdir(exist_ok=True)
            write_json(folder / _RECORD, work.to_json())
        return work

    def keep_files(self, key: str, files: Mapping[str, Path]) -> None:
        """Copy an artwork's files (name to source) into its folder.

        Raises:
            DiskError: the disk does not take them.
        """
        folder = self.root / key
        with disk_errors(folder):
            for name, source in files.items():
                shutil.copyfile(source, folder / name)

    def path(self, work: VisitorWork, kind: str) -> Path:
        """A file of a finished artwork.

        Raises:
            NotFound: it is not finished, or has no such file.
        """
        file = work.finished.files.get(kind)
        if file is None or not (found := self.root / work.key / file.name).is_file():
            raise NotFound(f"the artwork has no picture {kind[:20]!r}")
        return found

    def remove(self, key: str) -> None:
        """Delete an artwork; a missing one is no error. That a kept one was deleted is noted for good, for restores."""
        work = self._works.pop(key, None)
        if work is not None and work.is_kept:
            try:
                with (self.root / _REMOVED).open("a", encoding="ascii") as noted:
                    noted.write(f"{key}\n")
            except OSError as error:  # a full disk keeps nobody from deleting
                log.warning("That a visitor's artwork was deleted is not noted, a restore brings it back: %s", error)
        folder = self.root / key
        with contextlib.suppress(OSError):
            (folder / _RECORD).unlink(missing_ok=True)  # first, so that a half deleted one is deleted at the next start
            shutil.rmtree(folder)

    def tidy(self, *, now: datetime, days: float) -> int:
        """Delete artworks older than so many days that were not kept; how many."""
        before = now - timedelta(days=days)
        old = [work for work in self._works.values() if work.asked_at < before and not (work.is_kept or work.is_open)]
        for work in old:
            self.remove(work.key)
        return len(old)


def removed_works(root: Path) -> frozenset[str]:
    """The keys of kept artworks that their visitors deleted; no restore brings them back."""
    try:
        return frozenset((root / _REMOVED).read_text(encoding="ascii", errors="replace").split())
    except OSError:
        return frozenset()


def _read(folder: Path) -> VisitorWork | None:
    """The artwork in a folder; None where its record is missing, damaged or another's."""
    try:
        work = VisitorWork.from_json(json.loads((folder / _RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return work if work.key == folder.name else None
