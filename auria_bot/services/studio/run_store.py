"""The folders of runs in the making: `<home>/studio/<run>/`, with one folder a sketch.

    plan.json            what was asked; written before anything else
    lock                 held (flock) by whoever works on the run, parent and child
    01/state.json        the first sketch: where it began, each finished step, or why it failed
    01/painting.png ...  its pictures
    logs/01-painting.log what one step of one sketch said

Every JSON file is replaced atomically. A run's folder appears whole under its name and vanishes whole. Knows no step.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from auria_bot import errors
from auria_bot.domain.artwork import ArtworkInProgress
from auria_bot.errors import AuriaError, InputError, InvalidTransition, NotFound, StepFailed
from auria_bot.files import acquire_lock, disk_errors, remove_strays, write_json
from auria_bot.services.studio.plan import Plan

__all__ = ["GIVEN", "CompletedStep", "Failure", "Run", "RunStore", "State"]

GIVEN = "given"
"""The key of a step whose result came with the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedStep:
    """A finished step: the hash of all that went in, and the fields of the sketch that it changed."""

    step: str
    key: str  # SHA-256, or GIVEN
    seconds: float
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a sketch was given up."""

    sketch: int  # its number in the run, from 1
    step: str
    error: str  # the class in auria_bot.errors
    message: str
    log: str  # what the step said lies here

    def to_error(self) -> AuriaError:
        """The error to raise, of its own class."""
        kind = getattr(errors, self.error, StepFailed)
        where = f"; its log: {self.log}" if self.log else ""
        error = kind(f"step {self.step!r} of sketch {self.sketch}: {self.message}{where}")
        return error if isinstance(error, AuriaError) else StepFailed(str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A sketch on its way: where it began and what was done to it since."""

    number: int  # from 1
    start: ArtworkInProgress
    done: tuple[CompletedStep, ...] = ()
    failure: Failure | None = None
    finished: bool = False
    draft: int | None = None  # the draft it became

    @property
    def sketch(self) -> ArtworkInProgress:
        """The sketch as it is now."""
        data = self.start.to_json()
        for done in self.done:
            data.update(done.changes)
        return ArtworkInProgress.from_json(data)

    def rewound(self, step: str) -> State:
        """As it was before that step."""
        names = [done.step for done in self.done]
        return replace(self, done=self.done[: names.index(step)] if step in names else self.done, finished=False)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> State:
        """Read what `to_json` wrote."""
        return cls(
            number=value["number"],
            start=ArtworkInProgress.from_json(value["start"]),
            done=tuple(CompletedStep(**done) for done in value["done"]),
            failure=Failure(**value["failure"]) if value["failure"] else None,
            finished=value["finished"],
            draft=value["draft"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run's folder, its lock held."""

    folder: Path
    plan: Plan
    lock: int  # file descriptor; -1 where the holder is the parent process
    numbers: tuple[int, ...] = field(default=())

    def sketch_folder(self, number: int) -> Path:
        """Where a sketch's pictures lie."""
        return self.folder / f"{number:02d}"

    def log(self, number: int, step: str) -> Path:
        """Where a step of a sketch writes what it says."""
        return self.folder / "logs" / f"{number:02d}-{step}.log"

    def load(self, number: int) -> State:
        """Read a sketch's state.

        Raises:
            InputError: the file was damaged.
        """
        path = self.sketch_folder(number) / "state.json"
        try:
            return State.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} cannot be read ({error}); remove {self.folder} to give the run up") from None

    def save(self, state: State) -> None:
        """Write a sketch's state, atomically.

        Raises:
            DiskError: the disk does not take it.
        """
        path = self.sketch_folder(state.number) / "state.json"
        with disk_errors(path):
            write_json(path, state.to_json())

    def states(self) -> list[State]:
        """Every sketch of the run, in order."""
        return [self.load(number) for number in range(1, self.plan.count + 1)]

    def close(self) -> None:
        """Let go of the lock."""
        if self.lock >= 0:
            with contextlib.suppress(OSError):
                os.close(self.lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RunStore:
    """All runs of a home.

    Usage::

        with workspace.create(plan, states) as run: ...
        for name in workspace.names(): ...
        with workspace.open(name) as run: ...
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """The runs that have not ended, the oldest first."""
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if not path.name.startswith(".") and path.is_dir())

    def create(self, plan: Plan, states: list[State], files: dict[int, dict[str, Path]] | None = None) -> Run:
        """Begin a run; its folder appears only when it is complete. `files` are copied into the sketches' folders.

        Raises:
            DiskError: the disk does not take it.
        """
        with disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            self._sweep()
            scratch = Path(tempfile.mkdtemp(dir=self.root, prefix=".new-"))
            lock = _lock(scratch, wait=0.0)
            run = Run(folder=scratch, plan=plan, lock=lock)
            (scratch / "logs").mkdir()
            for state in states:
                run.sketch_folder(state.number).mkdir()
                for name, source in (files or {}).get(state.number, {}).items():
                    shutil.copyfile(source, run.sketch_folder(state.number) / name)
                run.save(state)
            write_json(scratch / "plan.json", plan.to_json())
            scratch.chmod(0o755)
            scratch.rename(self.root / plan.run)
        return replace(run, folder=self.root / plan.run)

    def open(self, name: str, *, wait: float = 2.0) -> Run:
        """Take up a run that was begun.

        Args:
            name: as `names` gives it.
            wait: how many seconds to wait for a killed run's child to vanish.

        Raises:
            NotFound: there is no such run.
            InvalidTransition: another process is at work on it.
        """
        folder = self.root / name
        if not name or name != Path(name).name or not (folder / "plan.json").is_file():
            raise NotFound(f"no unfinished run named {name[:60]!r}; unfinished: {', '.join(self.names()) or 'none'}")
        lock = _lock(folder, wait=wait)
        try:
            for place in (folder, *(path for path in folder.iterdir() if path.is_dir())):
                remove_strays(place)
            plan = Plan.from_json(json.loads((folder / "plan.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            os.close(lock)
            raise InputError(
                f"{folder}/plan.json cannot be read ({error}); remove {folder} to give the run up"
            ) from None
        except BaseException:
            os.close(lock)
            raise
        return Run(folder=folder, plan=plan, lock=lock)

    def remove(self, run: Run) -> None:
        """Take a run's folder away, at once to the eye."""
        grave = self.root / f".done-{run.folder.name}"
        with contextlib.suppress(OSError):
            run.folder.rename(grave)
            shutil.rmtree(grave, ignore_errors=True)

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


def _lock(folder: Path, *, wait: float) -> int:
    """Lock a run's folder.

    Raises:
        InvalidTransition: another process holds it.
    """
    lock = acquire_lock(folder / "lock", wait=wait, mode=0o644)
    if lock is None:
        raise InvalidTransition(f"another process is at work on run {folder.name}; wait for it or end it")
    return lock
