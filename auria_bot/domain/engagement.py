"""What followers did with a post, counted at a moment, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from auria_bot.domain.post import Receipt

__all__ = [
    "AGES",
    "AUDIENCE_EVERY",
    "COUNTS",
    "POINTS",
    "Audience",
    "Engagement",
    "PostEngagement",
    "TrackedPost",
    "is_due",
    "next_due",
]

COUNTS = ("likes", "reposts", "replies", "quotes", "saves", "views")
"""What is counted, in the order it is shown."""

POINTS = {"likes": 1, "replies": 2, "saves": 2, "reposts": 3, "quotes": 3}
"""What each act is worth: the more it asks of a follower, the more. A view asks nothing, and counts for nothing."""


AGES = (
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    *(timedelta(days=days) for days in (1, 2, 4, 7, 14)),
    *(timedelta(days=30 * month) for month in range(1, 13)),
)
"""The ages at which a post is measured, the youngest first."""

AUDIENCE_EVERY = timedelta(hours=23)
"""How long a count of followers holds: a visit at the same hour every day finds it too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """Counts of a post at a time; None where the platform does not tell."""

    at: datetime  # aware, UTC
    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    quotes: int | None = None
    saves: int | None = None
    views: int | None = None

    @property
    def points(self) -> int | None:
        """The acts of followers, weighed by POINTS; None where the platform tells of no act at all."""
        told = [worth * count for name, worth in POINTS.items() if (count := getattr(self, name)) is not None]
        return sum(told) if told else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """How many follow a channel at a time; None where it has no such count."""

    at: datetime  # aware, UTC
    followers: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedPost:
    """A post that is out, and when it was last measured."""

    post_id: int
    channel: str
    receipt: Receipt
    measured_at: datetime | None  # aware, UTC; None: never yet
    vanished_at: datetime | None = None  # when it was found to be gone from its platform


@dataclass(frozen=True, slots=True, kw_only=True)
class PostEngagement:
    """How a post that is out stands: what it is of, and what followers did with it so far."""

    post_id: int
    draft_id: int
    channel: str
    posted_at: datetime  # aware, UTC
    url: str
    mood: str
    style: str  # its key
    cost: float  # US dollars that publishing it cost, as far as it is known
    vanished_at: datetime | None
    followers: int | None  # of the channel when it was posted, or as near to that as it was counted
    counts: Engagement | None  # the latest asked for; None where there is none


def is_due(posted_at: datetime, measured_at: datetime | None, now: datetime) -> bool:
    """Whether one of AGES was reached since the post was last measured (None: never)."""
    reached = [age for age in AGES if posted_at + age <= now]
    return bool(reached) and (measured_at is None or measured_at < posted_at + reached[-1])


def next_due(posted_at: datetime, measured_at: datetime | None, now: datetime) -> datetime | None:
    """When the post is to be measured next, maybe long ago; None when it never is again."""
    if is_due(posted_at, measured_at, now):
        return posted_at + max(age for age in AGES if posted_at + age <= now)
    return next((posted_at + age for age in AGES if posted_at + age > now), None)
