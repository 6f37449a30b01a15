"""Counts and what they are worth."""

from __future__ import annotations

from auria_bot.domain.engagement import COUNTS, POINTS, Engagement
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
