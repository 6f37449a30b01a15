"""Checks every minute what the operator is to be notified of, and has the health server answer, while a daemon runs.

Notifications are sent by a process of its own, since Apprise takes more memory than all of the daemon. No error here
stops the daemon's work.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from auria_bot.execution.child_process import ChildProcess
from auria_bot.redaction import redacted_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auria_bot.services.operations.health_server import HealthServer
    from auria_bot.services.operations.notices import Notices

__all__ = ["EVERY", "HealthMonitor"]

log = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds between two checks."""

_SEND_DEADLINE = 600.0  # seconds after which a process that sends notifications counts as stuck


class HealthMonitor:
    """Watches one application while a daemon runs.

    Usage::

        monitor.turn(leads=True)  # at every heartbeat
        monitor.close()
    """

    def __init__(
        self,
        *,
        notices: Callable[[], Notices],
        server: HealthServer | None,
        program: Sequence[str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            notices: makes what decides on notifications; called at each check, since it may need the database.
            server: answers health checks; None for no server.
            program: how `auria` is run.
            monotonic: seconds that only ever grow.
        """
        self._notices, self._program, self._monotonic = notices, tuple(program), monotonic
        self._server, self._is_server_down = server, server is not None
        self._next_check = 0.0
        self._sender: ChildProcess | None = None
        self._trouble = ""

    def turn(self, *, leads: bool) -> None:
        """Check, if it is time; only the leading daemon looks for notifications. Never raises."""
        now = self._monotonic()
        if self._sender is not None and self._sender.poll() is not None:
            self._sender = None
        if now < self._next_check:
            return
        self._next_check = now + EVERY
        troubles = [self._error_of(self._start_server), self._error_of(self._check_notices) if leads else ""]
        trouble = "; ".join(filter(None, troubles))
        if trouble and trouble != self._trouble:
            log.warning("The health check failed: %s", trouble, extra={"action": "trouble"})
        self._trouble = trouble

    def close(self) -> None:
        """Stop the server; notifications that are being sent are interrupted, and sent again later."""
        if self._server is not None:
            self._server.stop()
        if self._sender is not None:
            self._sender.stop()
            self._sender = None

    def _error_of(self, work: Callable[[], None]) -> str:
        """The error of a piece of work, "" where it succeeds."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - no error here stops the daemon's work
            return redacted_error(error)
        return ""

    def _start_server(self) -> None:
        if self._is_server_down and self._server is not None:
            self._server.start()
            self._is_server_down = False
            log.info("Health checks are answered at %s", self._server.url, extra={"action": "health"})

    def _check_notices(self) -> None:
        """Record what the operator is to be notified of, and have it sent."""
        notices = self._notices()
        notices.update()
        if self._sender is None and notices.has_due():
            self._sender = ChildProcess(
                [*self._program, "notify", "send"], deadline=_SEND_DEADLINE, clock=self._monotonic
            )
