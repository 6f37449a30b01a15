"""What followers did is weighed by points; posts are measured at set ages, each once."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from auria_bot.domain.engagement import AGES, AUDIENCE_EVERY, COUNTS, POINTS, Engagement, is_due, next_due
from tests.factories import NOW


def test_acts_are_weighed():
    """A repost is worth three likes; a view is worth nothing."""
    assert (
        Engagement(at=NOW, likes=10, reposts=2, replies=1, quotes=1, saves=3, views=5000).points == 10 + 6 + 2 + 3 + 6
    )
    assert Engagement(at=NOW, likes=1).points == 1
    assert Engagement(at=NOW, likes=0).points == 0


def test_silence_is_not_nought():
    """Where a platform tells of no act, there are no points, not none of them."""
    assert Engagement(at=NOW).points is None
    assert Engagement(at=NOW, views=300).points is None


def test_everything_weighed_is_counted():
    """No weight stands for a count that does not exist."""
    assert set(POINTS) == set(COUNTS) - {"views"}


DAY = timedelta(days=1)


def test_the_stated_ages():
    """Twenty-two of them, ever further apart but for the last, from a quarter of an hour to a year."""
    assert len(AGES) == 22
    assert AGES[0] == timedelta(minutes=15)
    assert AGES[-1] == 360 * DAY
    assert list(AGES) == sorted(set(AGES))
    assert [age / DAY for age in AGES[5:12]] == [1, 2, 4, 7, 14, 30, 60]
    assert AUDIENCE_EVERY < DAY


def test_a_young_post_waits():
    """Nothing is due before the first age, and then at once."""
    assert not is_due(NOW, None, NOW + timedelta(minutes=14))
    assert next_due(NOW, None, NOW) == NOW + timedelta(minutes=15)
    assert is_due(NOW, None, NOW + timedelta(minutes=15))


def test_a_year_old_post_rests():
    """After its last measurement nothing is ever due again."""
    assert not is_due(NOW, NOW + 360 * DAY, NOW + 9000 * DAY)
    assert next_due(NOW, NOW + 360 * DAY, NOW + 9000 * DAY) is None


def test_what_is_overdue_says_since_when():
    """The age that was reached last, not the first one missed."""
    assert next_due(NOW, None, NOW + 5 * DAY) == NOW + 4 * DAY


@given(start=st.floats(0.0, 400.0))
def test_a_missed_time_is_made_up_for_once(start: float):
    """However late the first visit comes, a second one right after it finds nothing to do."""
    now = NOW + start * DAY
    if is_due(NOW, None, now):
        assert not is_due(NOW, now, now)
        following = next_due(NOW, now, now)
        assert following is None or (following > now and is_due(NOW, now, following))
    else:
        assert now < NOW + AGES[0]


@given(every=st.floats(0.004, 3.0), until=st.integers(1, 400))
def test_a_steady_visitor_calls_no_more_than_there_are_ages(every: float, until: int):
    """However often measuring runs, a post costs at most one call for each age."""
    measured, calls, age = None, 0, 0.0
    while age < until and calls < 99:
        age += max(every, age / 200)
        now = NOW + age * DAY
        if is_due(NOW, measured, now):
            measured, calls = now, calls + 1
    assert calls <= sum(reached <= age * DAY for reached in AGES)
