"""Rewards: the engagement of artworks, normalised so that artworks can be compared.

Raw counts depend on the channel, its followers and the post's age. So, for each post:

1. **Age.** Its points are taken at seven days, or at the nearest measurement, and divided by the share that a post
   typically has by then.
2. **Followers and channel.** `log(1 + points) - log(followers + 30)`, standardised by the channel's mean and standard
   deviation, and clipped to 2.5 so that one viral post does not dominate.
3. **Weight.** Young posts weigh less than grown ones, and old ones less than new ones: half after each half-life,
   counted back from the newest post, so that the same data always gives the same rewards.

An artwork's reward is the weighted mean over its channels.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["GROWN", "Reading", "Reward", "growth", "rewards"]

GROWN = timedelta(days=7)
"""The age at which posts are compared."""

_START = 1.0  # hours after which a post's growth slows down
_FEWEST = 3  # posts of a channel needed for a comparison
_FOLLOWERS_OFFSET = (
    30.0  # followers added before the logarithm, so that small channels are not dominated by a few followers
)
_LEAST_SPREAD = 0.35  # least standard deviation, in logarithms, so that constant channels do not overrate one more like
_CLIP = 2.5  # standard deviations
_FORGOTTEN = 0.01  # posts of a smaller weight are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The points of a post at an age."""

    draft_id: int
    channel: str
    mood: str
    style: str  # its key
    posted_at: datetime  # aware, UTC
    age: timedelta  # of the post when it was counted
    points: float
    followers: int | None  # of the channel when it was posted; None if unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """The reward of an artwork."""

    draft_id: int
    mood: str
    style: str  # its key
    value: float  # 0 is average, 1 is one standard deviation better; -2.5 to 2.5
    weight: float  # its evidence, 0 to 1


def growth(age: timedelta) -> float:
    """The share of its seven-day points that a post typically has at an age, 0 to 1."""
    hours = max(age.total_seconds() / 3600, 0.0)
    return min(math.log1p(hours / _START) / math.log1p(GROWN.total_seconds() / 3600 / _START), 1.0)


def rewards(readings: Iterable[Reading], *, half_life: timedelta) -> tuple[Reward, ...]:
    """The reward of every artwork that has one, in order of draft numbers.

    Args:
        readings: one per post.
        half_life: after that time a reading counts half.
    """
    by_channel: dict[str, list[Reading]] = {}
    for reading in readings:
        by_channel.setdefault(reading.channel, []).append(reading)
    found: dict[int, list[tuple[Reading, float, float]]] = {}
    newest = max((reading.posted_at for group in by_channel.values() for reading in group), default=None)
    for _, group in sorted(by_channel.items()):
        for reading, value, weight in _compared(group, newest, half_life) if newest else ():
            found.setdefault(reading.draft_id, []).append((reading, value, weight))
    made = []
    for draft_id, parts in sorted(found.items()):
        total = sum(weight for _, _, weight in parts)
        value = sum(value * weight for _, value, weight in parts) / total
        first = parts[0][0]
        weight = max(weight for _, _, weight in parts)  # the same artwork on four channels is one piece of evidence
        made.append(Reward(draft_id=draft_id, mood=first.mood, style=first.style, value=value, weight=weight))
    return tuple(made)


def _compared(
    readings: Sequence[Reading], newest: datetime, half_life: timedelta
) -> list[tuple[Reading, float, float]]:
    """The readings of one channel with their values and weights; empty if they cannot be compared."""
    rows = []
    follower_counts = [reading.followers for reading in readings if reading.followers is not None]
    typical = float(statistics.median(follower_counts)) if follower_counts else 0.0
    for reading in readings:
        share = growth(reading.age)
        weight = share * 0.5 ** ((newest - reading.posted_at) / half_life)
        if weight >= _FORGOTTEN:
            followers = typical if reading.followers is None else float(reading.followers)
            rows.append((reading, math.log1p(reading.points / share) - math.log(followers + _FOLLOWERS_OFFSET), weight))
    if len(rows) < _FEWEST or not any(reading.points for reading, _, _ in rows):
        return []
    total = sum(weight for _, _, weight in rows)
    mean = sum(value * weight for _, value, weight in rows) / total
    spread = math.sqrt(sum(weight * (value - mean) ** 2 for _, value, weight in rows) / total)
    spread = max(spread, _LEAST_SPREAD)
    return [(reading, max(-_CLIP, min(_CLIP, (value - mean) / spread)), weight) for reading, value, weight in rows]
