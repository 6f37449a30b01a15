"""The operator's decisions on single posts: what became of one, and when one is to be published."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.post import Post, PostState, Receipt
from auria_bot.errors import InvalidTransition, PreconditionFailed, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from auria_bot.domain.interfaces import Clock
    from auria_bot.store.unit_of_work import Store

__all__ = ["DECISIONS", "GRACE", "MOVABLE", "PostDecisions", "decisions_on"]

GRACE = timedelta(minutes=10)
"""How far in the past a post's own time may be; it is due at once then."""

_FARTHEST = timedelta(days=3653)  # in the future that a post's own time may be; a slip of the keyboard is beyond

DECISIONS = {
    "sent": PostState.SENT,
    "not-sent": PostState.WAITING,
    "give-up": PostState.FAILED,
    "withdrawn": PostState.WITHDRAWN,
}
"""The operator's decisions on a post, and the state each leads to."""

_OPEN_TO = {
    "sent": frozenset({PostState.NEEDS_ATTENTION, PostState.UNKNOWN, PostState.WITHDRAWING}),
    "not-sent": frozenset({PostState.NEEDS_ATTENTION, PostState.UNKNOWN}),
    "give-up": frozenset({PostState.NEEDS_ATTENTION, PostState.WAITING}),
    "withdrawn": frozenset({PostState.SENT, PostState.WITHDRAWING}),
}


MOVABLE = frozenset({PostState.WAITING, PostState.CANCELLED})
"""The states of posts that can be given a time."""


def decisions_on(post: Post) -> tuple[str, ...]:
    """The decisions that a post's state allows."""
    return tuple(name for name in DECISIONS if post.state in _OPEN_TO[name])


class PostDecisions:
    """Decides on single posts."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def decide(
        self, post_id: int, decision: str, *, url: str = "", identifier: str = "", unchanged: Post | None = None
    ) -> Post:
        """Apply the operator's decision to a post whose outcome cannot be determined automatically.

        Args:
            decision: "sent" (it is published), "not-sent" (it is not, and is sent again), "give-up" or "withdrawn" (it
                was published and is gone now).
            url: its address, for "sent".
            identifier: its id on the platform, for "sent"; by default the last part of the address.
            unchanged: the post as it was read, if it must still be like that.

        Raises:
            NotFound: there is no such post.
            PreconditionFailed: it is not as it was read.
            UsageError: an unknown decision, or the address is missing.
            InvalidTransition: the post's state does not allow it.
        """
        if decision not in DECISIONS:
            raise UsageError(f"no decision named {decision[:40]!r}; known: {', '.join(DECISIONS)}")
        if decision == "sent" and not url.strip():
            raise UsageError("the post's address is missing: `auria posts resolve ID --sent URL`")
        now = self._clock()
        with self._store.begin() as unit:
            post = unit.posts.get(post_id)
            _check_unchanged(post, unchanged)
            open_to = _OPEN_TO[decision]
            if post.lease_until is not None and post.lease_until > now:
                raise InvalidTransition(f"post {post_id} is being worked on right now; try again in a few minutes")
            if post.state not in open_to:
                raise InvalidTransition(
                    f"post {post_id} is {post.state}; --{decision} is for posts that are"
                    f" {' or '.join(sorted(open_to))}; `auria posts show {post_id}` shows details"
                )
            receipt = post.receipt if decision in {"sent", "withdrawn"} else None
            if decision == "sent" and (receipt is None or identifier or receipt.url != url.strip()):
                receipt = Receipt(id=identifier or url.strip().rstrip("/").rpartition("/")[2], url=url.strip(), at=now)
            message = f"the operator decided: {decision}; `auria posts show {post_id}` shows its attempts"
            moved = post.moved(DECISIONS[decision], receipt=receipt, message=message, due=now)
            unit.posts.save(moved)
            unit.journal.note(
                f"post {decision}", draft_id=post.draft_id, details=f"{post.channel} {url}".strip(), at=now
            )
        return moved

    def set_time(self, post_id: int, at: datetime, *, unchanged: Post | None = None) -> Post:
        """Give a post its own time; a cancelled one is queued again.

        Args:
            at: aware, UTC.
            unchanged: as for `decide`.

        Raises:
            NotFound: there is no such post.
            PreconditionFailed: it is not as it was read.
            UsageError: the time is past, or more than ten years away.
            InvalidTransition: it is published already, or may be.
        """
        now = self.check_time(at)
        with self._store.begin() as unit:
            post = unit.posts.get(post_id)
            _check_unchanged(post, unchanged)
            if post.state not in MOVABLE:
                raise InvalidTransition(
                    f"post {post_id} is {post.state}; only posts that are waiting or cancelled can be given a time;"
                    f" `auria posts show {post_id}` shows details"
                )
            queued = post if post.state is PostState.WAITING else post.moved(PostState.WAITING)
            timed = replace(queued, due=at, timed_at=at, message="")
            unit.posts.save(timed)
            details = f"post {post_id} on {post.channel}: {at:%Y-%m-%d %H:%M} UTC"
            unit.journal.note("post time", draft_id=post.draft_id, details=details, at=now)
        return timed

    def check_time(self, at: datetime) -> datetime:
        """Make sure that a time is neither past nor more than ten years away; return what time it is.

        Raises:
            UsageError: it is.
        """
        now = self._clock()
        if at < now - GRACE:
            raise UsageError(f"{at:%Y-%m-%d %H:%M %Z} is past; give a later time, or: auria posts at ID now")
        if at > now + _FARTHEST:
            raise UsageError(f"{at:%Y-%m-%d %H:%M %Z} is more than ten years away; give an earlier time")
        return now


def _check_unchanged(post: Post, read: Post | None) -> None:
    if read is not None and post != read:
        raise PreconditionFailed
