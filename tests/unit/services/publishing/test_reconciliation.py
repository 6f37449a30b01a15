"""What may or may not be published is found out, never guessed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import Outcome, PostState
from auria_bot.errors import InvalidTransition, Throttled
from auria_bot.services.publishing.publisher import LEASE
from auria_bot.services.publishing.reconciliation import MOST_LOOKUPS, HeldItems, hold_back, lookup_wait
from auria_bot.services.publishing.sending import MOST_FAILURES
from auria_bot.testing import FakeChannel, FakeClock
from tests.publishing import approved, attempts, only, outcomes

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.post import Post
    from auria_bot.testing import FakeClock


class Killed(BaseException):
    """The worker is no more: nothing that would come after happens."""


def vanish(house: Application, monkeypatch: pytest.MonkeyPatch, *, begun: bool) -> None:
    """A worker that is killed before, or right after, its mutation."""
    real = FakeChannel.publish

    def killed(self: FakeChannel, post: Post, ready: Any) -> None:
        if begun:
            real(self, post, ready)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "publish", killed)
        patch.setattr("auria_bot.services.publishing.sending.Sender._interrupted", lambda *_: None)
        with pytest.raises(Killed):
            house.publisher.publish()


def unknown(house: Application, channel: FakeChannel, fault: str = "late") -> None:
    """One post that may be out."""
    approved(house)
    channel.plan(fault)
    house.publisher.publish()


def test_a_vanished_workers_post_is_looked_up_after_its_lease(
    house: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between mutation and settlement, it is UNKNOWN when the lease has run out, and resolved by `find`."""
    approved(house)
    vanish(house, monkeypatch, begun=True)
    house.publisher.publish()
    assert only(house).state is PostState.SENDING
    clock.advance(seconds=LEASE.total_seconds())
    house.publisher.publish()
    assert only(house).state is PostState.SENT
    assert (channel.mutations, len(channel.asked)) == (1, 1)
    assert outcomes(house) == [Outcome.ABANDONED]


def test_what_never_came_to_its_mutation_is_surely_not_out(
    house: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A post that never reached its mutation waits again and is sent without a lookup."""
    approved(house)
    vanish(house, monkeypatch, begun=False)
    clock.advance(seconds=LEASE.total_seconds() - 1)
    assert house.publisher.publish().posts == ()
    clock.advance(seconds=1)
    house.publisher.publish()
    assert only(house).state is PostState.SENT
    assert (channel.mutations, channel.asked) == (1, [])
    assert outcomes(house) == [Outcome.ABANDONED, Outcome.SENT]
    assert "before anything was sent" in attempts(house)[0].message


def test_a_post_that_kills_its_workers_needs_attention(
    house: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After five workers died in a row nothing more is sent there."""
    approved(house)
    for _ in range(MOST_FAILURES):
        vanish(house, monkeypatch, begun=False)
        clock.advance(seconds=LEASE.total_seconds())
    house.publisher.publish()
    assert only(house).state is PostState.NEEDS_ATTENTION
    assert "5 workers in a row crashed before anything was sent" in only(house).message
    assert "auria posts resolve 1" in only(house).message
    assert channel.mutations == 0


def test_what_cannot_be_told_is_for_the_operator(house: Application, channel: FakeChannel) -> None:
    """A blind channel's unclear post is never sent again by itself; the message says what to do."""
    unknown(house, channel)
    channel.blind = True
    for _ in range(3):
        house.publisher.publish()
    post = only(house)
    assert post.state is PostState.NEEDS_ATTENTION
    assert "look at fake, then: `auria posts resolve 1 --sent URL`, `--not-sent`" in post.message
    assert (channel.mutations, len(channel.asked)) == (1, 1)


@pytest.mark.parametrize("fault", ["throttled", "bug"])
def test_what_cannot_be_told_yet_is_asked_later_and_later(
    house: Application, channel: FakeChannel, clock: FakeClock, fault: str
) -> None:
    """For about a day; then the operator is asked. The post is not sent again meanwhile."""
    unknown(house, channel)
    begun = clock()
    channel.plan_finds(*[fault] * MOST_LOOKUPS)
    times = 0
    while only(house).state is PostState.UNKNOWN:
        house.publisher.publish()
        times += 1
        assert len(channel.asked) == times
        house.publisher.publish()  # not due yet
        assert len(channel.asked) == times
        last, clock.now = clock.now, max(only(house).due, clock.now)
    assert times == MOST_LOOKUPS
    assert timedelta(hours=20) < last - begun < timedelta(hours=30)
    assert only(house).state is PostState.NEEDS_ATTENTION
    assert "12 look-ups could not determine" in only(house).message
    assert "auria posts resolve 1" in only(house).message
    assert channel.mutations == 1


def test_look_ups_wait_longer_each_time() -> None:
    """At most six hours; all of them together a good day."""
    waits = [lookup_wait(number) for number in range(1, MOST_LOOKUPS)]
    assert waits[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert waits == sorted(waits)
    assert max(waits) == timedelta(hours=6)
    assert timedelta(hours=20) < sum(waits, timedelta()) < timedelta(hours=30)


def test_a_platform_that_names_a_time_is_asked_then(
    house: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the channel's other posts are left in peace for the round."""
    approved(house, 1)
    approved(house, 2)
    channel.plan("late")
    house.publisher.publish()
    channel.plan("late")
    house.publisher.publish(channels=["folder"])
    asked = []

    def wait(_: FakeChannel, post: Post) -> Any:
        asked.append(post.id)
        raise Throttled("too many questions", until=clock() + timedelta(hours=1))

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "find", wait)
        house.publisher.publish()
    assert asked == [1]
    assert house.publisher.post(1)[0].due == clock() + timedelta(hours=1)
    assert "next look-up after 2026-11-21 10:00 UTC: too many questions" in house.publisher.post(1)[0].message


def test_a_look_up_without_credentials_pauses_the_channel(house: Application, channel: FakeChannel) -> None:
    """The post stays unknown, nothing is asked or sent, and all goes on after `resume`."""
    unknown(house, channel)
    approved(house, 2)
    channel.plan_finds("unauthorised")
    done = house.publisher.publish()
    assert any("fake is paused: the fake rejects the password now" in words for words in done.problems)
    assert house.publisher.post(1)[0].state is PostState.UNKNOWN
    assert "auria channels resume fake" in house.publisher.post(1)[0].message
    house.publisher.publish()
    assert (channel.mutations, len(channel.asked)) == (1, 1)
    house.publisher.resume("fake")
    house.publisher.publish()
    assert {post.state for post in house.publisher.posts()} == {PostState.SENT}
    assert channel.mutations == 2


def test_a_look_up_that_was_outrun_changes_nothing(
    house: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator decided while the channel was asked."""
    unknown(house, channel, "lost")
    real = FakeChannel.find

    def slow(self: FakeChannel, post: Post) -> Any:
        house.publisher.decide(post.id, "sent", url="https://example.com/9")
        return real(self, post)

    monkeypatch.setattr(FakeChannel, "find", slow)
    house.publisher.publish()
    assert only(house).state is PostState.SENT
    assert only(house).receipt is not None
    assert channel.mutations == 0
    with pytest.raises(InvalidTransition):
        house.publisher.decide(1, "not-sent")


def test_a_worker_killed_while_it_asks_delays_the_answer_only(
    house: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another asks a few minutes later."""
    unknown(house, channel)

    def killed(*_: object) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "find", killed)
        with pytest.raises(Killed):
            house.publisher.publish()
    house.publisher.publish()
    assert only(house).state is PostState.UNKNOWN
    clock.advance(minutes=5)
    house.publisher.publish()
    assert only(house).state is PostState.SENT


def test_a_clock_set_back_an_hour_neither_doubles_nor_stalls(
    house: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent stays sent, and what was claimed is free again after the hour and the lease."""
    approved(house, 1)
    house.publisher.publish()
    approved(house, 2)
    vanish(house, monkeypatch, begun=False)
    clock.advance(hours=-1)
    house.publisher.publish()
    assert channel.mutations == 1
    clock.advance(hours=1, seconds=LEASE.total_seconds())
    house.publisher.publish()
    assert channel.mutations == 2
    assert {post.state for post in house.publisher.posts()} == {PostState.SENT}


def test_what_was_to_go_out_waits_for_the_operator(house: Application, channel: FakeChannel, clock: FakeClock) -> None:
    """Waiting, claimed and unknown posts and approved drafts wait for the operator; published ones stay published."""
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
