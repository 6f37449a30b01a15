"""Tests of auria_bot.art.stylists.choice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from auria_bot.art.colour import ColourDistribution
from auria_bot.art.stylists.choice import EMOTION_COORDINATES, affinity, choose_medium, choose_painting, scores
from auria_bot.art.stylists.style_bank import StyleBank
from auria_bot.domain.mood import EMOTIONS, MOODS
from tests.unit.art.stylists.test_style_bank import painting

MODELS = Path(__file__).resolve().parents[4] / "models"
NOTHING = np.zeros(384, np.float32)
NIGHT = ColourDistribution.of(np.random.default_rng(0).normal([15, 5, -20], [8, 4, 8], (2000, 3)).astype(np.float32))
DAWN = ColourDistribution.of(np.random.default_rng(0).normal([60, 25, 45], [12, 8, 10], (2000, 3)).astype(np.float32))


def test_every_emotion_has_a_place() -> None:
    """The twenty categories lie between -1 and 1 in both ways."""
    assert set(EMOTION_COORDINATES) == set(EMOTIONS)
    assert all(-1 <= value <= 1 for place in EMOTION_COORDINATES.values() for value in place)


def test_moods_ask_for_their_own_feelings() -> None:
    """A joyful mood likes a happy painting better than a fearful one, a stormy one the other way round."""
    happy, fearful = painting(), painting(emotions=(("fear", 1.0),))
    assert affinity(MOODS["joyful"], happy) > affinity(MOODS["joyful"], fearful) + 0.5
    assert affinity(MOODS["stormy"], fearful) > affinity(MOODS["stormy"], happy)


def test_everything_that_should_count_counts() -> None:
    """Nearer colours, nearer meaning and a title of nature each raise the score."""
    base = painting()
    distance = replace(base, colours=replace(base.colours, mean=base.colours.mean + 40))
    inside = replace(base, nature=0.0)
    value = scores(
        StyleBank(paintings=(base, distance, inside)), mood=MOODS["serene"], meaning=base.meaning, colours=base.colours
    )
    assert value[0] > value[1]
    assert value[0] > value[2]
    without = scores(StyleBank(paintings=(base,)), mood=MOODS["serene"], meaning=NOTHING, colours=base.colours)
    assert value[0] > without[0]


def test_winter_stays_white() -> None:
    """For a pale picture a painting much darker than it loses a point where all else is alike; a night does not mind."""

    def lost(lightness: float) -> float:
        picture = ColourDistribution(
            mean=np.array([lightness, 0.0, -2.0]), covariance=10 * np.eye(3), marginals=np.empty((9, 0))
        )
        same, dark = (
            replace(painting(), colours=replace(picture, mean=picture.mean - [by, 0.0, 0.0])) for by in (0.0, 30.0)
        )
        value = scores(StyleBank(paintings=(same, dark)), mood=MOODS["still"], meaning=NOTHING, colours=picture)
        return float(value[0] - value[1])

    assert lost(80) > lost(40) + 0.7


def test_the_seed_decides_and_decides_again() -> None:
    """One seed gives one painting; thirty seeds give several."""
    bank = StyleBank.load(MODELS / "styles")
    chosen = [
        choose_painting(bank, mood=MOODS["serene"], meaning=NOTHING, colours=DAWN, seed=seed).key for seed in range(30)
    ]
    again = choose_painting(bank, mood=MOODS["serene"], meaning=NOTHING, colours=DAWN, seed=7).key
    assert chosen[7] == again
    assert len(set(chosen)) >= 3


def test_lately_used_paintings_rest() -> None:
    """Twenty choices in a row are twenty paintings, and a bank of one still gives its one."""
    bank = StyleBank.load(MODELS / "styles")
    recent: list[str] = []
    for seed in range(20):
        recent.insert(
            0, choose_painting(bank, mood=MOODS["joyful"], meaning=NOTHING, colours=DAWN, seed=seed, recent=recent).key
        )
    assert len(set(recent)) == 20
    single = StyleBank(paintings=(painting(),))
    assert (
        choose_painting(single, mood=MOODS["joyful"], meaning=NOTHING, colours=DAWN, seed=1, recent=["a-sea"]).key
        == "a-sea"
    )


def test_a_leaning_multiplies_a_paintings_chance() -> None:
    """Three times the weight is about three times as often, a third a third; an unknown key changes nothing."""
    bank = StyleBank.load(MODELS / "styles")

    def drawn(weights: dict[str, float] | None) -> Counter[str]:
        return Counter(
            choose_painting(bank, mood=MOODS["serene"], meaning=NOTHING, colours=DAWN, seed=seed, weights=weights).key
            for seed in range(120)
        )

    plain = drawn(None)
    key, often = plain.most_common(3)[2]
    rest = 120 - often
    for weight in (3.0, 1 / 3):
        expected = 120 * weight * often / (weight * often + rest)
        assert abs(drawn({key: weight})[key] - expected) < 4 + expected / 4
    assert drawn({"of another bank": 3.0}) == plain == drawn({})


def test_a_dawn_is_not_turned_blue() -> None:
    """For a warm picture paintings are warm, for a night dark: by mean colour, over ten seeds and two moods."""
    bank = StyleBank.load(MODELS / "styles")
    for mood in ("hopeful", "dreamy"):
        for seed in range(10):
            warm = choose_painting(bank, mood=MOODS[mood], meaning=NOTHING, colours=DAWN, seed=seed)
            dark = choose_painting(bank, mood=MOODS[mood], meaning=NOTHING, colours=NIGHT, seed=seed)
            assert warm.colours.mean[2] > 10, warm.key
            assert dark.colours.mean[0] < 50, dark.key


def test_ink_is_for_calm_moods_and_paintings_of_little_colour() -> None:
    """A gold Klimt stays oil in every mood; ink and watercolour are drawn for some of the artworks that they suit."""
    bank = {painting.title: painting for painting in StyleBank.load(MODELS / "styles").paintings}
    klimt, monet = bank["Portrait of Adele Bloch-Bauer I"], bank["The Customs House at Varengeville"]
    media = {
        (title, mood): Counter(choose_medium(found, mood=MOODS[mood], seed=seed) for seed in range(200))
        for title, found in (("klimt", klimt), ("monet", monet))
        for mood in ("wistful", "stormy")
    }
    assert media["klimt", "wistful"] == media["klimt", "stormy"] == media["monet", "stormy"] == {"oil": 200}
    assert set(media["monet", "wistful"]) == {"oil", "ink"}
    assert 30 < media["monet", "wistful"]["ink"] < 90
