"""A notice stays until it is said, and is settled as itself alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.notice import Notice
from auria_bot.domain.post import Outcome, PostState
from tests.factories import NOW, add_draft

if TYPE_CHECKING:
    from auria_bot.domain.notice import PendingNotification
    from auria_bot.store.unit_of_work import Store


LATER = NOW + timedelta(minutes=5)


def notice(subject: str, kind: str = "disk_filling") -> Notice:
    """Something to say."""
    return Notice(kind=kind, subject=subject, title="t", body="w")


def taken(store: Store) -> list[PendingNotification]:
    """What is to be said now."""
    with store.begin() as unit:
        return list(unit.notices.claim_due(now=NOW, until=LATER))


def test_an_occasion_that_is_over_settles_no_other(store: Store):
    """While one is said it may end and another come, to which SQLite gives the same number: that one is still to be said."""
    for next_one in (notice("other"), notice("home")):
        with store.begin() as unit:
            unit.notices.add(notice("home"), at=NOW)
        (telling,) = taken(store)
        with store.begin() as unit:
            unit.notices.forget("disk_filling", {"home"})
            unit.notices.add(next_one, at=NOW)
        with store.begin() as unit:
            unit.notices.record_delivery(telling, delivered=["a"], next_at=None)
        (left,) = taken(store)
        assert (left.notice, left.delivered) == (next_one, ())
        with store.begin() as unit:
            unit.notices.record_delivery(left, delivered=["a"], next_at=None)
            assert not unit.notices.has_due(now=LATER)
            unit.notices.forget("disk_filling", {next_one.subject})


def test_what_a_clock_ahead_put_off_is_said(store: Store):
    """A notice that would wait for longer than a day was written by a clock that was wrong."""
    with store.begin() as unit:
        unit.notices.add(notice("home"), at=NOW + timedelta(days=700))
        unit.notices.add(notice("soon"), at=NOW + timedelta(hours=6))
    with store.read() as unit:
        assert unit.notices.has_due(now=NOW)
    assert [one.notice.subject for one in taken(store)] == ["home"]
    assert taken(store) == []


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
