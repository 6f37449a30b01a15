"""A post has its own time, which the publisher keeps; a post that may be out is not moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.post import PostState
from auria_bot.errors import InputError, InvalidTransition, NotFound, PreconditionFailed
from auria_bot.services.publishing.post_decisions import GRACE, decisions_on
from tests.publishing import approved, only

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeChannel, FakeClock


def test_a_post_waits_for_its_time(application: Application, channel: FakeChannel, clock: FakeClock) -> None:
    """Neither a round nor a job's single send publishes it earlier; then it is sent once."""
    approved(application)
    application.post_creator.schedule()
    at = clock() + timedelta(hours=3)
    timed = application.publisher.decisions.set_time(1, at)
    assert (timed.due, timed.timed_at, only(application)) == (at, at, timed)
    application.publisher.publish()
    application.publisher.publish(limit=1)
    assert channel.mutations == 0
    clock.advance(hours=3)
    application.publisher.publish()
    application.publisher.publish()
    assert (only(application).state, channel.mutations) == (PostState.SENT, 1)
    with application.store.read() as unit:
        assert next(entry.action for entry in unit.journal.list(draft_id=1)) == "post time"


def test_a_cancelled_post_is_queued_again(application: Application, channel: FakeChannel, clock: FakeClock) -> None:
    """By its time; it is the same post."""
    approved(application)
    application.post_creator.schedule()
    application.publisher.withdraw(application.publisher.withdrawal.plan((1,)))
    assert application.publisher.decisions.set_time(1, clock()).state is PostState.WAITING
    application.publisher.publish()
    assert (only(application).state, channel.mutations) == (PostState.SENT, 1)


def test_a_post_that_is_to_stay_keeps_its_receipt(
    application: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """Its id and its time stay what the platform said, unless the operator gives another address or id."""
    approved(application)
    application.publisher.publish()
    receipt = only(application).receipt
    assert receipt is not None
    for options, expected in (({}, receipt.id), ({"identifier": "7"}, "7")):
        clock.advance(hours=1)
        channel.plan_deletions("throttled")
        application.publisher.withdraw(application.publisher.withdrawal.plan((1,)))
        kept = application.publisher.decisions.decide(1, "sent", url=receipt.url, **options).receipt
        assert kept is not None
        assert (kept.id, kept.at == receipt.at) == (expected, not options)


def test_a_past_or_very_distant_time_is_refused(application: Application, clock: FakeClock) -> None:
    """Beyond a few minutes; a post that does not exist, too."""
    approved(application)
    application.post_creator.schedule()
    assert application.publisher.decisions.set_time(1, clock() - GRACE).due == clock() - GRACE
    with pytest.raises(InputError, match="is past; give a later time, or: auria posts at ID now"):
        application.publisher.decisions.set_time(1, clock() - GRACE - timedelta(seconds=1))
    with pytest.raises(InputError, match="9999-12-31 23:59 UTC is more than ten years away"):  # 10000 in Berlin
        application.publisher.decisions.set_time(1, datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
    with pytest.raises(NotFound):
        application.publisher.decisions.set_time(2, clock())


@pytest.mark.parametrize("fault", ["ok", "late", "refused"])
def test_what_is_out_or_may_be_is_not_moved(
    application: Application, channel: FakeChannel, clock: FakeClock, fault: str
) -> None:
    """A sent, an unknown and a failed post."""
    approved(application)
    channel.plan(fault)
    application.publisher.publish()
    with pytest.raises(InvalidTransition, match="only posts that are waiting or cancelled can be given a time"):
        application.publisher.decisions.set_time(1, clock())


def test_a_post_that_was_changed_meanwhile_is_not_moved(application: Application, clock: FakeClock) -> None:
    """The operator decided on what is no longer so."""
    approved(application)
    application.post_creator.schedule()
    read = only(application)
    application.publisher.decisions.set_time(1, clock() + timedelta(hours=1))
    with pytest.raises(PreconditionFailed):
        application.publisher.decisions.set_time(1, clock() + timedelta(hours=2), unchanged=read)
    assert only(application).due == clock() + timedelta(hours=1)


def test_what_may_be_decided_on_a_post_is_offered(application: Application, channel: FakeChannel) -> None:
    """By its state: what waits can be given up, what is unclear has an outcome, what is out may be gone."""
    approved(application)
    application.post_creator.schedule()
    assert decisions_on(only(application)) == ("give-up",)
    channel.plan("late")
    application.publisher.publish()
    assert decisions_on(only(application)) == ("sent", "not-sent")
    application.publisher.decisions.decide(1, "sent", url="https://fake.example/1")
    assert decisions_on(only(application)) == ("withdrawn",)
    application.publisher.decisions.decide(1, "withdrawn")
    assert decisions_on(only(application)) == ()
