"""What is withdrawn is deleted once, looked for when that is unclear, and never called withdrawn while it is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.post import Action, Outcome, PostState
from auria_bot.errors import InvalidTransition, NotFound, SettingsError
from auria_bot.services.publishing.publisher import LEASE
from auria_bot.testing import FakeChannel
from tests.publishing import approved, attempts, only, outcomes

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.post import Receipt
    from auria_bot.services.publishing.publisher import Round
    from auria_bot.testing import FakeClock


class Killed(BaseException):
    """The worker is no more."""


def published(application: Application) -> None:
    """One post that is out."""
    approved(application)
    application.publisher.publish()


def withdraw(application: Application, *ids: int) -> Round:
    """Withdraw posts, the first one by default."""
    return application.publisher.withdraw(application.publisher.withdrawal.plan(ids or (1,)))


def test_a_published_post_is_deleted(application: Application, channel: FakeChannel) -> None:
    """It is withdrawn, with an attempt in its history; its receipt is kept, and the journal says who asked for it."""
    published(application)
    done = withdraw(application)
    assert (done.problems, only(application).state) == ((), PostState.WITHDRAWN)
    assert (channel.posts, channel.deletions) == ({}, 1)
    assert only(application).receipt is not None
    assert [(one.action, one.outcome) for one in attempts(application)] == [
        (Action.PUBLISH, Outcome.SENT),
        (Action.WITHDRAW, Outcome.WITHDRAWN),
    ]
    with application.store.read() as unit:
        assert unit.journal.list(draft_id=1)[0].action == "withdraw"
    application.publisher.publish()
    assert (channel.mutations, channel.deletions) == (1, 1)
    assert application.review.draft(1).status == "withdrawn"
    assert [draft.id for draft in application.review.drafts(["withdrawn"])] == [1]
    assert application.review.drafts(["published"]) == ()


def test_a_waiting_post_is_cancelled(application: Application, channel: FakeChannel) -> None:
    """Nothing is asked of the platform, and it is not sent any more."""
    approved(application)
    application.post_creator.schedule()
    assert withdraw(application).problems == ()
    application.publisher.publish()
    assert (only(application).state, channel.mutations, attempts(application)) == (PostState.CANCELLED, 0, ())


def test_the_last_answer_of_a_lost_worker_is_still_believed(application: Application, channel: FakeChannel) -> None:
    """A cancelled post that turns out to be published is sent, and can be withdrawn."""
    approved(application)
    channel.plan("throttled")
    application.publisher.publish()
    withdraw(application)
    assert only(application).moved(PostState.SENT).state is PostState.SENT


def test_an_unclear_post_is_not_looked_for_on_another_account(application: Application, channel: FakeChannel) -> None:
    """That it is not there does not mean that it was not published: the operator must look."""
    channel.account = "one"
    approved(application)
    channel.plan("late")
    application.publisher.publish()
    channel.account = "two"
    withdraw(application)
    assert (only(application).state, channel.asked, channel.deletions) == (PostState.NEEDS_ATTENTION, [], 0)
    assert "another account than the one it was sent from" in only(application).message


@pytest.mark.parametrize(("fault", "gone"), [("late", True), ("lost", False), ("bug", False)])
def test_an_unclear_deletion_is_looked_up(
    application: Application, channel: FakeChannel, clock: FakeClock, fault: str, gone: bool
) -> None:
    """Gone, it is withdrawn without another deletion; still there, it is deleted again; until then it is unknown."""
    published(application)
    channel.plan_deletions(fault)
    (problem,) = withdraw(application).problems
    assert "it may or may not be deleted" in problem
    assert (only(application).state, outcomes(application)[-1]) == (PostState.WITHDRAWING, Outcome.UNCLEAR)
    application.publisher.publish()
    assert only(application).state is PostState.WITHDRAWING  # not due yet
    clock.advance(minutes=1)
    application.publisher.publish()
    assert (only(application).state, channel.posts) == (PostState.WITHDRAWN, {})
    assert channel.deletions == 1
    assert len(attempts(application)) == 3
    assert gone == (fault == "late")


def test_a_refused_deletion_leaves_it_published(application: Application, channel: FakeChannel) -> None:
    """It is sent as before, with the platform's reason, and can be withdrawn later."""
    published(application)
    channel.plan_deletions("refused")
    (problem,) = withdraw(application).problems
    assert "did not delete it, and it is still published: the fake refused the post" in problem
    assert only(application).state is PostState.SENT
    assert application.review.draft(1).status == "published"
    assert withdraw(application).problems == ()


@pytest.mark.parametrize(("fault", "outcome"), [("throttled", Outcome.THROTTLED), ("broken", Outcome.BROKEN)])
def test_what_was_surely_not_deleted_is_tried_again(
    application: Application, channel: FakeChannel, clock: FakeClock, fault: str, outcome: Outcome
) -> None:
    """When it is due, by any round; or at once by the operator's command."""
    published(application)
    channel.plan_deletions(fault, fault)
    withdraw(application)
    assert (only(application).state, outcomes(application)[-1]) == (PostState.WITHDRAWING, outcome)
    withdraw(application)
    assert len(attempts(application)) == 3
    clock.advance(minutes=15)
    application.publisher.look_up()
    assert (only(application).state, channel.deletions) == (PostState.WITHDRAWN, 1)


def test_refused_credentials_pause_the_channel(
    application: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """The withdrawal goes on when the channel is resumed."""
    published(application)
    channel.plan_deletions("unauthorised")
    (problem,) = withdraw(application).problems
    assert "fake is paused" in problem
    application.publisher.publish()
    assert only(application).state is PostState.WITHDRAWING
    application.publisher.resume("fake")
    application.publisher.publish()
    assert only(application).state is PostState.WITHDRAWN


@pytest.mark.parametrize("begun", [False, True])
def test_a_killed_worker_s_withdrawal_goes_on(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    """After its lease; the platform is asked first if the deletion may have happened."""
    published(application)
    real = FakeChannel.delete

    def killed(self: FakeChannel, receipt: Receipt, ready: Any) -> None:
        if begun:
            real(self, receipt, ready)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "delete", killed)
        patch.setattr("auria_bot.services.publishing.withdrawal.Withdrawal._interrupted", lambda *_, **__: None)
        with pytest.raises(Killed):
            withdraw(application)
    application.publisher.publish()
    assert only(application).state is PostState.WITHDRAWING  # the lease holds
    with pytest.raises(InvalidTransition, match="being worked on"):
        withdraw(application)
    with pytest.raises(InvalidTransition, match="being worked on"):
        application.publisher.decisions.decide(1, "withdrawn")
    clock.advance(seconds=LEASE.total_seconds())
    application.publisher.publish()
    assert (only(application).state, channel.deletions) == (PostState.WITHDRAWN, 1)
    assert outcomes(application) == [Outcome.SENT, Outcome.ABANDONED, Outcome.WITHDRAWN]


def test_an_interrupted_withdrawal_is_recorded(
    application: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C before the deletion: it is surely not deleted, and the next round goes on."""
    published(application)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "delete", interrupted)
        with pytest.raises(KeyboardInterrupt):
            withdraw(application)
    assert "it is not deleted yet: the program was interrupted" in only(application).message
    application.publisher.publish()
    assert (only(application).state, channel.deletions) == (PostState.WITHDRAWN, 1)


@pytest.mark.parametrize(
    ("fault", "state", "deletions"), [("late", PostState.WITHDRAWN, 1), ("lost", PostState.CANCELLED, 0)]
)
def test_a_post_of_unknown_outcome_is_looked_for_first(
    application: Application, channel: FakeChannel, fault: str, state: PostState, deletions: int
) -> None:
    """There, it is deleted; absent, it is cancelled, and never sent again."""
    approved(application)
    channel.plan(fault)
    application.publisher.publish()
    assert withdraw(application).problems == ()
    application.publisher.publish()
    assert (only(application).state, channel.deletions, channel.mutations) == (state, deletions, int(fault == "late"))


def test_a_worker_that_is_overtaken_deletes_nothing(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease ran out before it could ask; what the other one has recorded stays."""
    published(application)
    real = FakeChannel.delete

    def late(self: FakeChannel, receipt: Receipt, ready: Any) -> None:
        monkeypatch.setattr(FakeChannel, "delete", real)
        clock.advance(seconds=LEASE.total_seconds() + 1)
        application.publisher.publish()
        real(self, receipt, ready)

    monkeypatch.setattr(FakeChannel, "delete", late)
    (post,) = withdraw(application).posts
    assert post == only(application)
    assert (post.state, channel.deletions) == (PostState.WITHDRAWN, 1)


def test_what_cannot_be_found_out_is_the_operator_s(application: Application, channel: FakeChannel) -> None:
    """A blind channel's post needs attention, with the commands that decide."""
    approved(application)
    channel.plan("late")
    application.publisher.publish()
    channel.blind = True
    (problem,) = withdraw(application).problems
    assert "auria posts resolve 1" in problem
    assert only(application).state is PostState.NEEDS_ATTENTION
    channel.blind = False
    assert withdraw(application).problems == ()
    assert only(application).state is PostState.WITHDRAWN


def test_a_look_up_under_way_cannot_undo_the_wish(application: Application, channel: FakeChannel) -> None:
    """A worker that was looking the post up when the operator withdrew it writes no more to it."""
    approved(application)
    channel.plan("late")
    application.publisher.publish()
    before = only(application)
    with application.store.begin() as unit:
        unit.posts.request_withdrawal(before, message="", now=application.clock())
    with application.store.begin() as unit, pytest.raises(InvalidTransition, match="claimed meanwhile"):
        unit.posts.save(before.moved(PostState.SENT))


def test_there_must_be_something_to_withdraw(application: Application, channel: FakeChannel) -> None:
    """A failed post, one that is withdrawn, and none at all; each is told, and nothing is done."""
    approved(application)
    channel.plan("refused")
    application.publisher.publish()
    assert "it is failed, so there is nothing to withdraw" in withdraw(application).problems[0]
    assert (only(application).state, channel.deletions) == (PostState.FAILED, 0)
    with pytest.raises(NotFound, match="there is no post 9"):
        withdraw(application, 9)
    with pytest.raises(NotFound, match="there are posts on fake"):
        application.publisher.withdrawal.plan((1,), channels=("other",))
    with pytest.raises(NotFound, match="no such post can be withdrawn"):
        application.publisher.withdrawal.plan(draft_id=1)


class _Keeping:
    """A channel without the means to delete."""

    def __init__(self, inner: FakeChannel) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        if name == "delete":
            raise AttributeError(name)
        return getattr(self._inner, name)


def test_a_channel_that_cannot_delete_says_how(application: Application, channel: FakeChannel) -> None:
    """Nothing is changed; the operator deletes it by hand and says so."""
    published(application)
    application.channels["fake"] = lambda: _Keeping(channel)  # type: ignore[index]  # the application's own dictionary
    (plan,) = application.publisher.withdrawal.plan((1,))
    assert (plan.action, withdraw(application).problems) == ("none", (plan.problem,))
    assert "delete it at https://example.invalid/" in plan.problem
    assert only(application).state is PostState.SENT
    assert application.publisher.decisions.decide(1, "withdrawn").state is PostState.WITHDRAWN
    assert only(application).receipt is not None


def test_a_channel_that_is_not_allowed_to_delete_says_so_before(application: Application, channel: FakeChannel) -> None:
    """Nothing is asked of it."""
    published(application)
    channel.deletion_obstacle = "this login deletes nothing"
    (plan,) = application.publisher.withdrawal.plan((1,))
    assert plan.action == "none"
    assert "this login deletes nothing; delete it at https://example.invalid/" in plan.problem
    assert channel.deletions == 0


def test_a_post_that_may_not_be_out_is_looked_for_where_nothing_can_be_deleted(
    application: Application, channel: FakeChannel
) -> None:
    """It is cancelled if it is not there."""
    approved(application)
    channel.plan("lost")
    channel.deletion_obstacle = "this login deletes nothing"
    application.publisher.publish()
    (plan,) = application.publisher.withdrawal.plan((1,))
    assert (plan.action, withdraw(application).problems) == ("look up", ())
    assert only(application).state is PostState.CANCELLED


def test_a_plan_that_time_overtook_does_nothing(application: Application, channel: FakeChannel) -> None:
    """A post that was published after it was planned to be cancelled is not touched."""
    approved(application)
    application.post_creator.schedule()
    plans = application.publisher.withdrawal.plan((1,))
    application.publisher.publish()
    with pytest.raises(InvalidTransition):
        application.publisher.withdraw(plans)
    assert (only(application).state, channel.deletions) == (PostState.SENT, 0)


def test_a_withdrawal_can_be_left_to_the_next_round(application: Application, channel: FakeChannel) -> None:
    """What waits is cancelled at once; what is out is deleted when the round comes."""
    approved(application, 1, channels=("fake", "folder"))
    application.publisher.publish(channels=("fake",))
    publisher = application.publisher
    requested = publisher.withdrawal.request(publisher.withdrawal.plan(draft_id=1))
    assert {post.channel: post.state for post in requested} == {
        "fake": PostState.WITHDRAWING,
        "folder": PostState.CANCELLED,
    }
    assert channel.deletions == 0
    publisher.publish()
    assert ({post.state for post in publisher.posts()}, channel.deletions) == (
        {PostState.WITHDRAWN, PostState.CANCELLED},
        1,
    )


def test_all_posts_of_a_draft_are_withdrawn_together(application: Application) -> None:
    """Each on its own channel; what is at its end already is left out."""
    approved(application, channels=("fake", "folder"))
    application.publisher.publish()
    withdraw(application, 2)
    plans = application.publisher.withdrawal.plan(draft_id=1)
    assert [plan.post.id for plan in plans] == [1]
    application.publisher.withdraw(plans)
    assert {post.state for post in application.publisher.posts()} == {PostState.WITHDRAWN}


def test_a_withdrawn_post_is_not_measured(application: Application, clock: FakeClock) -> None:
    """Its engagement is not asked for any more."""
    published(application)
    clock.advance(hours=2)
    assert application.tracker.measure(["fake"]).results[0].posts == 1
    withdraw(application)
    clock.advance(days=2)
    (measured,) = application.tracker.measure(["fake"]).results
    assert (measured.posts, measured.left) == (0, 0)


def test_a_withdrawn_post_still_counts_as_today_s(application: Application, clock: FakeClock) -> None:
    """A job that publishes one post a day does not send another in its place."""
    published(application)
    withdraw(application)
    with application.store.read() as unit:
        assert unit.posts.count_attempted("fake", since=clock()) == 1


def test_why_a_post_cannot_be_withdrawn(
    application: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is being sent, its channel is gone, or the channel's settings are wrong; the plan says so."""
    published(application)
    publisher, post = application.publisher, only(application)
    withdrawal = publisher.withdrawal

    def problem(**changes: Any) -> str:
        return withdrawal._plan(replace(post, **changes)).problem

    assert "being published right now" in problem(state=PostState.SENDING)
    assert "channel gone is not configured; add [channels.gone]" in problem(channel="gone")

    def broken() -> FakeChannel:
        raise SettingsError("instance of channel fake: 'x' is no address")

    monkeypatch.setattr(withdrawal, "_channels", {"fake": broken})
    assert problem() == "post 1 on fake: instance of channel fake: 'x' is no address"
    assert channel.deletions == 0
