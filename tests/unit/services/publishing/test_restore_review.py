"""After a backup was put back nothing that may be out is sent again by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import Outcome, PostState
from auria_bot.services.publishing.restore_review import HeldItems, hold_back
from tests.publishing import approved, attempts

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeChannel, FakeClock


def test_what_was_to_go_out_waits_for_the_operator(house: Application, channel: FakeChannel, clock: FakeClock) -> None:
    """A post that waited, one that was being sent, one of unknown fate and an approved draft; what is out stays out."""
    approved(house, 1)
    house.publisher.publish()
    approved(house, 2)
    channel.plan("late")
    house.publisher.publish()
    approved(house, 3)
    house.publisher.schedule()
    with house.store.begin() as unit:
        (sending,) = unit.posts.claim(now=clock(), lease=timedelta(minutes=5), channels=("fake",))
    approved(house, 4)
    house.publisher.schedule(due=clock() + timedelta(hours=1))
    approved(house, 5)
    states = {post.id: post.state for post in house.publisher.posts()}
    assert states == {1: "sent", 2: "unknown", 3: "sending", 4: "waiting"}

    assert hold_back(house.store, clock, as_of=clock()) == HeldItems(drafts=(5,), posts=(2, 3, 4))
    held = {post.id: post for post in house.publisher.posts({PostState.NEEDS_ATTENTION})}
    assert set(held) == {2, 3, 4}
    assert (
        "may have been published after that; look at fake, then: `auria posts resolve 4 --sent URL`" in held[4].message
    )
    assert [one.outcome for one in attempts(house, sending.id)] == [Outcome.ABANDONED]
    with house.store.read() as unit:
        assert unit.drafts.get(5).state is DraftState.MADE
    before = channel.mutations
    clock.advance(days=2)
    house.publisher.publish()
    assert channel.mutations == before
    assert hold_back(house.store, clock, as_of=clock()) == HeldItems()


@pytest.mark.parametrize("word", ["not-sent", "give-up"])
def test_the_operators_word_ends_it(house: Application, channel: FakeChannel, clock: FakeClock, word: str) -> None:
    """A post that is surely not out is sent, once; another is not."""
    approved(house)
    house.publisher.schedule(due=clock() + timedelta(hours=1))
    hold_back(house.store, clock, as_of=clock())
    house.publisher.decide(1, word)
    clock.advance(hours=2)
    house.publisher.publish()
    assert channel.mutations == int(word == "not-sent")
