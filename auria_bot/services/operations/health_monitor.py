"""The daemon's eye on the house: looks every minute what the operator is to be told, and answers who asks how things are.

What is to be said is said by a process of its own, for Apprise takes more memory than all of the daemon; nothing that goes wrong here
stops the daemon's work. Knows when; does not know what is said.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol

from auria_bot.execution.child_process import ChildProcess
from auria_bot.redaction import redacted_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auria_bot.services.operations.health_server import HealthServer

__all__ = ["EVERY", "HealthMonitor", "Lookout"]

log = logging.getLogger(__name__)

EVERY = 60.0  # seconds
"""Between two looks."""

_LONG = 600.0  # seconds after which a process that says notices hangs


class Lookout(Protocol):
    """Knows what is to be said."""

    def look(self) -> int:
        """Write down what is to be said; how much is news."""
        ...

    def waiting(self) -> bool:
        """Whether something is to be said now."""
        ...


class HealthMonitor:
    """Looks after one house while a daemon runs.

    Usage::

        caretaker.turn(leads=True)  # at every tick
        caretaker.close()
    """

    def __init__(
        self,
        *,
        lookout: Callable[[], Lookout],
        beacon: HealthServer | None,
        program: Sequence[str],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Join the collaborators.

        Args:
            lookout: knows what is to be said; made at each look, for it may need a database that is away.
            beacon: answers who asks; None where nobody does.
            program: how `auria` is run.
            steady: seconds that only ever grow.
        """
        self._lookout, self._program, self._steady = lookout, tuple(program), steady
        self._beacon, self._dark = beacon, beacon is not None
        self._next = 0.0
        self._saying: ChildProcess | None = None
        self._trouble = ""

    def turn(self, *, leads: bool) -> None:
        """Look, if it is time and this daemon leads; it never raises."""
        now = self._steady()
        if self._saying is not None and self._saying.poll() is not None:
            self._saying = None
        if now < self._next:
            return
        self._next = now + EVERY
        trouble = "; ".join(filter(None, (self._tried(self._light), self._tried(self._look) if leads else "")))
        if trouble and trouble != self._trouble:
            log.warning("The house cannot be looked after: %s", trouble, extra={"action": "trouble"})
        self._trouble = trouble

    def close(self) -> None:
        """Answer no more; what is being said is given up, and said again later."""
        if self._beacon is not None:
            self._beacon.stop()
        self._hush()

    def _tried(self, work: Callable[[], None]) -> str:
        """Do something; what is wrong, where it cannot be done."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - nothing that goes wrong here stops the daemon's work
            return redacted_error(error)
        return ""

    def _light(self) -> None:
        """Have the beacon answer, where it does not yet."""
        if self._dark and self._beacon is not None:
            self._beacon.start()
            self._dark = False
            log.info("Health is told at %s", self._beacon.url, extra={"action": "health"})

    def _look(self) -> None:
        """See what is to be said, and have it said."""
        lookout = self._lookout()
        lookout.look()
        if self._saying is None and lookout.waiting():
            self._say()

    def _say(self) -> None:
        self._saying = ChildProcess([*self._program, "notify", "say"], deadline=_LONG, clock=self._steady)

    def _hush(self) -> None:
        if self._saying is not None:
            self._saying.stop()
            self._saying = None
