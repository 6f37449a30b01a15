"""Posts and their attempts in the database: claimed by one worker at a time, never sent twice by a stale one.

Knows rows, leases and fencing numbers; does not know what a channel is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from auria_bot.domain.draft import Draft
from auria_bot.domain.post import Attempt, Outcome, Post, PostState, Receipt
from auria_bot.errors import IllegalMove, NotFound
from auria_bot.store.schema import LAST_ID, attempts, posts
from auria_bot.store.upsert import insert_once

__all__ = ["Posts"]


class Posts:
    """The posts of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, draft: Draft, channel: str, *, due: datetime, picture: str, key: str) -> Post:
        """Insert a WAITING post; where the draft has one on that channel already, give that one."""
        row = {
            "draft_id": draft.id, "channel": channel, "state": PostState.WAITING, "due": due, "text": draft.text,
            "alt_text": draft.alt_text, "picture": picture, "picture_sha256": draft.picture_sha256,
            "signature": draft.signature, "key": key, "fencing": 0, "words": "",
        }  # fmt: skip
        insert_once(self._connection, posts, row, unique=("draft_id", "channel"))
        found = select(posts).where(posts.c.draft_id == draft.id, posts.c.channel == channel)
        return _post(self._connection.execute(found).one())

    def get(self, post_id: int) -> Post:
        """The post.

        Raises:
            NotFound: there is none.
        """
        wanted = select(posts).where(posts.c.id == post_id)
        row = self._connection.execute(wanted).one_or_none() if 0 < post_id <= LAST_ID else None
        if row is None:
            raise NotFound(f"there is no post {post_id}")
        return _post(row)

    def list(
        self, states: Collection[PostState] = (), *, draft_id: int | None = None, limit: int | None = None
    ) -> Sequence[Post]:
        """Posts in those states (all when empty), the newest first."""
        wanted = select(posts).order_by(posts.c.id.desc()).limit(limit)
        if states:
            wanted = wanted.where(posts.c.state.in_([str(state) for state in states]))
        if draft_id is not None:
            wanted = wanted.where(posts.c.draft_id == draft_id)
        return tuple(_post(row) for row in self._connection.execute(wanted))

    def count(self) -> dict[tuple[str, PostState], int]:
        """How many posts each channel has in each state it has posts in."""
        by = (posts.c.channel, posts.c.state)
        rows = self._connection.execute(select(*by, func.count()).group_by(*by).order_by(*by))
        return {(channel, PostState(state)): number for channel, state, number in rows}

    def claim(self, *, now: datetime, lease: timedelta, channels: Collection[str]) -> Post | None:
        """Move the longest due WAITING post of these channels to SENDING, with an attempt, a lease and a fencing number.

        Two workers never get the same post: PostgreSQL locks the row and lets others skip it, SQLite lets one
        unit of work write at a time.
        """
        waiting = posts.alias("waiting")
        next_due = (
            select(waiting.c.id)
            .where(
                waiting.c.state == PostState.WAITING,
                waiting.c.due <= now,
                waiting.c.channel.in_(list(channels)),
            )
            .order_by(waiting.c.due, waiting.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        row = self._connection.execute(
            update(posts)
            .where(posts.c.id == next_due)
            .values(state=PostState.SENDING, fencing=posts.c.fencing + 1, lease_until=now + lease)
            .returning(posts)
        ).one_or_none()
        if row is None:
            return None
        tried = select(func.count()).where(attempts.c.post_id == row.id)
        number = self._connection.execute(tried).scalar_one() + 1
        self._connection.execute(
            insert(attempts).values(post_id=row.id, number=number, fencing=row.fencing, started_at=now, words="")
        )
        return _post(row)

    def settle(self, post: Post, *, outcome: Outcome, words: str, at: datetime) -> None:
        """Write a claimed post's new state and close its attempt.

        Raises:
            IllegalMove: the post was claimed again, or its lease ran out, since.
        """
        mine = (posts.c.id == post.id, posts.c.fencing == post.fencing, posts.c.state == PostState.SENDING)
        if self._connection.execute(update(posts).where(*mine).values(**_changes(post))).rowcount == 0:
            now = self.get(post.id)
            raise IllegalMove(
                f"post {post.id} is no longer in this worker's hands: it is {now.state}, claimed {now.fencing} times,"
                f" and this was claim {post.fencing}"
            )
        self._connection.execute(
            update(attempts)
            .where(attempts.c.post_id == post.id, attempts.c.fencing == post.fencing)
            .values(ended_at=at, outcome=outcome, words=words)
        )

    def expire(self, *, now: datetime) -> Sequence[Post]:
        """Move every SENDING post whose lease ran out to UNKNOWN, close its attempt, and give them."""
        ran_out = (posts.c.state == PostState.SENDING, posts.c.lease_until <= now)
        words = "the worker that was sending it vanished; whether it is out is not known yet"
        rows = self._connection.execute(
            update(posts)
            .where(*ran_out)
            .values(state=PostState.UNKNOWN, lease_until=None, words=words)
            .returning(posts)
        ).all()
        for row in rows:
            self._connection.execute(
                update(attempts)
                .where(attempts.c.post_id == row.id, attempts.c.fencing == row.fencing)
                .values(ended_at=now, outcome=Outcome.ABANDONED, words=words)
            )
        return tuple(sorted((_post(row) for row in rows), key=lambda post: post.id))

    def save(self, post: Post) -> None:
        """Write a post that is not being sent.

        Raises:
            IllegalMove: its fencing number has moved on, it is being sent, or its state does not lead there.
            NotFound: there is no such post.
        """
        row = self._connection.execute(select(posts).where(posts.c.id == post.id).with_for_update()).one_or_none()
        now = self.get(post.id) if row is None else _post(row)
        if now.fencing != post.fencing or now.state is PostState.SENDING:
            raise IllegalMove(f"post {post.id} was claimed meanwhile (it is {now.state} now); look at it again")
        if now.state is not post.state:
            now.moved(post.state)
        self._connection.execute(update(posts).where(posts.c.id == post.id).values(due=post.due, **_changes(post)))

    def attempts(self, post_id: int) -> Sequence[Attempt]:
        """The tries so far, the first first."""
        rows = self._connection.execute(
            select(attempts).where(attempts.c.post_id == post_id).order_by(attempts.c.number)
        )
        return tuple(
            Attempt(
                number=row.number, started_at=row.started_at, ended_at=row.ended_at, words=row.words,
                outcome=None if row.outcome is None else Outcome(row.outcome), sending_at=row.sending_at, memo=row.memo,
            )
            for row in rows
        )  # fmt: skip


def _changes(post: Post) -> dict[str, Any]:
    receipt = post.receipt
    return {
        "state": post.state,
        "lease_until": post.lease_until if post.state is PostState.SENDING else None,
        "receipt_id": receipt and receipt.id,
        "receipt_url": receipt and receipt.url,
        "receipt_at": receipt and receipt.at,
        "receipt_cost": receipt and receipt.cost,
        "words": post.words,
    }


def _post(row: Row[Any]) -> Post:
    receipt = None
    if row.receipt_id is not None:
        cost = 0.0 if row.receipt_cost is None else row.receipt_cost
        receipt = Receipt(id=row.receipt_id, url=row.receipt_url, at=row.receipt_at, cost=cost)
    return Post(
        id=row.id, draft_id=row.draft_id, channel=row.channel, state=PostState(row.state), due=row.due,
        text=row.text, alt_text=row.alt_text, picture=row.picture, picture_sha256=row.picture_sha256,
        signature=row.signature, key=row.key, fencing=row.fencing, lease_until=row.lease_until, receipt=receipt,
        words=row.words, memo=row.memo, tried_at=row.tried_at, vanished_at=row.vanished_at,
    )  # fmt: skip
