"""A daemon whose clock runs fast, and the work that it starts, by the same clock: made to be killed.

`daemon BASE START SPEED` ticks until SIGTERM; `work BASE START SPEED COMMAND...` is `auria COMMAND...`. The clock shows
BASE at the moment START, both in seconds since 1970, and runs SPEED times as fast as the world's.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from datetime import UTC, datetime, timedelta

from auria_bot.bootstrap import core
from auria_bot.cli import main
from auria_bot.daemon import Daemon
from auria_bot.errors import AuriaError
from auria_bot.services.operations import monitoring
from auria_bot.services.publishing.publisher import Publisher
from auria_bot.services.schedule.job_scheduler import LeaderElection
from auria_bot.settings import loading

__all__ = ["FastDaemon", "fast_clock"]

LEASE = timedelta(seconds=1)
CLAIM = timedelta(hours=2)  # by the fast clock: more than a worker needs
TICK = 0.1  # seconds
LOOK = 1.0  # seconds between two looks at what the operator is to be told


class FastDaemon(Daemon):
    """A daemon whose lease goes by the world's clock, and is short."""

    def _renew_lease(self) -> None:
        if self._election is None:
            store = self._app.store
            self._election = LeaderElection(
                store=store, clock=lambda: datetime.now(UTC), holder=self._holder, length=LEASE
            )
        super()._renew_lease()


def fast_clock(base: float, start: float, speed: float) -> datetime:
    """What the fast clock shows now."""
    return datetime.fromtimestamp(base + (time.time() - start) * speed, UTC)


def _main(mode: str, clock: tuple[str, str, str], rest: list[str]) -> None:
    base, start, speed = (float(value) for value in clock)
    if mode == "work":
        core._now = lambda: fast_clock(base, start, speed)
        Publisher.__init__.__kwdefaults__["lease"] = CLAIM  # type: ignore[index]
        sys.argv = ["auria", *rest]
        main()
    monitoring.EVERY = LOOK
    program = (sys.executable, "-m", "tests.scenarios.mortal_daemon", "work", *clock)
    daemon = FastDaemon(load=loading.load, clock=lambda: fast_clock(base, start, speed), program=program)
    signal.signal(signal.SIGTERM, lambda *_: daemon.stop())
    while daemon.dispatch():
        time.sleep(TICK)
    with contextlib.suppress(AuriaError):
        daemon._close()


if __name__ == "__main__":
    _main(sys.argv[1], (sys.argv[2], sys.argv[3], sys.argv[4]), sys.argv[5:])
