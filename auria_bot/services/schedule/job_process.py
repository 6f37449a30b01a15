"""A slot's work: commands of `auria` in processes of their own, one after the other, watched by the clock.

A command never outlives the daemon that started it, and its error output goes to a log file of the job. Does not know what the
commands do.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from auria_bot.errors import DiskError
from auria_bot.execution.child_process import ChildProcess
from auria_bot.services.schedule.job_scheduler import MOST_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.domain.job_schedule import JobRun
    from auria_bot.execution.child_process import ExitStatus
    from auria_bot.services.schedule.jobs import JobPlan

__all__ = ["PROGRAM", "JobProcess", "JobResult"]

PROGRAM = (sys.executable, "-m", "auria_bot")
"""How `auria` is run; the words of a command follow."""

_logger = logging.getLogger(__name__)

_TAIL = 4000  # bytes of a log in which its last words are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """What came of a slot's work."""

    words: str
    failed: bool
    held: bool = False  # nothing was done, for this was not the time for it


class JobProcess:
    """The work on one slot.

    Usage::

        worker = Worker(claim, errand, folder=home / "logs" / "jobs", deadline=3600)
        while (report := worker.look()) is None: ...
    """

    def __init__(
        self, claim: JobRun, errand: JobPlan, *, folder: Path, deadline: float, program: Sequence[str] = PROGRAM
    ) -> None:
        """Begin.

        Args:
            claim: the slot.
            errand: what is to be done.
            folder: where the jobs' logs are.
            deadline: seconds that all of it may take.
            program: how `auria` is run.
        """
        self.claim = claim
        self._waiting, self._program = deque(errand.commands), tuple(program)
        self._log = folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', claim.slot.job)}.log"
        self._until, self._deadline = time.monotonic() + deadline, deadline
        self._process: ChildProcess | None = None
        self._words, self._failed, self._held = errand.words, False, errand.held
        self._count = len(errand.commands)

    def look(self) -> JobResult | None:
        """Begin the next command where the one before has ended; what came of all, once none is left."""
        if self._process is not None:
            status = self._process.poll()
            if status is None:
                return None
            self._process = None
            if status.timed_out:
                self._waiting.clear()
                return JobResult(words=f"took longer than {self._deadline:g} s and was ended", failed=True)
            self._ended(status)
        while self._waiting and self._process is None:
            try:
                self._process = self._begin(self._waiting.popleft())
            except OSError as error:
                words = str(DiskError(f"no process can be started: {error.strerror}"))
                self._words, self._failed = words, True
        if self._process is not None:
            return None
        if self._count > 1 and self._words and not self._failed:
            self._words += f" (the last of {self._count})"
        return JobResult(words=self._words[-MOST_WORDS:], failed=self._failed, held=self._held)

    def end(self, *, patience: float = 0.0) -> None:
        """End what is at work: asked first and given so many seconds, then at once."""
        process, self._process = self._process, None
        if process is not None:
            process.stop(patience=patience)

    def _begin(self, command: Sequence[str]) -> ChildProcess:
        with _fresh(self._log) as log:
            remaining = self._until - time.monotonic()
            return ChildProcess([*self._program, *command], stderr=log, deadline=remaining)

    def _ended(self, status: ExitStatus) -> None:
        """Keep what the command that ended said."""
        if status.ok and self._failed:
            return
        said = _last_words(self._log, error=not status.ok)
        self._words, self._failed = said or ("" if status.ok else str(status)), not status.ok


def _fresh(log: Path) -> IO[bytes]:
    """A new file of a job's log; where there can be none, the work is done without."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)  # what a command before left running goes on in its own
        return log.open("xb")
    except OSError as error:
        _logger.warning("The log %s cannot be written: %s", log, error.strerror, extra={"action": "slot"})
        return Path(os.devnull).open("wb")


def _last_words(log: Path, *, error: bool) -> str:
    """The last line of a log, or the last that tells an error; no database takes every character."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = ["".join(one if one.isprintable() else " " for one in line) for line in text.splitlines()]
    said = [line.strip() for line in lines if line.strip()]
    told = [line.removeprefix("Error:").strip() for line in said if line.startswith("Error:")]
    return (told[-1] if error and told else said[-1] if said else "")[:MOST_WORDS]
