"""Preferences for moods and styles, learned from the engagement of published artworks.

Each published artwork has a reward; rewards give posteriors and probabilities (`domain.reward`).

- **A mood** is drawn by its probability of being the best (Thompson sampling), mixed with equal shares so that every
  mood stays possible. This applies to a share of the artworks that grows with the evidence; the mood of the others is
  read from the poem.
- **A style** is not chosen here: each style used before gets a weight from 1/3 to 3, by which the stylist multiplies
  its probability. The weight is drawn from the style's posterior, so uncertain styles vary more.

Every draw derives from the artwork's seed: the same seed and data give the same choice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.domain.mood import MOODS
from auria_bot.domain.pipeline import SEEDS
from auria_bot.domain.reward import GROWN, Reading, chances, posteriors, rewards
from auria_bot.services.studio.plan import derive, draw_mood

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from auria_bot.domain.reward import Posterior, Reward
    from auria_bot.store.unit_of_work import Store

__all__ = ["Preference", "PreferenceModel", "Preferences", "preferences_from"]

_ENOUGH = 10.0  # grown artworks of today at which half of the largest share is reached
_MOST = 3.0  # the largest weight of a style; the smallest is its inverse
_UNTRIED = ""  # stands for every style that was never used


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """The estimate for one mood or style."""

    name: str  # a mood's name or a style's key
    artworks: int  # published with it and measured
    mean: float  # of their rewards: 0 is average, 1 is one standard deviation better; shrunk towards 0 if there are few
    low: float  # the mean lies between low and high with probability 0.8
    high: float
    chance: float  # moods: probability of being drawn next; styles: mean weight, 1 for one never used


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """The preferences, and how much they count."""

    enabled: bool
    artworks: int  # published and measured
    evidence: float  # the same, young and old ones counted as fractions
    share: float  # of artworks without a requested mood, the share whose mood is drawn
    floor: float  # the smallest probability of a mood
    moods: tuple[Preference, ...]  # every mood, most likely first
    styles: tuple[Preference, ...]  # used styles, best first
    posteriors: tuple[Posterior, ...] = ()  # of styles; the first is that of one never used

    def mood(self, seed: int) -> str | None:
        """The mood for an artwork with that seed, or None if it is to be read from the poem."""
        if derive(seed, "leaning") / SEEDS >= self.share:
            return None
        return draw_mood(seed, {preference.name: preference.chance for preference in self.moods})

    def weights(self, seed: int) -> dict[str, float]:
        """By style key, the factor on a style's probability relative to an unused one."""
        if not (self.enabled and self.posteriors):
            return {}
        unused = self.posteriors[0].mean
        drawn = {
            posterior.name: posterior.at(derive(seed, "leaning", posterior.name) / SEEDS)
            for posterior in self.posteriors[1:]
        }
        return {name: round(_weight(value - unused), 6) for name, value in drawn.items()}


class PreferenceModel:
    """Computes the current preferences.

    Usage::

        preferences = model.preferences()
        mood = preferences.mood(seed) or "read"
    """

    def __init__(
        self, *, store: Store, half_life: timedelta, enabled: bool = True, share: float = 0.8, explore: float = 0.2
    ) -> None:
        """Set the collaborators.

        Args:
            half_life: after that time an artwork counts half.
            enabled: if false, preferences are reported but choose nothing.
            share: of artworks without a requested mood, the largest share whose mood is drawn; 0 to 1.
            explore: the part of the probability that is shared equally among moods, 0 to 1.
        """
        self._store, self._half_life, self._enabled = store, half_life, enabled
        self._share, self._explore = share, explore

    def preferences(self) -> Preferences:
        """The preferences that follow from the engagement so far."""
        with self._store.read() as unit:
            posts = unit.samples.post_engagements(grown=GROWN)
        readings = [
            Reading(
                draft_id=post.draft_id,
                channel=post.channel,
                mood=post.mood,
                style=post.style,
                posted_at=post.posted_at,
                age=post.counts.at - post.posted_at,
                points=post.counts.points,
                followers=post.followers,
            )
            for post in posts
            if post.counts is not None and post.counts.points is not None
        ]
        measured = rewards(readings, half_life=self._half_life)
        return preferences_from(measured, enabled=self._enabled, share=self._share, explore=self._explore)


def preferences_from(
    measured: Sequence[Reward], *, enabled: bool = True, share: float = 0.8, explore: float = 0.2
) -> Preferences:
    """The preferences that follow from rewards; see `PreferenceModel` for the arguments."""
    measured = [reward for reward in measured if reward.mood in MOODS]
    evidence = sum(reward.weight for reward in measured)
    of_moods: dict[str, list[tuple[float, float]]] = {name: [] for name in MOODS}
    of_styles: dict[str, list[tuple[float, float]]] = {_UNTRIED: []}
    for reward in measured:
        of_moods[reward.mood].append((reward.value, reward.weight))
        of_styles.setdefault(reward.style, []).append((reward.value, reward.weight))
    moods = posteriors(of_moods)
    chance = chances(moods, floor=explore)
    styles = posteriors(of_styles)
    weight = {style.name: _weight(style.mean - styles[0].mean) for style in styles}
    return Preferences(
        enabled=enabled,
        artworks=len(measured),
        evidence=evidence,
        posteriors=styles,
        floor=explore / len(MOODS),
        share=share * evidence / (evidence + _ENOUGH) if enabled else 0.0,
        moods=_ordered(moods, chance),
        styles=_ordered(styles[1:], weight),
    )


def _ordered(beliefs: Sequence[Posterior], chance: Mapping[str, float]) -> tuple[Preference, ...]:
    made = []
    for belief in beliefs:
        low, high = belief.interval()
        made.append(
            Preference(
                name=belief.name,
                artworks=belief.count,
                mean=belief.mean,
                low=low,
                high=high,
                chance=chance[belief.name],
            )
        )
    return tuple(sorted(made, key=lambda preference: (-preference.chance, -preference.mean, preference.name)))


def _weight(better: float) -> float:
    """The weight of a style whose mean reward is so much better than an unused one's."""
    return min(max(math.exp(better), 1.0 / _MOST), _MOST)
