"""One daemon at a time: a lease in the database, renewed by a heartbeat; a second daemon waits and takes over.

A daemon whose heartbeat did not reach the database for the lease's length no longer counts itself the leader, by a clock that
nobody can set; whatever it still tries to write carries its old number and is refused. Knows the lease; does not know what the
leader does.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.domain.interfaces import Clock
    from auria_bot.domain.job_schedule import Lease
    from auria_bot.store.unit_of_work import Store

__all__ = ["HEARTBEAT", "LENGTH", "NAME", "LeaderElection", "own_name"]

NAME = "daemon"
"""The lease's name."""

LENGTH = timedelta(seconds=10)
"""How long a lease holds without a heartbeat: with HEARTBEAT, a second daemon takes over within 13 seconds."""

HEARTBEAT = 3.0  # seconds
"""Between two heartbeats, and between two looks of a daemon that waits."""


class LeaderElection:
    """A daemon's hold on the lease.

    Usage::

        leadership.beat()            # every HEARTBEAT
        if leadership.lease: ...     # this daemon is the leader
        leadership.release()
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        holder: str,
        length: timedelta = LENGTH,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Join the collaborators.

        Args:
            store: where the lease is.
            clock: tells the time, where the database has no clock of its own.
            holder: this daemon's name, like no other's.
            length: how long the lease holds.
            steady: seconds that only ever grow.
        """
        self.store, self.holder = store, holder
        self._clock, self._length, self._steady = clock, length, steady
        self._lease: Lease | None = None
        self._sure_until = 0.0

    @property
    def lease(self) -> Lease | None:
        """The lease, as long as it is surely this daemon's."""
        return self._lease if self._steady() < self._sure_until else None

    def beat(self) -> bool:
        """Renew the lease, or take it where it is free; whether this daemon is the leader.

        Raises:
            StoreError, DiskError: the database cannot be used; the lease is this daemon's until it runs out.
        """
        # Who has the lease, but was told so too late, asks once more: that another program held the database for a while is
        # no reason to drop the work.
        return self._ask() or (self._lease is not None and self._ask())

    def _ask(self) -> bool:
        """Renew the lease or take it; whether it is surely this daemon's."""
        # Counted from before the question: an answer that took long must not lengthen the lease.
        asked, now = self._steady(), self._clock()
        with self.store.begin() as unit:
            held = self._lease and unit.leases.renew(self._lease, length=self._length, now=now)
            taken = held or unit.leases.take(NAME, holder=self.holder, length=self._length, now=now)
        self._lease = taken
        self._sure_until = asked + self._length.total_seconds()
        return self.lease is not None

    def release(self) -> None:
        """Let another daemon have the lease at once.

        Raises:
            StoreError, DiskError: the database cannot be used; the lease runs out by itself.
        """
        lease, self._lease = self._lease, None
        if lease is not None:
            with self.store.begin() as unit:
                unit.leases.release(lease)

    def who(self) -> Lease | None:
        """The lease as it stands, whoever has it."""
        with self.store.read() as unit:
            return unit.leases.get(NAME)


def own_name() -> str:
    """This process's name among daemons: machine, number, and a word by chance, for numbers come again."""
    return f"{socket.gethostname()[:100]}:{os.getpid()}:{secrets.token_hex(4)}"
