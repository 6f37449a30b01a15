"""What the daemon's services ask of the store: slots and leases, in one unit of work. Protocols only; knows no SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta

    from auria_bot.domain.job_schedule import JobRun, JobRunState
    from auria_bot.domain.lease import Lease
    from auria_bot.services.ports import Drafts, Posts

__all__ = ["Leases", "Slots", "Timesheet", "Unit"]


class Slots(Protocol):
    """What became of the slots of each job."""

    def add(self, claim: JobRun) -> bool:
        """Write a slot down; whether it was news."""
        ...

    def save(self, claim: JobRun, *, was: JobRun) -> bool:
        """Change a slot; not done where it is no longer as it was."""
        ...

    def get(self, job: str, name: str) -> JobRun | None:
        """A slot; None where nothing was done about it."""
        ...

    def latest(self, *, until: datetime) -> Mapping[str, datetime]:
        """When the last known slot of each job was due, of those that were due by then."""
        ...

    def list(
        self, states: Collection[JobRunState] = (), *, since: datetime | None = None, limit: int | None = None
    ) -> Sequence[JobRun]:
        """Slots in those states (all when empty), the last due first."""
        ...

    def done_at(self) -> Mapping[str, datetime]:
        """When each job last ended well."""
        ...

    def forget(self, *, before: datetime) -> int:
        """Delete what ended before then, but for the last slot of each job."""
        ...


class Leases(Protocol):
    """Who may do what for now."""

    def get(self, name: str) -> Lease | None:
        """A lease as it stands, whether it ran out or not."""
        ...

    def take(self, name: str, *, holder: str, length: timedelta, now: datetime) -> Lease | None:
        """Take a lease that is free, or ran out; None where somebody has it."""
        ...

    def renew(self, lease: Lease, *, length: timedelta, now: datetime) -> Lease | None:
        """Hold a lease for longer; None where it changed hands."""
        ...

    def release(self, lease: Lease) -> bool:
        """Let go of a lease; whether it was still this holder's."""
        ...

    def holds(self, lease: Lease) -> bool:
        """Whether nobody took the lease since; nobody can until the unit of work ends."""
        ...


class Unit(Protocol):
    """One transaction."""

    @property
    def slots(self) -> Slots:
        """What became of slots."""
        ...

    @property
    def leases(self) -> Leases:
        """Who may do what."""
        ...

    @property
    def drafts(self) -> Drafts:
        """The drafts."""
        ...

    @property
    def posts(self) -> Posts:
        """The posts."""
        ...


class Timesheet(Protocol):
    """The database."""

    def begin(self) -> AbstractContextManager[Unit]:
        """A transaction: committed at the end of the block, rolled back by an exception."""
        ...

    def read(self) -> AbstractContextManager[Unit]:
        """A view of one moment that waits for nobody."""
        ...
