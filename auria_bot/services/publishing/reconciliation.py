"""Finds out what became of attempts whose outcome is unknown.

A SENDING post whose lease ran out is surely not out when its attempt never came to its mutation: it waits again. Else it is
UNKNOWN, and only the channel's `find` tells: found, it is SENT; surely absent, it waits to be sent again; when it cannot be told
yet, it is asked again later and later, for about a day; when it can never be told, the operator is asked.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.post import Outcome, Post, PostState, failures_in_a_row
from auria_bot.errors import InvalidTransition, OutcomeUnknown, Throttled, Unauthorised
from auria_bot.redaction import redacted_error
from auria_bot.services.publishing.pauses import pause_refused
from auria_bot.services.publishing.sending import MOST_FAILURES, retry_after, way_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auria_bot.domain.interfaces import Channel, Clock
    from auria_bot.store.unit_of_work import Store

__all__ = ["MOST_LOOKUPS", "Reconciliation", "lookup_wait"]

log = logging.getLogger(__name__)

MOST_LOOKUPS = 12
"""So often a channel is asked what became of an attempt: by `lookup_wait` that takes 26 hours."""

_LEASE = timedelta(minutes=5)  # for which a worker has a look-up to itself


def lookup_wait(lookups: int) -> timedelta:
    """How long to wait after the n-th look-up that could not tell: 1, 2, 4 ... minutes, at most 6 hours."""
    return timedelta(minutes=min(2 ** (lookups - 1), 360))


class Reconciliation:
    """Resolves what may or may not be out."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        """Join the collaborators: where posts are kept, and what tells the time."""
        self._store, self._clock = store, clock

    def lapse(self) -> tuple[Post, ...]:
        """Take the posts back whose worker vanished, on whatever channel."""
        now, taken = self._clock(), list[Post]()
        with self._store.begin() as unit:
            for post in unit.posts.expired(now=now):
                attempts = unit.posts.attempts(post.id)
                unsent = attempts[-1].sending_at is None
                moved = replace(_lapsed(post, unsent=unsent, failures=failures_in_a_row(attempts[:-1]) + 1), due=now)
                unit.posts.close_attempt(moved, outcome=Outcome.ABANDONED, message=moved.message, at=now)
                taken.append(moved)
        return tuple(taken)

    def resolve(self, name: str, channel: Channel) -> Iterator[Post]:
        """Ask a channel about its unknown posts that are due; each as it is then. Ends where the channel cannot tell now."""
        while (post := self._next(name)) is not None:
            yield (done := self._ask(post, channel))
            if done.state is PostState.UNKNOWN:
                return

    def _next(self, name: str) -> Post | None:
        with self._store.begin() as unit:
            return unit.posts.claim_lookup(now=self._clock(), lease=_LEASE, channels=(name,))

    def _ask(self, post: Post, channel: Channel) -> Post:
        """One look-up."""
        try:
            receipt = channel.find(post)
        except Unauthorised as error:
            return self._refused(post, error)
        except OutcomeUnknown as error:
            message = f"it cannot be told whether the post is out ({redacted_error(error)}); look at {post.channel}, then: {way_out(post)}"
            return self._save(post.moved(PostState.NEEDS_ATTENTION, message=message))
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, the post is not sent again by itself
            return self._later(post, error)
        if receipt is not None:
            return self._save(post.moved(PostState.SENT, receipt=receipt, message=f"found on {post.channel}"))
        message = "surely not out; it is sent again"
        return self._save(post.moved(PostState.WAITING, message=message, due=self._clock()))

    def _later(self, post: Post, error: Exception) -> Post:
        """It cannot be told now: again in a while, and after some look-ups the operator is asked."""
        why = (
            redacted_error(error)
            if isinstance(error, Throttled)
            else f"{type(error).__name__}: {redacted_error(error)}"
        )
        if not isinstance(error, Throttled):
            log.error(
                "The channel's find failed in a way it should not",
                exc_info=error,
                extra={"post": post.id, "channel": post.channel},
            )
        if post.lookups >= MOST_LOOKUPS:
            message = f"{post.lookups} look-ups could not tell whether the post is out ({why}); look at {post.channel}, then: "
            return self._save(post.moved(PostState.NEEDS_ATTENTION, message=message + way_out(post)))
        now = self._clock()
        wait = lookup_wait(post.lookups)
        if isinstance(error, Throttled) and error.until is not None:
            wait = max(wait, retry_after(error, now))
        message = f"it may or may not be out, and cannot be looked up before {now + wait:%Y-%m-%d %H:%M} UTC: {why}"
        return self._save(replace(post, message=message, due=now + wait))

    def _refused(self, post: Post, error: Unauthorised) -> Post:
        """The channel is paused; the post stays unknown, and is asked about when it goes on."""
        now = self._clock()
        message = (
            f"it may or may not be out, and the channel is paused ({redacted_error(error)}); put that right, then:"
            f" `auria channels resume {post.channel}`"
        )
        saved = self._save(replace(post, message=message, due=now))
        with self._store.begin() as unit:
            pause_refused(unit, post.channel, error, at=now)
        return saved

    def _save(self, post: Post) -> Post:
        """Write a post, unless another was quicker."""
        try:
            with self._store.begin() as unit:
                unit.posts.save(post)
        except InvalidTransition as error:
            log.info("Another took the post: %s", error, extra={"post": post.id})
            with self._store.read() as unit:
                return unit.posts.get(post.id)
        return post


def _lapsed(post: Post, *, unsent: bool, failures: int) -> Post:
    """What a post becomes whose worker vanished."""
    if not unsent:
        return post.moved(
            PostState.UNKNOWN,
            message="the worker that was sending it vanished; the next look-up tells whether it is out",
        )
    if failures >= MOST_FAILURES:
        return post.moved(
            PostState.NEEDS_ATTENTION,
            message=f"{failures} workers in a row vanished before anything was sent; `auria doctor` may tell why, then: {way_out(post)}",
        )
    return post.moved(
        PostState.WAITING, message="the worker that had it vanished before anything was sent; it is sent again"
    )
