"""When a post is measured: often while it is young, rarely later, and never after a year.

    15 min, 1, 3, 6, 12 h, 1, 2, 4, 7, 14 and 30 days after it went out, then every 30 days to a year: 22 times in all.

A time that was missed is made up for once, however many were missed. Knows times only, no post and no platform.
"""

from __future__ import annotations

from datetime import datetime, timedelta

__all__ = ["AGES", "AUDIENCE_EVERY", "is_due", "next_due"]

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


def is_due(posted_at: datetime, measured_at: datetime | None, now: datetime) -> bool:
    """Whether one of AGES was reached since the post was last measured (None: never)."""
    reached = [age for age in AGES if posted_at + age <= now]
    return bool(reached) and (measured_at is None or measured_at < posted_at + reached[-1])


def next_due(posted_at: datetime, measured_at: datetime | None, now: datetime) -> datetime | None:
    """When the post is to be measured next, maybe long ago; None when it never is again."""
    if is_due(posted_at, measured_at, now):
        return posted_at + max(age for age in AGES if posted_at + age <= now)
    return next((posted_at + age for age in AGES if posted_at + age > now), None)
