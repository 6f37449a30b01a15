"""How artworks are compared."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from auria_bot.domain.reward import GROWN, Reading, chances, growth, posteriors, rewards
from tests.factories import NOW

DAY = timedelta(days=1)
HALF_LIFE = 45 * DAY


def _reading(draft: int, points: float, **changes) -> Reading:
    usual = Reading(
        draft_id=draft, channel="a", mood="serene", style="s", posted_at=NOW, age=GROWN, points=points, followers=100
    )
    return replace(usual, **changes)


def _values(*readings: Reading) -> dict[int, float]:
    return {one.draft_id: one.value for one in rewards(readings, half_life=HALF_LIFE)}


def test_nothing_tells_nothing():
    """There is no reward without a sample, from fewer than three posts of a channel, or where all counts are zero."""
    assert rewards([], half_life=HALF_LIFE) == ()
    assert _values(_reading(1, 5), _reading(2, 9)) == {}
    assert _values(*(_reading(number, 0) for number in range(5))) == {}


def test_more_is_better():
    """The usual is about nought, and the order is that of the points."""
    values = _values(*(_reading(number, points) for number, points in enumerate((5, 10, 20, 40))))
    assert sorted(values, key=values.__getitem__) == [0, 1, 2, 3]
    assert sum(values.values()) == pytest.approx(0.0, abs=1e-9)


def test_one_miracle_is_bounded():
    """A post that goes round the world counts no more than 2.5 spreads."""
    values = _values(*(_reading(number, 10) for number in range(40)), _reading(99, 1e9))
    assert values[99] == 2.5


def test_channels_are_compared_with_themselves():
    """Twenty points where two are usual beat two hundred where two hundred are."""
    small = [_reading(number, 2 + number % 2) for number in range(6)]
    large = [_reading(100 + number, 200 + number % 2, channel="b") for number in range(6)]
    values = _values(*small, *large, _reading(50, 20), _reading(150, 200, channel="b"))
    assert values[50] > 1.0
    assert values[150] < 0.5


def test_more_followers_make_a_like_worth_less():
    """The same points before a larger crowd are less."""
    values = _values(_reading(1, 10, followers=50), _reading(2, 10, followers=500), _reading(3, 10, followers=5000))
    assert values[1] > values[2] > values[3]


def test_an_unknown_crowd_is_the_usual_one():
    """Followers that were not counted stand in the middle; a channel that counts none is compared as it is."""
    values = _values(
        _reading(1, 10, followers=50),
        _reading(2, 10, followers=500),
        _reading(3, 10, followers=5000),
        _reading(4, 10, followers=None),
    )
    assert values[4] == pytest.approx(values[2])
    assert len(_values(*(_reading(number, number, followers=None) for number in range(4)))) == 4


def test_a_young_post_is_seen_as_it_will_be():
    """Half of a day's usual share is as good as half of a week's; and it tells less."""
    day = _reading(1, 10 * growth(DAY), age=DAY)
    found = {
        one.draft_id: one
        for one in rewards([day, _reading(2, 10), _reading(3, 5), _reading(4, 20)], half_life=HALF_LIFE)
    }
    assert found[1].value == pytest.approx(found[2].value)
    assert found[1].weight == pytest.approx(growth(DAY))
    assert found[2].weight == 1.0


def test_growth_never_falls():
    """Nought at birth, all at seven days and later."""
    shares = [growth(timedelta(hours=hours)) for hours in (-1, 0, 0.25, 1, 6, 24, 100, 168, 9000)]
    assert shares == sorted(shares)
    assert (shares[1], shares[-2], shares[-1]) == (0.0, 1.0, 1.0)


def test_the_old_fades():
    """After a half-life a post counts half, and one from long ago is left out; seen from the newest, not from today."""
    old = _reading(1, 10, posted_at=NOW - HALF_LIFE)
    ancient = _reading(2, 10, posted_at=NOW - 10 * HALF_LIFE)
    found = {
        one.draft_id: one
        for one in rewards([old, ancient, *(_reading(number, number) for number in range(3, 6))], half_life=HALF_LIFE)
    }
    assert found[1].weight == pytest.approx(0.5)
    assert 2 not in found


def test_one_picture_on_two_channels_is_one_artwork():
    """Its reward is the mean of both, and weighs as much as one."""
    rows = [_reading(number, 10 + number) for number in range(5)]
    rows += [_reading(number, 10 - number, channel="b") for number in range(5)]
    found = rewards(rows, half_life=HALF_LIFE)
    assert [one.draft_id for one in found] == [0, 1, 2, 3, 4]
    assert all(one.weight == 1.0 for one in found)
    assert found[2].value == pytest.approx(0.0, abs=0.2)


def _by_name(given):
    return {one.name: one for one in posteriors(given)}


def test_without_rewards_all_are_alike():
    """Nothing is known of any, and each is as likely the best as the others."""
    found = _by_name({"a": [], "b": [], "c": []})
    assert len({(one.mean, one.spread, one.count) for one in found.values()}) == 1
    assert chances(list(found.values())) == pytest.approx(dict.fromkeys("abc", 1 / 3))


def test_few_rewards_are_drawn_to_the_rest():
    """Two lucky rewards raise the mean a little, twenty raise it nearly all the way."""
    found = _by_name({"lucky": [(2.0, 1.0)] * 2, "loved": [(2.0, 1.0)] * 20, "usual": [(0.0, 1.0), (0.1, 1.0)] * 10})
    assert found["usual"].mean < found["lucky"].mean < found["loved"].mean
    assert found["loved"].mean > 1.7
    assert found["lucky"].spread > 1.5 * found["loved"].spread


def test_the_untried_are_like_the_tried_but_less_sure():
    """A choice never tried has a posterior near the mean of the others, with a larger variance."""
    found = _by_name({"a": [(1.0, 1.0), (0.8, 1.0)] * 5, "b": [(-1.0, 1.0), (-0.8, 1.0)] * 5, "new": []})
    assert found["b"].mean < found["new"].mean < found["a"].mean
    assert found["new"].spread > found["a"].spread
    assert found["new"].count == 0


def test_what_is_chosen_often_does_not_make_the_unknown_look_good():
    """The shared centre is a mean over choices: a hundred rewards of one weigh hardly more than ten."""
    others = {"bad": [(-1.0, 1.0)] * 10, "worse": [(-1.2, 1.0)] * 10, "new": []}
    some, many = (_by_name({"good": [(1.0, 1.0)] * number, **others}) for number in (10, 100))
    assert abs(many["new"].mean - some["new"].mean) < 0.1


def test_weights_count_as_parts_of_a_reward():
    """Two halves of a reward are as much as one."""
    halves, whole = _by_name({"a": [(1.0, 0.5)] * 8, "b": []}), _by_name({"a": [(1.0, 1.0)] * 4, "b": []})
    assert halves["a"].mean == pytest.approx(whole["a"].mean)
    assert halves["a"].spread == pytest.approx(whole["a"].spread)
    assert (halves["a"].count, whole["a"].count) == (8, 4)


def test_intervals_hold_what_they_promise():
    """The mean that generated the rewards is in the 80 % interval about eight times in ten."""
    draws, inside = random.Random(5), 0
    for _ in range(40):
        truth = {name: draws.gauss(0.0, 0.5) for name in range(20)}
        found = posteriors({name: [(draws.gauss(mean, 0.9), 1.0) for _ in range(12)] for name, mean in truth.items()})
        inside += sum(low <= truth[one.name] <= high for one in found for low, high in [one.interval()])
    assert 0.74 < inside / 800 < 0.86


def test_quantiles_run_through_the_belief():
    """The median is the mean; quantiles grow, and the ends are finite."""
    (one,) = posteriors({"a": [(1.0, 1.0)] * 3})
    points = [one.at(share) for share in (0.0, 0.1, 0.5, 0.9, 1.0)]
    assert points == sorted(points)
    assert points[2] == one.mean
    assert one.interval(0.8) == pytest.approx((points[1], points[3]))


def test_chances_are_those_of_being_the_best():
    """The integral agrees with fifty thousand draws from the beliefs."""
    found = posteriors({"a": [(0.9, 1.0)] * 6, "b": [(0.4, 1.0)] * 12, "c": [(-0.5, 1.0)] * 4, "d": []})
    draws, wins = random.Random(1), dict.fromkeys("abcd", 0)
    for _ in range(50_000):
        drawn = {}
        for one in found:
            variance = one.scale / draws.gammavariate(one.shape, 1.0)
            drawn[one.name] = draws.gauss(one.mean, (variance / one.strength) ** 0.5)
        wins[max(drawn, key=drawn.__getitem__)] += 1
    assert chances(found) == pytest.approx({name: count / 50_000 for name, count in wins.items()}, abs=0.012)


def test_no_chance_falls_below_the_floor():
    """Even what was never liked keeps its share, and all sum to one."""
    found = posteriors({"loved": [(2.0, 1.0)] * 300, **{f"other {number}": [(-1.0, 1.0)] * 50 for number in range(9)}})
    with_floor = chances(found, floor=0.2)
    assert min(with_floor.values()) >= 0.02
    assert with_floor["loved"] > 0.8
    assert sum(with_floor.values()) == pytest.approx(1.0)
    assert chances(found, floor=1.0) == pytest.approx(dict.fromkeys(with_floor, 0.1))
    assert chances(found)["other 3"] < 1e-6


def test_hopeless_choices_break_nothing():
    """Beliefs so far apart that a probability is nought in floating point still give chances."""
    found = posteriors({"up": [(2.5, 1.0)] * 100_000, "down": [(-2.5, 1.0)] * 100_000, "new": []})
    result = chances(found, floor=0.1)
    assert sum(result.values()) == pytest.approx(1.0)
    assert result["up"] > result["down"]
