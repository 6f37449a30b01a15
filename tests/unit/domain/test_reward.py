"""How artworks are compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from auria_bot.domain.reward import GROWN, Reading, growth, rewards
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
    """No reading, no reward; nor from fewer than three posts of a channel, nor where nobody ever did a thing."""
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
