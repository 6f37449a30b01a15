"""Rewards: the engagement of artworks, normalised so that artworks can be compared, and the choices that follow.

Raw counts depend on the channel, its followers and the post's age. So, for each post:

1. **Age.** Its points are taken at seven days, or at the nearest measurement, and divided by the share that a post
   typically has by then.
2. **Followers and channel.** `log(1 + points) - log(followers + 30)`, standardised by the channel's mean and standard
   deviation, and clipped to 2.5 so that one viral post does not dominate.
3. **Weight.** Young posts weigh less than grown ones, and old ones less than new ones: half after each half-life,
   counted back from the newest post, so that the same data always gives the same rewards.

An artwork's reward is the weighted mean over its channels.

The rewards of a choice are modelled as normal with unknown mean and variance, whose posterior is a normal-inverse-gamma
distribution. All choices share one prior, whose centre and strength are estimated from all of them (partial pooling).
Drawing each with its probability of being the best is Thompson sampling (W. R. Thompson, "On the likelihood that one
unknown probability exceeds another in view of the evidence of two samples", Biometrika, 1933); the chances are computed
here by integration, so that they can be shown and kept above a floor.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist

__all__ = ["GROWN", "Posterior", "Reading", "Reward", "chances", "growth", "posteriors", "rewards"]


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

    A reading counts half after `half_life`.
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


_STEPS = 320  # points of the integration
_REACH = 7.0  # standard deviations covered on either side
_SHAPE = 3.0  # of the variance's prior: worth four rewards
_PULL = (1.0, 10.0)  # how many rewards the prior may be worth


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """The posterior of one choice's mean reward."""

    name: str
    count: int  # its rewards
    evidence: float  # the sum of their weights
    mean: float
    strength: float  # rewards that determine the mean, including the prior's
    shape: float  # of the inverse gamma distribution of the variance; more than 1
    scale: float  # likewise

    @property
    def spread(self) -> float:
        """The posterior standard deviation of the mean."""
        return math.sqrt(self.scale / (self.strength * (self.shape - 1.0)))

    def interval(self, share: float = 0.8) -> tuple[float, float]:
        """The credible interval of the mean with this probability, approximately."""
        half = NormalDist().inv_cdf((1.0 + share) / 2.0) * self.spread
        return self.mean - half, self.mean + half

    def at(self, quantile: float) -> float:
        """A quantile of the mean, approximately; a random quantile is a draw from the posterior."""
        return self.mean + self.spread * NormalDist().inv_cdf(min(max(quantile, 1e-9), 1.0 - 1e-9))

    def density(self, value: float) -> float:
        """The density of the mean, up to a factor: Student's t distribution with 2 x shape degrees of freedom."""
        scale = self.scale / (self.strength * self.shape)
        return float((1.0 + (value - self.mean) ** 2 / (2.0 * self.shape * scale)) ** (-self.shape - 0.5))


def posteriors(given: Mapping[str, Sequence[tuple[float, float]]]) -> tuple[Posterior, ...]:
    """The posterior of each choice.

    Its rewards are (value, weight > 0); it may have none.
    """
    evidence = {name: sum(weight for _, weight in rows) for name, rows in given.items()}
    means = {
        name: sum(value * weight for value, weight in rows) / evidence[name] for name, rows in given.items() if rows
    }
    squares = {name: sum(w * (v - means[name]) ** 2 for v, w in rows) for name, rows in given.items() if rows}
    # A variance of 1, which rewards have by construction, worth four rewards stabilises the estimate of few rewards.
    variance = (sum(squares.values()) + 4.0) / (sum(evidence.values()) + 4.0)
    centre, pull = _shared({name: (mean, evidence[name]) for name, mean in means.items()}, variance)
    made = []
    for name, rows in given.items():
        own, mean = evidence[name], means.get(name, centre)
        strength = pull + own
        made.append(
            Posterior(
                name=name,
                count=len(rows),
                evidence=own,
                strength=strength,
                shape=_SHAPE + own / 2.0,
                mean=(pull * centre + own * mean) / strength,
                scale=(_SHAPE - 1.0) * variance
                + (squares.get(name, 0.0) + pull * own * (mean - centre) ** 2 / strength) / 2.0,
            )
        )
    return tuple(made)


def _shared(means: Mapping[str, tuple[float, float]], variance: float) -> tuple[float, float]:
    """The shared prior: its centre, and how many rewards it is worth.

    The centre is the mean over choices, not over rewards: frequent choices must not raise the estimate of untried
    ones. The more the choices differ, beyond what noise explains, the weaker the prior.
    """
    if not means:
        return 0.0, _PULL[0]
    shares = {name: own / (own + _PULL[0]) for name, (_, own) in means.items()}
    total = sum(shares.values())
    centre = sum(shares[name] * mean for name, (mean, _) in means.items()) / total
    noise = sum(shares[name] * variance / own for name, (_, own) in means.items()) / total
    apart = sum(shares[name] * (mean - centre) ** 2 for name, (mean, _) in means.items()) / total
    between = max(apart * len(means) / max(len(means) - 1, 1) - noise, 0.0)
    # A variance of 0.25 between choices, a guess, worth two choices stands in for untried ones.
    between = (total * between + 2.0 * 0.25) / (total + 2.0)
    return centre * total / (total + 1.0), min(max(variance / between, _PULL[0]), _PULL[1])


def chances(choices: Sequence[Posterior], *, floor: float = 0.0) -> dict[str, float]:
    """Each choice's probability of being the best, mixed with equal shares so that none falls below the floor.

    Args:
        choices: at least one.
        floor: the least probability, as a fraction of an equal share: 0 changes nothing, 1 makes all equal.
    """
    low = min(choice.mean - _REACH * choice.spread for choice in choices)
    high = max(choice.mean + _REACH * choice.spread for choice in choices)
    points = [low + (high - low) * step / _STEPS for step in range(_STEPS + 1)]
    best = dict.fromkeys((choice.name for choice in choices), 0.0)
    densities = [_shares([choice.density(point) for point in points]) for choice in choices]
    below = [_cumulated(row) for row in densities]
    for step in range(len(points)):
        product = math.prod(column[step] for column in below)
        if product > 0.0:
            for choice, row, column in zip(choices, densities, below, strict=True):
                best[choice.name] += row[step] * product / column[step]
    total = sum(best.values())
    even = 1.0 / len(best)
    return {name: (1.0 - floor) * value / total + floor * even for name, value in best.items()}


def _shares(values: Sequence[float]) -> list[float]:
    total = sum(values)
    return [value / total for value in values]


def _cumulated(densities: Sequence[float]) -> list[float]:
    """The probability of lying below each point, including half of the point itself; never exactly 0."""
    return [max(upto - own / 2.0, 1e-300) for upto, own in zip(itertools.accumulate(densities), densities, strict=True)]
