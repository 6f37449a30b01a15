"""A post is claimed by one worker at a time, and only the last to claim it may settle it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.post import Attempt, Outcome, Post, PostState, Receipt
from auria_bot.errors import IllegalMove, NotFound, StoreError
from auria_bot.settings import Settings
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
            claimed.append(unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",)))
    assert [post and post.id for post in claimed] == [early.id, late.id, None]
    assert claimed[0].state is PostState.SENDING
    assert claimed[0].fencing == 1
    assert claimed[0].lease_until == NOW + LEASE


def test_no_channel_no_claim(store: Store):
    """Claiming for no channel at all claims nothing."""
    with store.begin() as unit:
        _post(unit)
        assert unit.posts.claim(now=NOW, lease=LEASE, channels=()) is None


def test_settling_closes_the_attempt(store: Store):
    """A sent post keeps its receipt, its lease is gone, and its attempt tells what happened."""
    with store.begin() as unit:
        _post(unit)
        post = unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",))
        assert unit.posts.attempts(post.id) == (
            Attempt(number=1, started_at=NOW, ended_at=None, outcome=None, words=""),
        )
        sent = post.moved(PostState.SENT, receipt=RECEIPT, words="out")
        unit.posts.settle(sent, outcome=Outcome.SENT, words="201", at=NOW + LEASE)
    with store.read() as unit:
        found = unit.posts.get(post.id)
        attempts = unit.posts.attempts(post.id)
    assert (found.state, found.receipt, found.lease_until, found.words) == (
        PostState.SENT,
        RECEIPT,
        None,
        "out",
    )
    assert attempts == (Attempt(number=1, started_at=NOW, ended_at=NOW + LEASE, outcome=Outcome.SENT, words="201"),)


def test_a_stale_worker_cannot_settle(store: Store):
    """A worker that slept past its lease is refused when it comes back, whoever holds the post then."""
    with store.begin() as unit:
        _post(unit)
        slow = unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",))
    with store.begin() as unit:
        (lost,) = unit.posts.expire(now=NOW + LEASE)
        assert (lost.id, lost.state, lost.lease_until) == (slow.id, PostState.UNKNOWN, None)
    with pytest.raises(IllegalMove, match="no longer in this worker's hands"), store.begin() as unit:
        unit.posts.settle(slow.moved(PostState.SENT), outcome=Outcome.SENT, words="", at=NOW)
    with store.begin() as unit:
        unit.posts.save(unit.posts.get(slow.id).moved(PostState.WAITING, words="surely absent"))
        again = unit.posts.claim(now=NOW + LEASE, lease=LEASE, channels=("folder",))
        assert again.fencing == 2
    with pytest.raises(IllegalMove, match="was claim 1"), store.begin() as unit:
        unit.posts.settle(slow.moved(PostState.FAILED), outcome=Outcome.REFUSED, words="", at=NOW)
    with store.read() as unit:
        assert unit.posts.get(slow.id) == again
        assert [(one.number, one.outcome) for one in unit.posts.attempts(slow.id)] == [
            (1, Outcome.ABANDONED),
            (2, None),
        ]


def test_a_lease_that_still_runs_is_left_alone(store: Store):
    """Expiry touches nothing before the lease is over."""
    with store.begin() as unit:
        _post(unit)
        post = unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",))
        assert unit.posts.expire(now=NOW + LEASE - timedelta(microseconds=1)) == ()
        assert unit.posts.get(post.id) == post


def test_saving_a_post_that_is_being_sent_is_refused(store: Store):
    """The operator cannot change a post under a worker's hands."""
    with store.begin() as unit:
        post = _post(unit)
    with store.begin() as unit:
        unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",))
    with pytest.raises(IllegalMove, match="claimed meanwhile"), store.begin() as unit:
        unit.posts.save(post.moved(PostState.FAILED))


def test_saving_obeys_the_state_in_the_database(store: Store):
    """Two resolutions of one post: the second meets what the first left, and a state never left is never left."""
    with store.begin() as unit:
        post = _post(unit)
        unit.posts.save(post.moved(PostState.FAILED))
    with pytest.raises(IllegalMove, match="is failed and cannot become waiting"), store.begin() as unit:
        unit.posts.save(post)


def test_a_waiting_post_can_be_put_off(store: Store):
    """Saving writes a new due time."""
    with store.begin() as unit:
        post = _post(unit)
        unit.posts.save(type(post)(**{**{f: getattr(post, f) for f in post.__dataclass_fields__}, "due": NOW + LEASE}))
        assert unit.posts.get(post.id).due == NOW + LEASE
        assert unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",)) is None


def test_lists_and_counts(store: Store):
    """Posts are listed by state and draft, and counted by channel and state."""
    with store.begin() as unit:
        one, two = _post(unit, 1), _post(unit, 2)
        claimed = unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",))
        assert [post.id for post in unit.posts.list([PostState.WAITING])] == [two.id]
        assert [post.id for post in unit.posts.list(draft_id=one.draft_id)] == [one.id]
        assert [post.id for post in unit.posts.list(limit=1)] == [two.id]
        assert unit.posts.count() == {("folder", PostState.SENDING): 1, ("folder", PostState.WAITING): 1}
        assert claimed.id == one.id
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
                    post = unit.posts.claim(now=NOW, lease=LEASE, channels=("folder",))
                if post is None:
                    return
                claimed.append(post.id)
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
            assert first.posts.claim(now=NOW, lease=LEASE, channels=("folder",)).id == one.id
            assert second.posts.claim(now=NOW, lease=LEASE, channels=("folder",)).id == two.id
