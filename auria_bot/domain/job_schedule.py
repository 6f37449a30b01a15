"""When a job is to run: slots, each a local date and time in the operator's time zone, named so that it can happen once only.

A slot's name is what a clock on the wall shows ("2026-03-29T02:30"), so every local day has the same ones, whatever the
clock change: a time that the clocks leap over is at the first instant after the leap, a time that comes twice is at its
first. What comes of a slot is kept by its job and name. Pure: knows times, neither jobs' work nor a database.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo

from auria_bot.errors import InputError

__all__ = [
    "BEGIN",
    "DAYS",
    "PUBLISH",
    "CatchUp",
    "JobRun",
    "JobRunState",
    "JobSchedule",
    "Lease",
    "ScheduledTime",
    "instant",
    "offset",
    "times",
]

BEGIN = "begin"
"""The name of the row that says from when on a job's slots count; it is no slot."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of a week as settings name them."""

PUBLISH = "publish "
"""What the name of a job begins with that posts on a channel; the channel's name follows."""

_ENTRY = re.compile(r"(\*|[01]?\d|2[0-3]):([0-5]\d)")


class CatchUp(StrEnum):
    """What becomes of slots that were missed."""

    RUN = "run"  # the latest is made up for, however many were missed
    SKIP = "skip"  # they are let go
    ASK = "ask"  # the operator says whether the latest is made up for


class JobRunState(StrEnum):
    """How a slot stands."""

    RUNNING = "running"
    RETRY = "retry"  # it failed and is tried again
    ASKED = "asked"  # it was missed, and the operator is asked
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledTime:
    """A time at which a job is to run."""

    job: str
    name: str  # local, "2026-11-21T04:00"
    due: datetime  # aware, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """A slot that something was done about, and how it stands."""

    slot: ScheduledTime
    state: JobRunState
    tries: int = 0
    fencing: int = 0  # of the daemon that has it
    started_at: datetime | None = None  # the first time; aware, UTC, as the others
    ended_at: datetime | None = None
    again_at: datetime | None = None  # when it is tried again
    words: str = ""  # what came of it

    def evolve(self, **changes: object) -> Self:
        """A copy with changes."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSchedule:
    """When a job's slots are."""

    job: str
    at: tuple[time, ...]  # local
    days: frozenset[int] = frozenset(range(7))  # Monday is 0
    jitter: timedelta = timedelta(0)  # the most that a slot is put off by, the same every time it is asked for
    catch_up: CatchUp = CatchUp.RUN
    grace: timedelta = timedelta(hours=1)  # how late a slot is still on time

    def slots(self, after: datetime, until: datetime, zone: ZoneInfo) -> Iterator[ScheduledTime]:
        """The slots that are due after one moment and not after another, in the order of their names."""
        if not self.at:
            return
        # A gap puts a slot off by a day at most: whole days were left out where the date line moved.
        day = (after - self.jitter).astimezone(zone).date() - timedelta(days=2)
        last = until.astimezone(zone).date() + timedelta(days=1)
        while day <= last:
            if day.weekday() in self.days and _exists(day, zone):
                for at in self.at:
                    name = f"{day.isoformat()}T{at:%H:%M}"
                    due = instant(day, at, zone) + offset(self.job, name, self.jitter)
                    if after < due <= until:
                        yield ScheduledTime(job=self.job, name=name, due=due)
            day += timedelta(days=1)

    def next(self, after: datetime, zone: ZoneInfo) -> ScheduledTime | None:
        """The first slot that is due after a moment; None for a job that has none within nine days."""
        for days in (1, 9):
            found = list(self.slots(after, after + timedelta(days=days), zone))
            if found:
                return min(found, key=lambda slot: (slot.due, slot.name))
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What stands in the database, by the database's clock where it has one."""

    name: str
    holder: str  # who has it, or had it last
    fencing: int  # grows by one with each taking; what is done with an older number is refused
    until: datetime  # aware, UTC
    heartbeat: datetime  # when it was last renewed


def _exists(day: date, zone: ZoneInfo) -> bool:
    """Whether a day is lived through: where the date line moves, one is left out."""
    return instant(day, time(0), zone) < instant(day + timedelta(days=1), time(0), zone)


@lru_cache(maxsize=8192)
def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment at which clocks of a zone show a date and time: its first, or the first after a leap over it; in UTC."""
    local = datetime.combine(day, at, tzinfo=zone)  # fold is 0: the first of two
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # Somewhere in the days before, the offset changes; read with the older one, the time was too late by the leap.
    early, late = int((moment - timedelta(days=2)).timestamp()), int(moment.timestamp())
    before = datetime.fromtimestamp(early, zone).utcoffset()
    while late - early > 1:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return datetime.fromtimestamp(late, UTC)


def offset(job: str, name: str, jitter: timedelta) -> timedelta:
    """By how much a slot is put off: whole seconds below `jitter`, drawn by the hash of its name."""
    most = int(jitter.total_seconds())
    if most <= 0:
        return timedelta(0)
    drawn = int.from_bytes(hashlib.sha256(f"{job} {name}".encode()).digest()[:8])
    return timedelta(seconds=drawn % most)


def times(entries: tuple[str, ...]) -> tuple[time, ...]:
    """Local times from "HH:MM", or "*:MM" for every hour; sorted, each once.

    Raises:
        InputError: an entry is neither.
    """
    found = set[time]()
    for entry in entries:
        match = _ENTRY.fullmatch(entry.strip())
        if match is None:
            raise InputError(f"{entry[:20]!r} is not a time; write HH:MM, such as 18:30, or *:15 for every hour")
        hours = range(24) if match[1] == "*" else (int(match[1]),)
        found.update(time(hour, int(match[2])) for hour in hours)
    return tuple(sorted(found))
