"""Resolves attempts whose outcome is unknown.

A SENDING post whose lease expired was not published if its mutation was never confirmed: it waits again. Otherwise it
is UNKNOWN, and only the channel's `find` decides: found, it is SENT; absent for certain, it is sent again; undecided,
it is looked up again at growing intervals for about a day; undecidable, the operator must decide.

After a restore, everything that may have been published since the backup is held back (`hold_back`): the restored
database lacks what was posted after it, and nothing is repeated without the operator's decision.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import Outcome, Post, PostState, failures_in_a_row
from auria_bot.errors import InvalidTransition, OutcomeUnknown, Throttled, Unauthorised
from auria_bot.redaction import redacted_error
from auria_bot.services.publishing import attempt_account
from auria_bot.services.publishing.sending import MOST_FAILURES, describe, pause_refused, resolutions, retry_after

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from auria_bot.domain.interfaces import Channel, Clock
    from auria_bot.store.unit_of_work import Store

__all__ = ["MOST_LOOKUPS", "RESTORE", "HeldItems", "Reconciliation", "hold_back", "lookup_wait"]

log = logging.getLogger(__name__)

MOST_LOOKUPS = 12
"""Look-ups of one attempt; with the intervals of `lookup_wait` they take 26 hours."""

RESTORE = "restore"
"""The journal's action of a restore; drafts older than the last one are never approved automatically."""

_LEASE = timedelta(minutes=5)  # how long a look-up belongs to one worker


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldItems:
    """What the operator must decide again."""

    drafts: tuple[int, ...] = ()  # approved ones, which must be approved again
    posts: tuple[int, ...] = ()  # which may be published


def lookup_wait(lookups: int) -> timedelta:
    """The wait after the n-th undecided look-up: 1, 2, 4 ... minutes, at most 6 hours."""
    return timedelta(minutes=min(2 ** (lookups - 1), 360))


class Reconciliation:
    """Resolves posts that may or may not be published."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def expire_leases(self) -> tuple[Post, ...]:
        """Take back the posts of crashed workers, on every channel."""
        now, taken = self._clock(), list[Post]()
        with self._store.begin() as unit:
            for post in unit.posts.expired(now=now):
                attempts = unit.posts.attempts(post.id)
                unsent = attempts[-1].sending_at is None
                moved = replace(_expired(post, unsent=unsent, failures=failures_in_a_row(attempts[:-1]) + 1), due=now)
                unit.posts.close_attempt(moved, outcome=Outcome.ABANDONED, message=moved.message, at=now)
                taken.append(moved)
        return tuple(taken)

    def look_up(self, name: str, channel: Channel) -> Iterator[Post]:
        """Look up the due UNKNOWN posts of a channel; yield each as it is then. Stops at an undecided one."""
        while (post := self._claim(name)) is not None:
            yield (done := self._look_up(post, channel))
            if done.state is PostState.UNKNOWN:
                return

    def _claim(self, name: str) -> Post | None:
        with self._store.begin() as unit:
            return unit.posts.claim_lookup(now=self._clock(), lease=_LEASE, channels=(name,))

    def _look_up(self, post: Post, channel: Channel) -> Post:
        try:
            receipt = attempt_account.find(channel, post)
        except Unauthorised as error:
            return self._refused(post, error)
        except OutcomeUnknown as error:
            message = (
                f"it cannot be determined whether the post is published ({redacted_error(error)}); look at"
                f" {post.channel}, then: {resolutions(post)}"
            )
            return self._save(post.moved(PostState.NEEDS_ATTENTION, message=message))
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, the post is not sent again automatically
            return self._undecided(post, error)
        if receipt is not None:
            return self._save(post.moved(PostState.SENT, receipt=receipt, message=f"found on {post.channel}"))
        message = "it is not published for certain; it is sent again"
        return self._save(post.moved(PostState.WAITING, message=message, due=self._clock()))

    def _undecided(self, post: Post, error: Exception) -> Post:
        """Schedule the next look-up; after MOST_LOOKUPS the operator must decide."""
        reason = describe(error, Throttled)
        if not isinstance(error, Throttled):
            extra = {"post": post.id, "channel": post.channel}
            log.error("The channel's look-up raised an unexpected error", exc_info=error, extra=extra)
        if post.lookups >= MOST_LOOKUPS:
            message = (
                f"{post.lookups} look-ups could not determine whether the post is published ({reason}); look at"
                f" {post.channel}, then: {resolutions(post)}"
            )
            return self._save(post.moved(PostState.NEEDS_ATTENTION, message=message))
        now = self._clock()
        wait = lookup_wait(post.lookups)
        if isinstance(error, Throttled) and error.until is not None:
            wait = max(wait, retry_after(error, now))
        message = f"it may or may not be published; next look-up after {now + wait:%Y-%m-%d %H:%M} UTC: {reason}"
        return self._save(replace(post, message=message, due=now + wait))

    def _refused(self, post: Post, error: Unauthorised) -> Post:
        """Pause the channel; the post stays UNKNOWN and is looked up when the channel is resumed."""
        now = self._clock()
        message = (
            f"it may or may not be published, and the channel is paused ({redacted_error(error)}); correct that, then:"
            f" `auria channels resume {post.channel}`"
        )
        saved = self._save(replace(post, message=message, due=now))
        with self._store.begin() as unit:
            pause_refused(unit, post.channel, error, at=now)
        return saved

    def _save(self, post: Post) -> Post:
        """Save a post unless another worker was faster; return it as it is now."""
        try:
            with self._store.begin() as unit:
                unit.posts.save(post)
        except InvalidTransition as error:
            log.info("Another worker took the post: %s", error, extra={"post": post.id})
            with self._store.read() as unit:
                return unit.posts.get(post.id)
        return post


def _expired(post: Post, *, unsent: bool, failures: int) -> Post:
    if not unsent:
        message = "the worker that was sending it crashed; the next look-up determines whether it is published"
        return post.moved(PostState.UNKNOWN, message=message)
    if failures >= MOST_FAILURES:
        message = (
            f"{failures} workers in a row crashed before anything was sent; `auria doctor` may show why, then:"
            f" {resolutions(post)}"
        )
        return post.moved(PostState.NEEDS_ATTENTION, message=message)
    return post.moved(PostState.WAITING, message="its worker crashed before anything was sent; it is sent again")


def hold_back(store: Store, clock: Clock, *, as_of: datetime) -> HeldItems:
    """Hold back what may have been published after the backup."""
    now, drafts, posts = clock(), list[int](), list[int]()
    reason = (
        f"the database was restored as of {as_of:%Y-%m-%d %H:%M} UTC, and the post may have been published after that"
    )
    with store.begin() as unit:
        for post in unit.posts.list({PostState.WAITING, PostState.SENDING, PostState.UNKNOWN}):
            message = f"{reason}; look at {post.channel}, then: {resolutions(post)}"
            held = post.moved(PostState.NEEDS_ATTENTION, message=message)
            if post.state is PostState.SENDING:
                unit.posts.close_attempt(held, outcome=Outcome.ABANDONED, message=message, at=now)
            else:
                unit.posts.save(held)
            posts.append(post.id)
        for draft in unit.drafts.list({DraftState.APPROVED}):
            unit.drafts.save(draft.edit())
            unit.journal.note("hold_back", draft_id=draft.id, details=reason, at=now)
            drafts.append(draft.id)
    return HeldItems(drafts=tuple(sorted(drafts)), posts=tuple(sorted(posts)))
