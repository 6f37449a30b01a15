"""Engagement aggregated by post, channel, mood, style and time of posting.

A post counts with its latest sample. Points weigh the kinds of engagement (`domain.engagement`). Because channels
differ in size, moods, styles and times are compared by rate: points per hundred followers of the channel when the
post was published.
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
"""What posts can be grouped by; hour and day of the week are those of posting."""

KINDS: tuple[Kind, ...] = get_args(Kind)
"""Every kind."""

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""The days of the week as aggregates name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """The totals of some posts."""

    name: str
    posts: int
    measured: int  # with known counts
    vanished: int
    counts: Mapping[str, int | None]  # by the names of COUNTS; None if no platform reports it
    points: int | None
    mean: float | None  # points per measured post
    rate: float | None  # points per 100 followers, averaged over measured posts of channels with followers
    cost: float  # US dollars
    example: int  # number of the newest draft among them


@dataclass(frozen=True, kw_only=True)
class EngagementReport:
    """The posts of a period and their engagement."""

    posts: Sequence[PostEngagement]  # newest first
    followers: Mapping[str, Sequence[Audience]]  # by channel, oldest first
    zone: tzinfo  # the operator's

    @cached_property
    def _entries(self) -> Sequence[_Entry]:
        return [_entry(post, self.zone) for post in self.posts]

    def total(self) -> Aggregate:
        """The totals of all posts."""
        return _aggregate("all", self._entries)

    def by(self, kind: Kind) -> tuple[Aggregate, ...]:
        """Totals by one kind: channels by name, times in their order, moods and styles by rate, best first."""
        group_name = _GROUP_NAME[kind]
        groups: dict[str, list[_Entry]] = {}
        for entry in self._entries:
            groups.setdefault(group_name(entry), []).append(entry)
        aggregates = [_aggregate(name, group) for name, group in groups.items()]
        if kind in {"mood", "style"}:
            return tuple(sorted(aggregates, key=lambda group: (-(group.rate or 0.0), -(group.mean or 0.0), group.name)))
        return tuple(sorted(aggregates, key=lambda group: DAYS.index(group.name) if kind == "day" else group.name))

    def weeks(self) -> dict[str, dict[date, int]]:
        """Points of each channel's posts by the Monday of the week of publication, including weeks without posts."""
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
        """Rate by day of the week and hour of posting: 7 rows of 24; None where nothing was published."""
        groups: dict[tuple[int, int], list[float]] = {}
        for entry in self._entries:
            if entry.rate is not None:
                groups.setdefault((entry.at.weekday(), entry.at.hour), []).append(entry.rate)
        return [[_mean(groups.get((day, hour), ())) for hour in range(24)] for day in range(7)]


def _monday(at: datetime) -> date:
    return at.date() - timedelta(days=at.weekday())


class EngagementReporter:
    """Reports engagement.

    Usage::

        report = reporter.report(since=now - timedelta(days=90))
        for aggregate in report.by("mood"): ...
    """

    def __init__(self, *, store: Store, zone: tzinfo) -> None:
        self._store, self._zone = store, zone

    def report(self, *, since: datetime | None = None, channel: str | None = None) -> EngagementReport:
        """The posts published since then (all by default), of one channel or of all."""
        with self._store.read() as unit:
            return EngagementReport(
                posts=unit.samples.post_engagements(since=since, channel=channel),
                zone=self._zone,
                followers=unit.samples.followers(since=since, channel=channel),
            )

    def artworks(self, draft_ids: Collection[int]) -> Mapping[int, Artwork]:
        """The artworks of some drafts, by draft number."""
        with self._store.read() as unit:
            return unit.samples.artworks(draft_ids)

    def channels(self) -> frozenset[str]:
        """Every channel that ever had a post, whether it is still in the settings or not."""
        with self._store.read() as unit:
            return frozenset(name for name, _ in unit.posts.count())

    def style_artworks(self, keys: Collection[str]) -> dict[str, Artwork]:
        """For each style that was published, an artwork in it."""
        with self._store.read() as unit:
            examples = {post.style: post.draft_id for post in unit.samples.post_engagements() if post.style in keys}
            artworks = unit.samples.artworks(list(examples.values()))
            return {key: artworks[draft] for key, draft in examples.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A post with its derived values."""

    post: PostEngagement
    at: datetime  # when it was published, in the operator's time zone
    points: int | None
    rate: float | None


def _entry(post: PostEngagement, zone: tzinfo) -> _Entry:
    points = post.counts.points if post.counts else None
    rate = 100.0 * points / post.followers if points is not None and post.followers else None
    return _Entry(post=post, at=post.posted_at.astimezone(zone), points=points, rate=rate)


def _aggregate(name: str, entries: Sequence[_Entry]) -> Aggregate:
    """The totals of some posts."""
    counts = [entry.post.counts for entry in entries if entry.post.counts is not None]
    points = [entry.points for entry in entries if entry.points is not None]
    return Aggregate(
        name=name,
        posts=len(entries),
        measured=len(counts),
        cost=sum(entry.post.cost for entry in entries),
        vanished=sum(entry.post.vanished_at is not None for entry in entries),
        counts={kind: _sum(getattr(engagement, kind) for engagement in counts) for kind in COUNTS},
        points=_sum(points),
        mean=_mean(points),
        rate=_mean([entry.rate for entry in entries if entry.rate is not None]),
        example=max((entry.post.draft_id for entry in entries), default=0),
    )


_GROUP_NAME: dict[Kind, Callable[[_Entry], str]] = {
    "channel": lambda entry: entry.post.channel,
    "mood": lambda entry: entry.post.mood,
    "style": lambda entry: entry.post.style,
    "hour": lambda entry: f"{entry.at.hour:02d}",
    "day": lambda entry: DAYS[entry.at.weekday()],
    "month": lambda entry: f"{entry.at.year:04d}-{entry.at.month:02d}",
}


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
