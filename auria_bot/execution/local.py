"""Runs the studio's steps in child processes, and watches them: deadline, memory, crash.

The program's own process loads no model. A child gets a run's folder (a JSON file and pictures in, the same out) and
sends its progress as messages. It also holds the run's lock, so a run whose parent was killed cannot be taken up before
its child is gone. A step that hangs, grows or crashes costs its own sketch; the others go on in a fresh child. Knows no
step by name.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.errors import BackendMissing, DiskError, StepCrashed, StepFailed, StepOutOfMemory, StepTimedOut
from auria_bot.execution.child_process import ChildProcess, resident_bytes
from auria_bot.services.studio.run_store import Failure
from auria_bot.services.studio.step_runner import Progress
from auria_bot.services.studio.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auria_bot.services.studio.plan import Plan
    from auria_bot.services.studio.run_store import Run, State

__all__ = ["ChildProcessExecutor", "ResourceLimits"]

POLL = 0.05  # seconds between two looks at the child
PATIENCE = 5.0  # seconds a child may take to end once its work is done
TAIL = 1500  # characters of a step's log that an error quotes


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceLimits:
    """What a child may take."""

    deadline: float = 180.0  # seconds a step of one sketch
    deadlines: Mapping[str, float] = field(default_factory=dict)  # seconds, for steps that differ
    start: float = 60.0  # seconds from the child's start to its first step
    memory: int = 4 << 30  # bytes resident; 0 is no limit


@dataclass(slots=True)
class _Watch:
    """What the parent knows of a child at work."""

    child: ChildProcess
    since: float
    at: Progress | None = None  # the step being worked on
    begun: bool = False  # whether any step was begun
    peak: int = 0


class ChildProcessExecutor:
    """Carries a run to its end, in as many children as it takes.

    Usage::

        peak = ChildProcessExecutor(rules).carry(run, tell=print)
    """

    def __init__(self, rules: ResourceLimits, *, python: str = sys.executable) -> None:
        self.rules = rules
        self.python = python

    def carry(self, run: Run, *, tell: Callable[[Progress], None]) -> int:
        """Work until every sketch is finished or has failed.

        Args:
            run: the run; its lock is lent to the children.
            tell: called for everything that happens.

        Returns:
            The largest resident size of a child, in bytes.

        Raises:
            StepFailed: no child could be started, or one did nothing; its log is named.
            BackendMissing: a step's own interpreter is not there.
        """
        peak = 0
        while (turn := _next_turn(run)) is not None:
            python, steps = turn
            before = _marks(run)
            watch = self._start(run, python or self.python, steps)
            try:
                mishap = self._watch(watch, tell)
            finally:
                watch.child.stop()
            peak = max(peak, watch.peak)
            if mishap is not None:
                self._blame(run, watch, mishap, tell)
            elif _marks(run) == before:
                raise StepCrashed(f"the studio's child process did nothing{_tail(run.folder / 'logs' / 'start.log')}")
        return peak

    def _start(self, run: Run, python: str, steps: tuple[str, ...]) -> _Watch:
        command = [python, "-m", "auria_bot.execution.worker_main", str(run.folder), "--steps", ",".join(steps)]
        try:
            with (run.folder / "logs" / "start.log").open("wb") as log:
                child = ChildProcess(
                    command,
                    stdout=log,
                    stderr=log,
                    inherit=() if run.lock < 0 else (run.lock,),
                    environment=_environment(own=python == self.python),
                )
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            if python != self.python:
                raise BackendMissing(f"the interpreter {python} of steps {', '.join(steps)} cannot be run") from None
            raise DiskError(f"the studio's child process cannot be started: {error}") from None
        return _Watch(child=child, since=time.monotonic())

    def _watch(self, watch: _Watch, tell: Callable[[Progress], None]) -> StepFailed | None:
        """Follow a child until it ends; what went wrong, or None."""
        while watch.child.is_sending:
            for message in watch.child.receive(POLL):
                progress = Progress(**message)
                watch.since = time.monotonic()
                watch.begun = True
                watch.at = progress if progress.state == "started" else None
                tell(progress)
            watch.peak = max(watch.peak, size := resident_bytes(watch.child.pid))
            if 0 < self.rules.memory < size:
                return StepOutOfMemory(f"took {size >> 20} MB; the limit is {self.rules.memory >> 20} MB")
            if (spent := time.monotonic() - watch.since) > (limit := self._deadline(watch)):
                return StepTimedOut(f"ran {spent:.1f} s; the deadline is {limit:g} s")
        status = watch.child.wait(PATIENCE)
        if status is None:
            return StepTimedOut(f"the child process did not end within {PATIENCE:g} s") if watch.at else None
        if status.killed:
            return StepOutOfMemory("was killed (SIGKILL), most likely by the system for want of memory")
        return None if status.ok else StepCrashed(str(status))

    def _deadline(self, watch: _Watch) -> float:
        if not watch.begun:
            return self.rules.start
        name = watch.at.step if watch.at else ""
        return self.rules.deadlines.get(name, self.rules.deadline)

    def _blame(self, run: Run, watch: _Watch, mishap: StepFailed, tell: Callable[[Progress], None]) -> None:
        """Mark the sketch that was being worked on as failed.

        Raises:
            StepFailed: none was.
        """
        at = watch.at
        if at is None:
            raise type(mishap)(f"the studio's child process {mishap}{_tail(run.folder / 'logs' / 'start.log')}")
        log = run.log(at.sketch, at.step)
        message = f"{mishap}{_tail(log)}"
        failure = Failure(sketch=at.sketch, step=at.step, error=type(mishap).__name__, message=message, log=str(log))
        run.save(replace(run.load(at.sketch), failure=failure))
        tell(
            Progress(
                sketch=at.sketch, step=at.step, state="failed", seconds=time.monotonic() - watch.since, words=message
            )
        )


def _next_turn(run: Run) -> tuple[str, tuple[str, ...]] | None:
    """The interpreter and the steps of the next child; None when nothing is left to do."""
    live = [state for state in run.states() if state.failure is None and not state.finished]
    if not live:
        return None
    finished = min(len(state.done) for state in live)
    python = _python_of(run.plan, STEPS[finished].roles[0])
    return python, tuple(step.name for step in STEPS if _python_of(run.plan, step.roles[0]) == python)


def _python_of(plan: Plan, role: str) -> str:
    tool = plan.tools.get(role)
    return tool.python if tool else ""


def _marks(run: Run) -> list[tuple[int, bool, bool, tuple[str, ...]]]:
    """How far every sketch is: a child that changes nothing of it would be started for ever."""

    def mark(state: State) -> tuple[int, bool, bool, tuple[str, ...]]:
        return len(state.done), state.finished, state.failure is not None, state.start.rejected

    return [mark(state) for state in run.states()]


def _environment(*, own: bool) -> dict[str, str]:
    """The child's environment: without the program's settings, which hold credentials; the plan says what is needed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    kept.setdefault("MALLOC_ARENA_MAX", "2")  # glibc: fewer heaps, so that freed memory is used again
    if own:
        package = str(Path(__file__).resolve().parents[2])
        rest = kept.get("PYTHONPATH", "")
        kept["PYTHONPATH"] = package + (os.pathsep + rest if rest else "")
    return kept


def _tail(log: Path) -> str:
    """The end of a log, for an error message."""
    try:
        text = log.read_bytes()[-4 * TAIL :].decode("utf-8", "replace").strip()
    except OSError:
        return ""
    return f"; it said: {text[-TAIL:]}" if text else ""
