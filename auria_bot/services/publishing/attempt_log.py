"""Writes down how attempts go, so that a worker that dies at any point leaves behind what the next one must know.

Before a mutation, that it is about to happen; after it, what came of it. Where many posts follow each other quickly, the
receipt of one is written together with the beginning of the next, in one transaction. Does not know what an error means.
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
    """The notes of one worker."""

    def __init__(self, *, store: Store, clock: Clock, lease: timedelta) -> None:
        """Join the collaborators.

        Args:
            store: where posts are kept.
            clock: tells the time.
            lease: how long a post is this worker's, from `ready` on.
        """
        self._store, self._clock, self._lease = store, clock, lease
        self._sent: Post | None = None  # whose receipt is not written yet

    def ready(self, post: Post, memo: str) -> None:
        """Note that a post's mutation is about to happen.

        Raises:
            InvalidTransition: the post is not this worker's any more: nothing must be sent.
        """
        now = self._clock()
        with self._store.begin() as unit:
            late = self._receipt(unit, now)
            unit.posts.confirm_send(post, memo=memo, now=now, lease=self._lease)
        self._written(late)

    def sent(self, post: Post, *, more: bool) -> Post:
        """Note a post's receipt: now, or with the next one's beginning when more posts follow at once."""
        self.close()  # a channel that knows the post already gives its receipt without being ready first
        self._sent = post
        if more:
            return replace(post, lease_until=None)
        return self.close() or replace(post, lease_until=None)

    def settle(self, post: Post, outcome: Outcome, said: object = "", *, refusal: Exception | None = None) -> Post:
        """Note how an attempt ended that sent nothing for sure; the post as it is then.

        Args:
            post: in its new state, with its message.
            outcome: of the attempt.
            said: what the platform said, in its own message.
            refusal: why the credentials were not accepted: the channel is paused with it.
        """
        now = self._clock()
        try:
            with self._store.begin() as unit:
                late = self._receipt(unit, now)
                unit.posts.close_attempt(post, outcome=outcome, message=str(said) or post.message, at=now)
                if refusal is not None:
                    pause_refused(unit, post.channel, refusal, at=now)
        except InvalidTransition as error:
            log.warning("The attempt outlived its lease: %s", error, extra={"post": post.id, "channel": post.channel})
            return self.now(post)
        self._written(late)
        _told(post)
        return replace(post, lease_until=None)

    def close(self, unbegun: Collection[Post] = ()) -> Post | None:
        """Write the last receipt, where one is open, and let go of claimed posts that nothing was done with.

        Returns:
            The post of that receipt where it did not end as this worker thought.
        """
        if self._sent is None and not unbegun:
            return None
        with self._store.begin() as unit:
            late = self._receipt(unit, self._clock())
            unit.posts.release(unbegun)
        return self._written(late)

    def now(self, post: Post) -> Post:
        """A post as the database has it."""
        with self._store.read() as unit:
            return unit.posts.get(post.id)

    def _receipt(self, unit: Unit, now: datetime) -> InvalidTransition | None:
        """Write the open receipt; why that was not possible."""
        if self._sent is None:
            return None
        try:
            unit.posts.close_attempt(self._sent, outcome=Outcome.SENT, message=self._sent.message, at=now)
        except InvalidTransition as error:
            return error
        return None

    def _written(self, late: InvalidTransition | None) -> Post | None:
        """The transaction with the open receipt is committed."""
        post, self._sent = self._sent, None
        if post is None:
            return None
        if late is None:
            _told(post)
            return None
        log.warning("The attempt outlived its lease: %s", late, extra={"post": post.id, "channel": post.channel})
        return self._late(post)

    def _late(self, post: Post) -> Post:
        """Keep the receipt of a post that was given up for lost meanwhile: what is out is out."""
        current = self.now(post)
        if current.state is PostState.SENT or current.fencing != post.fencing:
            return current
        message = "its worker came back late, with the receipt"
        try:
            late = current.moved(PostState.SENT, receipt=post.receipt, message=message)
            with self._store.begin() as unit:
                unit.posts.save(late)
        except InvalidTransition as error:
            log.warning("A late receipt came too late: %s", error, extra={"post": post.id, "channel": post.channel})
            return self.now(post)
        return late


def _told(post: Post) -> None:
    log.info(
        "The post on %s is %s",
        post.channel,
        post.state,
        extra={"post": post.id, "draft": post.draft_id, "channel": post.channel, "action": "publish"},
    )
