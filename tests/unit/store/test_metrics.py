"""Attempts, due times and the studio's steps are counted for the health checks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.post import Outcome, PostState
from tests.factories import NOW, add_draft

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store


def test_attempts_are_counted_by_channel_and_outcome(store: Store):
    """An open attempt does not count."""
    with store.begin() as unit:
        draft = add_draft(unit)
        for channel in ("a", "b"):
            unit.posts.add(draft, channel, due=NOW, picture="p.jpg", key=channel)
        first, _ = unit.posts.claim(now=NOW, lease=timedelta(minutes=1), channels=["a", "b"], limit=2)
        unit.posts.close_attempt(first.moved(PostState.WAITING), outcome=Outcome.THROTTLED, message="wait", at=NOW)
        assert unit.metrics.attempts() == {("a", "throttled"): 1}


def test_the_first_due_post_of_each_channel(store: Store):
    """A paused channel's posts are left out."""
    with store.begin() as unit:
        for number in (1, 2):
            draft = add_draft(unit, number)
            for channel in ("a", "b"):
                due = NOW + timedelta(hours=number)
                unit.posts.add(draft, channel, due=due, picture="p.jpg", key=f"{channel}{number}")
        unit.channels.pause("b", reason="a holiday", by="operator", at=NOW)
        assert unit.metrics.due_since() == {"a": NOW + timedelta(hours=1)}


def test_steps_add_up(store: Store):
    """Seconds and times of a step are sums over all runs."""
    with store.begin() as unit:
        unit.metrics.record_step("poem", seconds=1.5, times=1)
        unit.metrics.record_step("poem", seconds=0.5, times=2)
        assert unit.metrics.steps() == {"poem": (2.0, 3)}
