"""One leading daemon at a time: a lease in the database, renewed by a heartbeat; a second daemon waits and takes over.

A daemon whose heartbeat did not reach the database for the length of the lease no longer counts as the leader, by a
clock that nobody can set; what it still tries to record carries its old fencing number and is refused.
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
"""How long a lease lasts without a heartbeat: with HEARTBEAT, a second daemon takes over within 13 seconds."""

HEARTBEAT = 3.0
"""Seconds between two heartbeats of the leader, and between two attempts of a waiting daemon."""


class LeaderElection:
    """One daemon's part in the election.

    Usage::

        election.heartbeat()       # every HEARTBEAT seconds
        if election.lease: ...     # this daemon leads
        election.release()
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        holder: str,
        length: timedelta = LENGTH,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`holder` is this daemon's unique name; `clock` counts where the database has no clock of its own."""
        self.store, self.holder = store, holder
        self._clock, self._length, self._monotonic = clock, length, monotonic
        self._lease: Lease | None = None
        self._valid_until = 0.0

    @property
    def lease(self) -> Lease | None:
        """The lease, as long as it is certainly this daemon's."""
        return self._lease if self._monotonic() < self._valid_until else None

    def heartbeat(self) -> bool:
        """Renew the lease, or take it where it is free; whether this daemon leads.

        Raises:
            StoreError, DiskError: the database cannot be used; the lease is this daemon's until it runs out.
        """
        # A holder whose answer came too late asks once more: that another program locked the database for a while is no
        # reason to drop the work.
        return self._acquire() or (self._lease is not None and self._acquire())

    def _acquire(self) -> bool:
        """Renew or take the lease; whether it is certainly this daemon's."""
        # Counted from before the question: a slow answer must not lengthen the lease.
        asked_at, now = self._monotonic(), self._clock()
        with self.store.begin() as unit:
            renewed = self._lease and unit.leases.renew(self._lease, length=self._length, now=now)
            lease = renewed or unit.leases.take(NAME, holder=self.holder, length=self._length, now=now)
        self._lease = lease
        self._valid_until = asked_at + self._length.total_seconds()
        return self.lease is not None

    def release(self) -> None:
        """Give up the lease, so that another daemon can take it at once.

        Raises:
            StoreError, DiskError: the database cannot be used; the lease runs out by itself.
        """
        lease, self._lease = self._lease, None
        if lease is not None:
            with self.store.begin() as unit:
                unit.leases.release(lease)

    def current(self) -> Lease | None:
        """The lease as recorded, whoever holds it."""
        with self.store.read() as unit:
            return unit.leases.get(NAME)


def own_name() -> str:
    """A unique name for this process: machine, process id, and a random part, for process ids come again."""
    return f"{socket.gethostname()[:100]}:{os.getpid()}:{secrets.token_hex(4)}"
