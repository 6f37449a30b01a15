"""Engagement and preferences as plain data for JSON; see `auria_bot.services.serialization`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auria_bot.domain.engagement import COUNTS
from auria_bot.domain.mood import MOODS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from auria_bot.domain.artwork import Artwork
    from auria_bot.domain.engagement import PostEngagement, TrackedPost
    from auria_bot.services.engagement.preferences import Preference, Preferences
    from auria_bot.services.engagement.report import Aggregate, EngagementReport, Kind
    from auria_bot.services.engagement.tracker import MeasurementResult

__all__ = [
    "LATEST",
    "aggregate_json",
    "measurement_json",
    "moods_json",
    "post_engagement_json",
    "report_json",
    "report_rows",
    "styles_json",
    "vanished_json",
]

LATEST = 10
"""Posts that the report on engagement names."""


def report_json(report: EngagementReport, artworks: Mapping[int, Artwork], *, time_zone: str) -> dict[str, Any]:
    """The whole report on engagement: totals, every grouping, the `LATEST` posts and the followers over time.

    Args:
        report: the posts of a period.
        artworks: by draft, those of the latest posts at least.
        time_zone: the zone in which hours, days and months are counted.
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

    Args:
        report: the posts of a period.
        artworks: by draft, those of every post (by "post") or of every example (by "style").
        by: "post" or one of the report's kinds.
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
