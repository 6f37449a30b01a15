"""What the end of an attempt means: nothing is sent twice, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import Outcome, PostState
from auria_bot.errors import OutcomeUnknown, StorageAway, StoreError, Throttled
from auria_bot.services.publishing.publisher import LEASE
from auria_bot.services.publishing.sending import LONGEST_WAIT, MOST_FAILURES, PAUSE, retry_after
from auria_bot.testing import FakeChannel, FakeClock
from tests.factories import NOW
from tests.publishing import approved, attempts, only, outcomes

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.post import Post


def test_a_refused_post_has_failed(application: Application, channel: FakeChannel) -> None:
    """Repeating it is of no use, and it is not repeated; the words say what can be done instead."""
    approved(application)
    channel.plan("refused")
    application.publisher.publish()
    application.publisher.publish()
    assert only(application).state is PostState.FAILED
    assert (
        "nothing was posted: the fake refused the post. `auria posts show 1` shows details" in only(application).message
    )
    assert outcomes(application) == [Outcome.REFUSED]


def test_a_throttled_post_is_sent_when_the_time_has_come(
    application: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """Not before, and the channel is left in peace for the rest of the round."""
    approved(application, 1)
    approved(application, 2)
    channel.plan("throttled")
    (problem,) = application.publisher.publish().problems
    assert problem == "fake: fake asks to wait until 2026-11-21 09:15 UTC: the fake asks to wait"
    assert channel.mutations == 0
    clock.advance(minutes=14)
    application.publisher.publish()  # the second draft is due, the first is not
    assert [post.state for post in application.publisher.posts()] == [PostState.SENT, PostState.WAITING]
    clock.advance(minutes=2)
    application.publisher.publish()
    assert {post.state for post in application.publisher.posts()} == {PostState.SENT}
    assert outcomes(application) == [Outcome.THROTTLED, Outcome.SENT]
    assert [one.message for one in attempts(application)] == ["the fake asks to wait", ""]


@pytest.mark.parametrize(
    ("until", "wait"),
    [
        (None, PAUSE),
        (datetime(2026, 11, 21), PAUSE),  # noqa: DTZ001 - a channel's mistake
        (NOW - timedelta(hours=1), timedelta(minutes=1)),
        (NOW + timedelta(hours=2), timedelta(hours=2)),
        (NOW + timedelta(days=300), LONGEST_WAIT),
    ],
)
def test_a_platform_is_believed_within_reason(until: datetime | None, wait: timedelta) -> None:
    """A time of publication in the past or in another year delays nothing."""
    assert retry_after(Throttled("wait", until=until), NOW) == wait


@pytest.mark.parametrize("fault", ["late", "lost", "bug"])
def test_an_unclear_post_is_looked_up_and_never_doubled(
    application: Application, channel: FakeChannel, fault: str
) -> None:
    """Found, it is SENT; surely absent, it is sent again. What no channel should raise may hide a post, too."""
    approved(application)
    channel.plan(fault)
    application.publisher.publish()
    assert only(application).state is PostState.UNKNOWN
    assert "the next `auria publish` looks it up" in only(application).message
    application.publisher.publish()
    assert only(application).state is PostState.SENT
    assert channel.mutations == 1
    assert len(channel.posts) == 1
    assert channel.asked[0].memo == "fake memo"
    assert channel.asked[0].tried_at == application.clock()


def test_what_breaks_before_anything_is_sent_is_tried_again(
    application: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """Later and later, without a look-up; after five times in a row the operator is asked."""
    approved(application)
    waits = []
    for _ in range(MOST_FAILURES):
        channel.plan("broken")
        application.publisher.publish()
        waits.append((only(application).due - clock()).total_seconds() / 60)
        clock.advance(minutes=max(waits[-1], 0))
    assert waits[:-1] == [1, 2, 4, 8]
    assert only(application).state is PostState.NEEDS_ATTENTION
    assert "RuntimeError: the fake could not upload the picture" in only(application).message
    assert (
        "`auria posts resolve 1 --sent URL`, `--not-sent` (it is sent again) or `--give-up`"
        in only(application).message
    )
    assert outcomes(application) == [Outcome.BROKEN] * MOST_FAILURES
    assert channel.asked == []
    application.publisher.decisions.decide(1, "not-sent")
    channel.plan("broken")
    application.publisher.publish()
    assert only(application).state is PostState.NEEDS_ATTENTION
    application.publisher.decisions.decide(1, "not-sent")
    application.publisher.publish()
    assert only(application).state is PostState.SENT


def test_a_word_of_the_platform_ends_a_row_of_failures(
    application: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """Only failures in a row count."""
    approved(application)
    for fault in ["broken"] * 4 + ["throttled"] + ["broken"] * 4:
        channel.plan(fault)
        application.publisher.publish()
        clock.advance(hours=1)
    assert only(application).state is PostState.WAITING
    application.publisher.publish()
    assert only(application).state is PostState.SENT


def test_an_unclear_word_before_ready_speaks_of_an_earlier_attempt(
    application: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there was none, nothing can be out; where there was one, it is looked up once more."""

    def early(*_: object) -> Any:
        raise OutcomeUnknown("the folder cannot be read")

    approved(application)
    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "publish", early)
        application.publisher.publish()
        assert only(application).state is PostState.WAITING
        with application.store.begin() as unit:
            unit.posts.save(replace(only(application), due=application.clock()))
    channel.plan("lost")
    application.publisher.publish()
    channel.plan("throttled")
    application.publisher.publish()
    assert (only(application).state, only(application).tried_at) == (PostState.WAITING, application.clock())
    with application.store.begin() as unit:
        unit.posts.save(replace(only(application), due=application.clock()))
    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "publish", early)
        application.publisher.publish()
    assert only(application).state is PostState.UNKNOWN


@pytest.mark.parametrize("begun", [False, True])
def test_an_interrupt_in_the_middle(application: Application, monkeypatch: pytest.MonkeyPatch, begun: bool) -> None:
    """Ctrl-C is not swallowed: before the mutation the post just waits, afterwards it is looked up."""
    approved(application)

    def interrupt(_: FakeChannel, __: Post, ready: Any) -> None:
        if begun:
            ready("half way")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "publish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            application.publisher.publish()
    assert only(application).state is (PostState.UNKNOWN if begun else PostState.WAITING)
    assert outcomes(application) == ([Outcome.UNCLEAR] if begun else [])
    application.publisher.publish()
    application.publisher.publish()
    assert only(application).state is PostState.SENT


def test_ready_renews_the_lease(application: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload that takes nearly the whole lease leaves all of another for the mutation."""
    approved(application)
    real = FakeChannel.publish

    def slow(self: FakeChannel, post: Post, ready: Any) -> Any:
        def then(memo: str = "") -> None:
            clock.advance(seconds=LEASE.total_seconds() - 1)
            ready(memo)
            clock.advance(seconds=LEASE.total_seconds() - 1)
            with application.store.begin() as unit:
                assert unit.posts.expired(now=clock()) == ()

        return real(self, post, then)

    monkeypatch.setattr(FakeChannel, "publish", slow)
    application.publisher.publish()
    assert only(application).state is PostState.SENT


def _upload_that_outlives_the_lease(clock: FakeClock, meanwhile: Any) -> Any:
    real = FakeChannel.publish
    first = True

    def slow(self: FakeChannel, post: Post, ready: Any) -> Any:
        nonlocal first
        if first:
            first = False
            clock.advance(seconds=LEASE.total_seconds() + 1)
            meanwhile()
        return real(self, post, ready)

    return slow


def test_a_worker_whose_lease_ran_out_sends_nothing(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`confirm_send` stops it although no other worker took over; the next round sends the post."""
    approved(application)
    monkeypatch.setattr(FakeChannel, "publish", _upload_that_outlives_the_lease(clock, lambda: None))
    application.publisher.publish()
    assert channel.mutations == 0
    assert only(application).state is PostState.SENDING
    application.publisher.publish()
    assert only(application).state is PostState.SENT
    assert channel.mutations == 1
    assert outcomes(application) == [Outcome.ABANDONED, Outcome.SENT]


def test_a_worker_whose_post_was_taken_over_sends_nothing(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another sent it meanwhile: `ready` stops the first, and the state stays."""
    approved(application)
    take_over = application.publisher.publish
    monkeypatch.setattr(FakeChannel, "publish", _upload_that_outlives_the_lease(clock, take_over))
    (done,) = application.publisher.publish().posts
    assert done.state is PostState.SENT
    assert channel.mutations == 1
    assert [one.number for one in attempts(application)] == [1, 2]


def test_receipts_of_posts_that_are_out_already_are_all_written(application: Application) -> None:
    """After a worker died between mutations and commit, receipts are read without sending again."""
    for number in range(1, 6):
        approved(application, number, channels=("folder",))
    application.post_creator.schedule()
    folder = application.channels["folder"]()
    for post in application.publisher.posts():
        folder.publish(post, lambda memo="": None)
    application.publisher.publish()
    assert {post.state for post in application.publisher.posts()} == {PostState.SENT}
    assert [outcomes(application, number) for number in range(1, 6)] == [[Outcome.SENT]] * 5


def _taken_for_absent(application: Application, clock: FakeClock) -> None:
    """Its lease ran out, and a `find` wrongly said that it is not there: the post waits again."""
    with application.store.begin() as unit:
        (lost,) = unit.posts.expired(now=clock())
        unit.posts.close_attempt(lost.moved(PostState.WAITING), outcome=Outcome.ABANDONED, message="", at=clock())


def _answer_that_outlives_the_lease(clock: FakeClock, meanwhile: Any) -> Any:
    real = FakeChannel.publish
    first = True

    def slow(self: FakeChannel, post: Post, ready: Any) -> Any:
        nonlocal first
        receipt = real(self, post, ready)
        if first:
            first = False
            clock.advance(seconds=LEASE.total_seconds() + 1)
            meanwhile()
        return receipt

    return slow


@pytest.mark.parametrize(
    ("finds", "between"),
    [(["ok"], PostState.SENT), (["throttled"], PostState.UNKNOWN), (["unclear"], PostState.NEEDS_ATTENTION)],
)
def test_a_late_receipt_is_kept(
    application: Application,
    channel: FakeChannel,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    finds: list[str],
    between: PostState,
) -> None:
    """While the answer was awaited, the post was given up for lost: the receipt settles it all the same."""
    approved(application)
    seen = []

    def meanwhile() -> None:
        channel.plan_finds(*finds)
        application.publisher.publish()
        seen.append(only(application).state)

    monkeypatch.setattr(FakeChannel, "publish", _answer_that_outlives_the_lease(clock, meanwhile))
    application.publisher.publish()
    assert seen == [between]
    assert only(application).state is PostState.SENT
    assert only(application).receipt is not None
    assert channel.mutations == 1
    assert outcomes(application) == [Outcome.ABANDONED]


def test_a_late_receipt_saves_from_a_second_post(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receipt overrules a `find` that wrongly said absent, as long as the post was not claimed again."""
    approved(application)
    outlived = _answer_that_outlives_the_lease(clock, lambda: _taken_for_absent(application, clock))
    monkeypatch.setattr(FakeChannel, "publish", outlived)
    application.publisher.publish()
    assert only(application).state is PostState.SENT
    assert only(application).message == "its worker returned late, with the receipt"
    assert channel.mutations == 1


@pytest.mark.parametrize("claimed_again", [False, True])
def test_a_receipt_that_comes_too_late_changes_nothing(
    application: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, claimed_again: bool
) -> None:
    """The operator gave the post up, or another worker has it: that stands."""
    approved(application)

    def meanwhile() -> None:
        _taken_for_absent(application, clock)
        if claimed_again:
            with application.store.begin() as unit:
                unit.posts.claim(now=clock() + LEASE, lease=LEASE, channels=("fake",))
        else:
            application.publisher.decisions.decide(1, "give-up")

    monkeypatch.setattr(FakeChannel, "publish", _answer_that_outlives_the_lease(clock, meanwhile))
    application.publisher.publish(limit=1)
    assert only(application).state is (PostState.SENDING if claimed_again else PostState.FAILED)


def test_a_late_receipt_may_lose_a_race(
    application: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the word, another worker claims the post: its claim stands."""
    from auria_bot.store.posts import Posts

    approved(application)
    real = Posts.save

    def outrun(self: Posts, post: Post) -> None:
        self.claim(now=clock() + LEASE, lease=LEASE, channels=("fake",))
        real(self, post)

    outlived = _answer_that_outlives_the_lease(clock, lambda: _taken_for_absent(application, clock))
    monkeypatch.setattr(FakeChannel, "publish", outlived)
    monkeypatch.setattr(Posts, "save", outrun)
    application.publisher.publish(limit=1)
    assert only(application).state in {PostState.WAITING, PostState.SENDING}


def test_a_failure_after_the_lease_settles_nothing(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker finished the post while the first one's call hung and then failed."""
    approved(application)
    real = FakeChannel.publish

    def hangs(self: FakeChannel, post: Post, ready: Any) -> Any:
        real(self, post, ready)
        clock.advance(seconds=LEASE.total_seconds() + 1)
        application.publisher.publish()
        raise OutcomeUnknown("timed out")

    monkeypatch.setattr(FakeChannel, "publish", hangs)
    application.publisher.publish()
    assert only(application).state is PostState.SENT
    assert channel.mutations == 1


def test_a_database_that_fails_at_ready_sends_nothing(
    application: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written down is not done."""
    from auria_bot.store.posts import Posts

    def broken(*_: object, **__: object) -> None:
        raise StoreError("the database is away")

    approved(application)
    with monkeypatch.context() as patch:
        patch.setattr(Posts, "confirm_send", broken)
        application.publisher.publish()
    assert channel.mutations == 0
    assert only(application).state is PostState.WAITING
    assert outcomes(application) == [Outcome.BROKEN]


def test_a_changed_picture_is_not_sent(application: Application, channel: FakeChannel) -> None:
    """The bytes on the disk are checked right before sending; put back, the operator sends it again."""
    made = approved(application)
    posts, problems = application.post_creator.schedule()
    assert (len(posts), problems) == (1, [])
    path = Path(posts[0].picture)
    good = path.read_bytes()
    path.write_bytes(good + b"!")
    application.publisher.publish()
    assert only(application).state is PostState.NEEDS_ATTENTION
    assert "not the picture that was approved; correct it, then: `auria posts resolve 1" in only(application).message
    assert channel.mutations == 0
    path.write_bytes(good)
    application.publisher.decisions.decide(1, "not-sent")
    application.publisher.publish()
    assert only(application).state is PostState.SENT
    assert application.review.draft(made.id).state is DraftState.SCHEDULED


def test_words_that_were_not_approved_are_not_sent(application: Application, channel: FakeChannel) -> None:
    """Whoever changed the row, the approval's signature tells; a picture that is gone is not sent either."""
    approved(application, 1)
    approved(application, 2)
    first, second = application.post_creator.schedule()[0]
    with application.store.begin() as unit:
        unit.posts._connection.exec_driver_sql("UPDATE posts SET text = 'buy now' WHERE id = 1")
    Path(second.picture).unlink()
    application.publisher.publish()
    assert channel.mutations == 0
    assert "its content is not what was approved" in application.publisher.post(first.id)[0].message
    assert f"{second.picture} cannot be read" in application.publisher.post(second.id)[0].message


def test_a_post_whose_picture_is_in_a_bucket_that_is_away_waits(
    application: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent, and it is sent once the bucket is back."""

    def away(_: object) -> NoReturn:
        raise StorageAway("the bucket cannot be reached")

    approved(application)
    with monkeypatch.context() as patched:
        patched.setattr(application.publisher._sender, "_locate", away)
        application.publisher.publish()
    assert (only(application).state, channel.mutations) == (PostState.WAITING, 0)
    assert "the bucket cannot be reached" in only(application).message
    clock.advance(hours=1)
    application.publisher.publish()
    assert only(application).state is PostState.SENT
