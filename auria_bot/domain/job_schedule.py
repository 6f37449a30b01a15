"""Job schedules: slots, each a local date and time in the operator's time zone, and the state of each slot's run.

A slot's name is its local time ("2026-03-29T02:30"), so every local day has the same slots, whatever the clock
change: a time that the clocks skip is due at the first instant after the gap, a time that occurs twice at its first
occurrence. Job and name identify a run, so each slot is run once.
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

from auria_bot.errors import InputError, UsageError

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
    "moment",
    "offset",
    "times",
]

BEGIN = "begin"
"""The name of the row that says from when a job's slots count; it is not a slot."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of a week as settings name them."""

PUBLISH = "publish "
"""The prefix of the jobs that post on a channel; the channel's name follows."""

_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_ENTRY = re.compile(r"(\*|[01]?\d|2[0-3]):([0-5]\d)")


class CatchUp(StrEnum):
    """What is done about missed slots."""

    RUN = "run"  # the latest is run, however many were missed
    SKIP = "skip"  # none is run
    ASK = "ask"  # the operator decides whether the latest is run


class JobRunState(StrEnum):
    """The state of a job run."""

    RUNNING = "running"
    RETRY = "retry"  # it failed and is to be retried
    ASKED = "asked"  # it was missed, and the operator must decide
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledTime:
    """A time at which a job is due."""

    job: str
    name: str  # local, "2026-11-21T04:00"
    due: datetime  # aware, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """The run of a slot and its state."""

    slot: ScheduledTime
    state: JobRunState
    tries: int = 0
    fencing: int = 0  # of the daemon that runs it
    started_at: datetime | None = None  # the first time; aware, UTC, as the others
    ended_at: datetime | None = None
    again_at: datetime | None = None  # when it is retried
    summary: str = ""  # its outcome

    def evolve(self, **changes: object) -> Self:
        """A copy with changes."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSchedule:
    """The schedule of one job."""

    job: str
    at: tuple[time, ...]  # local
    days: frozenset[int] = frozenset(range(7))  # Monday is 0
    jitter: timedelta = timedelta(0)  # the largest delay of a slot; each slot's delay is fixed
    catch_up: CatchUp = CatchUp.RUN
    grace: timedelta = timedelta(hours=1)  # how late a slot still counts as on time

    def slots(
        self, after: datetime, until: datetime, zone: ZoneInfo, *, former: str = "", changed: datetime | None = None
    ) -> Iterator[ScheduledTime]:
        """The slots due after `after` and not after `until`, in the order of their names.

        Where the schedule was `former` (as `described`, or "" for this one) until it was changed, only its slots of
        that time are.
        """
        if not self.at:
            return
        # A gap delays a slot by a day at most: whole days were skipped where the date line moved.
        day = (after - self.jitter).astimezone(zone).date() - timedelta(days=2)
        last = until.astimezone(zone).date() + timedelta(days=1)
        while day <= last:
            if day.weekday() in self.days and _exists(day, zone):
                for at in self.at:
                    name = f"{day.isoformat()}T{at:%H:%M}"
                    due = instant(day, at, zone) + offset(self.job, name, self.jitter)
                    is_added = former and changed and due <= changed and not _had(former, day, at, zone)
                    if after < due <= until and not is_added:
                        yield ScheduledTime(job=self.job, name=name, due=due)
            day += timedelta(days=1)

    def described(self, zone: ZoneInfo) -> str:
        """Its local times as text, for `slots` of a later one."""
        days = "".join(map(str, sorted(self.days)))
        return " ".join([str(zone), days, *(f"{at:%H:%M}" for at in self.at)])

    def next(self, after: datetime, zone: ZoneInfo) -> ScheduledTime | None:
        """The first slot due after a time; None if there is none within nine days."""
        for days in (1, 9):
            found = list(self.slots(after, after + timedelta(days=days), zone))
            if found:
                return min(found, key=lambda slot: (slot.due, slot.name))
        return None


def _had(described: str, day: date, at: time, zone: ZoneInfo) -> bool:
    """Whether a schedule, as `described`, had a slot at a local time."""
    name, days, *times = described.split(" ")
    return name == str(zone) and str(day.weekday()) in days and f"{at:%H:%M}" in times


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who may do something for now; its number is incremented each time it changes hands.

    Times are the database server's where there is one.
    """

    name: str
    holder: str  # the current or last holder
    fencing: int  # incremented by each taking; writes with an older number are refused
    until: datetime  # aware, UTC
    heartbeat: datetime  # when it was last renewed


def _exists(day: date, zone: ZoneInfo) -> bool:
    """Whether a local day exists: where the date line moves, one is skipped."""
    return instant(day, time(0), zone) < instant(day + timedelta(days=1), time(0), zone)


@lru_cache(maxsize=8192)
def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC time of a local date and time: its first occurrence, or the first instant after a gap that skips it."""
    local = datetime.combine(day, at, tzinfo=zone)  # fold is 0: the first of two
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # The offset changes within the two days before; search for the instant of the change.
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
    """A slot's delay: whole seconds below `jitter`, derived from the hash of its name."""
    most = int(jitter.total_seconds())
    if most <= 0:
        return timedelta(0)
    drawn = int.from_bytes(hashlib.sha256(f"{job} {name}".encode()).digest()[:8])
    return timedelta(seconds=drawn % most)


def times(entries: tuple[str, ...]) -> tuple[time, ...]:
    """Local times from "HH:MM", or "*:MM" for every hour; sorted, each once.

    Raises:
        InputError: an entry has neither form.
    """
    found = set[time]()
    for entry in entries:
        match = _ENTRY.fullmatch(entry.strip())
        if match is None:
            raise InputError(f"{entry[:20]!r} is not a time; write HH:MM, such as 18:30, or *:15 for every hour")
        hours = range(24) if match[1] == "*" else (int(match[1]),)
        found.update(time(hour, int(match[2])) for hour in hours)
    return tuple(sorted(found))


def moment(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """The UTC time that an operator names: "now", "18:30" (today), "2026-11-28 18:30" or ISO 8601 with an offset.

    Raises:
        InputError: the text has none of these forms.
    """
    text = text.strip()
    if text.lower() == "now":
        return now
    if match := _TIME_OF_DAY.fullmatch(text):
        return instant(now.astimezone(zone).date(), time(int(match[1]), int(match[2])), zone)
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else instant(found.date(), found.time(), zone)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text[:40]!r} is not a time; write now, 18:30 (today), '2026-11-28 18:30', or with an offset"
            " 2026-11-28T18:30+01:00"
        ) from None
