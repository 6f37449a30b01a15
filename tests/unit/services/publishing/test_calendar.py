"""The calendar of what was published and what will be."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from auria_bot.domain.post import PostState
from auria_bot.services.publishing.calendar import PublishingCalendar
from auria_bot.services.publishing.post_decisions import PostDecisions
from tests.publishing import approved

if TYPE_CHECKING:
    import pytest

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.post import Post
    from auria_bot.testing import FakeChannel, FakeClock

TODAY = date(2026, 11, 21)


def kinds(application: Application, *, days: int = 6) -> list[tuple[str, int | None]]:
    """What the calendar has on the channel `fake`, without times that are free."""
    found = application.publishing_calendar.entries(TODAY, TODAY + timedelta(days=days))
    return [(entry.kind, entry.draft_id) for entry in found if entry.channel == "fake" and entry.kind != "free"]


def test_what_waits_is_expected_at_the_next_times_of_its_channel(application: Application) -> None:
    """Posts first, the oldest before the others, then approved drafts."""
    for number in (1, 2):
        approved(application, number)
    application.post_creator.schedule()
    approved(application, 3)
    found = [
        entry
        for entry in application.publishing_calendar.entries(TODAY, TODAY + timedelta(days=6))
        if entry.channel == "fake"
    ]
    slots = [each.due for each in application.job_scheduler.upcoming(days=7) if each.job == "publish fake"]
    assert [(entry.kind, entry.draft_id) for entry in found[:4]] == [
        ("expected", 1),
        ("expected", 2),
        ("expected", 3),
        ("free", None),
    ]
    assert [entry.at for entry in found] == slots[: len(found)]
    assert [entry.is_movable for entry in found[:4]] == [True, True, True, False]
    assert found[0].line == "stone number 1"


def test_what_was_published_stands_on_its_day(application: Application, clock: FakeClock) -> None:
    """It cannot be moved; a month without it does not show it."""
    approved(application)
    application.publisher.publish()
    (sent,) = [entry for entry in application.publishing_calendar.entries(TODAY, TODAY) if entry.kind != "free"]
    assert (sent.kind, sent.at, sent.is_movable) == ("sent", clock(), False)
    before = TODAY - timedelta(days=1)
    assert application.publishing_calendar.entries(before, before) == ()


def test_the_posts_of_a_draft_are_never_due_before_their_time(
    application: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round of publishing that comes in between sends none of them."""
    approved(application)
    rounds, set_time = [], PostDecisions.set_time

    def after_a_round(*given: Any, **more: Any) -> Post:
        rounds.append(application.publisher.publish())
        return set_time(*given, **more)

    monkeypatch.setattr(PostDecisions, "set_time", after_a_round)
    (post,) = application.publisher.set_draft_time(1, clock() + timedelta(days=2))
    assert ([one.posts for one in rounds], post.state) == ([()], PostState.WAITING)


def test_a_post_with_its_own_time_stands_there(application: Application, clock: FakeClock) -> None:
    """An approved draft gets posts by it; the scheduled times are free again."""
    approved(application)
    (post,) = application.publisher.set_draft_time(1, clock() + timedelta(days=2))
    assert kinds(application) == [("timed", 1)]
    assert kinds(application, days=1) == []
    application.publisher.withdraw(application.publisher.withdrawal.plan([post.id]))
    assert kinds(application) == [("cancelled", 1)]


def test_what_needs_a_decision_is_marked(application: Application, channel: FakeChannel) -> None:
    """A post of unknown outcome is neither moved nor expected."""
    channel.plan("lost")
    approved(application)
    application.publisher.publish()
    (entry,) = [one for one in application.publishing_calendar.entries(TODAY, TODAY) if one.kind != "free"]
    assert (entry.kind, entry.is_movable) == ("attention", False)


def test_what_no_schedule_sends_is_expected_now(application: Application, clock: FakeClock) -> None:
    """A channel without scheduled times sends with the next `auria publish`."""
    approved(application)
    application.post_creator.schedule()
    calendar = PublishingCalendar(
        store=application.store, clock=clock, upcoming=lambda *, days: (), zone=ZoneInfo("UTC")
    )
    (entry,) = [entry for entry in calendar.entries(TODAY, TODAY) if entry.channel == "fake"]
    assert (entry.kind, entry.at, entry.draft_id) == ("expected", clock(), 1)
