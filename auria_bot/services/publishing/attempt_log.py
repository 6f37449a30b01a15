"""Records the attempts to publish posts, so that the next worker knows what a crashed one did.

The start of a mutation is committed before it, its outcome after it. Where posts follow each other quickly, the
receipt of one is committed together with the start of the next, in one transaction.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from auria_bot.domain.post import Outcome, Post, PostState
from auria_bot.errors import InvalidTransition
from auria_bot.services.publishing.pauses import pause_refused

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from auria_bot.domain.interfaces import Clock
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = ["AttemptLog"]

log = logging.getLogger(__name__)


class AttemptLog:
    """The attempts of one worker."""

    def __init__(self, *, store: Store, clock: Clock, lease: timedelta) -> None:
        """Set the collaborators.

        Args:
            store: the database.
            clock: the current time.
            lease: how long a post belongs to this worker, counted from `confirm_send`.
        """
        self._store, self._clock, self._lease = store, clock, lease
        self._unwritten: Post | None = None  # a sent post whose receipt is not committed yet

    def confirm_send(self, post: Post, memo: str) -> None:
        """Commit that a post's mutation is about to happen.

        Raises:
            InvalidTransition: the post no longer belongs to this worker: nothing must be sent.
        """
        now = self._clock()
        with self._store.begin() as unit:
            error = self._write_receipt(unit, now)
            unit.posts.confirm_send(post, memo=memo, now=now, lease=self._lease)
        self._receipt_committed(error)

    def record_sent(self, post: Post, *, more: bool) -> Post:
        """Record a post's receipt: now, or with the start of the next post if `more` follow at once."""
        self.flush()  # a channel that finds the post already published returns its receipt without `confirm_send`
        self._unwritten = post
        if more:
            return replace(post, lease_until=None)
        return self.flush() or replace(post, lease_until=None)

    def record_outcome(
        self, post: Post, outcome: Outcome, answer: object = "", *, refusal: Exception | None = None
    ) -> Post:
        """Record how an attempt ended; return the post as it is now.

        Args:
            post: in its new state, with its message.
            outcome: of the attempt.
            answer: the platform's own words; by default the post's message.
            refusal: why the credentials were not accepted; it pauses the channel.
        """
        now = self._clock()
        try:
            with self._store.begin() as unit:
                error = self._write_receipt(unit, now)
                unit.posts.close_attempt(post, outcome=outcome, message=str(answer) or post.message, at=now)
                if refusal is not None:
                    pause_refused(unit, post.channel, refusal, at=now)
        except InvalidTransition as late:
            _log_late(post, late)
            return self.current(post)
        self._receipt_committed(error)
        _log_state(post)
        return replace(post, lease_until=None)

    def flush(self, untouched: Collection[Post] = ()) -> Post | None:
        """Commit an uncommitted receipt, and release claimed posts that were not started.

        Returns:
            The post of that receipt if its state is not the one this worker recorded.
        """
        if self._unwritten is None and not untouched:
            return None
        with self._store.begin() as unit:
            error = self._write_receipt(unit, self._clock())
            unit.posts.release(untouched)
        return self._receipt_committed(error)

    def current(self, post: Post) -> Post:
        """A post as the database holds it."""
        with self._store.read() as unit:
            return unit.posts.get(post.id)

    def _write_receipt(self, unit: Unit, now: datetime) -> InvalidTransition | None:
        """Write the uncommitted receipt; return why that was impossible."""
        if self._unwritten is None:
            return None
        try:
            unit.posts.close_attempt(self._unwritten, outcome=Outcome.SENT, message=self._unwritten.message, at=now)
        except InvalidTransition as error:
            return error
        return None

    def _receipt_committed(self, error: InvalidTransition | None) -> Post | None:
        """Continue after the transaction with the receipt; `error` is what kept the receipt out of it."""
        post, self._unwritten = self._unwritten, None
        if post is None:
            return None
        if error is None:
            _log_state(post)
            return None
        _log_late(post, error)
        return self._save_late_receipt(post)

    def _save_late_receipt(self, post: Post) -> Post:
        """Keep the receipt of a post whose lease expired meanwhile: it is published."""
        current = self.current(post)
        if current.state is PostState.SENT or current.fencing != post.fencing:
            return current
        message = "its worker returned late, with the receipt"
        try:
            sent = current.moved(PostState.SENT, receipt=post.receipt, message=message)
            with self._store.begin() as unit:
                unit.posts.save(sent)
        except InvalidTransition as error:
            log.warning("The receipt came too late: %s", error, extra={"post": post.id, "channel": post.channel})
            return self.current(post)
        return sent


def _log_late(post: Post, error: InvalidTransition) -> None:
    log.warning("The attempt outlived its lease: %s", error, extra={"post": post.id, "channel": post.channel})


def _log_state(post: Post) -> None:
    extra = {"post": post.id, "draft": post.draft_id, "channel": post.channel, "action": "publish"}
    log.info("The post on %s is %s", post.channel, post.state, extra=extra)
