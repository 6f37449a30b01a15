"""Preferences: from rewards, from a real store, and in a simulation whose followers like one mood."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.engagement import Engagement
from auria_bot.domain.mood import MOODS
from auria_bot.domain.reward import GROWN, Reading, Reward, rewards
from auria_bot.services.engagement.preferences import PreferenceModel, Preferences, preferences_from
from auria_bot.services.studio.plan import derive
from tests.engaged import add_sent
from tests.factories import NOW

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store

DAY = timedelta(days=1)
HALF_LIFE = 45 * DAY


def _reward(number: int, value: float, *, mood: str = "serene", style: str = "a", weight: float = 1.0) -> Reward:
    return Reward(draft_id=number, mood=mood, style=style, value=value, weight=weight)


def test_without_counts_nothing_is_chosen():
    """The mood is read from the poem and no painting weighs more than another; all chances are alike."""
    found = preferences_from([])
    assert (found.artworks, found.evidence, found.share) == (0, 0.0, 0.0)
    assert {found.mood(seed) for seed in range(200)} == {None}
    assert found.weights(7) == {}
    assert [one.chance for one in found.moods] == pytest.approx([1 / len(MOODS)] * len(MOODS))
    assert found.styles == ()


def test_evidence_raises_the_share():
    """After ten artworks half of the greatest share is reached; young ones count as parts; drawn moods come so often."""
    found = preferences_from([_reward(number, 0.1) for number in range(10)], share=0.8)
    assert found.share == pytest.approx(0.4)
    drawn = sum(found.mood(seed) is not None for seed in range(3000)) / 3000
    assert drawn == pytest.approx(0.4, abs=0.03)
    young = preferences_from([_reward(number, 0.1, weight=0.5) for number in range(10)])
    assert young.evidence == 5.0
    assert young.share < found.share


def test_switched_off_everything_is_told_and_nothing_chosen():
    """She knows what was loved and does not follow it."""
    found = preferences_from([_reward(number, 1.0) for number in range(50)], enabled=False)
    assert found.artworks == 50
    assert found.moods[0].mean > 0.5
    assert (found.mood(3), found.weights(3)) == (None, {})


def test_the_same_seed_and_data_choose_the_same():
    """Other seeds choose other moods, in the shares that are told."""
    found = preferences_from([_reward(number, 1.0, mood="stormy") for number in range(40)], share=1.0)
    again = preferences_from([_reward(number, 1.0, mood="stormy") for number in range(40)], share=1.0)
    assert [found.mood(seed) for seed in range(300)] == [again.mood(seed) for seed in range(300)]
    drawn = Counter(mood for seed in range(4000) if (mood := found.mood(seed)))
    told = {one.name: one.chance for one in found.moods}
    assert drawn["stormy"] / drawn.total() == pytest.approx(told["stormy"], abs=0.03)
    assert set(drawn) == set(MOODS)


def test_a_mood_of_another_version_is_left_out():
    """An artwork whose mood is no longer known tells nothing."""
    assert preferences_from([_reward(1, 2.0, mood="hangry")]).artworks == 0


def test_paintings_get_weights_within_bounds():
    """A loved painting is up to three times likelier, an unloved one up to three times less; doubt makes it vary."""
    rows = [_reward(number, 2.5, style="loved") for number in range(30)]
    rows += [_reward(100 + number, -2.5, style="unloved") for number in range(30)]
    rows += [_reward(200, 0.3, style="once")]
    found = preferences_from(rows)
    weights = [found.weights(seed) for seed in range(100)]
    assert {weight["loved"] for weight in weights} == {3.0}
    assert {weight["unloved"] for weight in weights} == {round(1 / 3, 6)}
    once = [weight["once"] for weight in weights]
    assert min(once) < 0.9
    assert max(once) > 1.25
    assert found.weights(5) == found.weights(5)
    assert [one.name for one in found.styles] == ["loved", "once", "unloved"]
    assert all(one.low < one.mean < one.high for one in found.styles)


def test_leanings_come_from_the_store(store: Store):
    """Stormy posts were liked ten times as much: she leans to them, on either database."""
    with store.begin() as unit:
        for number in range(1, 25):
            mood, likes = ("stormy", 100 + number) if number % 2 else ("serene", 10 + number)
            add_sent(unit, number, at=NOW - number * DAY, mood=mood, likes=likes, age=min(number * DAY, 8 * DAY))
        add_sent(unit, 30, at=NOW)  # never measured
        add_sent(unit, 31, at=NOW, channel="folder")
    moods = PreferenceModel(store=store, half_life=HALF_LIFE)
    found = moods.preferences()
    assert found.artworks == 24
    assert found.moods[0].name == "stormy"
    assert found.moods[0].mean > 0.7
    assert next(one for one in found.moods if one.name == "serene").mean < -0.7
    assert found == moods.preferences()
    assert not PreferenceModel(store=store, half_life=HALF_LIFE, enabled=False).preferences().enabled


def test_uncounted_posts_tell_nothing(store: Store):
    """A channel that counts nothing, and posts never measured, leave her as she was."""
    with store.begin() as unit:
        for number in range(1, 6):
            post = add_sent(unit, number, at=NOW - number * DAY)
            if number > 2:
                unit.samples.add(post.id, Engagement(at=NOW, views=500))
    assert PreferenceModel(store=store, half_life=HALF_LIFE).preferences().artworks == 0


@dataclass
class Town:
    """Followers who love one mood: posts in it get e times the points of others, and luck does the rest."""

    seed: int
    loved: str
    readings: list[Reading] = field(default_factory=list)
    moods: list[str] = field(default_factory=list)

    def lean(self) -> Preferences:
        return preferences_from(rewards(self.readings, half_life=HALF_LIFE))

    def live(self, days: int, *, every: int = 4) -> list[Preferences]:
        """One post a day; what she leans to is looked up anew every few days. Half of the poems have a mood of their own."""
        chance, seen = random.Random(derive(self.seed, "town", len(self.moods))), list[Preferences]()
        for day in range(len(self.moods), len(self.moods) + days):
            if not seen or day % every == 0:
                seen.append(self.lean())
            mood = seen[-1].mood(derive(self.seed, day)) or chance.choice(list(MOODS))
            points = math.exp(chance.gauss(3.0 + (mood == self.loved), 0.5))
            self.moods.append(mood)
            self.readings.append(
                Reading(
                    draft_id=day,
                    channel="x",
                    mood=mood,
                    style="s",
                    posted_at=NOW + day * DAY,
                    age=GROWN,
                    points=round(points),
                    followers=300 + day,
                )
            )
        return seen


def _often(moods: list[str], mood: str) -> float:
    return moods.count(mood) / len(moods)


@pytest.mark.parametrize("seed", [1, 2])
def test_she_finds_what_is_loved_and_follows_when_taste_turns(seed: int):
    """Within 150 posts the liked mood leads and none vanishes; 150 posts after the taste changed, so has the choice."""
    town = Town(seed=seed, loved="wistful")
    seen = town.live(150)
    (first, often), (_, second) = Counter(town.moods[-60:]).most_common(2)
    assert first == "wistful"
    assert often > 3 * second
    town.loved = "stormy"
    seen += town.live(150)
    assert Counter(town.moods[-50:]).most_common(1)[0][0] == "stormy"
    assert min(one.chance for found in seen for one in found.moods) >= 0.2 / len(MOODS)
    # Regret: the days on which something else was made. One who chooses at random misses nineteen in twenty.
    missed = 1 - (town.moods[:150].count("wistful") + town.moods[150:].count("stormy")) / 300
    assert missed < 0.75


def test_she_stays_curious_where_nothing_is_loved():
    """When followers do not care, no mood takes over."""
    town = Town(seed=3, loved="none of them")
    town.live(160, every=8)
    assert max(Counter(town.moods[-80:]).values()) <= 20
    assert len(set(town.moods)) >= 18
    assert max(one.chance for one in town.lean().moods) < 0.5
    assert _often(town.moods, "serene") < 0.25
