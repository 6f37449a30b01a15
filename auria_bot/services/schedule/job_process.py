"""The run of a job: commands of `auria` in processes of their own, one after the other, within a deadline.

A command never outlives the daemon that started it. It reports its result as a message; its error output goes to a log
file of the job.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING

from auria_bot.errors import DiskError
from auria_bot.execution.child_process import ChildProcess
from auria_bot.services.schedule.jobs import CommandReport, JobOutcome, JobResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.domain.job_schedule import JobRun
    from auria_bot.execution.child_process import ExitStatus
    from auria_bot.services.schedule.jobs import JobPlan

__all__ = ["PROGRAM", "JobProcess"]

PROGRAM = (sys.executable, "-P", "-m", "auria_bot")
"""The command `auria`, without its arguments; -P keeps the working directory out of what is imported."""

_logger = logging.getLogger(__name__)


class JobProcess:
    """Carries out a job's plan.

    Usage::

        process = JobProcess(run, plan, folder=home / "logs" / "jobs", deadline=3600)
        while (result := process.poll()) is None: ...
    """

    def __init__(
        self, run: JobRun, plan: JobPlan, *, folder: Path, deadline: float, program: Sequence[str] = PROGRAM
    ) -> None:
        """All commands together may take `deadline` seconds; the first call of `poll` starts the first."""
        self.run = run
        self._waiting, self._program = deque(plan.commands), tuple(program)
        self._log = folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', run.slot.job)}.log"
        self._until, self._deadline = time.monotonic() + deadline, deadline
        self._process: ChildProcess | None = None
        outcome = JobOutcome.POSTPONED if plan.postponed else JobOutcome.DONE
        self._result = JobResult.printable(outcome, plan.reason)
        self._count = len(plan.commands)

    def poll(self) -> JobResult | None:
        """Start the next command when the one before has ended; the result of all once none is left, else None."""
        if self._process is not None:
            status = self._process.poll()
            if status is None:
                return None
            if status.timed_out:
                self._waiting.clear()
            self._keep_result(self._process, status)
            self._process = None
        while self._waiting and self._process is None:
            try:
                self._process = self._start(self._waiting.popleft())
            except OSError as error:
                self._fail(str(DiskError(f"no process can be started: {error.strerror}")))
        return self._result if self._process is None else None

    def stop(self, *, patience: float = 0.0) -> None:
        """End the command that runs: SIGTERM and so many seconds to end in order, then SIGKILL."""
        if self._process is not None:
            self._process.stop(patience=patience)
            self._process = None

    def _start(self, command: Sequence[str]) -> ChildProcess:
        with _new_log(self._log) as log:
            remaining = self._until - time.monotonic()
            return ChildProcess([*self._program, *command], stderr=log, deadline=remaining)

    def _keep_result(self, process: ChildProcess, status: ExitStatus) -> None:
        """The last failure counts, else the last command."""
        try:
            report = CommandReport.from_messages(process.receive())
        except ValueError as error:
            report = CommandReport(error=f"the command's report cannot be read: {error}")
        if status.timed_out:
            self._fail(f"took longer than {self._deadline:g} s and was stopped")
        elif not status.ok:
            self._fail(report.error or f"{status}; see {self._log}")
        elif self._result.outcome is not JobOutcome.FAILED:
            last = f" (the last of {self._count})" if self._count > 1 and report.summary else ""
            self._result = JobResult.printable(JobOutcome.DONE, report.summary + last)

    def _fail(self, summary: str) -> None:
        self._result = JobResult.printable(JobOutcome.FAILED, summary)


def _new_log(path: Path) -> IO[bytes]:
    """A new log file; where none can be written, the work is done without."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # a process that an earlier command left running keeps writing into the old file
        return path.open("xb")
    except OSError as error:
        _logger.warning("The log %s cannot be written: %s", path, error.strerror, extra={"action": "job"})
        return Path(os.devnull).open("wb")
