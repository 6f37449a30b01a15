"""Engagement aggregated by post, channel, mood, style and time of posting.

A post counts with its latest sample. Points weigh the kinds of engagement (`domain.engagement`). Because channels
differ in size, moods, styles and times are compared by rate: points per hundred followers of the channel when the
post was published. What `--json` and the CSV export contain is built here too; keys are added, never renamed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from auria_bot.domain.engagement import COUNTS
from auria_bot.domain.mood import MOODS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import date, datetime, tzinfo

    from auria_bot.domain.artwork import Artwork
    from auria_bot.domain.engagement import Audience, PostEngagement, TrackedPost
    from auria_bot.services.engagement.preferences import Preference, Preferences
    from auria_bot.services.engagement.tracker import MeasurementResult
    from auria_bot.store.unit_of_work import Store

__all__ = [
    "DAYS",
    "KINDS",
    "LATEST",
    "Aggregate",
    "EngagementReport",
    "EngagementReporter",
    "Kind",
    "aggregate_json",
    "measurement_json",
    "moods_json",
    "post_engagement_json",
    "report_json",
    "report_rows",
    "styles_json",
    "vanished_json",
]


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
        mondays = [entry.at.date() - timedelta(days=entry.at.weekday()) for entry in self._entries]
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
    post: PostEngagement
    at: datetime  # when it was published, in the operator's time zone
    points: int | None
    rate: float | None


def _entry(post: PostEngagement, zone: tzinfo) -> _Entry:
    points = post.counts.points if post.counts else None
    rate = 100.0 * points / post.followers if points is not None and post.followers else None
    return _Entry(post=post, at=post.posted_at.astimezone(zone), points=points, rate=rate)


def _aggregate(name: str, entries: Sequence[_Entry]) -> Aggregate:
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


LATEST = 10
"""Posts that the report on engagement names."""


def report_json(report: EngagementReport, artworks: Mapping[int, Artwork], *, time_zone: str) -> dict[str, Any]:
    """The whole report on engagement: totals, every grouping, the `LATEST` posts and the followers over time.

    Needs the artworks of the latest posts at least; hours, days and months are counted in `time_zone`.
    """
    return {
        "time_zone": time_zone,
        "total": aggregate_json(report.total()),
        "channels": report_rows(report, artworks, "channel"),
        "moods": report_rows(report, artworks, "mood"),
        "styles": [aggregate_json(each) for each in report.by("style")],
        "hours": report_rows(report, artworks, "hour"),
        "days": report_rows(report, artworks, "day"),
        "months": report_rows(report, artworks, "month"),
        "posts": [post_engagement_json(each, artworks) for each in report.posts[:LATEST]],
        "followers": {
            name: [{"at": each.at.isoformat(), "followers": each.followers} for each in rows]
            for name, rows in report.followers.items()
        },
    }


def report_rows(report: EngagementReport, artworks: Mapping[int, Artwork], by: Kind | str) -> list[dict[str, Any]]:
    """One table of the report: its posts (by "post"), or its aggregates of one kind.

    Needs the artworks of every post (by "post") or of every example (by "style").
    """
    if by == "post":
        return [post_engagement_json(each, artworks) for each in report.posts]
    rows = []
    for each in report.by(by):  # type: ignore[arg-type]  # the kinds are checked where they are read
        style = artworks[each.example].style if by == "style" else None
        titled = {"title": style.title, "artist": style.artist} if style else {}
        rows.append({**titled, **aggregate_json(each)})
    return rows


def aggregate_json(aggregate: Aggregate) -> dict[str, Any]:
    """The engagement of some posts, added up."""
    return {
        "name": aggregate.name,
        "posts": aggregate.posts,
        "measured": aggregate.measured,
        "vanished": aggregate.vanished,
        **aggregate.counts,
        "points": aggregate.points,
        "mean": _rounded(aggregate.mean),
        "rate": _rounded(aggregate.rate),
        "cost": round(aggregate.cost, 6),
    }


def post_engagement_json(post: PostEngagement, artworks: Mapping[int, Artwork]) -> dict[str, Any]:
    """The engagement of one post, with its poem."""
    points = post.counts.points if post.counts else None
    return {
        "post": post.post_id,
        "draft": post.draft_id,
        "channel": post.channel,
        "posted_at": post.posted_at.isoformat(),
        "mood": post.mood,
        "style": post.style,
        "poem": " / ".join(artworks[post.draft_id].haiku.lines),
        **{name: getattr(post.counts, name) if post.counts else None for name in COUNTS},
        "points": points,
        "rate": _rounded(100 * points / post.followers) if points is not None and post.followers else None,
        "followers": post.followers,
        "cost": post.cost,
        "url": post.url,
        "measured_at": _iso(post.counts.at if post.counts else None),
        "vanished_at": _iso(post.vanished_at),
    }


def measurement_json(result: MeasurementResult) -> dict[str, Any]:
    """What measuring one channel took and found."""
    return {
        "channel": result.channel,
        "posts": result.posts,
        "calls": result.calls,
        "cost": round(result.cost, 6),
        "followers": result.followers,
        "left": result.left,
        "next_at": _iso(result.next_at),
        "words": result.message,
        "failed": result.failed,
    }


def vanished_json(post: TrackedPost) -> dict[str, Any]:
    """A post that its platform no longer has."""
    return {"post": post.post_id, "channel": post.channel, "url": post.receipt.url}


def moods_json(preferences: Preferences) -> list[dict[str, Any]]:
    """Every mood in the order of MOODS; `drawn` is the chance that the next artwork takes it by preference."""
    by_name = {each.name: each for each in preferences.moods}
    return [
        {
            "name": mood.name,
            "parent": mood.parent,
            "description": mood.description,
            "valence": mood.valence,
            "arousal": mood.arousal,
            "strength": mood.strength,
            "words": list(mood.words),
            **_preference(by_name[mood.name]),
            "chance": round(by_name[mood.name].chance, 6),
            "drawn": round(by_name[mood.name].chance * preferences.share, 6),
        }
        for mood in MOODS.values()
    ]


def styles_json(preferences: Preferences) -> list[dict[str, Any]]:
    """The paintings that were used, with their weight in the choice of the next style."""
    return [{"key": each.name, **_preference(each), "weight": round(each.chance, 6)} for each in preferences.styles]


def _preference(one: Preference) -> dict[str, Any]:
    return {"artworks": one.artworks, "mean": round(one.mean, 4), "low": round(one.low, 4), "high": round(one.high, 4)}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
