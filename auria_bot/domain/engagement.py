"""What followers did with a post, counted at a moment, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from auria_bot.domain.post import Receipt

__all__ = ["COUNTS", "POINTS", "Audience", "Engagement", "PostEngagement", "TrackedPost"]

COUNTS = ("likes", "reposts", "replies", "quotes", "saves", "views")
"""What is counted, in the order it is shown."""

POINTS = {"likes": 1, "replies": 2, "saves": 2, "reposts": 3, "quotes": 3}
"""What each act is worth: the more it asks of a follower, the more. A view asks nothing, and counts for nothing."""


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
