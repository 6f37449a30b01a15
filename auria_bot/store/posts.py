"""Posts with their attempts in the database.

A post is claimed by one worker at a time, by lease and fencing number.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Integer, Row, String, bindparam, case, delete, exists, func, insert, select, update
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.sql.expression import ColumnElement

from auria_bot.domain.draft import LAST_ID, Draft
from auria_bot.domain.post import TERMINAL, Action, Attempt, Outcome, Post, PostState, Receipt
from auria_bot.errors import InvalidTransition, NotFound
from auria_bot.store.engine import Queries, insert_once
from auria_bot.store.files import path_from_home, path_in_home
from auria_bot.store.schema import UtcTime, attempts, posts
from auria_bot.store.schema import channels as channels_table

__all__ = ["Posts"]

# Statements needed for every post are built once.
_ITS_ATTEMPT = (attempts.c.post_id == bindparam("post_"), attempts.c.fencing == bindparam("fencing_"))
_MINE = (
    posts.c.id == bindparam("post_"),
    posts.c.fencing == bindparam("fencing_"),
    posts.c.state.in_([str(PostState.SENDING), str(PostState.WITHDRAWING)]),
)  # true as long as no other worker took the claimed post
_CONFIRM = (
    update(posts)
    .where(*_MINE, posts.c.lease_until > bindparam("now_"))
    .values(memo=bindparam("memo_"), tried_at=bindparam("now_"), lease_until=bindparam("until_"))
)
# What was remembered of its publishing stays, should it be looked for once more.
_CONFIRM_WITHDRAWAL = (
    update(posts).where(*_MINE, posts.c.lease_until > bindparam("now_")).values(lease_until=bindparam("until_"))
)
_ATTEMPT_CONFIRMED = update(attempts).where(*_ITS_ATTEMPT).values(sending_at=bindparam("now_"), memo=bindparam("memo_"))
_CHANGED = (
    "state",
    "due",
    "lease_until",
    "receipt_id",
    "receipt_url",
    "receipt_at",
    "receipt_cost",
    "words",
    "timed_at",
)
_WRITE_STATE = update(posts).where(*_MINE).values({name: bindparam(f"{name}_") for name in _CHANGED})
_CLOSE_ATTEMPT = (
    update(attempts)
    .where(*_ITS_ATTEMPT)
    .values(ended_at=bindparam("at_"), outcome=bindparam("outcome_"), words=bindparam("words_"))
)
_RELEASE = (
    update(posts)
    .where(*_MINE, posts.c.state == PostState.SENDING)
    .where(exists().where(*_ITS_ATTEMPT, attempts.c.sending_at.is_(None)))
    .values(state=PostState.WAITING, lease_until=None)
)


def _claimed(state: PostState, values: dict[str, Any], *, within: bool = False) -> ReturningUpdate[Any]:
    """A statement that updates the longest due posts in a state, without those of paused channels, and returns them.

    They are locked until the transaction ends; those that another worker has locked are skipped. Its parameters: now_,
    channels_, limit_, until_; with `within` also ids_, and it is one of these.
    """
    waiting = posts.alias("waiting")
    paused = select(channels_table.c.name).where(channels_table.c.paused_at.is_not(None))
    more: list[ColumnElement[bool]] = [waiting.c.id.in_(bindparam("ids_", expanding=True))] if within else []
    if state is PostState.WITHDRAWING:
        more.append(waiting.c.lease_until.is_(None) | (waiting.c.lease_until <= bindparam("now_")))
    due = (
        select(waiting.c.id)
        .where(
            waiting.c.state == state,
            waiting.c.due <= bindparam("now_"),
            waiting.c.channel.in_(bindparam("channels_", expanding=True)),
            waiting.c.channel.not_in(paused),
            *more,
        )
        .order_by(waiting.c.due, waiting.c.id)
        .limit(bindparam("limit_", type_=Integer))
        .with_for_update(skip_locked=True, of=waiting)
        .cte("due")
    )
    mine = (posts.c.id.in_(select(due.c.id)), posts.c.state == state)
    return update(posts).where(*mine).values(values).returning(posts)


_UNTIL = bindparam("until_", type_=UtcTime)
_TAKEN = {"fencing": posts.c.fencing + 1, "lease_until": _UNTIL, "lookups": posts.c.lookups + 1}
_LONGER = case((posts.c.film != "", bindparam("longer_", type_=UtcTime)), else_=_UNTIL)
_CLAIM = _claimed(PostState.WAITING, {**_TAKEN, "state": PostState.SENDING, "lease_until": _LONGER, "lookups": 0})
_CLAIM_WITHDRAWAL = _claimed(PostState.WITHDRAWING, _TAKEN)
_CLAIM_ONE_WITHDRAWAL = _claimed(PostState.WITHDRAWING, _TAKEN, within=True)
_CLAIM_LOOKUP = _claimed(PostState.UNKNOWN, {"due": _UNTIL, "lookups": posts.c.lookups + 1})
_EARLIER = attempts.alias("earlier")
_NUMBER = select(func.coalesce(func.max(_EARLIER.c.number), 0) + 1).where(_EARLIER.c.post_id == posts.c.id)
_OPEN_ATTEMPTS = insert(attempts).from_select(
    ["post_id", "number", "fencing", "started_at", "words", "action"],
    select(
        posts.c.id,
        _NUMBER.scalar_subquery(),
        posts.c.fencing,
        bindparam("now_", type_=UtcTime),
        bindparam("words_", "", type_=String),
        bindparam("action_", type_=String),
    ).where(posts.c.id.in_(bindparam("ids_", expanding=True))),
)


class Posts(Queries):
    """Posts, within one unit of work."""

    def __init__(self, connection: Connection, *, home: Path) -> None:
        super().__init__(connection)
        self._home = home

    def add(self, draft: Draft, channel: str, *, due: datetime, picture: str, key: str, film: str = "") -> Post:
        """Insert a WAITING post; return the existing one if the draft has one on that channel.

        A `picture` and a `film` under the home are stored relative to it.
        """
        row = {
            "draft_id": draft.id,
            "channel": channel,
            "state": PostState.WAITING,
            "due": due,
            "text": draft.text_for(channel),
            "alt_text": draft.alt_text,
            "picture": path_in_home(picture, self._home),
            "picture_sha256": draft.picture_sha256,
            "signature": draft.signature,
            "key": key,
            "fencing": 0,
            "words": "",
            "film": path_in_home(film, self._home),
            "film_sha256": draft.film_sha256,
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
            raise NotFound(f"there is no post {post_id}; `auria posts` lists them")
        return _post(row, self._home)

    def list(
        self,
        states: Collection[PostState] = (),
        *,
        draft_id: int | None = None,
        before: int = LAST_ID,
        limit: int | None = None,
    ) -> Sequence[Post]:
        """Posts in those states (all if empty), newest first, with ids smaller than `before`."""
        wanted = select(posts).where(posts.c.id < before).order_by(posts.c.id.desc()).limit(limit)
        if states:
            wanted = wanted.where(posts.c.state.in_([str(state) for state in states]))
        if draft_id is not None:
            wanted = wanted.where(posts.c.draft_id == draft_id)
        return tuple(_post(row, self._home) for row in self._connection.execute(wanted))

    def between(self, start: datetime, end: datetime) -> Sequence[Post]:
        """Posts that were published from `start` to before `end`, or, if they never were, are or were due then."""
        at = func.coalesce(posts.c.receipt_at, posts.c.due)
        rows = self._connection.execute(select(posts).where(at >= start, at < end).order_by(at, posts.c.id))
        return tuple(_post(row, self._home) for row in rows)

    def count(self) -> dict[tuple[str, PostState], int]:
        """Number of posts by channel and state."""
        by = (posts.c.channel, posts.c.state)
        rows = self._connection.execute(select(*by, func.count()).group_by(*by).order_by(*by))
        return {(channel, PostState(state)): number for channel, state, number in rows}

    def channels_in(self, states: Collection[PostState]) -> Sequence[str]:
        """The channels that have posts in those states."""
        found = select(posts.c.channel).distinct().where(posts.c.state.in_([str(state) for state in states]))
        return tuple(self._connection.scalars(found.order_by(posts.c.channel)))

    def count_attempted(self, channel: str, *, since: datetime) -> int:
        """How many posts were sent on a channel, or may have been, since then."""
        surely_not = (PostState.WAITING, PostState.FAILED, PostState.CANCELLED)
        these = (posts.c.channel == channel, posts.c.state.not_in([str(state) for state in surely_not]))
        return int(self._connection.execute(select(func.count()).where(*these, _attempted(since))).scalar_one())

    def under_way(self, *, since: datetime) -> Sequence[Post]:
        """Posts that are being sent by an attempt since then, or whose outcome is unknown since then; newest first."""
        these = (posts.c.state.in_([str(PostState.SENDING), str(PostState.UNKNOWN)]), _attempted(since))
        rows = self._connection.execute(select(posts).where(*these).order_by(posts.c.id.desc()))
        return tuple(_post(row, self._home) for row in rows)

    def claim(self, *, now: datetime, lease: timedelta, channels: Collection[str], limit: int = 1) -> Sequence[Post]:
        """Claim the longest due WAITING posts: move them to SENDING with an attempt, a lease and a fencing number.

        Posts of paused channels are skipped. Two workers never get the same post: PostgreSQL locks the rows and lets
        others skip them, SQLite serialises writers. Films, which take time to upload, have four times the lease.
        """
        values = {"now_": now, "until_": now + lease, "channels_": sorted(channels), "limit_": limit}
        rows = self._connection.execute(_CLAIM, values | {"longer_": now + 4 * lease}).all()
        if not rows:
            return ()
        self._open_attempts([row.id for row in rows], Action.PUBLISH, now)
        return tuple(sorted((_post(row, self._home) for row in rows), key=lambda post: (post.due, post.id)))

    def request_withdrawal(self, post: Post, *, message: str, now: datetime) -> Post:
        """Move a post to WITHDRAWING, due at once; whoever looks it up or withdraws it now can no longer write to it.

        Raises:
            InvalidTransition: it changed since it was read, its state does not allow it, or a worker is withdrawing it.
        """
        if post.state is not PostState.WITHDRAWING:
            post.moved(PostState.WITHDRAWING)
        unchanged = (posts.c.id == post.id, posts.c.state == post.state, posts.c.fencing == post.fencing)
        free = posts.c.lease_until.is_(None) | (posts.c.lease_until <= now)
        values = {"state": PostState.WITHDRAWING, "fencing": post.fencing + 1, "lease_until": None, "lookups": 0}
        changed = update(posts).where(*unchanged, free).values(**values, due=now, words=message)
        if self._connection.execute(changed).rowcount == 0:
            current = self.get(post.id)
            raise InvalidTransition(f"post {post.id} is {current.state}, and being worked on; try again in a while")
        return self.get(post.id)

    def claim_withdrawal(
        self, *, now: datetime, lease: timedelta, channels: Collection[str], ids: Collection[int] = ()
    ) -> Post | None:
        """Claim the longest due WITHDRAWING post that no other worker holds, one of `ids` if any are given.

        Posts of paused channels are skipped. An attempt that its worker left open is closed as abandoned.
        """
        values = {"now_": now, "until_": now + lease, "channels_": sorted(channels), "limit_": 1}
        claim = _CLAIM_ONE_WITHDRAWAL if ids else _CLAIM_WITHDRAWAL
        row = self._connection.execute(claim, values | ({"ids_": sorted(ids)} if ids else {})).one_or_none()
        if row is None:
            return None
        left_open = (attempts.c.post_id == row.id, attempts.c.outcome.is_(None))
        abandoned = {"ended_at": now, "outcome": Outcome.ABANDONED, "words": "its worker crashed"}
        self._connection.execute(update(attempts).where(*left_open).values(abandoned))
        self._open_attempts([row.id], Action.WITHDRAW, now)
        return _post(row, self._home)

    def _open_attempts(self, ids: Collection[int], action: Action, now: datetime) -> None:
        """Begin an attempt for each of these claimed posts."""
        self._connection.execute(_OPEN_ATTEMPTS, {"ids_": ids, "now_": now, "action_": str(action)})

    def confirm_send(self, post: Post, *, memo: str, now: datetime, lease: timedelta) -> None:
        """Record that the mutation of a claimed post is about to happen, and renew its lease.

        Raises:
            InvalidTransition: the post was claimed again, or its lease expired.
        """
        values = {"memo_": memo, "now_": now, "until_": now + lease}
        confirm = _CONFIRM_WITHDRAWAL if post.state is PostState.WITHDRAWING else _CONFIRM
        if self._connection.execute(confirm, _claim_of(post) | values).rowcount == 0:
            raise self._taken(post)
        self._connection.execute(_ATTEMPT_CONFIRMED, _claim_of(post) | values)

    def close_attempt(self, post: Post, *, outcome: Outcome, message: str, at: datetime) -> None:
        """Write a claimed post's new state and close its attempt.

        Raises:
            InvalidTransition: the post was claimed again, or its lease expired.
        """
        changes = {f"{name}_": value for name, value in _changes(post).items()}
        if self._connection.execute(_WRITE_STATE, _claim_of(post) | changes).rowcount == 0:
            raise self._taken(post)
        self._connection.execute(_CLOSE_ATTEMPT, _claim_of(post) | {"at_": at, "outcome_": outcome, "words_": message})

    def release(self, claimed: Collection[Post]) -> None:
        """Release claimed posts that were never started: they wait again, as if they had not been claimed."""
        for post in claimed:
            if self._connection.execute(_RELEASE, _claim_of(post)).rowcount:
                self._connection.execute(delete(attempts).where(*_ITS_ATTEMPT), _claim_of(post))

    def expired(self, *, now: datetime) -> Sequence[Post]:
        """SENDING posts whose lease expired, locked for this unit of work."""
        expired = select(posts).where(posts.c.state == PostState.SENDING, posts.c.lease_until <= now)
        rows = self._connection.execute(expired.order_by(posts.c.id).with_for_update(skip_locked=True))
        return tuple(_post(row, self._home) for row in rows)

    def claim_lookup(self, *, now: datetime, lease: timedelta, channels: Collection[str]) -> Post | None:
        """Claim the longest due UNKNOWN post of these channels for a look-up; others get it after the lease.

        Posts of paused channels are skipped.
        """
        values = {"now_": now, "until_": now + lease, "channels_": sorted(channels), "limit_": 1}
        row = self._connection.execute(_CLAIM_LOOKUP, values).one_or_none()
        return None if row is None else _post(row, self._home)

    def save(self, post: Post) -> None:
        """Save a post that is not being sent.

        Raises:
            InvalidTransition: it was claimed since it was read, is being sent, or its state does not allow the new one.
            NotFound: there is no such post.
        """
        row = self._connection.execute(select(posts).where(posts.c.id == post.id).with_for_update()).one_or_none()
        now = self.get(post.id) if row is None else _post(row, self._home)
        if now.fencing != post.fencing or now.state is PostState.SENDING:
            raise InvalidTransition(f"post {post.id} was claimed meanwhile (it is {now.state} now); check it again")
        if now.state is not post.state or now.state in TERMINAL:
            now.moved(post.state)
        unchanged = (posts.c.id == post.id, posts.c.state == now.state, posts.c.fencing == now.fencing)
        self._connection.execute(update(posts).where(*unchanged).values(**_changes(post)))

    def _taken(self, post: Post) -> InvalidTransition:
        now = self.get(post.id)
        return InvalidTransition(
            f"post {post.id} no longer belongs to this worker: it is {now.state}, claimed {now.fencing} times,"
            f" and this was claim {post.fencing}"
        )

    def attempts(self, post_id: int) -> Sequence[Attempt]:
        """The attempts so far, oldest first."""
        wanted = select(attempts).where(attempts.c.post_id == post_id).order_by(attempts.c.number)
        return tuple(
            Attempt(
                number=row.number,
                action=Action(row.action),
                started_at=row.started_at,
                ended_at=row.ended_at,
                message=row.words,
                outcome=None if row.outcome is None else Outcome(row.outcome),
                sending_at=row.sending_at,
                memo=row.memo,
            )
            for row in self._connection.execute(wanted)
        )


def _attempted(since: datetime) -> ColumnElement[bool]:
    """Whether a post was attempted since then; the worker of a SENDING one may still be about to try."""
    its_claim = (attempts.c.post_id == posts.c.id, attempts.c.fencing == posts.c.fencing)
    claimed = exists().where(*its_claim, attempts.c.started_at >= since).correlate(posts)
    return (posts.c.tried_at >= since) | ((posts.c.state == PostState.SENDING) & claimed)


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
        "timed_at": post.timed_at,
    }


def _post(row: Row[Any], home: Path) -> Post:
    receipt = None
    if row.receipt_id is not None:
        receipt = Receipt(id=row.receipt_id, url=row.receipt_url, at=row.receipt_at, cost=row.receipt_cost or 0.0)
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
        timed_at=row.timed_at,
        vanished_at=row.vanished_at,
        film=path_from_home(row.film, home),
        film_sha256=row.film_sha256,
    )
