"""What followers did so far, added up by post, channel, mood, painting and time of posting.

A post counts with its latest sample. Points weigh what followers did (`domain.engagement`); since channels differ in
size, moods, paintings and times are compared by their rate: points for every hundred who followed the channel when the
post went out. Knows the store as a Protocol; does not know how a table looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from auria_bot.domain.engagement import COUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import date, datetime, tzinfo

    from auria_bot.domain.artwork import Artwork
    from auria_bot.domain.engagement import Audience, PostEngagement
    from auria_bot.store.unit_of_work import Store

__all__ = ["DAYS", "KINDS", "Aggregate", "EngagementReport", "EngagementReporter", "Kind"]

Kind = Literal["channel", "mood", "style", "hour", "day", "month"]
"""What posts can be put together by: the hour and the day of the week are those of posting."""

KINDS: tuple[Kind, ...] = get_args(Kind)
"""Every kind."""

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""The days of the week as tallies name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """Some posts, added up."""

    name: str
    posts: int
    measured: int  # of which counts are known
    vanished: int
    counts: Mapping[str, int | None]  # by the names of COUNTS; None where no platform told
    points: int | None
    mean: float | None  # points a measured post
    rate: float | None  # points for every 100 followers, the mean over measured posts of channels with followers
    cost: float  # US dollars
    example: int  # the number of a draft among them, the newest


@dataclass(frozen=True, kw_only=True)
class EngagementReport:
    """The posts of a time, as they stand."""

    standings: Sequence[PostEngagement]  # the newest first
    followers: Mapping[str, Sequence[Audience]]  # by channel, the oldest first
    zone: tzinfo  # the operator's

    @cached_property
    def _entries(self) -> Sequence[_Entry]:
        return [_entry(one, self.zone) for one in self.standings]

    def total(self) -> Aggregate:
        """All of them."""
        return _tally("all", self._entries)

    def by(self, kind: Kind) -> tuple[Aggregate, ...]:
        """The tallies of one kind: channels by name, times in their order, moods and paintings by their rate, best first."""
        naming = _NAMING[kind]
        groups: dict[str, list[_Entry]] = {}
        for entry in self._entries:
            groups.setdefault(naming(entry), []).append(entry)
        tallies = [_tally(name, group) for name, group in groups.items()]
        if kind in {"mood", "style"}:
            return tuple(sorted(tallies, key=lambda one: (-(one.rate or 0.0), -(one.mean or 0.0), one.name)))
        return tuple(sorted(tallies, key=lambda one: DAYS.index(one.name) if kind == "day" else one.name))

    def weeks(self) -> dict[str, dict[date, int]]:
        """The points of each channel's posts by the Monday of the week they went out, every week between included."""
        mondays = [_monday(entry.at) for entry in self._entries]
        if not mondays:
            return {}
        first = min(mondays)
        weeks = [first + timedelta(weeks=number) for number in range((max(mondays) - first).days // 7 + 1)]
        found: dict[str, dict[date, int]] = {}
        for entry, monday in zip(self._entries, mondays, strict=True):
            row = found.setdefault(entry.post.channel, dict.fromkeys(weeks, 0))
            row[monday] += entry.points or 0
        return dict(sorted(found.items()))

    def rates(self) -> list[list[float | None]]:
        """The rate by day of the week and hour of posting, seven rows of twenty-four; None where nothing went out."""
        groups: dict[tuple[int, int], list[float]] = {}
        for entry in self._entries:
            if entry.rate is not None:
                groups.setdefault((entry.at.weekday(), entry.at.hour), []).append(entry.rate)
        return [[_mean(groups.get((day, hour), ())) for hour in range(24)] for day in range(7)]


def _monday(at: datetime) -> date:
    return at.date() - timedelta(days=at.weekday())


class EngagementReporter:
    """Looks at what followers did.

    Usage::

        look = statistics.look(since=now - timedelta(days=90))
        for tally in look.by("mood"): ...
    """

    def __init__(self, *, store: Store, zone: tzinfo) -> None:
        self._store, self._zone = store, zone

    def look(self, *, since: datetime | None = None, channel: str | None = None) -> EngagementReport:
        """The posts that went out since then (all by default), of one channel or of all."""
        with self._store.read() as unit:
            return EngagementReport(
                standings=unit.samples.post_engagements(since=since, channel=channel),
                zone=self._zone,
                followers=unit.samples.followers(since=since, channel=channel),
            )

    def artworks(self, draft_ids: Collection[int]) -> Mapping[int, Artwork]:
        """The artworks of some drafts, for their poems and titles."""
        with self._store.read() as unit:
            return unit.samples.artworks(draft_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A post with what is asked of it again and again."""

    post: PostEngagement
    at: datetime  # when it went out, in the operator's time zone
    points: int | None
    rate: float | None


def _entry(post: PostEngagement, zone: tzinfo) -> _Entry:
    points = post.counts.points if post.counts else None
    rate = 100.0 * points / post.followers if points is not None and post.followers else None
    return _Entry(post=post, at=post.posted_at.astimezone(zone), points=points, rate=rate)


def _tally(name: str, entries: Sequence[_Entry]) -> Aggregate:
    """Add posts up."""
    counts = [entry.post.counts for entry in entries if entry.post.counts is not None]
    points = [entry.points for entry in entries if entry.points is not None]
    return Aggregate(
        name=name,
        posts=len(entries),
        measured=len(counts),
        cost=sum(entry.post.cost for entry in entries),
        vanished=sum(entry.post.vanished_at is not None for entry in entries),
        counts={what: _sum(getattr(each, what) for each in counts) for what in COUNTS},
        points=_sum(points),
        mean=_mean(points),
        rate=_mean([entry.rate for entry in entries if entry.rate is not None]),
        example=max((entry.post.draft_id for entry in entries), default=0),
    )


_NAMING: dict[Kind, Callable[[_Entry], str]] = {
    "channel": lambda entry: entry.post.channel,
    "mood": lambda entry: entry.post.mood,
    "style": lambda entry: entry.post.style,
    "hour": lambda entry: f"{entry.at.hour:02d}",
    "day": lambda entry: DAYS[entry.at.weekday()],
    "month": lambda entry: f"{entry.at.year:04d}-{entry.at.month:02d}",
}


def _sum(values: Iterable[int | None]) -> int | None:
    told = [value for value in values if value is not None]
    return sum(told) if told else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
