"""Publishing, exactly once, whatever the channel does."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import Outcome, PostState
from auria_bot.errors import IllegalMove, InputError, NotFound, Unauthorised
from auria_bot.services.publisher import LEASE
from auria_bot.services.workspace import sha256_of
from auria_bot.testing import FakeChannel, FakeClock
from tests.factories import artwork
from tests.house import fake_house

if TYPE_CHECKING:
    from auria_bot.bootstrap import Application
    from auria_bot.domain.draft import Draft
    from auria_bot.domain.post import Post


@pytest.fixture
def channel(house: Application) -> FakeChannel:
    """The fake channel of the house."""
    return cast("FakeChannel", house.channels["fake"]())


def draft(house: Application, number: int = 1, channels: tuple[str, ...] = ("fake",)) -> Draft:
    """An approved draft whose picture lies on the disk."""
    house.settings.home.mkdir(parents=True, exist_ok=True)
    source = house.settings.home / "source.jpg"
    from PIL import Image

    Image.new("RGB", (40, 50), (number, 2, 3)).save(source, format="JPEG")
    folder = f"run-{number}"
    files = dict.fromkeys(("painting.png", "full.png", "post.jpg", "card.jpg"), source)
    kept = house.pictures.keep(folder, files)
    with house.store.begin() as unit:
        made = unit.drafts.add(
            artwork(number), folder=folder, picture_sha256=sha256_of(kept / "post.jpg"), made_at=house.clock()
        )
    return house.review.approve([made.id], channels=channels)[0]


def only(house: Application) -> Post:
    """The one post there is."""
    (post,) = house.publisher.posts()
    return post


def outcomes(house: Application, post_id: int = 1) -> list[Outcome | None]:
    """How a post's attempts ended."""
    with house.store.read() as unit:
        return [attempt.outcome for attempt in unit.posts.attempts(post_id)]


def test_an_approved_draft_is_published_once(house: Application, channel: FakeChannel) -> None:
    """A second round finds nothing to do."""
    made = draft(house)
    done = house.publisher.publish()
    assert [post.state for post in done.posts] == [PostState.SENT]
    assert done.problems == ()
    assert only(house).receipt is not None
    assert house.review.draft(made.id).state is DraftState.SCHEDULED
    assert house.publisher.publish().posts == ()
    assert channel.mutations == 1


def test_only_approved_drafts_are_published(house: Application, channel: FakeChannel) -> None:
    """Naming one that is not is an error; without names it is left alone."""
    made = draft(house)
    house.review.edit(made.id, text="other words")
    assert house.publisher.publish().posts == ()
    with pytest.raises(IllegalMove):
        house.publisher.publish([made.id])
    with pytest.raises(NotFound):
        house.publisher.publish([77])
    assert channel.mutations == 0


def test_a_refused_post_has_failed(house: Application, channel: FakeChannel) -> None:
    """Repeating it is of no use, and it is not repeated."""
    draft(house)
    channel.plan("refused")
    house.publisher.publish()
    house.publisher.publish()
    assert only(house).state is PostState.FAILED
    assert outcomes(house) == [Outcome.REFUSED]


def test_a_throttled_post_is_sent_when_the_time_has_come(
    house: Application, channel: FakeChannel, clock: FakeClock
) -> None:
    """Not before, and the channel is left in peace for the rest of the round."""
    draft(house, 1)
    draft(house, 2)
    channel.plan("throttled")
    house.publisher.publish()
    assert channel.mutations == 0
    clock.advance(minutes=14)
    house.publisher.publish()  # the second draft is due, the first is not
    assert [post.state for post in house.publisher.posts()] == [PostState.SENT, PostState.WAITING]
    clock.advance(minutes=2)
    house.publisher.publish()
    assert {post.state for post in house.publisher.posts()} == {PostState.SENT}
    assert outcomes(house) == [Outcome.THROTTLED, Outcome.SENT]


def test_refused_credentials_pause_the_channel(
    house: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One attempt tells; nothing else is tried until `check` says that the credentials are good, then all goes out."""
    draft(house, 1)
    draft(house, 2)
    channel.plan("unauthorised")
    done = house.publisher.publish()
    assert any("credentials" in words for words in done.problems)

    def no(_: object) -> str:
        raise Unauthorised("the password is still wrong")

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "check", no)
        done = house.publisher.publish()
        assert done.problems == ("fake is paused: the password is still wrong",)
    assert sorted(post.state for post in house.publisher.posts()) == [PostState.NEEDS_ATTENTION, PostState.WAITING]
    house.publisher.publish()
    assert {post.state for post in house.publisher.posts()} == {PostState.SENT}
    assert channel.mutations == 2


@pytest.mark.parametrize(("fault", "mutations"), [("late", 1), ("lost", 1)])
def test_an_unclear_post_is_looked_up_and_never_doubled(
    house: Application, channel: FakeChannel, fault: str, mutations: int
) -> None:
    """Found, it is SENT; surely absent, it is sent again."""
    draft(house)
    channel.plan(fault)
    house.publisher.publish()
    assert only(house).state is PostState.UNKNOWN
    house.publisher.publish()
    assert only(house).state is PostState.SENT
    assert channel.mutations == mutations
    assert len(channel.posts) == 1


def test_what_cannot_be_told_is_for_the_operator(house: Application, channel: FakeChannel) -> None:
    """A blind channel's unclear post is never sent again by itself; the message says what to do."""
    draft(house)
    channel.plan("late")
    house.publisher.publish()
    channel.blind = True
    for _ in range(3):
        house.publisher.publish()
    post = only(house)
    assert post.state is PostState.NEEDS_ATTENTION
    assert f"auria publish --decide {post.id} sent|again|never" in post.words
    assert channel.mutations == 1
    decided = house.publisher.decide(post.id, "sent", url="https://example.com/1")
    assert (decided.state, decided.receipt and decided.receipt.url) == (PostState.SENT, "https://example.com/1")


@pytest.mark.parametrize(("decision", "state"), [("again", PostState.SENT), ("never", PostState.FAILED)])
def test_the_operator_decides(house: Application, channel: FakeChannel, decision: str, state: PostState) -> None:
    """Again sends it in the next round; never gives it up; anything else is refused."""
    draft(house)
    channel.plan("lost")
    channel.blind = True
    house.publisher.publish()
    house.publisher.publish()
    with pytest.raises(InputError, match="known: sent, again, never"):
        house.publisher.decide(1, "perhaps")
    house.publisher.decide(1, decision)
    house.publisher.publish()
    assert only(house).state is state
    with pytest.raises(IllegalMove, match="needs attention"):
        house.publisher.decide(1, "again")


def test_a_channels_bug_is_not_taken_for_a_refusal(house: Application, channel: FakeChannel) -> None:
    """Whatever a channel raises, the post may be out: it is looked up before anything else."""
    draft(house)
    channel.plan("bug")
    house.publisher.publish()
    assert only(house).state is PostState.UNKNOWN
    assert "RuntimeError" in only(house).words


def test_an_interrupt_in_the_middle_is_remembered(
    house: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C during the call leaves UNKNOWN, and is not swallowed."""
    draft(house)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "publish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            house.publisher.publish()
    assert only(house).state is PostState.UNKNOWN
    house.publisher.publish()
    assert only(house).state is PostState.SENT


def test_a_vanished_workers_post_is_looked_up_after_its_lease(
    house: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between claim and settlement, it is UNKNOWN when the lease has run out, and resolved by `find`."""
    draft(house)
    publish = FakeChannel.publish

    class Killed(BaseException):
        pass

    with monkeypatch.context() as patch:
        patch.setattr(type(house.publisher), "_settle", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            house.publisher.publish()
    assert FakeChannel.publish is publish
    assert only(house).state is PostState.SENDING
    house.publisher.publish()
    assert only(house).state is PostState.SENDING
    clock.advance(seconds=LEASE.total_seconds() + 1)
    house.publisher.publish()
    assert only(house).state is PostState.SENT
    assert channel.mutations == 1
    assert outcomes(house) == [Outcome.ABANDONED]


def test_a_worker_that_outlived_its_lease_settles_nothing(
    house: Application, channel: FakeChannel, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it hung, another took over: its late word is logged, and the state stays."""
    draft(house)
    real = FakeChannel.publish

    def slow(self: FakeChannel, post: Post, ready: Any) -> Any:
        receipt = real(self, post, ready)
        clock.advance(seconds=LEASE.total_seconds() + 1)
        with monkeypatch.context() as inner:
            inner.setattr(FakeChannel, "publish", real)
            house.publisher.publish()
        return receipt

    with monkeypatch.context() as patch:
        patch.setattr(FakeChannel, "publish", slow)
        house.publisher.publish()
    assert only(house).state is PostState.SENT
    assert channel.mutations == 1


def test_a_changed_picture_is_not_sent(house: Application, channel: FakeChannel) -> None:
    """The bytes on the disk are checked right before sending; put back, the operator sends it again."""
    made = draft(house)
    posts, problems = house.publisher.schedule()
    assert (len(posts), problems) == (1, [])
    path = Path(posts[0].picture)
    good = path.read_bytes()
    path.write_bytes(good + b"!")
    house.publisher.publish()
    assert only(house).state is PostState.NEEDS_ATTENTION
    assert "not the picture that was approved" in only(house).words
    assert channel.mutations == 0
    path.write_bytes(good)
    house.publisher.decide(1, "again")
    house.publisher.publish()
    assert only(house).state is PostState.SENT
    assert house.review.draft(made.id).state is DraftState.SCHEDULED


def test_a_picture_changed_before_scheduling_keeps_the_draft_back(house: Application, channel: FakeChannel) -> None:
    """The problem is told, and the draft stays approved."""
    made = draft(house)
    (house.pictures.root / made.folder / "post.jpg").write_bytes(b"other")
    done = house.publisher.publish()
    assert len(done.problems) == 1
    assert "not the picture that was approved" in done.problems[0]
    assert house.review.draft(made.id).state is DraftState.APPROVED
    assert channel.mutations == 0


def test_channels_fail_independently(house: Application, channel: FakeChannel) -> None:
    """What one refuses, another publishes."""
    draft(house, channels=("fake", "folder"))
    channel.plan("refused")
    house.publisher.publish()
    assert {post.channel: post.state for post in house.publisher.posts()} == {
        "fake": PostState.FAILED, "folder": PostState.SENT,
    }  # fmt: skip
    assert (house.settings.home / "published" / "index.html").is_file()


def test_a_channels_limits_are_told_before_anything_is_scheduled(
    house: Application, channel: FakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator can still edit the draft."""
    from auria_bot.domain.roles import Limits

    made = draft(house)
    monkeypatch.setattr(FakeChannel, "limits", lambda _: Limits(characters=5, picture_bytes=10))
    done = house.publisher.publish()
    assert [words.split(" takes ")[1].split(" of")[0] for words in done.problems] == ["a text", "a picture"]
    assert house.review.draft(made.id).state is DraftState.APPROVED


def test_a_dry_run_touches_nothing(house: Application, channel: FakeChannel, clock: FakeClock) -> None:
    """It says what would be sent, what waits and what would be looked up."""
    draft(house, 1)
    channel.plan("throttled", "late")
    house.publisher.publish()
    draft(house, 2)
    house.publisher.publish()
    draft(house, 3)
    before = [house.publisher.posts(), house.review.drafts()]
    shown = {(each.draft_id, each.action) for each in house.publisher.preview()}
    assert shown == {(1, "wait"), (2, "look up"), (3, "send")}
    assert [house.publisher.posts(), house.review.drafts()] == before
    assert house.publisher.preview(channels=["folder"]) == ()
    assert channel.mutations == 1
    assert house.publisher.preview()[0].due <= clock.now + timedelta(days=1)


def test_two_publishers_send_each_post_once(tmp_path: Path) -> None:
    """Side by side, on the same database, nothing is sent twice."""
    clock = FakeClock()
    first = fake_house(tmp_path / "home", clock=clock)
    second = fake_house(tmp_path / "home", clock=clock)
    channel = cast("FakeChannel", first.channels["fake"]())
    second.channels["fake"]._made = channel  # type: ignore[attr-defined]
    for number in range(1, 13):
        draft(first, number)
    first.publisher.schedule()
    workers = [threading.Thread(target=house.publisher.publish) for house in (first, second)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert channel.mutations == 12
    assert {post.state for post in first.publisher.posts()} == {PostState.SENT}
    first.close()
    second.close()
