"""The calendar: what was published, what has a time, and what the schedule will probably publish when.

A post without a time of its own goes out at the next scheduled time of its channel, the oldest first; approved drafts
follow. Which one that will be is an expectation: a channel that is paused or fails moves everything behind it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.draft import DraftState
from auria_bot.domain.job_schedule import PUBLISH
from auria_bot.domain.post import PostState
from auria_bot.services.publishing.post_decisions import MOVABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from auria_bot.domain.interfaces import Clock
    from auria_bot.domain.job_schedule import ScheduledTime
    from auria_bot.domain.post import Post
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = ["CalendarEntry", "PublishingCalendar"]

_WEEK, _HORIZON = 8.0, 400.0  # days: in which every scheduled channel has a time; how far expectations reach
_KINDS = {
    PostState.SENT: "sent",
    PostState.WITHDRAWN: "withdrawn",
    PostState.WITHDRAWING: "attention",
    PostState.UNKNOWN: "attention",
    PostState.NEEDS_ATTENTION: "attention",
    PostState.SENDING: "timed",
    PostState.WAITING: "timed",
    PostState.FAILED: "cancelled",
    PostState.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """One thing in the calendar."""

    at: datetime  # aware, in the operator's time zone
    kind: str  # "sent", "timed", "expected", "free" (a scheduled time for which nothing is there), or as in _KINDS
    channel: str
    post: Post | None = None
    draft_id: int | None = None  # None: nothing is there for this time
    line: str = ""  # the first of the poem

    @property
    def is_movable(self) -> bool:
        """Whether the operator can give it another time."""
        return self.draft_id is not None and (self.post is None or self.post.state in MOVABLE)


class PublishingCalendar:
    """Lists what was and will be published.

    Usage::

        for entry in calendar.entries(date(2026, 11, 1), date(2026, 11, 30)): ...
    """

    def __init__(
        self, *, store: Store, clock: Clock, zone: ZoneInfo, upcoming: Callable[..., Sequence[ScheduledTime]]
    ) -> None:
        """`upcoming` gives the scheduled times of the coming `days`."""
        self._store, self._clock, self._zone, self._upcoming = store, clock, zone, upcoming

    def entries(self, first: date, last: date) -> tuple[CalendarEntry, ...]:
        """Everything from the first to the last local day, in order."""
        start, end = self._midnight(first), self._midnight(last + timedelta(days=1))
        with self._store.read() as unit:
            found = [*self._dated(unit, start, end), *self._expected(unit, end)]
            drafts = unit.drafts.get_many({entry.draft_id for entry in found if entry.draft_id is not None})
        lines = {draft.id: draft.artwork.haiku.lines[0] for draft in drafts.values()}
        shown = [entry for entry in found if start <= entry.at < end]
        titled = [replace(entry, line=lines.get(entry.draft_id or 0, "")) for entry in shown]
        return tuple(sorted(titled, key=lambda entry: (entry.at, entry.channel, entry.draft_id or 0)))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone).astimezone(UTC)

    def _dated(self, unit: Unit, start: datetime, end: datetime) -> Iterator[CalendarEntry]:
        """What was published, and what has a time of its own."""
        for post in unit.posts.between(start, end):
            if post.state is PostState.WAITING and post.timed_at is None:
                continue  # expected at a scheduled time
            at = (post.receipt.at if post.receipt else post.due).astimezone(self._zone)
            yield CalendarEntry(at=at, kind=_KINDS[post.state], channel=post.channel, post=post, draft_id=post.draft_id)

    def _expected(self, unit: Unit, end: datetime) -> Iterator[CalendarEntry]:
        """The scheduled times up to `end`, each with what will probably be published then."""
        queues: dict[str, list[tuple[int, Post | None]]] = defaultdict(list)
        for post in reversed(unit.posts.list({PostState.WAITING})):
            if post.timed_at is None:
                queues[post.channel].append((post.draft_id, post))
        for draft in reversed(unit.drafts.list({DraftState.APPROVED})):
            for name in draft.channels:
                queues[name].append((draft.id, None))
        now, planned = self._clock(), set[str]()
        days = min(max(_WEEK, (end - now) / timedelta(days=1)), _HORIZON)
        for scheduled in self._upcoming(days=days):
            if not scheduled.job.startswith(PUBLISH):
                continue
            channel, at = scheduled.job.removeprefix(PUBLISH), scheduled.due.astimezone(self._zone)
            planned.add(channel)
            if not queues[channel]:
                yield CalendarEntry(at=at, kind="free", channel=channel)
                continue
            draft_id, waiting = queues[channel].pop(0)
            yield CalendarEntry(at=at, kind="expected", channel=channel, post=waiting, draft_id=draft_id)
        for channel in queues.keys() - planned:  # nothing is scheduled there: it goes out with the next `auria publish`
            for draft_id, waiting in queues[channel]:
                at = now.astimezone(self._zone)
                yield CalendarEntry(at=at, kind="expected", channel=channel, post=waiting, draft_id=draft_id)
