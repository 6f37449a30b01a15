"""What the end of an attempt means: nothing is sent twice, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import Outcome, PostState
from auria_bot.errors import OutcomeUnknown, StoreError, Throttled
from auria_bot.services.publishing.publisher import LEASE
from auria_bot.services.publishing.sending import LONGEST_WAIT, MOST_FAILURES, PAUSE, retry_after
from auria_bot.testing import FakeChannel, FakeClock
from tests.factories import NOW
from tests.publishing import approved, attempts, only, outcomes

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.post import Post


def test_a_refused_post_has_failed(house: Application, channel: FakeChannel) -> None:
    """Repeating it is of no use, and it is not repeated; the words say what can be done instead."""
    approved(house)
    channel.plan("refused")
    house.publisher.publish()
    house.publisher.publish()
    assert only(house).state is PostState.FAILED
    assert "nothing was posted: the fake refused the post. `auria posts show 1` shows details" in only(house).message
    assert outcomes(house) == [Outcome.REFUSED]


def test_a_throttled_post_is_sent_when_the_time_has_come(
    house: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """Not before, and the channel is left in peace for the rest of the round."""
    approved(house, 1)
    approved(house, 2)
    channel.plan("throttled")
    (problem,) = house.publisher.publish().problems
    assert problem == "fake: fake asks to wait until 2026-11-21 09:15 UTC: the fake asks to wait"
    assert channel.mutations == 0
    clock.advance(minutes=14)
    house.publisher.publish()  # the second draft is due, the first is not
    assert [post.state for post in house.publisher.posts()] == [PostState.SENT, PostState.WAITING]
    clock.advance(minutes=2)
    house.publisher.publish()
    assert {post.state for post in house.publisher.posts()} == {PostState.SENT}
    assert outcomes(house) == [Outcome.THROTTLED, Outcome.SENT]
    assert [one.message for one in attempts(house)] == ["the fake asks to wait", ""]


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
def test_an_unclear_post_is_looked_up_and_never_doubled(house: Application, channel: FakeChannel, fault: str) -> None:
    """Found, it is SENT; surely absent, it is sent again. What no channel should raise may hide a post, too."""
    approved(house)
    channel.plan(fault)
    house.publisher.publish()
    assert only(house).state is PostState.UNKNOWN
    assert "the next `auria publish` looks it up" in only(house).message
    house.publisher.publish()
    assert only(house).state is PostState.SENT
    assert channel.mutations == 1
    assert len(channel.posts) == 1
    assert channel.asked[0].memo == "fake memo"
    assert channel.asked[0].tried_at == house.clock()


def test_what_breaks_before_anything_is_sent_is_tried_again(
    house: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """Later and later, without a look-up; after five times in a row the operator is asked."""
    approved(house)
    waits = []
    for _ in range(MOST_FAILURES):
        channel.plan("broken")
        house.publisher.publish()
        waits.append((only(house).due - clock()).total_seconds() / 60)
        clock.advance(minutes=max(waits[-1], 0))
    assert waits[:-1] == [1, 2, 4, 8]
    assert only(house).state is PostState.NEEDS_ATTENTION
    assert "RuntimeError: the fake could not upload the picture" in only(house).message
    assert "`auria posts resolve 1 --sent URL`, `--not-sent` (it is sent again) or `--give-up`" in only(house).message
    assert outcomes(house) == [Outcome.BROKEN] * MOST_FAILURES
    assert channel.asked == []
    house.publisher.decide(1, "not-sent")
    channel.plan("broken")
    house.publisher.publish()
    assert only(house).state is PostState.NEEDS_ATTENTION
    house.publisher.decide(1, "not-sent")
    house.publisher.publish()
    assert only(house).state is PostState.SENT


def test_a_word_of_the_platform_ends_a_row_of_failures(
    house: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """Only failures in a row count."""
    approved(house)
    for fault in ["broken"] * 4 + ["throttled"] + ["broken"] * 4:
        channel.plan(fault)
        house.publisher.publish()
        clock.advance(hours=1)
    assert only(house).state is PostState.WAITING
    house.publisher.publish()
    assert only(house).state is PostState.SENT


def test_an_unclear_word_before_ready_speaks_of_an_earlier_attempt(
    house: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there was none, nothing can be out; where there was one, it is looked up once more."""

    def early(*_: object) -> Any:
        raise OutcomeUnknown("the folder cannot be read")

    approved(house)
    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "publish", early)
        house.publisher.publish()
        assert only(house).state is PostState.WAITING
        with house.store.begin() as unit:
            unit.posts.save(replace(only(house), due=house.clock()))
    channel.plan("lost")
    house.publisher.publish()
    channel.plan("throttled")
    house.publisher.publish()
    assert (only(house).state, only(house).tried_at) == (PostState.WAITING, house.clock())
    with house.store.begin() as unit:
        unit.posts.save(replace(only(house), due=house.clock()))
    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "publish", early)
        house.publisher.publish()
    assert only(house).state is PostState.UNKNOWN


@pytest.mark.parametrize("begun", [False, True])
def test_an_interrupt_in_the_middle(house: Application, monkeypatch: pytest.MonkeyPatch, begun: bool) -> None:
    """Ctrl-C is not swallowed: before the mutation the post just waits, afterwards it is looked up."""
    approved(house)

    def interrupt(_: FakeChannel, __: Post, ready: Any) -> None:
        if begun:
            ready("half way")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "publish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            house.publisher.publish()
    assert only(house).state is (PostState.UNKNOWN if begun else PostState.WAITING)
    assert outcomes(house) == ([Outcome.UNCLEAR] if begun else [])
    house.publisher.publish()
    house.publisher.publish()
    assert only(house).state is PostState.SENT


def test_ready_renews_the_lease(house: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload that takes nearly the whole lease leaves all of another for the mutation."""
    approved(house)
    real = FakeChannel.publish

    def slow(self: FakeChannel, post: Post, ready: Any) -> Any:
        def then(memo: str = "") -> None:
            clock.advance(seconds=LEASE.total_seconds() - 1)
            ready(memo)
            clock.advance(seconds=LEASE.total_seconds() - 1)
            with house.store.begin() as unit:
                assert unit.posts.expired(now=clock()) == ()

        return real(self, post, then)

    monkeypatch.setattr(FakeChannel, "publish", slow)
    house.publisher.publish()
    assert only(house).state is PostState.SENT


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
    house: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`confirm_send` stops it although no other worker took over; the next round sends the post."""
    approved(house)
    monkeypatch.setattr(FakeChannel, "publish", _upload_that_outlives_the_lease(clock, lambda: None))
    house.publisher.publish()
    assert channel.mutations == 0
    assert only(house).state is PostState.SENDING
    house.publisher.publish()
    assert only(house).state is PostState.SENT
    assert channel.mutations == 1
    assert outcomes(house) == [Outcome.ABANDONED, Outcome.SENT]


def test_a_worker_whose_post_was_taken_over_sends_nothing(
    house: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another sent it meanwhile: `ready` stops the first, and the state stays."""
    approved(house)
    take_over = house.publisher.publish
    monkeypatch.setattr(FakeChannel, "publish", _upload_that_outlives_the_lease(clock, take_over))
    (done,) = house.publisher.publish().posts
    assert done.state is PostState.SENT
    assert channel.mutations == 1
    assert [one.number for one in attempts(house)] == [1, 2]


def test_receipts_of_posts_that_are_out_already_are_all_written(house: Application) -> None:
    """After a worker died between mutations and commit, receipts are read without sending again."""
    for number in range(1, 6):
        approved(house, number, channels=("folder",))
    house.publisher.schedule()
    folder = house.channels["folder"]()
    for post in house.publisher.posts():
        folder.publish(post, lambda memo="": None)
    house.publisher.publish()
    assert {post.state for post in house.publisher.posts()} == {PostState.SENT}
    assert [outcomes(house, number) for number in range(1, 6)] == [[Outcome.SENT]] * 5


def _taken_for_absent(house: Application, clock: FakeClock) -> None:
    """Its lease ran out, and a `find` wrongly said that it is not there: the post waits again."""
    with house.store.begin() as unit:
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
    house: Application,
    channel: FakeChannel,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    finds: list[str],
    between: PostState,
) -> None:
    """While the answer was awaited, the post was given up for lost: the receipt settles it all the same."""
    approved(house)
    seen = []

    def meanwhile() -> None:
        channel.plan_finds(*finds)
        house.publisher.publish()
        seen.append(only(house).state)

    monkeypatch.setattr(FakeChannel, "publish", _answer_that_outlives_the_lease(clock, meanwhile))
    house.publisher.publish()
    assert seen == [between]
    assert only(house).state is PostState.SENT
    assert only(house).receipt is not None
    assert channel.mutations == 1
    assert outcomes(house) == [Outcome.ABANDONED]


def test_a_late_receipt_saves_from_a_second_post(
    house: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receipt overrules a `find` that wrongly said absent, as long as the post was not claimed again."""
    approved(house)
    outlived = _answer_that_outlives_the_lease(clock, lambda: _taken_for_absent(house, clock))
    monkeypatch.setattr(FakeChannel, "publish", outlived)
    house.publisher.publish()
    assert only(house).state is PostState.SENT
    assert only(house).message == "its worker returned late, with the receipt"
    assert channel.mutations == 1


@pytest.mark.parametrize("claimed_again", [False, True])
def test_a_receipt_that_comes_too_late_changes_nothing(
    house: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, claimed_again: bool
) -> None:
    """The operator gave the post up, or another worker has it: that stands."""
    approved(house)

    def meanwhile() -> None:
        _taken_for_absent(house, clock)
        if claimed_again:
            with house.store.begin() as unit:
                unit.posts.claim(now=clock() + LEASE, lease=LEASE, channels=("fake",))
        else:
            house.publisher.decide(1, "give-up")

    monkeypatch.setattr(FakeChannel, "publish", _answer_that_outlives_the_lease(clock, meanwhile))
    house.publisher.publish(limit=1)
    assert only(house).state is (PostState.SENDING if claimed_again else PostState.FAILED)


def test_a_late_receipt_may_lose_a_race(house: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the word, another worker claims the post: its claim stands."""
    from auria_bot.store.posts import Posts

    approved(house)
    real = Posts.save

    def outrun(self: Posts, post: Post) -> None:
        self.claim(now=clock() + LEASE, lease=LEASE, channels=("fake",))
        real(self, post)

    outlived = _answer_that_outlives_the_lease(clock, lambda: _taken_for_absent(house, clock))
    monkeypatch.setattr(FakeChannel, "publish", outlived)
    monkeypatch.setattr(Posts, "save", outrun)
    house.publisher.publish(limit=1)
    assert only(house).state in {PostState.WAITING, PostState.SENDING}


def test_a_failure_after_the_lease_settles_nothing(
    house: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker finished the post while the first one's call hung and then failed."""
    approved(house)
    real = FakeChannel.publish

    def hangs(self: FakeChannel, post: Post, ready: Any) -> Any:
        real(self, post, ready)
        clock.advance(seconds=LEASE.total_seconds() + 1)
        house.publisher.publish()
        raise OutcomeUnknown("timed out")

    monkeypatch.setattr(FakeChannel, "publish", hangs)
    house.publisher.publish()
    assert only(house).state is PostState.SENT
    assert channel.mutations == 1


def test_a_database_that_fails_at_ready_sends_nothing(
    house: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written down is not done."""
    from auria_bot.store.posts import Posts

    def broken(*_: object, **__: object) -> None:
        raise StoreError("the database is away")

    approved(house)
    with monkeypatch.context() as patch:
        patch.setattr(Posts, "confirm_send", broken)
        house.publisher.publish()
    assert channel.mutations == 0
    assert only(house).state is PostState.WAITING
    assert outcomes(house) == [Outcome.BROKEN]


def test_a_changed_picture_is_not_sent(house: Application, channel: FakeChannel) -> None:
    """The bytes on the disk are checked right before sending; put back, the operator sends it again."""
    made = approved(house)
    posts, problems = house.publisher.schedule()
    assert (len(posts), problems) == (1, [])
    path = Path(posts[0].picture)
    good = path.read_bytes()
    path.write_bytes(good + b"!")
    house.publisher.publish()
    assert only(house).state is PostState.NEEDS_ATTENTION
    assert "not the picture that was approved; correct it, then: `auria posts resolve 1" in only(house).message
    assert channel.mutations == 0
    path.write_bytes(good)
    house.publisher.decide(1, "not-sent")
    house.publisher.publish()
    assert only(house).state is PostState.SENT
    assert house.review.draft(made.id).state is DraftState.SCHEDULED


def test_words_that_were_not_approved_are_not_sent(house: Application, channel: FakeChannel) -> None:
    """Whoever changed the row, the approval's signature tells; a picture that is gone is not sent either."""
    approved(house, 1)
    approved(house, 2)
    first, second = house.publisher.schedule()[0]
    with house.store.begin() as unit:
        unit.posts._connection.exec_driver_sql("UPDATE posts SET text = 'buy now' WHERE id = 1")
    Path(second.picture).unlink()
    house.publisher.publish()
    assert channel.mutations == 0
    assert "its content is not what was approved" in house.publisher.post(first.id)[0].message
    assert f"{second.picture} cannot be read" in house.publisher.post(second.id)[0].message
