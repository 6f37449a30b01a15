"""What is learned from the operator's decisions."""

from __future__ import annotations

import random

import pytest

from auria_bot.domain.approval import LATEST, Decision, accuracy, fit


def decided(count: int, *, seed: int = 0, traits: int = 3) -> list[Decision]:
    """Decisions of an operator who likes the first trait and is indifferent to the others."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        values = tuple(chance.gauss(0, 1) for _ in range(traits))
        made.append(Decision(draft_id=number + 1, approved=values[0] + chance.gauss(0, 0.5) > 0, traits=values))
    return made


def test_the_liked_trait_is_found() -> None:
    """Its weight is the largest by far, and paintings that have it score higher."""
    learned = fit(decided(200))
    assert learned.weights[0] > 3 * max(abs(weight) for weight in learned.weights[1:])
    assert learned.score((1.0, 0.0, 0.0)) > 0 > learned.score((-1.0, 0.0, 0.0))


def test_few_decisions_count_little() -> None:
    """The share grows with the evidence and stays under 1."""
    shares = [fit(decided(count)).share for count in (4, 20, 100, 300)]
    assert shares == sorted(shares)
    assert shares[0] < 0.2
    assert shares[-1] < 1


def test_nothing_is_learned_from_one_kind() -> None:
    """Without a rejection, or without a decision, there are no weights."""
    approved = [Decision(draft_id=1, approved=True, traits=(1.0, 2.0))]
    for decisions in ([], approved, approved * 5):
        learned = fit(decisions)
        assert (learned.weights, learned.share, learned.counted()) == ((), 0.0, ())


def test_other_traits_are_left_out() -> None:
    """After a change of the painter only decisions with its traits count, and of those the latest."""
    old = [Decision(draft_id=9, approved=False, traits=(5.0,))]
    assert fit(old * 50 + decided(40)).decisions == 40
    assert fit(decided(LATEST + 50)).decisions == LATEST


def test_accuracy() -> None:
    """It is high for a clear taste, near one half for none, and unknown without pairs."""
    assert (accuracy(decided(120)) or 0) > 0.8
    chance = random.Random(1)
    none = [
        Decision(draft_id=each.draft_id, approved=chance.random() < 0.5, traits=each.traits) for each in decided(200)
    ]
    assert accuracy(none) == pytest.approx(0.5, abs=0.15)
    assert accuracy([]) is None


def test_traits_of_another_magnitude() -> None:
    """The fit ends after a bounded number of steps, with the right sign."""
    large = [
        Decision(draft_id=number, approved=number % 2 == 0, traits=(1000.0 if number % 2 else -1000.0,))
        for number in range(40)
    ]
    assert -1 < fit(large).weights[0] < 0


def test_equal_traits() -> None:
    """Traits that never vary get no weight, and nothing fails."""
    same = [Decision(draft_id=number, approved=number % 2 == 0, traits=(0.0, 0.0)) for number in range(20)]
    assert fit(same).weights == pytest.approx((0.0, 0.0))
