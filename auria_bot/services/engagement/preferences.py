"""What Auria leans to: moods and paintings, by how followers received the artworks made in them.

Each artwork that went out has a reward (`domain.reward`); rewards make beliefs, and beliefs chances (`domain.belief`).

- **A mood** is drawn by its chance of being the best loved (Thompson sampling), mixed with equal shares so that no mood
  ever dies out. This happens to a share of the artworks that grows with the evidence; the mood of the others is read from
  the poem, as that of all is while nothing was measured.
- **A painting** is not chosen here: each that was used before gets a weight, from a third to three, by which the
  stylist multiplies its chance. The weight is drawn from the belief in it, so that doubt makes it vary.

Every draw comes from the artwork's seed: the same seed and the same data choose the same. Knows the store as a Protocol;
does not know how a mood steers a poem, nor what else a painting must suit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.domain.mood import MOODS
from auria_bot.domain.request import SEEDS
from auria_bot.domain.reward import GROWN, Reading, rewards
from auria_bot.domain.thompson_sampling import chances, posteriors
from auria_bot.services.studio.plan import derive, draw_mood

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from auria_bot.domain.reward import Reward
    from auria_bot.domain.thompson_sampling import Posterior
    from auria_bot.store.unit_of_work import Store

__all__ = ["Preference", "PreferenceModel", "Preferences", "preferences_from"]

_ENOUGH = 10.0  # grown artworks of today, at which half of the greatest share is reached
_MOST = 3.0  # times that a loved painting is likelier than another; one that is not loved is as much less likely
_UNTRIED = ""  # stands for every painting that was never used


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What is believed of one mood or painting."""

    name: str  # a mood's name or a style's key
    artworks: int  # that went out in it and were measured
    mean: float  # of their rewards: 0 is usual, 1 a spread better; where there are few, drawn to what is usual
    low: float  # the mean lies between low and high with a probability of four fifths
    high: float
    chance: float  # moods: of being drawn next; styles: the weight as it is on average, 1 for one never used


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What Auria leans to, and how much that counts."""

    enabled: bool
    artworks: int  # that went out and were measured
    evidence: float  # the same, the young and the old counted as parts
    share: float  # of the artworks made without a wish, those whose mood is drawn by chance; the others' is read
    floor: float  # below which no mood's chance falls
    moods: tuple[Preference, ...]  # every mood, the most likely first
    styles: tuple[Preference, ...]  # paintings that were used, the best loved first
    believed: tuple[Posterior, ...] = ()  # what is believed of paintings; the first is one never used

    def mood(self, seed: int) -> str | None:
        """The mood for an artwork with that seed, or None where it is to be read from the poem."""
        if derive(seed, "leaning") / SEEDS >= self.share:
            return None
        return draw_mood(seed, {leaning.name: leaning.chance for leaning in self.moods})

    def weights(self, seed: int) -> dict[str, float]:
        """How many times likelier than an unknown one each painting is made, by the styles' keys."""
        if not (self.enabled and self.believed):
            return {}
        usual = self.believed[0].mean
        drawn = {one.name: one.at(derive(seed, "leaning", one.name) / SEEDS) for one in self.believed[1:]}
        return {name: round(_weight(value - usual), 6) for name, value in drawn.items()}


class PreferenceModel:
    """Tells what Auria leans to now.

    Usage::

        leanings = moods.leanings()
        mood = leanings.mood(seed) or "read"
    """

    def __init__(
        self, *, store: Store, half_life: timedelta, enabled: bool = True, share: float = 0.8, explore: float = 0.2
    ) -> None:
        """Join the collaborators.

        Args:
            store: where posts and counts are kept.
            half_life: after that much time an artwork counts half.
            enabled: where it is off, everything is told and nothing is chosen.
            share: of artworks made without a wish, the most whose mood is drawn; 0 to 1.
            explore: how much of the chances is shared out equally, 0 to 1.
        """
        self._store, self._half_life, self._enabled = store, half_life, enabled
        self._share, self._explore = share, explore

    def leanings(self) -> Preferences:
        """What followers' deeds so far make her lean to."""
        with self._store.read() as unit:
            standings = unit.samples.post_engagements(grown=GROWN)
        readings = [
            Reading(
                draft_id=one.draft_id,
                channel=one.channel,
                mood=one.mood,
                style=one.style,
                posted_at=one.posted_at,
                age=one.counts.at - one.posted_at,
                points=one.counts.points,
                followers=one.followers,
            )
            for one in standings
            if one.counts is not None and one.counts.points is not None
        ]
        found = rewards(readings, half_life=self._half_life)
        return preferences_from(found, enabled=self._enabled, share=self._share, explore=self._explore)


def preferences_from(
    found: Sequence[Reward], *, enabled: bool = True, share: float = 0.8, explore: float = 0.2
) -> Preferences:
    """What rewards make her lean to; see `PreferenceModel` for the arguments."""
    found = [reward for reward in found if reward.mood in MOODS]
    evidence = sum(reward.weight for reward in found)
    of_moods: dict[str, list[tuple[float, float]]] = {name: [] for name in MOODS}
    of_styles: dict[str, list[tuple[float, float]]] = {_UNTRIED: []}
    for reward in found:
        of_moods[reward.mood].append((reward.value, reward.weight))
        of_styles.setdefault(reward.style, []).append((reward.value, reward.weight))
    moods = posteriors(of_moods)
    chance = chances(moods, floor=explore)
    styles = posteriors(of_styles)
    weight = {one.name: _weight(one.mean - styles[0].mean) for one in styles}
    return Preferences(
        enabled=enabled,
        artworks=len(found),
        evidence=evidence,
        believed=styles,
        floor=explore / len(MOODS),
        share=share * evidence / (evidence + _ENOUGH) if enabled else 0.0,
        moods=_ordered(moods, chance),
        styles=_ordered(styles[1:], weight),
    )


def _ordered(believed: Sequence[Posterior], chance: Mapping[str, float]) -> tuple[Preference, ...]:
    made = []
    for one in believed:
        low, high = one.interval()
        made.append(
            Preference(name=one.name, artworks=one.count, mean=one.mean, low=low, high=high, chance=chance[one.name])
        )
    return tuple(sorted(made, key=lambda leaning: (-leaning.chance, -leaning.mean, leaning.name)))


def _weight(better: float) -> float:
    """The weight of a painting whose mean reward is so much better than an unknown one's."""
    return min(max(math.exp(better), 1.0 / _MOST), _MOST)
