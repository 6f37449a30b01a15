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


def vanish(application: Application, monkeypatch: pytest.MonkeyPatch, *, begun: bool) -> None:
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
            application.publisher.publish()


def unknown(application: Application, channel: FakeChannel, fault: str = "late") -> None:
    """One post that may be out."""
    approved(application)
    channel.plan(fault)
    application.publisher.publish()


def test_a_vanished_workers_post_is_looked_up_after_its_lease(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between mutation and settlement, it is UNKNOWN when the lease has run out, and resolved by `find`."""
    approved(application)
    vanish(application, monkeypatch, begun=True)
    application.publisher.publish()
    assert only(application).state is PostState.SENDING
    clock.advance(seconds=LEASE.total_seconds())
    application.publisher.publish()
    assert only(application).state is PostState.SENT
    assert (channel.mutations, len(channel.asked)) == (1, 1)
    assert outcomes(application) == [Outcome.ABANDONED]


def test_what_never_came_to_its_mutation_is_surely_not_out(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A post that never reached its mutation waits again and is sent without a lookup."""
    approved(application)
    vanish(application, monkeypatch, begun=False)
    clock.advance(seconds=LEASE.total_seconds() - 1)
    assert application.publisher.publish().posts == ()
    clock.advance(seconds=1)
    application.publisher.publish()
    assert only(application).state is PostState.SENT
    assert (channel.mutations, channel.asked) == (1, [])
    assert outcomes(application) == [Outcome.ABANDONED, Outcome.SENT]
    assert "before anything was sent" in attempts(application)[0].message


def test_a_post_that_kills_its_workers_needs_attention(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After five workers died in a row nothing more is sent there."""
    approved(application)
    for _ in range(MOST_FAILURES):
        vanish(application, monkeypatch, begun=False)
        clock.advance(seconds=LEASE.total_seconds())
    application.publisher.publish()
    assert only(application).state is PostState.NEEDS_ATTENTION
    assert "5 workers in a row crashed before anything was sent" in only(application).message
    assert "auria posts resolve 1" in only(application).message
    assert channel.mutations == 0


def test_what_cannot_be_told_is_for_the_operator(application: Application, channel: FakeChannel) -> None:
    """A blind channel's unclear post is never sent again by itself; the message says what to do."""
    unknown(application, channel)
    channel.blind = True
    for _ in range(3):
        application.publisher.publish()
    post = only(application)
    assert post.state is PostState.NEEDS_ATTENTION
    assert "look at fake, then: `auria posts resolve 1 --sent URL`, `--not-sent`" in post.message
    assert (channel.mutations, len(channel.asked)) == (1, 1)


@pytest.mark.parametrize("fault", ["late", "lost"])
def test_an_unclear_post_is_not_looked_for_on_another_account(
    application: Application, channel: FakeChannel, fault: str
) -> None:
    """Whether it is published there says nothing; as long as the account stays the same, it is looked for."""
    channel.account = "one"
    unknown(application, channel, fault)
    channel.account = "two"
    application.publisher.publish()
    post = only(application)
    assert (post.state, channel.asked, channel.mutations) == (PostState.NEEDS_ATTENTION, [], int(fault == "late"))
    assert "fake has another account than the one it was sent from" in post.message
    assert "look at fake, then: `auria posts resolve 1 --sent URL`, `--not-sent`" in post.message
    approved(application, 2)
    channel.plan("late")
    application.publisher.publish()
    application.publisher.publish()
    assert [(one.id, one.memo) for one in channel.asked] == [(2, "fake memo")]
    assert application.publisher.post(2)[0].state is PostState.SENT


def test_what_another_account_tried_is_sent_as_never_tried(
    application: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the operator says that it is not published, the channel looks for no earlier attempt; else it may."""
    channel.account = "one"
    unknown(application, channel, "lost")
    sent, real = [], FakeChannel.publish

    def publish(self: FakeChannel, post: Post, ready: Any) -> Any:
        sent.append((post.memo, post.tried_at is None))
        return real(self, post, ready)

    monkeypatch.setattr(FakeChannel, "publish", publish)
    channel.plan("lost")
    application.publisher.publish()  # it is absent for certain, and sent again
    channel.account = "two"
    application.publisher.publish()
    application.publisher.decisions.decide(1, "not-sent")
    application.publisher.publish()
    assert sent == [("fake memo", False), ("", True)]
    assert only(application).state is PostState.SENT


@pytest.mark.parametrize("fault", ["throttled", "bug"])
def test_what_cannot_be_told_yet_is_asked_later_and_later(
    application: Application, channel: FakeChannel, clock: FakeClock, fault: str
) -> None:
    """For about a day; then the operator is asked. The post is not sent again meanwhile."""
    unknown(application, channel)
    begun = clock()
    channel.plan_finds(*[fault] * MOST_LOOKUPS)
    times = 0
    while only(application).state is PostState.UNKNOWN:
        application.publisher.publish()
        times += 1
        assert len(channel.asked) == times
        application.publisher.publish()  # not due yet
        assert len(channel.asked) == times
        last, clock.now = clock.now, max(only(application).due, clock.now)
    assert times == MOST_LOOKUPS
    assert timedelta(hours=20) < last - begun < timedelta(hours=30)
    assert only(application).state is PostState.NEEDS_ATTENTION
    assert "12 look-ups could not determine" in only(application).message
    assert "auria posts resolve 1" in only(application).message
    assert channel.mutations == 1


def test_look_ups_wait_longer_each_time() -> None:
    """At most six hours; all of them together a good day."""
    waits = [lookup_wait(number) for number in range(1, MOST_LOOKUPS)]
    assert waits[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert waits == sorted(waits)
    assert max(waits) == timedelta(hours=6)
    assert timedelta(hours=20) < sum(waits, timedelta()) < timedelta(hours=30)


def test_a_platform_that_names_a_time_is_asked_then(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the channel's other posts are left in peace for the round."""
    approved(application, 1)
    approved(application, 2)
    channel.plan("late")
    application.publisher.publish()
    channel.plan("late")
    application.publisher.publish(channels=["folder"])
    asked = []

    def wait(_: FakeChannel, post: Post) -> Any:
        asked.append(post.id)
        raise Throttled("too many questions", until=clock() + timedelta(hours=1))

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "find", wait)
        application.publisher.publish()
    assert asked == [1]
    assert application.publisher.post(1)[0].due == clock() + timedelta(hours=1)
    assert "next look-up after 2026-11-21 10:00 UTC: too many questions" in application.publisher.post(1)[0].message


def test_a_look_up_without_credentials_pauses_the_channel(application: Application, channel: FakeChannel) -> None:
    """The post stays unknown, nothing is asked or sent, and all goes on after `resume`."""
    unknown(application, channel)
    approved(application, 2)
    channel.plan_finds("unauthorised")
    done = application.publisher.publish()
    assert any("fake is paused: the fake rejects the password now" in words for words in done.problems)
    assert application.publisher.post(1)[0].state is PostState.UNKNOWN
    assert "auria channels resume fake" in application.publisher.post(1)[0].message
    application.publisher.publish()
    assert (channel.mutations, len(channel.asked)) == (1, 1)
    application.publisher.resume("fake")
    application.publisher.publish()
    assert {post.state for post in application.publisher.posts()} == {PostState.SENT}
    assert channel.mutations == 2


def test_a_look_up_that_was_outrun_changes_nothing(
    application: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator decided while the channel was asked."""
    unknown(application, channel, "lost")
    real = FakeChannel.find

    def slow(self: FakeChannel, post: Post) -> Any:
        application.publisher.decisions.decide(post.id, "sent", url="https://example.com/9")
        return real(self, post)

    monkeypatch.setattr(FakeChannel, "find", slow)
    application.publisher.publish()
    assert only(application).state is PostState.SENT
    assert only(application).receipt is not None
    assert channel.mutations == 0
    with pytest.raises(InvalidTransition):
        application.publisher.decisions.decide(1, "not-sent")


def test_a_worker_killed_while_it_asks_delays_the_answer_only(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another asks a few minutes later."""
    unknown(application, channel)

    def killed(*_: object) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "find", killed)
        with pytest.raises(Killed):
            application.publisher.publish()
    application.publisher.publish()
    assert only(application).state is PostState.UNKNOWN
    clock.advance(minutes=5)
    application.publisher.publish()
    assert only(application).state is PostState.SENT


def test_a_clock_set_back_an_hour_neither_doubles_nor_stalls(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent stays sent, and what was claimed is free again after the hour and the lease."""
    approved(application, 1)
    application.publisher.publish()
    approved(application, 2)
    vanish(application, monkeypatch, begun=False)
    clock.advance(hours=-1)
    application.publisher.publish()
    assert channel.mutations == 1
    clock.advance(hours=1, seconds=LEASE.total_seconds())
    application.publisher.publish()
    assert channel.mutations == 2
    assert {post.state for post in application.publisher.posts()} == {PostState.SENT}


def test_what_was_to_go_out_waits_for_the_operator(
    application: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """Waiting, claimed and unknown posts and approved drafts wait for the operator; published ones stay published."""
    approved(application, 1)
    application.publisher.publish()
    approved(application, 2)
    channel.plan("late")
    application.publisher.publish()
    approved(application, 3)
    application.post_creator.schedule()
    with application.store.begin() as unit:
        (sending,) = unit.posts.claim(now=clock(), lease=timedelta(minutes=5), channels=("fake",))
    approved(application, 4)
    application.post_creator.schedule(due=clock() + timedelta(hours=1))
    approved(application, 5)
    states = {post.id: post.state for post in application.publisher.posts()}
    assert states == {1: "sent", 2: "unknown", 3: "sending", 4: "waiting"}

    assert hold_back(application.store, clock, as_of=clock()) == HeldItems(drafts=(5,), posts=(2, 3, 4))
    held = {post.id: post for post in application.publisher.posts({PostState.NEEDS_ATTENTION})}
    assert set(held) == {2, 3, 4}
    assert (
        "may have been published after that; look at fake, then: `auria posts resolve 4 --sent URL`" in held[4].message
    )
    assert [one.outcome for one in attempts(application, sending.id)] == [Outcome.ABANDONED]
    with application.store.read() as unit:
        assert unit.drafts.get(5).state is DraftState.MADE
    before = channel.mutations
    clock.advance(days=2)
    application.publisher.publish()
    assert channel.mutations == before
    assert hold_back(application.store, clock, as_of=clock()) == HeldItems()


@pytest.mark.parametrize("word", ["not-sent", "give-up"])
def test_the_operators_word_ends_it(
    application: Application, channel: FakeChannel, clock: FakeClock, word: str
) -> None:
    """A post that is surely not out is sent, once; another is not."""
    approved(application)
    application.post_creator.schedule(due=clock() + timedelta(hours=1))
    hold_back(application.store, clock, as_of=clock())
    application.publisher.decisions.decide(1, word)
    clock.advance(hours=2)
    application.publisher.publish()
    assert channel.mutations == int(word == "not-sent")
