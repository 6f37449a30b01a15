"""Runs units of work in child processes of this machine, and watches them: deadline, memory, crash.

The program's own process loads no model. One worker process at a time takes unit after unit, so that what it loaded is
loaded once; units of lower order run first, and another interpreter means another worker. Units' files are read and
written in the caller's folder itself. A unit that hangs, grows or crashes costs itself alone: the next one gets a new
worker. A worker never outlives its parent.

The first worker may be started ahead, before there is a folder or a unit, and then imports what units need while the
caller gets ready.
"""

from __future__ import annotations

import contextlib
import heapq
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from auria_bot.errors import BackendMissing, DiskError, SettingsError, StepFailed, StepOutOfMemory, StepTimedOut
from auria_bot.execution.child_process import resident_bytes
from auria_bot.execution.unit_child import POLL, UnitChild, ended, files_of, log_of, log_tail
from auria_bot.execution.work_unit import UnitProgress, UnitStarted
from auria_bot.files import end_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from auria_bot.execution.work_unit import Requirements, UnitEvent, UnitFinished, WorkUnit

__all__ = ["ChildProcessExecutor", "ResourceLimits"]

_MAIN = "auria_bot.execution.worker_main"
_START = (  # for any interpreter: -P and PYTHONSAFEPATH came with Python 3.11
    f"import sys; sys.path[:] = [path for path in sys.path if path]; import runpy;"
    f" runpy.run_module({_MAIN!r}, run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceLimits:
    """What a worker may take."""

    start: float = 60.0  # seconds from its start to its first unit; of one started ahead, from the time it is taken
    memory: int = 4 << 30  # bytes resident; 0 is no limit


class ChildProcessExecutor:
    """Runs units in child processes.

    Usage::

        with ChildProcessExecutor(ResourceLimits()).open(folder, {}) as session:
            session.submit(unit)
            for event in session.events(): ...
    """

    def __init__(self, limits: ResourceLimits, *, python: str = sys.executable) -> None:
        """Set what a worker may take, and the interpreter of units that name none."""
        self._limits, self._python = limits, python
        self._ahead: _Worker | None = None  # nobody's so far

    @contextlib.contextmanager
    def start_ahead(self, function: str, hint: Mapping[str, Any]) -> Iterator[None]:
        """Start a worker that imports a function, for a session that is opened within the block.

        The session takes it for its first unit, if that names no other interpreter; what is not taken ends with the
        block. Where none can be started, the session starts its own, and says what is wrong.

        Args:
            function: as units name it. Where it has a method `import_ahead`, that is called with the hint.
            hint: JSON.
        """
        with contextlib.ExitStack() as block:
            with contextlib.suppress(OSError):
                printed = block.enter_context(tempfile.TemporaryFile())
                block.callback(self._end_ahead)
                self._ahead = _Worker(self._python, None, log=printed, own=True)
                self._ahead.send({"function": function, "hint": hint})
            yield

    @contextlib.contextmanager
    def open(self, folder: Path, needs: Mapping[str, Requirements]) -> Iterator[_Session]:
        """A session whose worker ends with the block; see `Executor`."""
        for name, wanted in needs.items():
            if wanted.pip or wanted.image:
                raise SettingsError(
                    f"step {name!r} wants an environment of its own (execution.steps.{name}), and only a cluster makes"
                    ' such: set execution.engine = "ray", or name an interpreter in the section of its role'
                )
        with contextlib.closing(_Session(folder, self._limits, self._python, self._take_ahead)) as session:
            yield session

    def _take_ahead(self, python: str) -> _Worker | None:
        """The worker that was started ahead, if it still runs, and in that interpreter; else it is ended."""
        if self._ahead is not None and self._ahead.python == python and self._ahead.child.poll() is None:
            taken, self._ahead = self._ahead, None
            return taken
        self._end_ahead()
        return None

    def _end_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.end()
            self._ahead = None


class _Session:
    def __init__(
        self, folder: Path, limits: ResourceLimits, python: str, take_ahead: Callable[[str], _Worker | None]
    ) -> None:
        self.peak_bytes = 0
        self._folder, self._limits, self._python = folder, limits, python
        self._take_ahead = take_ahead
        self._waiting: list[tuple[tuple[int, ...], str, WorkUnit]] = []
        self._worker: _Worker | None = None
        (folder / "logs").mkdir(parents=True, exist_ok=True)

    def submit(self, unit: WorkUnit) -> None:
        heapq.heappush(self._waiting, (unit.order, unit.name, unit))

    def events(self) -> Iterator[UnitEvent]:
        """What happens, until every submitted unit has ended."""
        while self._waiting:
            unit = heapq.heappop(self._waiting)[2]
            yield from self._run(unit)

    def close(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def _run(self, unit: WorkUnit) -> Iterator[UnitEvent]:
        worker = self._worker_for(unit)
        worker.send_unit(unit)
        is_started, since, limit = False, time.monotonic(), self._limits.start if worker.is_new else unit.deadline
        while True:
            for message in worker.receive(POLL):
                if message["event"] == "started":
                    is_started, since, limit = True, time.monotonic(), unit.deadline
                    worker.is_new = False
                    yield UnitStarted(unit=unit)
                elif message["event"] == "progress":
                    yield UnitProgress(unit=unit, facts=message["facts"], files=files_of(message))
                else:
                    yield ended(unit, message, time.monotonic() - since, self._folder)
                    return
            self.peak_bytes = max(self.peak_bytes, size := resident_bytes(worker.child.pid))
            error = worker.why_it_ended()
            if 0 < self._limits.memory < size:
                error = StepOutOfMemory(f"took {size >> 20} MB; the limit is {self._limits.memory >> 20} MB")
            elif error is None and (seconds := time.monotonic() - since) > limit:
                error = StepTimedOut(f"ran {seconds:.1f} s; the deadline is {limit:g} s")
            if error is None:
                continue
            printed = worker.printed(self._folder)
            self.close()
            if is_started:
                yield self._lost(unit, error, time.monotonic() - since)
            elif worker.is_new:
                raise type(error)(f"the worker process {error}{log_tail(printed)}")
            else:  # it was lost between two units
                self.submit(unit)
            return

    def _worker_for(self, unit: WorkUnit) -> _Worker:
        """A worker of the unit's interpreter: the one at hand, or a new one in its place."""
        python = unit.requirements.interpreter or self._python
        if self._worker is not None and self._worker.python != python:
            self.close()
        if self._worker is None:
            own = python == self._python
            try:
                with _log_of(self._folder).open("wb") as log:
                    self._worker = self._take_ahead(python)
                    if self._worker is None:
                        self._worker = _Worker(python, self._folder, log=log, own=own)
                    else:
                        self._worker.send({"folder": str(self._folder)})
            except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
                if own:
                    raise DiskError(f"the worker process cannot be started: {error}") from None
                raise BackendMissing(f"the interpreter {python} of {unit.name!r} cannot be run") from None
        return self._worker

    def _lost(self, unit: WorkUnit, error: StepFailed, seconds: float) -> UnitFinished:
        printed = _content(log_of(unit, self._folder))
        message = {"error": type(error).__name__, "message": f"{error}{log_tail(printed)}"}
        return ended(unit, message, seconds, self._folder)


class _Worker(UnitChild):
    def __init__(self, python: str, folder: Path | None, *, log: IO[bytes], own: bool) -> None:
        """Without a folder it waits for one, and `log` stays open until it ends."""
        self.python = python
        self.is_new = True  # no unit was begun yet
        self._first_log = log if folder is None else None
        start = ["-P", "-m", _MAIN] if own else ["-c", _START]
        place = [] if folder is None else [str(folder)]
        super().__init__([python, *start, *place, "--units"], log=log, own=own)

    def printed(self, folder: Path) -> bytes:
        """What it printed outside units, or the end of that; before it knew the folder, it had another log."""
        printed = _content(_log_of(folder))
        if printed or self._first_log is None:
            return printed
        return end_of(self._first_log.fileno())

    def send_unit(self, unit: WorkUnit) -> None:
        """Hand a unit over."""
        message = {"name": unit.name, "function": unit.function, "group": unit.group, "state": unit.state}
        self.send(message, unit.request)


def _log_of(folder: Path) -> Path:
    """What a worker prints outside units."""
    return folder / "logs" / "worker.log"


def _content(log: Path) -> bytes:
    """A log's content; nothing where it cannot be read."""
    try:
        return log.read_bytes()
    except OSError:
        return b""
