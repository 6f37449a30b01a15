"""A paused channel is left alone until somebody lets it go on, and its check finds all well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.post import Outcome, PostState
from auria_bot.errors import Unauthorised, UnknownName
from tests.publishing import approved, only, outcomes

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeChannel


def test_refused_credentials_pause_the_channel(house: Application, channel: FakeChannel) -> None:
    """One attempt tells; nothing else is tried, nor even checked, until the operator has put it right."""
    approved(house, 1)
    approved(house, 2)
    channel.plan("unauthorised")
    done = house.publisher.publish()
    words = "the fake does not know the password; correct that, then: `auria channels resume fake`"
    assert done.problems == (f"fake is paused: {words}",)
    assert [post.state for post in house.publisher.posts()] == [PostState.WAITING] * 2
    assert outcomes(house) == [Outcome.UNAUTHORISED]
    assert house.publisher.publish().problems == (f"fake is paused: {words}",)
    (pause,) = house.publisher.paused()
    assert (pause.name, pause.by, pause.at) == ("fake", "auria", house.clock())
    assert channel.mutations == 0
    channel.locked = True
    with pytest.raises(Unauthorised, match="still does not know"):
        house.publisher.resume("fake")
    assert house.publisher.paused() == (pause,)
    channel.locked = False
    assert house.publisher.resume("fake") == "fake is a fake, and ready"
    house.publisher.publish()
    assert {post.state for post in house.publisher.posts()} == {PostState.SENT}
    assert channel.mutations == 2


def test_the_operator_pauses_and_resumes(house: Application, channel: FakeChannel) -> None:
    """Posts wait meanwhile; each act stands in the journal."""
    approved(house)
    house.publisher.pause("fake", by="ria")
    assert "auria channels resume fake" in house.publisher.publish().problems[0]
    assert only(house).state is PostState.WAITING
    assert [(pause.name, pause.by) for pause in house.publisher.paused()] == [("fake", "ria")]
    house.publisher.resume("fake")
    house.publisher.resume("fake")
    with house.store.read() as unit:
        told = [(entry.action, entry.details) for entry in unit.journal.list()]
    assert [action for action, _ in told].count("resume") == 1
    assert ("resume", "fake") in told
    house.publisher.publish()
    assert channel.mutations == 1


def test_a_good_check_ends_auria_s_own_pause_only(house: Application, channel: FakeChannel) -> None:
    """What the operator paused, only the operator resumes."""
    approved(house)
    channel.plan("unauthorised")
    house.publisher.publish()
    assert house.publisher.check("fake")
    assert house.publisher.paused() == ()
    house.publisher.pause("fake", "a holiday")
    assert house.publisher.check("fake")
    assert [pause.reason for pause in house.publisher.paused()] == ["a holiday"]


def test_an_operator_s_pause_is_not_taken_over(house: Application, channel: FakeChannel) -> None:
    """Credentials that are refused while it stands change nothing about it."""
    approved(house)
    house.publisher.schedule()
    real = channel.publish

    def paused_meanwhile(post: object, ready: object) -> object:
        house.publisher.pause("fake", "a holiday", by="ria")
        return real(post, ready)  # type: ignore[arg-type]  # as it came

    channel.publish = paused_meanwhile  # type: ignore[method-assign,assignment]  # for once
    channel.plan("unauthorised")
    house.publisher.publish()
    assert [(pause.by, pause.reason) for pause in house.publisher.paused()] == [("ria", "a holiday")]


@pytest.mark.parametrize("act", ["pause", "resume", "check"])
def test_an_unknown_channel(house: Application, act: str) -> None:
    """The known ones are named."""
    with pytest.raises(UnknownName, match=r"no channel named 'myspace'; known: fake, folder"):
        getattr(house.publisher, act)("myspace")
