"""A child process that takes units of work, one JSON object per line on a pipe, and sends messages back."""

from __future__ import annotations

import contextlib
import json
import os
from typing import IO, TYPE_CHECKING, Any

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.errors import StepCrashed, StepFailed, StepOutOfMemory, StepTimedOut
from auria_bot.execution.child_process import ChildProcess, python_environment
from auria_bot.execution.work_unit import UnitFailure, UnitFinished

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from auria_bot.execution.work_unit import WorkUnit

__all__ = ["POLL", "UnitChild", "ended", "files_of", "log_of", "log_tail"]

POLL = 0.05  # seconds between two looks at a child
PATIENCE = 5.0  # seconds a child may take to end once it has stopped sending
_TAIL = 1500  # characters of a log that an error quotes


class UnitChild:
    """A child process whose command ends with the descriptor that it reads units from."""

    def __init__(self, command: Sequence[str], *, log: IO[bytes], own: bool = True) -> None:
        """Start it; what it prints goes into `log`.

        Args:
            command: the descriptor is added to it as the last word.
            own: whether it runs the program's own interpreter.

        Raises:
            OSError: the program is missing, or no process can be started.
        """
        self._unsent = b""
        self._request: Mapping[str, Any] | None = None
        units, self._units = os.pipe()
        try:
            self.child = ChildProcess(
                [*command, str(units)], stdout=log, stderr=log, inherit=(units,), environment=_environment(own=own)
            )
        except BaseException:
            os.close(self._units)
            raise
        finally:
            os.close(units)
        os.set_blocking(self._units, False)

    def send(self, message: Mapping[str, Any], request: Mapping[str, Any] | None = None) -> None:
        """Hand a message over; the request goes with the first of those in a row that share it."""
        if request is not None and request is not self._request:
            message = {**message, "request": request}
            self._request = request
        self._unsent += json.dumps(message, ensure_ascii=False).encode() + b"\n"
        self._write()

    def receive(self, timeout: float) -> list[dict[str, Any]]:
        """The next messages, waiting for the first at most so many seconds."""
        self._write()
        return self.child.receive(timeout)

    def why_it_ended(self) -> StepFailed | None:
        """Why the child will send nothing more; None while it may."""
        if self.child.is_sending:
            return None
        status = self.child.wait(PATIENCE)
        if status is None:
            return StepTimedOut(f"stopped sending and did not end within {PATIENCE:g} s")
        if status.killed:
            return StepOutOfMemory("was killed (SIGKILL), most likely by the system because memory was short")
        return StepCrashed(str(status))

    def end(self, *, patience: float = 0.0) -> None:
        """End the child: SIGTERM and so many seconds to end in order, then SIGKILL."""
        self.child.stop(patience=patience)
        os.close(self._units)

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError, BrokenPipeError):  # the latter: `why_it_ended` tells
            while self._unsent:
                self._unsent = self._unsent[os.write(self._units, self._unsent) :]


def files_of(message: Mapping[str, Any]) -> dict[str, ArtworkFile]:
    """The files of a child's message, by kind."""
    return {kind: ArtworkFile(**file) for kind, file in message["files"].items()}


def ended(unit: WorkUnit, message: Mapping[str, Any], seconds: float, folder: Path) -> UnitFinished:
    """How a unit ended, by the child's last message about it."""
    if "error" in message:
        failure = UnitFailure(error=message["error"], message=message["message"], log=str(log_of(unit, folder)))
        return UnitFinished(unit=unit, seconds=seconds, failure=failure)
    return UnitFinished(unit=unit, seconds=seconds, state=message["state"], files=files_of(message))


def log_of(unit: WorkUnit, folder: Path) -> Path:
    """What a unit prints."""
    return folder / "logs" / f"{unit.name}.log"


def log_tail(log: bytes) -> str:
    """The end of a log, for an error message."""
    text = log[-4 * _TAIL :].decode("utf-8", "replace").strip()
    return f"; its log ends with: {text[-_TAIL:]}" if text else ""


def _environment(*, own: bool) -> dict[str, str]:
    """A child's environment: without the program's settings, which contain credentials; units bring what is needed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    kept.setdefault("MALLOC_ARENA_MAX", "2")  # glibc: fewer heaps, so that freed memory is used again
    return python_environment(kept, with_package=own)
