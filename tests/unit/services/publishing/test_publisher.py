"""Publishing, exactly once, whatever the channel does."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import Outcome, PostState
from auria_bot.errors import (
    InputError,
    InvalidTransition,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Unauthorised,
    UnknownName,
)
from auria_bot.services.publishing.publisher import LEASE
from auria_bot.testing import FakeChannel, FakeClock
from tests.applications import fake_application
from tests.publishing import approved, attempts, only, outcomes

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.interfaces import PreparedText
    from auria_bot.domain.post import Post


def test_an_approved_draft_is_published_once(application: Application, channel: FakeChannel) -> None:
    """A second round finds nothing to do; the receipt is stored with its cost."""
    made = approved(application)
    done = application.publisher.publish()
    assert [post.state for post in done.posts] == [PostState.SENT]
    assert done.problems == ()
    receipt = only(application).receipt
    assert receipt is not None
    assert (receipt.id, receipt.cost) == ("fake-1", 0.015)
    assert only(application).memo == "fake memo"
    assert only(application).tried_at == application.clock()
    assert application.review.draft(made.id).state is DraftState.SCHEDULED
    assert application.publisher.publish().posts == ()
    assert channel.mutations == 1


def test_only_approved_drafts_are_published(application: Application, channel: FakeChannel) -> None:
    """Naming one that is not is an error; without names it is left alone."""
    made = approved(application)
    application.review.edit(made.id, text="other words")
    assert application.publisher.publish().posts == ()
    with pytest.raises(InvalidTransition):
        application.publisher.publish([made.id])
    with pytest.raises(NotFound):
        application.publisher.publish([77])
    assert channel.mutations == 0


def test_a_round_sends_all_that_is_due_or_as_many_as_it_is_told(application: Application, channel: FakeChannel) -> None:
    """The oldest first; the limit counts for each channel."""
    for number in range(1, 8):
        approved(application, number, channels=("fake", "folder"))
    sent = application.publisher.publish(limit=2).posts
    assert [post.channel for post in sent if post.state is PostState.SENT].count("folder") == 2
    assert channel.mutations == 2
    application.publisher.publish(limit=0)
    assert channel.mutations == 2
    application.publisher.publish(channels=["fake"])
    assert channel.mutations == 7
    states = {post.channel: post.state for post in application.publisher.posts({PostState.WAITING})}
    assert states == {"folder": PostState.WAITING}


def test_channels_fail_independently(application: Application, channel: FakeChannel) -> None:
    """What one refuses, or cannot even be asked, another publishes."""
    approved(application, channels=("fake", "folder"))
    channel.plan("refused")
    application.publisher.publish()
    assert {post.channel: post.state for post in application.publisher.posts()} == {
        "fake": PostState.FAILED,
        "folder": PostState.SENT,
    }
    assert (application.settings.home / "published" / "index.html").is_file()


def test_a_channel_that_cannot_be_made_stops_no_other(
    application: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a problem that the round tells."""
    from auria_bot.errors import SettingsError

    approved(application, channels=("fake", "folder"))
    application.post_creator.schedule()

    def wrong() -> Any:
        raise SettingsError("channels.folder.options: there is no such option")

    monkeypatch.setitem(cast("dict[str, Any]", application.channels), "folder", wrong)
    done = application.publisher.publish()
    assert done.problems == ("folder: channels.folder.options: there is no such option",)
    assert channel.mutations == 1


def test_what_a_channel_tidies_up_is_done_in_every_round(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure is told, and concerns no post."""
    from auria_bot.channels.folder.channel import FolderChannel

    def fail(_: FolderChannel) -> None:
        raise OutcomeUnknown("the gallery could not be rebuilt")

    approved(application, channels=("folder",))
    with monkeypatch.context() as patch:
        patch.setattr(FolderChannel, "tidy", fail)
        done = application.publisher.publish()
    assert done.problems == ("folder: the gallery could not be rebuilt",)
    assert only(application).state is PostState.SENT
    (application.settings.home / "published" / "index.html").unlink()
    application.publisher.publish()
    assert (application.settings.home / "published" / "index.html").is_file()


@pytest.mark.parametrize("fault", ["throttled", "broken", "late"])
def test_a_channel_in_trouble_is_left_in_peace_for_the_round(
    application: Application, channel: FakeChannel, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of what was claimed waits as if nothing had been done with it; the next round goes on."""
    monkeypatch.setattr(FakeChannel, "tidy", lambda _: None, raising=False)  # as a channel of this machine
    for number in range(1, 10):
        approved(application, number)
    application.post_creator.schedule()
    channel.plan("ok", "ok", "ok", fault)
    done = application.publisher.publish()
    assert channel.mutations == 3 + (fault == "late")
    assert len(done.posts) == 4
    later = [post for post in reversed(application.publisher.posts({PostState.WAITING})) if post.id > 4]
    assert [(post.fencing, outcomes(application, post.id)) for post in later] == [(1, [])] * 5
    application.publisher.publish()
    assert channel.mutations >= 8


def test_an_interrupt_lets_the_rest_go(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a batch is sent leaves nothing claimed, and is not swallowed."""
    monkeypatch.setattr(FakeChannel, "tidy", lambda _: None, raising=False)  # as a channel of this machine
    for number in range(1, 8):
        approved(application, number)
    application.post_creator.schedule()
    real, seen = FakeChannel.publish, list[int]()

    def interrupted(self: FakeChannel, post: Post, ready: Any) -> Any:
        seen.append(post.id)
        if len(seen) == 5:
            raise KeyboardInterrupt
        return real(self, post, ready)

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "publish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            application.publisher.publish()
    assert {post.id: post.state for post in application.publisher.posts() if post.state is not PostState.SENT} == {
        5: PostState.WAITING,
        6: PostState.WAITING,
        7: PostState.WAITING,
    }
    assert outcomes(application, 5) == []
    application.publisher.publish()
    assert {post.state for post in application.publisher.posts()} == {PostState.SENT}


@pytest.mark.parametrize(("name", "sizes"), [("fake", [1] * 35), ("folder", [32, 3])])
def test_a_channel_of_this_machine_gets_several_at_once(
    application: Application, monkeypatch: pytest.MonkeyPatch, name: str, sizes: list[int]
) -> None:
    """Any other one by one, so that a slow platform keeps no post from another publisher."""
    from auria_bot.store.posts import Posts

    for number in range(1, 36):
        approved(application, number, channels=(name,))
    application.post_creator.schedule()
    real, claimed = Posts.claim, list[int]()

    def counted(self: Posts, **words: Any) -> Any:
        claimed.append(len(found := real(self, **words)))
        return found

    monkeypatch.setattr(Posts, "claim", counted)
    application.publisher.publish(channels=[name])
    assert claimed == [*sizes, 0]
    assert {outcome for post in application.publisher.posts() for outcome in outcomes(application, post.id)} == {
        Outcome.SENT
    }
    assert {post.state for post in application.publisher.posts()} == {PostState.SENT}


def test_posts_of_a_channel_that_is_gone_are_told_of(application: Application, channel: FakeChannel) -> None:
    """They would wait for ever without a word; they can be given up."""
    approved(application)
    application.post_creator.schedule()
    del cast("dict[str, Any]", application.channels)["fake"]
    (problem,) = application.publisher.publish().problems
    assert "posts wait for channel fake, which is not configured" in problem
    assert application.publisher.publish(channels=["folder"]).problems == ()
    assert application.publisher.decisions.decide(1, "give-up").state is PostState.FAILED
    assert application.publisher.publish().problems == ()
    assert channel.mutations == 0


def test_the_operator_says_that_a_post_is_out(application: Application, channel: FakeChannel) -> None:
    """With its address, whose last part is its id unless another is named."""
    for fault in ("ok", "late"):
        approved(application, len(application.publisher.posts()) + 1)
        channel.plan(fault)
        application.publisher.publish()
    channel.blind = True
    application.publisher.publish()
    assert [post.state for post in application.publisher.posts()] == [PostState.NEEDS_ATTENTION, PostState.SENT]
    with pytest.raises(InputError, match="address is missing"):
        application.publisher.decisions.decide(2, "sent", url=" ")
    decided = application.publisher.decisions.decide(2, "sent", url=" https://example.com/status/1234/ ")
    assert decided.state is PostState.SENT
    assert only_receipt(decided) == ("1234", "https://example.com/status/1234/")
    assert application.publisher.post(2)[0] == decided
    assert application.publisher.attempts([1, 2]) == {
        number: application.publisher.post(number)[1] for number in (1, 2)
    }


def only_receipt(post: Post) -> tuple[str, str]:
    """A post's receipt in short."""
    return (post.receipt.id, post.receipt.url) if post.receipt else ("", "")


def test_an_unknown_post_may_be_decided_too(application: Application, channel: FakeChannel) -> None:
    """The operator may be quicker than the channel."""
    approved(application)
    channel.plan("late")
    application.publisher.publish()
    decided = application.publisher.decisions.decide(1, "sent", url="https://example.com/1", identifier="at://1")
    assert only_receipt(decided) == ("at://1", "https://example.com/1")
    assert application.publisher.publish().posts == ()


@pytest.mark.parametrize(("decision", "state"), [("not-sent", PostState.SENT), ("give-up", PostState.FAILED)])
def test_the_operator_decides(application: Application, channel: FakeChannel, decision: str, state: PostState) -> None:
    """Not sent: it goes out in the next round; given up: never. Anything else is refused, and so is a second word."""
    approved(application)
    channel.plan("lost")
    channel.blind = True
    application.publisher.publish()
    application.publisher.publish()
    with pytest.raises(InputError, match="known: sent, not-sent, give-up"):
        application.publisher.decisions.decide(1, "perhaps")
    application.publisher.decisions.decide(1, decision)
    application.publisher.publish()
    assert only(application).state is state
    with pytest.raises(
        InvalidTransition, match=f"is {state}; --not-sent is for posts that are needs_attention or unknown"
    ):
        application.publisher.decisions.decide(1, "not-sent")


def test_two_publishers_send_each_post_once(tmp_path: Path) -> None:
    """Side by side, on the same database, nothing is sent twice."""
    clock = FakeClock()
    first = fake_application(tmp_path / "home", clock=clock)
    second = fake_application(tmp_path / "home", clock=clock)
    channel = cast("FakeChannel", first.channels["fake"]())
    second.channels["fake"] = lambda: channel  # type: ignore[index]
    for number in range(1, 13):
        approved(first, number)
    first.post_creator.schedule()
    workers = [threading.Thread(target=application.publisher.publish) for application in (first, second)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert channel.mutations == 12
    assert {post.state for post in first.publisher.posts()} == {PostState.SENT}
    assert {outcome for post in first.publisher.posts() for outcome in outcomes(first, post.id)} == {Outcome.SENT}
    first.close()
    second.close()


def test_what_went_out_since_counts_among_the_most(
    application: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """A second call for the same hour sends nothing; for the next hour it does."""
    for number in range(1, 4):
        approved(application, number)
    six = clock()
    clock.advance(minutes=1)
    for _ in range(2):
        application.publisher.publish(limit=1, since=six)
        clock.advance(minutes=1)
    assert channel.mutations == 1
    application.publisher.publish(limit=1, since=clock())
    assert channel.mutations == 2


def test_a_post_that_may_be_out_counts_until_it_is_known(
    application: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """One that was lost is sent again for the same hour, and one that went out is not followed by another."""
    for number in range(1, 3):
        approved(application, number)
    six = clock()
    channel.plan("lost")
    channel.plan_finds("throttled", "throttled")
    first = application.publisher.publish(limit=1, since=six)
    assert any("will be known later" in words for words in first.problems)
    application.publisher.publish(limit=1, since=six)
    assert channel.mutations == 0
    clock.advance(hours=2)
    application.publisher.publish(limit=1, since=six)
    clock.advance(hours=2)
    application.publisher.publish(limit=1, since=six)
    assert {post.state for post in application.publisher.posts()} == {PostState.SENT, PostState.WAITING}


def test_a_post_that_is_being_sent_counts_since_its_claim(
    application: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """The run whose worker died waits for its post; a later run sends its own, and knows of no other."""
    for number in range(1, 4):
        approved(application, number)
    six = clock()
    application.post_creator.schedule([1])
    with application.store.begin() as unit:
        unit.posts.claim(now=clock(), lease=LEASE, channels=("fake",))
    clock.advance(minutes=1)
    first = application.publisher.publish([2], limit=1, since=six)
    assert (channel.mutations, ["is sending" in words for words in first.problems]) == (0, [True])
    second = application.publisher.publish([2], limit=1, since=clock())
    assert (channel.mutations, second.problems) == (1, ())


def test_a_post_of_a_worker_that_died_is_no_problem_of_another_run(
    application: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """A run that has sent its post and is begun again ends well, though it takes back an earlier run's; the next sends that."""
    for number in range(1, 3):
        approved(application, number)
    application.post_creator.schedule([1])
    with application.store.begin() as unit:
        unit.posts.claim(now=clock(), lease=LEASE, channels=("fake",))
    clock.advance(minutes=1)
    seven = clock()
    application.publisher.publish([2], limit=1, since=seven)
    clock.advance(minutes=30)
    again = application.publisher.publish([2], limit=1, since=seven)
    assert (channel.mutations, again.problems) == (1, ())
    assert {post.state for post in application.publisher.posts()} == {PostState.SENT, PostState.WAITING}
    application.publisher.publish(limit=1, since=clock())
    assert channel.mutations == 2


def test_looking_up_sends_nothing(application: Application, channel: FakeChannel, clock: FakeClock) -> None:
    """Neither what waits nor what is approved; what may be out is found."""
    approved(application, 1)
    channel.plan("late")
    application.publisher.publish()
    clock.advance(hours=2)
    second = approved(application, 2)
    assert [post.state for post in application.publisher.look_up().posts] == [PostState.SENT]
    assert channel.mutations == 1
    assert application.review.draft(second.id).state is DraftState.APPROVED


def test_refused_credentials_pause_the_channel(application: Application, channel: FakeChannel) -> None:
    """One attempt tells; nothing else is tried, nor even checked, until the operator has put it right."""
    approved(application, 1)
    approved(application, 2)
    channel.plan("unauthorised")
    done = application.publisher.publish()
    words = "the fake rejects the password; correct that, then: `auria channels resume fake`"
    assert done.problems == (f"fake is paused: {words}",)
    assert [post.state for post in application.publisher.posts()] == [PostState.WAITING] * 2
    assert outcomes(application) == [Outcome.UNAUTHORISED]
    assert application.publisher.publish().problems == (f"fake is paused: {words}",)
    (pause,) = application.publisher.paused()
    assert (pause.name, pause.by, pause.at) == ("fake", "auria", application.clock())
    assert channel.mutations == 0
    channel.locked = True
    with pytest.raises(Unauthorised, match="still rejects"):
        application.publisher.resume("fake")
    assert application.publisher.paused() == (pause,)
    channel.locked = False
    assert application.publisher.resume("fake") == "fake is a fake, and ready"
    application.publisher.publish()
    assert {post.state for post in application.publisher.posts()} == {PostState.SENT}
    assert channel.mutations == 2


def test_the_last_trouble_of_a_channel_is_told_until_it_works(
    application: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """When it was, with which post, and in the platform's words."""
    approved(application)
    channel.plan("broken")
    application.publisher.publish()
    assert application.publisher.last_troubles() == {"fake": (clock(), 1, attempts(application)[0].message)}
    clock.advance(hours=1)
    application.publisher.publish()
    assert application.publisher.last_troubles() == {}


def test_a_draft_that_a_channel_would_refuse_gets_no_time(
    application: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal is told, and no post is made."""
    made = approved(application)

    def refuse(self: FakeChannel, text: str, alt_text: str) -> PreparedText:
        raise Rejected("too long for the fake")

    monkeypatch.setattr(FakeChannel, "fit", refuse)
    with pytest.raises(InputError, match="draft 1: channel fake: too long for the fake"):
        application.publisher.set_draft_time(made.id, clock() + timedelta(hours=1))
    assert application.publisher.posts() == ()


def test_the_operator_pauses_and_resumes(application: Application, channel: FakeChannel) -> None:
    """Posts wait meanwhile; each act stands in the journal."""
    approved(application)
    application.publisher.pause("fake", by="ria")
    assert "auria channels resume fake" in application.publisher.publish().problems[0]
    assert only(application).state is PostState.WAITING
    assert [(pause.name, pause.by) for pause in application.publisher.paused()] == [("fake", "ria")]
    application.publisher.resume("fake")
    application.publisher.resume("fake")
    with application.store.read() as unit:
        told = [(entry.action, entry.details) for entry in unit.journal.list()]
    assert [action for action, _ in told].count("resume") == 1
    assert ("resume", "fake") in told
    application.publisher.publish()
    assert channel.mutations == 1


def test_a_good_check_ends_auria_s_own_pause_only(application: Application, channel: FakeChannel) -> None:
    """What the operator paused, only the operator resumes."""
    approved(application)
    channel.plan("unauthorised")
    application.publisher.publish()
    assert application.publisher.check("fake")
    assert application.publisher.paused() == ()
    application.publisher.pause("fake", "a holiday")
    assert application.publisher.check("fake")
    assert [pause.reason for pause in application.publisher.paused()] == ["a holiday"]


def test_an_operator_s_pause_is_not_taken_over(application: Application, channel: FakeChannel) -> None:
    """Credentials that are refused while it stands change nothing about it."""
    approved(application)
    application.post_creator.schedule()
    real = channel.publish

    def paused_meanwhile(post: object, ready: object) -> object:
        application.publisher.pause("fake", "a holiday", by="ria")
        return real(post, ready)  # type: ignore[arg-type]  # as it came

    channel.publish = paused_meanwhile  # type: ignore[method-assign,assignment]  # for once
    channel.plan("unauthorised")
    application.publisher.publish()
    assert [(pause.by, pause.reason) for pause in application.publisher.paused()] == [("ria", "a holiday")]


@pytest.mark.parametrize("act", ["pause", "resume", "check"])
def test_an_unknown_channel(application: Application, act: str) -> None:
    """The known ones are named."""
    with pytest.raises(UnknownName, match=r"no channel named 'myspace'; known: fake, folder"):
        getattr(application.publisher, act)("myspace")
