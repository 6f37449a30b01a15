"""The folders of unfinished runs: `<home>/studio/<run>/`, with one folder for each artwork.

    plan.json            the plan; written before anything else
    lock                 held by the process that works on the run
    events.jsonl         what happened so far
    01/state.json        the first artwork: where it began, each completed step, or why it failed
    01/painting.png ...  its files
    logs/01-painting.log what one step of one artwork printed

JSON files are replaced atomically; a run's folder appears and vanishes as a whole. The events of the last runs are
kept in `<home>/studio/.events/<run>.jsonl`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.errors import AuriaError, DiskError, InputError, InvalidTransition, NotFound, StorageAway
from auria_bot.files import acquire_lock, disk_errors, remove_strays, write_json
from auria_bot.services.studio.plan import ArtworkState, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from auria_bot.services.studio.shared_runs import HeldRun, SharedRuns

__all__ = ["EventLog", "Run", "RunEvent", "RunStore", "read_events"]


_Value = TypeVar("_Value")

log = logging.getLogger(__name__)

_EVENTS = "events.jsonl"
_KEPT_EVENTS = ".events"  # folder
_MOST_KEPT = 50  # finished runs whose events are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """Something that happened in a run."""

    position: int = 0  # in the run's events, from 1; 0 until it is kept
    at: str = ""  # ISO 8601, UTC
    artwork: int  # its number in the run, from 1
    step: str
    state: str  # "started", "progress", "done", "reused", "rejected" (another picture is painted) or "failed"
    seconds: float = 0.0  # wall
    message: str = ""  # why, where it was rejected or failed
    files: Mapping[str, ArtworkFile] = field(default_factory=dict)  # by kind: the new ones; so far, while in progress
    facts: Mapping[str, Any] = field(default_factory=dict)  # what a step found for people to read; JSON

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RunEvent:
        """Read what `to_json` wrote."""
        files = {kind: ArtworkFile(**file) for kind, file in value["files"].items()}
        return cls(**{**value, "files": files})


class EventLog:
    """The events of a run that is being worked on; only the process that holds the run adds to them."""

    def __init__(self, path: Path) -> None:
        """Open the log, or begin it.

        Raises:
            DiskError: the file cannot be read or written.
        """
        self._path = path
        try:
            content = path.read_bytes() if path.exists() else b""
            if content and not content.endswith(b"\n"):  # torn by a process that was killed while writing
                self._write(b"\n")
        except OSError as error:
            raise DiskError(f"{path} cannot be read: {error.strerror or error}") from None
        self._position = len(content.splitlines())

    def append(self, event: RunEvent) -> RunEvent:
        """Keep an event; what is given has its position and time.

        Raises:
            DiskError: the file cannot be written.
        """
        self._position += 1
        event = replace(event, position=self._position, at=datetime.now(UTC).isoformat(timespec="milliseconds"))
        self._write(json.dumps(event.to_json(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        return event

    def _write(self, data: bytes) -> None:
        try:
            with self._path.open("ab", buffering=0) as file:
                file.write(data)
        except OSError as error:
            raise DiskError(f"{self._path} cannot be written: {error.strerror or error}") from None


def read_events(path: Path, *, after: int = 0) -> tuple[RunEvent, ...]:
    """The events after a position, in order.

    Raises:
        OSError: the file cannot be read.
    """
    complete, _, _ = path.read_bytes().rpartition(b"\n")
    found = []
    for line in complete.split(b"\n")[after:]:
        with contextlib.suppress(ValueError, KeyError, TypeError):  # torn by a process that was killed while writing
            found.append(RunEvent.from_json(json.loads(line)))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run's folder, with its lock held."""

    folder: Path
    plan: Plan
    lock: int  # file descriptor
    held: HeldRun | None = None  # the same run in the bucket, where runs are kept in one too

    @property
    def events_path(self) -> Path:
        """The file of the run's events."""
        return self.folder / _EVENTS

    def artwork_folder(self, number: int) -> Path:
        """The folder of an artwork's files."""
        return self.folder / f"{number:02d}"

    def log(self, number: int, step: str) -> Path:
        """The file of what a step of an artwork prints."""
        return self.folder / "logs" / f"{number:02d}-{step}.log"

    def load(self, number: int) -> ArtworkState:
        """Read an artwork's state.

        Raises:
            InputError: the file is damaged.
        """
        return _read(self.artwork_folder(number) / "state.json", ArtworkState.from_json, run=self.folder.name)

    def save(self, state: ArtworkState) -> None:
        """Write an artwork's state, atomically, and to the bucket where there is one.

        Raises:
            DiskError: the disk does not take it.
            StorageAway: the bucket cannot be reached; the state is on the disk.
            InvalidTransition: another machine goes on with the run.
        """
        path = self.artwork_folder(state.number) / "state.json"
        with disk_errors(path):
            write_json(path, state.to_json())
        if self.held is not None:
            self.held.save(self.folder, state)

    def states(self) -> list[ArtworkState]:
        """The states of all artworks, in order."""
        return [self.load(number) for number in range(1, self.plan.count + 1)]

    def close(self) -> None:
        """Release the lock, and the run in the bucket."""
        if self.held is not None:
            self.held.close()
        with contextlib.suppress(OSError):
            os.close(self.lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RunStore:
    """All unfinished runs of a home.

    Usage::

        with runs.create(plan, states) as run: ...
        for name in runs.names(): ...
        with runs.open(name) as run: ...
        runs.discard(name)
    """

    def __init__(self, root: Path, shared: SharedRuns | None = None) -> None:
        """With `shared`, runs are kept in a bucket as well, and those of other machines can be resumed."""
        self.root, self._shared = root, shared

    def names(self) -> list[str]:
        """The unfinished runs, the oldest first, without those that another machine works on."""
        here = self.local_names()
        if self._shared is None:
            return here
        try:
            there = self._shared.names()
        except StorageAway as error:
            log.warning("Only the runs of this machine are known: %s", error)
            return here
        for name in [name for name in here if name not in there and self._shared.had(self.root / name)]:
            here.remove(name)  # another machine finished it
            with contextlib.suppress(AuriaError):
                os.close(_lock(self.root / name, wait=0.0))
                self._remove(self.root / name)
        return sorted({*here, *there} - {name for name, is_busy in there.items() if is_busy})

    def local_names(self) -> list[str]:
        """The unfinished runs in this home, the oldest first."""
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if not path.name.startswith(".") and path.is_dir())

    def create(self, plan: Plan, states: Sequence[ArtworkState], files: Mapping[str, Path] | None = None) -> Run:
        """Begin a run; its folder appears when it is complete.

        The files are copied into the first artwork's folder, by name.

        Raises:
            DiskError: the disk does not take it.
        """
        with disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            self._sweep()
            scratch = Path(tempfile.mkdtemp(dir=self.root, prefix=".new-"))
            run = Run(folder=scratch, plan=plan, lock=_lock(scratch, wait=0.0))
            (scratch / "logs").mkdir()
            for state in states:
                run.artwork_folder(state.number).mkdir()
                run.save(state)
            for name, source in (files or {}).items():
                shutil.copyfile(source, run.artwork_folder(1) / name)
            write_json(scratch / "plan.json", plan.to_json())
            scratch.chmod(0o755)
            scratch.rename(self.root / plan.run)
        run = replace(run, folder=self.root / plan.run)
        try:
            return replace(run, held=self._joined(run.folder, files=True))
        except BaseException:
            run.close()
            raise

    def open(self, name: str, *, wait: float = 2.0, files: bool = True) -> Run:
        """Take up a run that was begun, here or on another machine.

        Waits so many seconds for the lock. Without `files` it can only be looked at.

        Raises:
            NotFound: there is no such run.
            InvalidTransition: another process is working on it.
            InputError: it was begun by another version, or is damaged.
            StorageAway: it is in a bucket that cannot be reached.
        """
        folder, lock = self._hold(name, wait=wait)
        held = None
        try:
            held = self._joined(folder, files=files)
            for place in (folder, *folder.glob("*/")):
                remove_strays(place)
            plan = _read(folder / "plan.json", Plan.from_json, run=name)
            return Run(folder=folder, plan=plan, lock=lock, held=held)
        except BaseException:
            if held is not None:
                held.close()
            os.close(lock)
            raise

    def discard(self, name: str, *, wait: float = 2.0, dry_run: bool = False) -> None:
        """Remove an unfinished run, also one of another version or a damaged one.

        A dry run only makes sure that it can be removed.

        Raises:
            NotFound: there is no such run.
            InvalidTransition: another process is working on it.
        """
        folder, lock = self._hold(name, wait=wait)
        try:
            held = self._shared.take(name) if self._shared is not None else None
            try:
                if not dry_run:
                    if held is not None:
                        held.remove()
                    self._remove(folder)
            finally:
                if held is not None:
                    held.close()
        finally:
            os.close(lock)

    def is_busy(self) -> bool:
        """Whether a process is working on a run."""
        for name in self.local_names():
            try:
                lock = _lock(self.root / name, wait=0.0)
            except InvalidTransition:
                return True
            except OSError:
                continue  # it was finished meanwhile
            os.close(lock)
        return False

    def finish(self, run: Run) -> None:
        """Remove a run's folder, at once to others; its events stay for a while."""
        if run.held is not None:
            try:
                run.held.remove()
            except StorageAway as error:  # resumed by somebody it changes nothing
                log.warning("Run %s is still in the bucket: %s", run.folder.name, error)
        kept = self.root / _KEPT_EVENTS
        with contextlib.suppress(OSError):
            kept.mkdir(exist_ok=True)
            shutil.copyfile(run.events_path, kept / f"{run.folder.name}.jsonl")
            for old in sorted(kept.iterdir())[:-_MOST_KEPT]:
                old.unlink(missing_ok=True)
        self._remove(run.folder)

    def events(self, name: str, *, after: int = 0) -> tuple[RunEvent, ...]:
        """What happened in a run after a position (0: from its beginning), also in one that finished lately.

        Raises:
            NotFound: no such run is known.
        """
        paths = (self.root / name / _EVENTS, self.root / _KEPT_EVENTS / f"{name}.jsonl")
        for path in paths if name == Path(name).name else ():
            with contextlib.suppress(OSError):
                return read_events(path, after=after)
        if name in (known := self.names()):
            return ()  # nothing happened yet
        raise NotFound(f"no run named {name[:60]!r}; unfinished: {', '.join(known) or 'none'}")

    def _joined(self, folder: Path, *, files: bool) -> HeldRun | None:
        """The same run in the bucket, brought here or begun there; None without a bucket."""
        try:
            return None if self._shared is None else self._shared.join(folder, files=files)
        except NotFound:
            self._remove(folder)
            raise

    def _hold(self, name: str, *, wait: float) -> tuple[Path, int]:
        folder = self.root / name
        if name in self.local_names() and (folder / "plan.json").is_file():
            return folder, _lock(folder, wait=wait)
        known = self.names()
        if self._shared is None or name not in known:
            raise NotFound(f"no unfinished run named {name[:60]!r}; unfinished: {', '.join(known) or 'none'}")
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)  # another machine's: its files come once it is held
        return folder, _lock(folder, wait=wait)

    def _remove(self, folder: Path) -> None:
        removed = self.root / f".done-{folder.name}"
        with contextlib.suppress(OSError):
            folder.rename(removed)
            shutil.rmtree(removed, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what killed processes left unfinished or half removed."""
        for path in self.root.glob(".done-*"):
            shutil.rmtree(path, ignore_errors=True)
        for path in self.root.glob(".new-*"):
            try:
                old = time.time() - path.stat().st_mtime > 60.0  # seconds: younger ones may be about to lock
                lock = _lock(path, wait=0.0) if old else -1
            except (InvalidTransition, OSError):
                continue
            if lock >= 0:
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)


def _read(path: Path, from_json: Callable[[dict[str, Any]], _Value], *, run: str) -> _Value:
    """Read a JSON file of a run."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except InputError as error:
        reason = str(error)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{path} cannot be read ({error})"
    raise InputError(f"run {run}: {reason}; give it up: auria make --discard {run}")


def _lock(folder: Path, *, wait: float) -> int:
    """Lock a run's folder."""
    lock = acquire_lock(folder / "lock", wait=wait, mode=0o644)
    if lock is None:
        raise InvalidTransition(f"another process is working on run {folder.name}; wait for it or stop it")
    return lock
