"""Posts and their attempts in the database: claimed by one worker at a time, never sent twice by a stale one.

Knows rows, leases and fencing numbers; does not know what a channel is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import CTE, Connection, Row, bindparam, delete, exists, func, insert, literal, or_, select, update

from auria_bot.domain.draft import Draft
from auria_bot.domain.post import TERMINAL, Attempt, Outcome, Post, PostState, Receipt
from auria_bot.errors import InvalidTransition, NotFound
from auria_bot.store.engine import insert_once
from auria_bot.store.files import path_from_home, path_in_home
from auria_bot.store.schema import LAST_ID, UtcTime, attempts, posts
from auria_bot.store.schema import channels as channels_table

__all__ = ["Posts"]


# Statements that are needed for every post are built once.
_ITS_ATTEMPT = (attempts.c.post_id == bindparam("post_"), attempts.c.fencing == bindparam("fencing_"))
_MINE = (
    posts.c.id == bindparam("post_"),
    posts.c.fencing == bindparam("fencing_"),
    posts.c.state == PostState.SENDING,
)  # what holds as long as nobody took a claimed post over
_READY = (
    update(posts)
    .where(*_MINE, posts.c.lease_until > bindparam("now_"))
    .values(memo=bindparam("memo_"), tried_at=bindparam("now_"), lease_until=bindparam("until_"))
)
_BEGUN = update(attempts).where(*_ITS_ATTEMPT).values(sending_at=bindparam("now_"), memo=bindparam("memo_"))
_CHANGED = (
    "state",
    "due",
    "lease_until",
    "receipt_id",
    "receipt_url",
    "receipt_at",
    "receipt_cost",
    "words",
)
_SETTLE = update(posts).where(*_MINE).values({name: bindparam(f"{name}_") for name in _CHANGED})
_CLOSE = (
    update(attempts)
    .where(*_ITS_ATTEMPT)
    .values(ended_at=bindparam("at_"), outcome=bindparam("outcome_"), words=bindparam("words_"))
)
_RELEASE = (
    update(posts)
    .where(*_MINE, exists().where(*_ITS_ATTEMPT, attempts.c.sending_at.is_(None)))
    .values(state=PostState.WAITING, lease_until=None)
)


class Posts:
    """The posts of one unit of work."""

    def __init__(self, connection: Connection, *, home: Path) -> None:
        self._connection, self._home = connection, home

    def add(self, draft: Draft, channel: str, *, due: datetime, picture: str, key: str) -> Post:
        """Insert a WAITING post; where the draft has one on that channel already, give that one."""
        row = {
            "draft_id": draft.id,
            "channel": channel,
            "state": PostState.WAITING,
            "due": due,
            "text": draft.text,
            "alt_text": draft.alt_text,
            "picture": path_in_home(picture, self._home),
            "picture_sha256": draft.picture_sha256,
            "signature": draft.signature,
            "key": key,
            "fencing": 0,
            "words": "",
        }
        insert_once(self._connection, posts, row, unique=("draft_id", "channel"))
        found = select(posts).where(posts.c.draft_id == draft.id, posts.c.channel == channel)
        return _post(self._connection.execute(found).one(), self._home)

    def get(self, post_id: int) -> Post:
        """The post.

        Raises:
            NotFound: there is none.
        """
        wanted = select(posts).where(posts.c.id == post_id)
        row = self._connection.execute(wanted).one_or_none() if 0 < post_id <= LAST_ID else None
        if row is None:
            raise NotFound(f"there is no post {post_id}")
        return _post(row, self._home)

    def list(
        self, states: Collection[PostState] = (), *, draft_id: int | None = None, limit: int | None = None
    ) -> Sequence[Post]:
        """Posts in those states (all when empty), the newest first."""
        wanted = select(posts).order_by(posts.c.id.desc()).limit(limit)
        if states:
            wanted = wanted.where(posts.c.state.in_([str(state) for state in states]))
        if draft_id is not None:
            wanted = wanted.where(posts.c.draft_id == draft_id)
        return tuple(_post(row, self._home) for row in self._connection.execute(wanted))

    def count(self) -> dict[tuple[str, PostState], int]:
        """How many posts each channel has in each state it has posts in."""
        by = (posts.c.channel, posts.c.state)
        rows = self._connection.execute(select(*by, func.count()).group_by(*by).order_by(*by))
        return {(channel, PostState(state)): number for channel, state, number in rows}

    def channels_in(self, states: Collection[PostState]) -> Sequence[str]:
        """The names of the channels that have posts in those states."""
        found = select(posts.c.channel).distinct().where(posts.c.state.in_([str(state) for state in states]))
        return tuple(self._connection.scalars(found.order_by(posts.c.channel)))

    def count_attempted(self, channel: str, *, since: datetime) -> int:
        """How many posts went out on a channel, or may have, since then."""
        maybe_out = (PostState.SENT, PostState.SENDING, PostState.UNKNOWN, PostState.NEEDS_ATTENTION)
        these = (posts.c.channel == channel, posts.c.state.in_([str(state) for state in maybe_out]))
        # Of one that is being sent and was not tried yet, another worker is just about to.
        late = or_(posts.c.tried_at >= since, posts.c.state == PostState.SENDING)
        return int(self._connection.execute(select(func.count()).where(*these, late)).scalar_one())

    def claim(self, *, now: datetime, lease: timedelta, channels: Collection[str], limit: int = 1) -> Sequence[Post]:
        """Move the longest due WAITING posts of these channels to SENDING, each with an attempt, a lease and a fencing number.

        A paused channel's posts are left alone. Two workers never get the same post: PostgreSQL locks the rows and
        lets others skip them, SQLite lets one unit of work write at a time.
        """
        due = self._due(PostState.WAITING, now=now, channels=channels, limit=limit)
        rows = self._connection.execute(
            update(posts)
            .where(posts.c.id.in_(select(due.c.id)), posts.c.state == PostState.WAITING)
            .values(state=PostState.SENDING, fencing=posts.c.fencing + 1, lease_until=now + lease, lookups=0)
            .returning(posts)
        ).all()
        if not rows:
            return ()
        earlier = attempts.alias("earlier")
        tried = select(func.coalesce(func.max(earlier.c.number), 0)).where(earlier.c.post_id == posts.c.id)
        opened = select(
            posts.c.id, tried.scalar_subquery() + 1, posts.c.fencing, literal(now, UtcTime), literal("")
        ).where(posts.c.id.in_([row.id for row in rows]))
        columns = ["post_id", "number", "fencing", "started_at", "words"]
        self._connection.execute(insert(attempts).from_select(columns, opened))
        return tuple(sorted((_post(row, self._home) for row in rows), key=lambda post: (post.due, post.id)))

    def confirm_send(self, post: Post, *, memo: str, now: datetime, lease: timedelta) -> None:
        """Note that a claimed post's mutation is about to happen; its lease begins anew.

        Raises:
            InvalidTransition: the post was claimed again, or its lease ran out, since.
        """
        words = {"memo_": memo, "now_": now, "until_": now + lease}
        if self._connection.execute(_READY, _claim_of(post) | words).rowcount == 0:
            raise self._taken(post)
        self._connection.execute(_BEGUN, _claim_of(post) | words)

    def close_attempt(self, post: Post, *, outcome: Outcome, message: str, at: datetime) -> None:
        """Write a claimed post's new state, and when it is due, and close its attempt.

        Raises:
            InvalidTransition: the post was claimed again, or given up for lost, since.
        """
        changes = {f"{name}_": value for name, value in _changes(post).items()}
        if self._connection.execute(_SETTLE, _claim_of(post) | changes).rowcount == 0:
            raise self._taken(post)
        self._connection.execute(_CLOSE, _claim_of(post) | {"at_": at, "outcome_": outcome, "words_": message})

    def release(self, claimed: Collection[Post]) -> None:
        """Let claimed posts go that nothing was done with: they wait again, as if they had not been claimed."""
        for post in claimed:
            if self._connection.execute(_RELEASE, _claim_of(post)).rowcount:
                self._connection.execute(delete(attempts).where(*_ITS_ATTEMPT), _claim_of(post))

    def expired(self, *, now: datetime) -> Sequence[Post]:
        """SENDING posts whose lease ran out, and which nobody else is looking at."""
        ran_out = select(posts).where(posts.c.state == PostState.SENDING, posts.c.lease_until <= now)
        rows = self._connection.execute(ran_out.order_by(posts.c.id).with_for_update(skip_locked=True))
        return tuple(_post(row, self._home) for row in rows)

    def claim_lookup(self, *, now: datetime, lease: timedelta, channels: Collection[str]) -> Post | None:
        """The UNKNOWN post of these channels that is longest due to be asked about; others get it only after the lease.

        A paused channel is not asked.
        """
        due = self._due(PostState.UNKNOWN, now=now, channels=channels, limit=1)
        row = self._connection.execute(
            update(posts)
            .where(posts.c.id.in_(select(due.c.id)), posts.c.state == PostState.UNKNOWN)
            .values(due=now + lease, lookups=posts.c.lookups + 1)
            .returning(posts)
        ).one_or_none()
        return None if row is None else _post(row, self._home)

    def save(self, post: Post) -> None:
        """Write a post that is not being sent.

        Raises:
            InvalidTransition: its fencing number has moved on, it is being sent, or its state does not lead there.
            NotFound: there is no such post.
        """
        row = self._connection.execute(select(posts).where(posts.c.id == post.id).with_for_update()).one_or_none()
        now = self.get(post.id) if row is None else _post(row, self._home)
        if now.fencing != post.fencing or now.state is PostState.SENDING:
            raise InvalidTransition(f"post {post.id} was claimed meanwhile (it is {now.state} now); look at it again")
        if now.state is not post.state or now.state in TERMINAL:
            now.moved(post.state)
        unchanged = (posts.c.id == post.id, posts.c.state == now.state, posts.c.fencing == now.fencing)
        self._connection.execute(update(posts).where(*unchanged).values(**_changes(post)))

    def _due(self, state: PostState, *, now: datetime, channels: Collection[str], limit: int) -> CTE:
        """The ids of the longest due posts in a state, on channels that are not paused, locked for this unit of work."""
        waiting = posts.alias("waiting")
        paused = select(channels_table.c.name).where(channels_table.c.paused_at.is_not(None))
        return (
            select(waiting.c.id)
            .where(
                waiting.c.state == state,
                waiting.c.due <= now,
                waiting.c.channel.in_(sorted(channels)),
                waiting.c.channel.not_in(paused),
            )
            .order_by(waiting.c.due, waiting.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=waiting)
            .cte("due")
        )

    def _taken(self, post: Post) -> InvalidTransition:
        now = self.get(post.id)
        return InvalidTransition(
            f"post {post.id} is no longer in this worker's hands: it is {now.state}, claimed {now.fencing} times,"
            f" and this was claim {post.fencing}"
        )

    def attempts(self, post_id: int) -> Sequence[Attempt]:
        """The tries so far, the first first."""
        rows = self._connection.execute(
            select(attempts).where(attempts.c.post_id == post_id).order_by(attempts.c.number)
        )
        return tuple(
            Attempt(
                number=row.number,
                started_at=row.started_at,
                ended_at=row.ended_at,
                message=row.words,
                outcome=None if row.outcome is None else Outcome(row.outcome),
                sending_at=row.sending_at,
                memo=row.memo,
            )
            for row in rows
        )


def _claim_of(post: Post) -> dict[str, Any]:
    return {"post_": post.id, "fencing_": post.fencing}


def _changes(post: Post) -> dict[str, Any]:
    receipt = post.receipt
    return {
        "state": post.state,
        "due": post.due,
        "lease_until": post.lease_until if post.state is PostState.SENDING else None,
        "receipt_id": receipt and receipt.id,
        "receipt_url": receipt and receipt.url,
        "receipt_at": receipt and receipt.at,
        "receipt_cost": receipt and receipt.cost,
        "words": post.message,
    }


def _post(row: Row[Any], home: Path) -> Post:
    receipt = None
    if row.receipt_id is not None:
        cost = 0.0 if row.receipt_cost is None else row.receipt_cost
        receipt = Receipt(id=row.receipt_id, url=row.receipt_url, at=row.receipt_at, cost=cost)
    return Post(
        id=row.id,
        draft_id=row.draft_id,
        channel=row.channel,
        state=PostState(row.state),
        due=row.due,
        text=row.text,
        alt_text=row.alt_text,
        picture=path_from_home(row.picture, home),
        picture_sha256=row.picture_sha256,
        signature=row.signature,
        key=row.key,
        fencing=row.fencing,
        lease_until=row.lease_until,
        receipt=receipt,
        message=row.words,
        memo=row.memo,
        tried_at=row.tried_at,
        lookups=row.lookups,
        vanished_at=row.vanished_at,
    )
