"""Engagement with published posts: counts and their weights, and the ages at which a post is measured.

A post is measured 22 times: 15 min, 1, 3, 6, 12 h, 1, 2, 4, 7, 14 and 30 days after publication, then every 30 days
for a year. Missed measurements are made up for by one.
"""

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
"""What is counted, in display order."""

POINTS = {"likes": 1, "replies": 2, "saves": 2, "reposts": 3, "quotes": 3}
"""The points of each kind of engagement: the more effort it takes, the more. Views have no points."""


AGES = (
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    *(timedelta(days=days) for days in (1, 2, 4, 7, 14)),
    *(timedelta(days=30 * month) for month in range(1, 13)),
)
"""The ages at which a post is measured, ascending."""

AUDIENCE_EVERY = timedelta(hours=23)
"""How long a follower count is current: just under a day, so that a run at the same hour every day renews it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """The counts of a post at a time; None if the platform does not report a kind."""

    at: datetime  # aware, UTC
    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    quotes: int | None = None
    saves: int | None = None
    views: int | None = None

    @property
    def points(self) -> int | None:
        """The counts weighted by POINTS; None if the platform reports none of them."""
        known = [worth * count for name, worth in POINTS.items() if (count := getattr(self, name)) is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """A channel's number of followers at a time; None if the platform does not report it."""

    at: datetime  # aware, UTC
    followers: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedPost:
    """A published post, and when it was last measured."""

    post_id: int
    channel: str
    receipt: Receipt
    measured_at: datetime | None  # aware, UTC; None: never
    vanished_at: datetime | None = None  # when it was found missing from its platform


@dataclass(frozen=True, slots=True, kw_only=True)
class PostEngagement:
    """A published post with its artwork's attributes and its engagement."""

    post_id: int
    draft_id: int
    channel: str
    posted_at: datetime  # aware, UTC
    url: str
    mood: str
    style: str  # its key
    cost: float  # US dollars that publishing it cost; 0 if unknown
    vanished_at: datetime | None
    followers: int | None  # of the channel at the count nearest to publication
    counts: Engagement | None  # the requested sample; None if there is none


def is_due(posted_at: datetime, measured_at: datetime | None, now: datetime) -> bool:
    """Whether one of AGES was reached since the post was last measured (None: never)."""
    reached = [age for age in AGES if posted_at + age <= now]
    return bool(reached) and (measured_at is None or measured_at < posted_at + reached[-1])


def next_due(posted_at: datetime, measured_at: datetime | None, now: datetime) -> datetime | None:
    """When the post is due to be measured next, possibly in the past; None if it never is again."""
    if is_due(posted_at, measured_at, now):
        return posted_at + max(age for age in AGES if posted_at + age <= now)
    return next((posted_at + age for age in AGES if posted_at + age > now), None)
