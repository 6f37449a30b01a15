"""Posteriors of the mean rewards of several choices, and each choice's probability of being the best.

Rewards of a choice are modelled as normal with unknown mean and variance, whose posterior is a normal-inverse-gamma
distribution. All choices share one prior, whose centre and strength are estimated from all of them (partial pooling):
a choice with two lucky rewards is shrunk towards the rest, one with twenty hardly, and an untried one has the prior.

Drawing each choice with its probability of being the best is Thompson sampling (W. R. Thompson, "On the likelihood
that one unknown probability exceeds another in view of the evidence of two samples", Biometrika, 1933); the chances
are computed here by integration, not sampled, so that they can be shown and kept above a floor.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

__all__ = ["Posterior", "chances", "posteriors"]

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

    Args:
        given: each choice's rewards, as (value, weight > 0); a choice may have none.
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
