"""Keeps a program running beside the daemon, as a child process that is started again when it ends."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from auria_bot.execution.child_process import ChildProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["SupervisedProcess"]

log = logging.getLogger(__name__)

_PAUSES: Final = (1.0, 5.0, 15.0, 60.0, 300.0)  # seconds before the next start, the longer the oftener it ended
_PROVEN = 60.0  # seconds after which a process has proven to run
_PATIENCE = 8.0  # seconds that it has to end in order
_STDERR = 2  # file descriptor: its log is part of the daemon's


class SupervisedProcess:
    """One program under supervision.

    Usage::

        web = SupervisedProcess("the web server", [*PROGRAM, "web"])
        web.turn()  # at every heartbeat
        web.close()
    """

    def __init__(self, name: str, command: Sequence[str], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Nothing is started before the first `turn`; `monotonic` gives seconds that only grow."""
        self.name, self._command, self._monotonic = name, tuple(command), monotonic
        self._process: ChildProcess | None = None
        self._started_at = self._next_start = 0.0
        self._ended = 0  # times in a row, without having run for long
        self._is_outdated = False  # it is to be ended and started again
        self.trouble = ""
        """Why it does not run, or has just been started again; "" where all is well."""

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self._process is not None

    def turn(self) -> None:
        """Notice its end, and start it when it is time; to be called in a thread that outlives it. Never raises."""
        if self._is_outdated:
            self.close()
            self._is_outdated, self._ended, self._next_start, self.trouble = False, 0, 0.0, ""
        now = self._monotonic()
        if self._process is not None and (status := self._process.poll()) is not None:
            self._process = None
            self._pause(now, str(status))
        if self._process is not None:
            if self._ended and now - self._started_at >= _PROVEN:
                self._ended, self.trouble = 0, ""
        elif now >= self._next_start:
            self._start(now)

    def restart(self) -> None:
        """Have the next `turn` end it and start it again at once."""
        self._is_outdated = True

    def close(self) -> None:
        """End it: in order if it does so in time."""
        if self._process is not None:
            self._process.stop(patience=_PATIENCE)
            self._process = None

    def _start(self, now: float) -> None:
        try:
            self._process = ChildProcess(self._command, stderr=_STDERR)
        except OSError as error:
            self._pause(now, f"cannot be started: {error.strerror}")
            return
        self._started_at = now
        log.info("%s is started", self.name.capitalize(), extra={"action": "supervise"})

    def _pause(self, now: float, reason: str) -> None:
        pause = _PAUSES[min(self._ended, len(_PAUSES) - 1)]
        self._ended += 1
        self._next_start = now + pause
        self.trouble = f"{self.name} {reason}"
        log.warning("%s %s; next start in %g s", self.name.capitalize(), reason, pause, extra={"action": "supervise"})
