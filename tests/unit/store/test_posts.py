"""A post is claimed by one worker at a time, and only the last to claim it may settle it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.post import AURIA, Action, Attempt, Outcome, Pause, Post, PostState, Receipt
from auria_bot.errors import InvalidTransition, NotFound, StoreError
from auria_bot.settings.schema import Settings
from auria_bot.store.unit_of_work import Store
from tests.factories import NOW, add_draft

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.domain.draft import Draft


LEASE = timedelta(minutes=5)
RECEIPT = Receipt(id="r1", url="file:///x", at=NOW)


def _approved(unit, number: int = 1) -> Draft:
    return unit.drafts.save(add_draft(unit, number).approve(("folder",), NOW))


def _post(unit, number: int = 1, **changes) -> Post:
    values = {
        "channel": "folder",
        "due": NOW,
        "picture": f"/pictures/{number}.jpg",
        "key": f"key-{number}",
        **changes,
    }
    return unit.posts.add(_approved(unit, number), values.pop("channel"), **values)


def _claim(unit) -> Post | None:
    """The longest due post, claimed."""
    found = unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",))
    return found[0] if found else None


def _unknown(unit, number: int = 1) -> Post:
    """A post that may be out."""
    _post(unit, number, due=NOW - LEASE)
    post = _claim(unit)
    unit.posts.close_attempt(post.moved(PostState.UNKNOWN, due=NOW), outcome=Outcome.UNCLEAR, message="", at=NOW)
    return unit.posts.get(post.id)


def test_a_post_carries_what_was_approved(store: Store):
    """A new post holds the draft's words, picture and signature, waits, and reads back the same."""
    with store.begin() as unit:
        draft = _approved(unit)
        post = unit.posts.add(draft, "folder", due=NOW, picture="/p.jpg", key="k")
    with store.read() as unit:
        assert unit.posts.get(post.id) == post
    assert (post.text, post.alt_text, post.signature) == (draft.text, draft.alt_text, draft.signature)
    assert (post.state, post.fencing, post.due, post.receipt) == (PostState.WAITING, 0, NOW, None)


def test_one_post_a_draft_and_channel(store: Store):
    """Adding the same draft to the same channel again gives the first post."""
    with store.begin() as unit:
        draft = _approved(unit)
        first = unit.posts.add(draft, "folder", due=NOW, picture="/p.jpg", key="k1")
        again = unit.posts.add(draft, "folder", due=NOW + LEASE, picture="/q.jpg", key="k2")
        other = unit.posts.add(draft, "other", due=NOW, picture="/p.jpg", key="k3")
        assert again == first
        assert other.id != first.id
        assert len(unit.posts.list()) == 2


def test_a_key_is_never_used_twice(store: Store):
    """Two posts never share an idempotency key."""
    with store.begin() as unit:
        draft = _approved(unit)
        unit.posts.add(draft, "folder", due=NOW, picture="/p.jpg", key="k")
    with pytest.raises(StoreError), store.begin() as unit:
        unit.posts.add(draft, "other", due=NOW, picture="/p.jpg", key="k")


def test_claims_take_the_longest_due_first(store: Store):
    """Claims go by due time, and leave alone what is not due or of another channel."""
    with store.begin() as unit:
        late = _post(unit, 1, due=NOW - timedelta(minutes=1))
        early = _post(unit, 2, due=NOW - timedelta(hours=1))
        _post(unit, 3, due=NOW + timedelta(seconds=1))
        _post(unit, 4, channel="other")
    claimed = []
    for _ in range(3):
        with store.begin() as unit:
            claimed += [_claim(unit)]
    assert [post and post.id for post in claimed] == [early.id, late.id, None]
    assert claimed[0].state is PostState.SENDING
    assert claimed[0].fencing == 1
    assert claimed[0].lease_until == NOW + LEASE


def test_a_film_has_a_longer_lease(store: Store):
    """Encoding, uploading and processing it take their time; beside a picture, each has its own."""
    with store.begin() as unit:
        _post(unit, 1)
        _post(unit, 2, film="/films/2.mp4")
        claimed = unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",), limit=2)
    assert [post.lease_until for post in claimed] == [NOW + LEASE, NOW + 4 * LEASE]


def test_several_are_claimed_at_once(store: Store):
    """In the order of their due times, each with an attempt of its own."""
    with store.begin() as unit:
        ids = [_post(unit, number, due=NOW - timedelta(minutes=number)).id for number in range(1, 6)]
        claimed = unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",), limit=3)
        assert [post.id for post in claimed] == ids[:1:-1]
        assert [post.id for post in unit.posts.list({PostState.WAITING})] == ids[1::-1]
        for post in claimed:
            assert unit.posts.attempts(post.id) == (
                Attempt(number=1, started_at=NOW, ended_at=None, outcome=None, message=""),
            )


def test_a_paused_channel_s_posts_are_neither_claimed_nor_asked_about(store: Store):
    """Until it goes on."""
    with store.begin() as unit:
        _post(unit, 1)
        unknown = _unknown(unit, 2)
        unit.channels.pause("folder", reason="", by="auria", at=NOW)
        assert _claim(unit) is None
        assert unit.posts.claim_lookup(now=NOW + LEASE, lease=LEASE, channels=("folder",)) is None
        unit.channels.resume("folder")
        assert _claim(unit) is not None
        assert unit.posts.claim_lookup(now=NOW + LEASE, lease=LEASE, channels=("folder",)).id == unknown.id


def test_no_channel_no_claim(store: Store):
    """Claiming for no channel at all claims nothing."""
    with store.begin() as unit:
        _post(unit)
        assert unit.posts.claim(now=NOW, lease=LEASE, channels=()) == ()


def test_ready_is_remembered_and_begins_the_lease_anew(store: Store):
    """The memo and the time stand with the post and with its attempt."""
    with store.begin() as unit:
        _post(unit)
        post = _claim(unit)
        later = NOW + LEASE / 2
        unit.posts.confirm_send(post, memo="container 7", now=later, lease=LEASE)
    with store.read() as unit:
        found = unit.posts.get(post.id)
        (attempt,) = unit.posts.attempts(post.id)
    assert (found.memo, found.tried_at, found.lease_until) == ("container 7", later, later + LEASE)
    assert (attempt.memo, attempt.sending_at, attempt.ended_at) == ("container 7", later, None)


def test_nobody_is_ready_without_the_post(store: Store):
    """Not after the lease, not after another's claim, and not twice for a post that was settled."""
    with store.begin() as unit:
        _post(unit)
        slow = _claim(unit)
    for now in (NOW + LEASE, NOW + 2 * LEASE):
        with pytest.raises(InvalidTransition, match="no longer belongs to this worker"), store.begin() as unit:
            unit.posts.confirm_send(slow, memo="", now=now, lease=LEASE)
    with store.begin() as unit:
        unit.posts.release([slow])
        quick = _claim(unit)
    with pytest.raises(InvalidTransition, match="was claim 1"), store.begin() as unit:
        unit.posts.confirm_send(slow, memo="stale", now=NOW, lease=LEASE)
    with store.begin() as unit:
        unit.posts.confirm_send(quick, memo="fresh", now=NOW, lease=LEASE)
        unit.posts.close_attempt(quick.moved(PostState.SENT, receipt=RECEIPT), outcome=Outcome.SENT, message="", at=NOW)
    with pytest.raises(InvalidTransition, match="it is sent"), store.begin() as unit:
        unit.posts.confirm_send(quick, memo="again", now=NOW, lease=LEASE)
    with store.read() as unit:
        assert unit.posts.get(slow.id).memo == "fresh"


def test_settling_closes_the_attempt(store: Store):
    """A sent post keeps its receipt, its lease is gone, and its attempt tells what happened."""
    with store.begin() as unit:
        _post(unit)
        post = _claim(unit)
        sent = post.moved(PostState.SENT, receipt=RECEIPT, message="out")
        unit.posts.close_attempt(sent, outcome=Outcome.SENT, message="201", at=NOW + LEASE)
    with store.read() as unit:
        found = unit.posts.get(post.id)
        attempts = unit.posts.attempts(post.id)
    assert (found.state, found.receipt, found.lease_until, found.message) == (
        PostState.SENT,
        RECEIPT,
        None,
        "out",
    )
    assert attempts == (Attempt(number=1, started_at=NOW, ended_at=NOW + LEASE, outcome=Outcome.SENT, message="201"),)


def test_a_settled_post_can_be_due_later(store: Store):
    """A platform that asks to wait is waited for."""
    with store.begin() as unit:
        _post(unit)
        waiting = _claim(unit).moved(PostState.WAITING, due=NOW + LEASE)
        unit.posts.close_attempt(waiting, outcome=Outcome.THROTTLED, message="wait", at=NOW)
        assert _claim(unit) is None
        assert unit.posts.claim(now=NOW + LEASE, lease=LEASE, channels=("folder",))[0].id == waiting.id


def test_a_stale_worker_cannot_settle(store: Store):
    """A worker that slept past its lease is refused when it comes back, whoever holds the post then."""
    with store.begin() as unit:
        _post(unit)
        slow = _claim(unit)
    with store.begin() as unit:
        (lost,) = unit.posts.expired(now=NOW + LEASE)
        assert lost == slow
        unit.posts.close_attempt(lost.moved(PostState.UNKNOWN), outcome=Outcome.ABANDONED, message="", at=NOW + LEASE)
    with pytest.raises(InvalidTransition, match="no longer belongs to this worker"), store.begin() as unit:
        unit.posts.close_attempt(slow.moved(PostState.SENT), outcome=Outcome.SENT, message="", at=NOW)
    with store.begin() as unit:
        unit.posts.save(unit.posts.get(slow.id).moved(PostState.WAITING, message="surely absent"))
        (again,) = unit.posts.claim(now=NOW + LEASE, lease=LEASE, channels=("folder",))
        assert again.fencing == 2
    with pytest.raises(InvalidTransition, match="was claim 1"), store.begin() as unit:
        unit.posts.close_attempt(slow.moved(PostState.FAILED), outcome=Outcome.REFUSED, message="", at=NOW)
    with store.read() as unit:
        assert unit.posts.get(slow.id) == again
        assert [(one.number, one.outcome) for one in unit.posts.attempts(slow.id)] == [
            (1, Outcome.ABANDONED),
            (2, None),
        ]


def test_a_lease_that_still_runs_is_left_alone(store: Store):
    """Nothing has lapsed before the lease is over."""
    with store.begin() as unit:
        _post(unit)
        post = _claim(unit)
        assert unit.posts.expired(now=NOW + LEASE - timedelta(microseconds=1)) == ()
        assert unit.posts.get(post.id) == post


def test_what_was_not_begun_is_let_go(store: Store):
    """It waits as if it had not been claimed; what came to its mutation, or is another's by now, stays."""
    with store.begin() as unit:
        for number in range(1, 4):
            _post(unit, number)
        free, ready, others = unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",), limit=3)
        unit.posts.confirm_send(ready, memo="", now=NOW, lease=LEASE)
        unit.posts.release([others])
        assert _claim(unit).id == others.id
    with store.begin() as unit:
        unit.posts.release([free, ready, others])
        states = {post.id: (post.state, len(unit.posts.attempts(post.id))) for post in unit.posts.list()}
    assert states == {
        free.id: (PostState.WAITING, 0),
        ready.id: (PostState.SENDING, 1),
        others.id: (PostState.SENDING, 1),
    }


def test_one_worker_at_a_time_asks_about_an_unknown_post(store: Store):
    """It is due again after the lease, and the look-ups are counted until the next claim."""
    with store.begin() as unit:
        post = _unknown(unit)
        assert unit.posts.claim_lookup(now=NOW - LEASE, lease=LEASE, channels=("folder",)) is None
        first = unit.posts.claim_lookup(now=NOW, lease=LEASE, channels=("folder",))
        assert (first.id, first.due, first.lookups) == (post.id, NOW + LEASE, 1)
        assert unit.posts.claim_lookup(now=NOW, lease=LEASE, channels=("folder",)) is None
        second = unit.posts.claim_lookup(now=NOW + LEASE, lease=LEASE, channels=("folder",))
        assert second.lookups == 2
        unit.posts.save(second.moved(PostState.WAITING, due=NOW))
        assert _claim(unit).lookups == 0


def test_saving_a_post_that_is_being_sent_is_refused(store: Store):
    """The operator cannot change a post under a worker's hands."""
    with store.begin() as unit:
        post = _post(unit)
    with store.begin() as unit:
        _claim(unit)
    with pytest.raises(InvalidTransition, match="claimed meanwhile"), store.begin() as unit:
        unit.posts.save(post.moved(PostState.FAILED))


def test_saving_obeys_the_state_in_the_database(store: Store):
    """Two resolutions of one post: the second meets what the first left, and a state never left is never left."""
    with store.begin() as unit:
        post = _post(unit)
        unit.posts.save(post.moved(PostState.FAILED))
    with pytest.raises(InvalidTransition, match="is failed and cannot become waiting"), store.begin() as unit:
        unit.posts.save(post)


@pytest.mark.parametrize("state", [PostState.SENT, PostState.FAILED])
def test_a_terminal_state_is_not_even_rewritten(store: Store, state: PostState):
    """Neither by `save`, whatever it brings but the operator's withdrawal, nor by a claim."""
    with store.begin() as unit:
        _post(unit)
        post = _claim(unit)
        ended = post.moved(state, receipt=RECEIPT if state is PostState.SENT else None)
        unit.posts.close_attempt(
            ended, outcome=Outcome(state) if state is PostState.SENT else Outcome.REFUSED, message="", at=NOW
        )
    with store.begin() as unit:
        done = unit.posts.get(post.id)
        assert _claim(unit) is None
    withdrawn = {PostState.WITHDRAWING, PostState.WITHDRAWN} if state is PostState.SENT else set()
    for other in set(PostState) - withdrawn:
        changed = type(done)(
            **{**{f: getattr(done, f) for f in done.__dataclass_fields__}, "state": other, "message": "!"}
        )
        with pytest.raises(InvalidTransition), store.begin() as unit:
            unit.posts.save(changed)
    with store.read() as unit:
        assert unit.posts.get(post.id) == done


def test_a_waiting_post_can_be_put_off(store: Store):
    """Saving writes a new due time."""
    with store.begin() as unit:
        post = _post(unit)
        unit.posts.save(type(post)(**{**{f: getattr(post, f) for f in post.__dataclass_fields__}, "due": NOW + LEASE}))
        assert unit.posts.get(post.id).due == NOW + LEASE
        assert _claim(unit) is None


def test_lists_and_counts(store: Store):
    """Posts are listed by state and draft, and counted by channel and state."""
    with store.begin() as unit:
        one, two = _post(unit, 1), _post(unit, 2)
        claimed = _claim(unit)
        assert [post.id for post in unit.posts.list([PostState.WAITING])] == [two.id]
        assert [post.id for post in unit.posts.list(draft_id=one.draft_id)] == [one.id]
        assert [post.id for post in unit.posts.list(limit=1)] == [two.id]
        assert unit.posts.count() == {("folder", PostState.SENDING): 1, ("folder", PostState.WAITING): 1}
        assert claimed.id == one.id
        assert unit.posts.channels_in({PostState.WAITING, PostState.SENDING}) == ("folder",)
        assert unit.posts.channels_in({PostState.SENT}) == ()
        with pytest.raises(NotFound, match="no post 99"):
            unit.posts.get(99)


def test_workers_never_share_a_post(store: Store):
    """Six workers that claim at once get every post, each once."""
    with store.begin() as unit:
        expected = sorted(_post(unit, number).id for number in range(1, 25))
    claimed: list[int] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while True:
                with store.begin() as unit:
                    found = unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",), limit=3)
                if not found:
                    return
                claimed.extend(post.id for post in found)
        except BaseException as error:  # noqa: BLE001 - told to the test below
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert sorted(claimed) == expected


def test_a_locked_post_is_skipped(postgres, tmp_path: Path):
    """On PostgreSQL a second worker takes the next post while the first's claim is not yet committed."""
    with Store.open(Settings(home=tmp_path, database={"url": postgres()})) as store:
        with store.begin() as unit:
            one, two = _post(unit, 1), _post(unit, 2)
        with store.begin() as first, store.begin() as second:
            assert _claim(first).id == one.id
            assert _claim(second).id == two.id


def test_pauses_stand_until_they_are_taken_back(store: Store):
    """Each with its time, who set it and why, by the channel's name."""
    with store.begin() as unit:
        assert unit.channels.paused() == ()
        unit.channels.pause("x", reason="the token is gone", by=AURIA, at=NOW)
        unit.channels.pause("bluesky", reason="a holiday", by="ria", at=NOW)
    with store.begin() as unit:
        assert unit.channels.paused() == (
            Pause(name="bluesky", at=NOW, by="ria", reason="a holiday"),
            Pause(name="x", at=NOW, by="auria", reason="the token is gone"),
        )
        assert unit.channels.resume("x")
        assert not unit.channels.resume("x")
        assert not unit.channels.resume("mastodon")
        assert [pause.name for pause in unit.channels.paused()] == ["bluesky"]


def test_a_newer_pause_replaces_the_older(store: Store):
    """Whether it stands or was taken back."""
    with store.begin() as unit:
        unit.channels.pause("x", reason="first", by=AURIA, at=NOW)
        unit.channels.pause("x", reason="second", by="ria", at=NOW + timedelta(hours=1))
        assert [pause.reason for pause in unit.channels.paused()] == ["second"]
        unit.channels.resume("x")
        unit.channels.pause("x", reason="third", by=AURIA, at=NOW)
        assert unit.channels.paused() == (Pause(name="x", at=NOW, by=AURIA, reason="third"),)


def test_a_withdrawal_is_claimed_by_one_worker_at_a_time(store: Store):
    """The request makes it due; a claim holds for its lease; the next one closes what the last left open."""
    with store.begin() as unit:
        _post(unit)
        claimed = _claim(unit)
        sent = claimed.moved(PostState.SENT, receipt=RECEIPT)
        unit.posts.confirm_send(claimed, memo="memo", now=NOW, lease=LEASE)
        unit.posts.close_attempt(sent, outcome=Outcome.SENT, message="", at=NOW)
        asked = unit.posts.request_withdrawal(unit.posts.get(sent.id), message="asked for", now=NOW)
        assert (asked.state, asked.message, asked.receipt) == (PostState.WITHDRAWING, "asked for", RECEIPT)
    wanted = {"lease": LEASE, "channels": ("folder",)}
    with store.begin() as unit:
        assert unit.posts.claim_withdrawal(now=NOW, ids=(asked.id + 1,), **wanted) is None
        first = unit.posts.claim_withdrawal(now=NOW, **wanted)
        assert unit.posts.claim_withdrawal(now=NOW, **wanted) is None
        with pytest.raises(InvalidTransition, match="being worked on"):
            unit.posts.request_withdrawal(first, message="", now=NOW)
    with store.begin() as unit:
        second = unit.posts.claim_withdrawal(now=NOW + LEASE, **wanted)
        assert (second.fencing, second.lookups) == (first.fencing + 1, 2)
        with pytest.raises(InvalidTransition, match="no longer belongs to this worker"):
            unit.posts.confirm_send(first, memo="", now=NOW, lease=LEASE)
        unit.posts.confirm_send(second, memo="other", now=NOW + LEASE, lease=LEASE)
        gone = second.moved(PostState.WITHDRAWN)
        unit.posts.close_attempt(gone, outcome=Outcome.WITHDRAWN, message="", at=NOW)
        found = unit.posts.get(asked.id)
        assert (found.state, found.memo, found.tried_at) == (PostState.WITHDRAWN, "memo", NOW)
        tries = unit.posts.attempts(asked.id)
        assert [(one.action, one.outcome) for one in tries] == [
            (Action.PUBLISH, Outcome.SENT),
            (Action.WITHDRAW, Outcome.ABANDONED),
            (Action.WITHDRAW, Outcome.WITHDRAWN),
        ]
