"""What is believed of the mean reward of several choices, from few and noisy rewards, and how likely each is the best.

Rewards of one choice are taken as normal, with unknown mean and variance; belief in both is a normal-inverse-gamma
distribution. All choices share one prior, whose centre and strength are estimated from all of them together (partial
pooling): a choice with two lucky rewards is drawn towards the rest, one with twenty stands for itself, and one never
tried is believed to be like the others, only that nobody knows yet.

Choosing each as often as it is likely to be the best is Thompson sampling (W. R. Thompson, "On the likelihood that one
unknown probability exceeds another in view of the evidence of two samples", Biometrika, 1933); the chances are
computed here by integration, not drawn, so that they can be shown, and kept above a floor.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

__all__ = ["Posterior", "chances", "posteriors"]

_STEPS = 320  # points at which the chances are integrated
_REACH = 7.0  # spreads to either side that the integral covers
_SHAPE = 3.0  # of the prior of a variance: as if four rewards had told of it
_PULL = (1.0, 10.0)  # rewards that the prior may count for


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """What is believed of one choice's mean reward."""

    name: str
    count: int  # rewards it was given
    evidence: float  # the sum of their weights
    mean: float
    strength: float  # rewards, the prior's included, that the mean rests on
    shape: float  # of the inverse gamma distribution of the variance; more than 1
    scale: float  # likewise

    @property
    def spread(self) -> float:
        """The standard deviation of the belief in the mean."""
        return math.sqrt(self.scale / (self.strength * (self.shape - 1.0)))

    def interval(self, share: float = 0.8) -> tuple[float, float]:
        """Where the mean lies with this probability, nearly."""
        half = NormalDist().inv_cdf((1.0 + share) / 2.0) * self.spread
        return self.mean - half, self.mean + half

    def at(self, quantile: float) -> float:
        """The mean's quantile, nearly; a random one is a draw from the belief."""
        return self.mean + self.spread * NormalDist().inv_cdf(min(max(quantile, 1e-9), 1.0 - 1e-9))

    def density(self, value: float) -> float:
        """How likely the mean is to lie there, up to a factor: Student's t distribution of 2 x shape degrees."""
        scale = self.scale / (self.strength * self.shape)
        return float((1.0 + (value - self.mean) ** 2 / (2.0 * self.shape * scale)) ** (-self.shape - 0.5))


def posteriors(given: Mapping[str, Sequence[tuple[float, float]]]) -> tuple[Posterior, ...]:
    """What is believed of each choice.

    Args:
        given: each choice's rewards, as (value, weight > 0); a choice may have none.
    """
    evidence = {name: sum(weight for _, weight in rows) for name, rows in given.items()}
    means = {
        name: sum(value * weight for value, weight in rows) / evidence[name] for name, rows in given.items() if rows
    }
    squares = {name: sum(w * (v - means[name]) ** 2 for v, w in rows) for name, rows in given.items() if rows}
    # Four rewards' worth of a variance of 1, which rewards have by construction, keeps few rewards from fooling it.
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
    """The prior that all choices share: its centre, and how many rewards it counts for.

    The centre is the mean over choices, not over rewards: what is chosen often must not make the unknown look good. The
    more the choices differ from each other, beyond what noise explains, the less one tells of another.
    """
    if not means:
        return 0.0, _PULL[0]
    shares = {name: own / (own + _PULL[0]) for name, (_, own) in means.items()}
    total = sum(shares.values())
    centre = sum(shares[name] * mean for name, (mean, _) in means.items()) / total
    noise = sum(shares[name] * variance / own for name, (_, own) in means.items()) / total
    apart = sum(shares[name] * (mean - centre) ** 2 for name, (mean, _) in means.items()) / total
    between = max(apart * len(means) / max(len(means) - 1, 1) - noise, 0.0)
    # Two choices' worth of a quarter, a guess at how much moods differ, stands in for choices not tried yet.
    between = (total * between + 2.0 * 0.25) / (total + 2.0)
    return centre * total / (total + 1.0), min(max(variance / between, _PULL[0]), _PULL[1])


def chances(believed: Sequence[Posterior], *, floor: float = 0.0) -> dict[str, float]:
    """How likely each choice is the best, mixed with equal shares so that none falls below the floor.

    Args:
        believed: at least one.
        floor: the least chance of any, as a share of an equal one: 0 leaves the chances as they are, 1 makes them equal.
    """
    low = min(one.mean - _REACH * one.spread for one in believed)
    high = max(one.mean + _REACH * one.spread for one in believed)
    points = [low + (high - low) * step / _STEPS for step in range(_STEPS + 1)]
    best = dict.fromkeys((one.name for one in believed), 0.0)
    densities = [_shares([one.density(point) for point in points]) for one in believed]
    below = [_cumulated(row) for row in densities]
    for step in range(len(points)):
        product = math.prod(column[step] for column in below)
        if product > 0.0:
            for one, row, column in zip(believed, densities, below, strict=True):
                best[one.name] += row[step] * product / column[step]
    total = sum(best.values())
    even = 1.0 / len(best)
    return {name: (1.0 - floor) * value / total + floor * even for name, value in best.items()}


def _shares(values: Sequence[float]) -> list[float]:
    total = sum(values)
    return [value / total for value in values]


def _cumulated(densities: Sequence[float]) -> list[float]:
    """The probability of lying below each point, half of the point itself included; never quite 0."""
    return [max(upto - own / 2.0, 1e-300) for upto, own in zip(itertools.accumulate(densities), densities, strict=True)]
