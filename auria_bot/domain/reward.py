"""How well each artwork was received, in a form in which artworks can be compared.

A raw count says little: another channel, another crowd, another age of the post. So, for each post:

1. **Age.** Its points are taken at seven days, or as near to that as it was measured, and divided by the share that a
   post has usually gathered by then.
2. **Followers and channel.** `log(1 + points) - log(followers + 30)`, less the channel's own mean, in units of the
   channel's own spread, and never beyond 2.5: one post that goes round the world is luck, not taste.
3. **Weight.** A young post tells less than a grown one, and an old one less than a new one: half as much after each
   half-life, counted back from the newest post of all, so that the same data always gives the same rewards.

An artwork's reward is the mean over its channels. Knows numbers only; does not know what is done with rewards.
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
_FEWEST = 3  # posts of a channel; with less there is nothing to compare
_CROWD = 30.0  # followers: below that number, a few more or less hardly matter
_LEAST_SPREAD = 0.35  # in logarithms: channels that always get the same must not make much of one like more
_BEYOND = 2.5  # spreads
_FORGOTTEN = 0.01  # a weight below which a post is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a post had gathered at an age."""

    draft_id: int
    channel: str
    mood: str
    style: str  # its key
    posted_at: datetime  # aware, UTC
    age: timedelta  # of the post when it was counted
    points: float
    followers: int | None  # of the channel when it was posted; None where it has no such count


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """How an artwork was received."""

    draft_id: int
    mood: str
    style: str  # its key
    value: float  # 0 is usual, 1 is a spread better than usual; -2.5 to 2.5
    weight: float  # how much it tells, 0 to 1


def growth(age: timedelta) -> float:
    """The share of its points at seven days that a post usually has at an age, 0 to 1."""
    hours = max(age.total_seconds() / 3600, 0.0)
    return min(math.log1p(hours / _START) / math.log1p(GROWN.total_seconds() / 3600 / _START), 1.0)


def rewards(readings: Iterable[Reading], *, half_life: timedelta) -> tuple[Reward, ...]:
    """The reward of every artwork that has one, by its number.

    Args:
        readings: one a post.
        half_life: after that much time, a reading counts half.
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
        weight = max(weight for _, _, weight in parts)  # the same picture on four channels is not four pictures
        made.append(Reward(draft_id=draft_id, mood=first.mood, style=first.style, value=value, weight=weight))
    return tuple(made)


def _compared(
    readings: Sequence[Reading], newest: datetime, half_life: timedelta
) -> list[tuple[Reading, float, float]]:
    """The readings of one channel with their values and weights; none where nothing can be compared."""
    rows = []
    crowds = [reading.followers for reading in readings if reading.followers is not None]
    usual = float(statistics.median(crowds)) if crowds else 0.0
    for reading in readings:
        share = growth(reading.age)
        weight = share * 0.5 ** ((newest - reading.posted_at) / half_life)
        if weight >= _FORGOTTEN:
            crowd = usual if reading.followers is None else float(reading.followers)
            rows.append((reading, math.log1p(reading.points / share) - math.log(crowd + _CROWD), weight))
    if len(rows) < _FEWEST or not any(reading.points for reading, _, _ in rows):
        return []
    total = sum(weight for _, _, weight in rows)
    mean = sum(value * weight for _, value, weight in rows) / total
    spread = math.sqrt(sum(weight * (value - mean) ** 2 for _, value, weight in rows) / total)
    spread = max(spread, _LEAST_SPREAD)
    return [(reading, max(-_BEYOND, min(_BEYOND, (value - mean) / spread)), weight) for reading, value, weight in rows]
