"""Sends one claimed post: at most one visible mutation, and what its end means.

What surely did not post is told by Rejected, Throttled and Unauthorised. Any other error is judged by whether the channel had
called `ready`: before, nothing can be out, and the post waits for another try; after, it may be out, and is UNKNOWN.
Right before sending, the approval's signature is checked against the message and the picture's bytes on the disk.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.post import Outcome, Post, PostState, failures_in_a_row
from auria_bot.errors import InvalidTransition, OutcomeUnknown, Rejected, Throttled, Unauthorised
from auria_bot.redaction import redacted_error
from auria_bot.services.publishing.attempt_log import AttemptLog
from auria_bot.services.publishing.post_creation import broken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from auria_bot.domain.draft import Draft
    from auria_bot.domain.interfaces import Channel, Clock
    from auria_bot.store.unit_of_work import Store

__all__ = ["LONGEST_WAIT", "MOST_FAILURES", "PAUSE", "Sender", "retry_after", "way_out"]

log = logging.getLogger(__name__)

PAUSE = timedelta(minutes=15)
"""How long to wait where a throttling platform does not say."""

LONGEST_WAIT = timedelta(hours=24)
"""No platform's word puts a post off for longer than this at once."""

MOST_FAILURES = 5
"""So many attempts in a row may break before anything is sent; then the operator is asked."""

_SHORTEST_WAIT = timedelta(minutes=1)


class Sender:
    """Sends posts that this worker has claimed."""

    def __init__(self, *, store: Store, clock: Clock, lease: timedelta) -> None:
        """Join the collaborators.

        Args:
            store: where posts are kept.
            clock: tells the time.
            lease: how long a claim holds, and anew once the channel is ready.
        """
        self._store, self._clock = store, clock
        self._ledger = AttemptLog(store=store, clock=clock, lease=lease)

    def send(self, claimed: Sequence[tuple[Post, Draft]], channel: Channel) -> Iterator[Post]:
        """One attempt for each claimed post; each as it is afterwards. Ends where the channel is in trouble.

        Whatever happens, the posts that it did not come to wait again.
        """
        rest = list(claimed)
        try:
            while rest:
                post, draft = rest.pop(0)
                yield (done := self._attempt(post, draft, channel, more=bool(rest)))
                if done.state in {PostState.WAITING, PostState.UNKNOWN}:
                    return
        finally:
            self._ledger.close([post for post, _ in rest])

    def _attempt(self, post: Post, draft: Draft, channel: Channel, *, more: bool) -> Post:
        if faults := broken(post, draft):
            message = f"not sent: {'; '.join(faults)}; put it right, then: {way_out(post)}"
            return self._ledger.settle(post.moved(PostState.NEEDS_ATTENTION, message=message), Outcome.REFUSED)
        turn = _SendPermit(post, self._ledger)
        try:
            receipt = channel.publish(post, turn)
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, nothing is sent twice
            return self._failed(turn, error)
        except BaseException:
            self._interrupted(turn)
            raise
        return self._ledger.sent(post.moved(PostState.SENT, receipt=receipt, message=""), more=more)

    def _failed(self, turn: _SendPermit, error: Exception) -> Post:
        """What an attempt's failure means."""
        post = turn.post
        if turn.lost:
            log.warning("Nothing was sent: %s", error, extra={"post": post.id, "channel": post.channel})
            return self._ledger.now(post)
        now = self._clock()
        if isinstance(error, Rejected):
            message = (
                f"{post.channel} refused it, nothing was posted: {redacted_error(error)}. `auria posts show {post.id}` tells more;"
                " `auria make` makes another artwork"
            )
            return self._ledger.settle(post.moved(PostState.FAILED, message=message), Outcome.REFUSED, error)
        if isinstance(error, Throttled):
            due = now + retry_after(error, now)
            message = f"{post.channel} asks to wait until {due:%Y-%m-%d %H:%M} UTC: {redacted_error(error)}"
            return self._ledger.settle(
                post.moved(PostState.WAITING, due=due, message=message), Outcome.THROTTLED, error
            )
        if isinstance(error, Unauthorised):
            message = f"it waits: the channel is paused ({redacted_error(error)}); put that right, then: `auria channels resume {post.channel}`"
            return self._ledger.settle(
                post.moved(PostState.WAITING, message=message), Outcome.UNAUTHORISED, error, refusal=error
            )
        why = (
            redacted_error(error)
            if isinstance(error, OutcomeUnknown)
            else f"{type(error).__name__}: {redacted_error(error)}"
        )
        if not isinstance(error, OutcomeUnknown):
            log.error(
                "The channel failed in a way it should not",
                exc_info=error,
                extra={"post": post.id, "channel": post.channel},
            )
        # Before `ready` an OutcomeUnknown can only speak of an earlier attempt, where there was one.
        if turn.begun or (isinstance(error, OutcomeUnknown) and post.tried_at is not None):
            message = f"it may or may not be out: {why}; the next `auria publish` looks it up"
            return self._ledger.settle(post.moved(PostState.UNKNOWN, message=message, due=now), Outcome.UNCLEAR, why)
        return self._broke(post, why, now)

    def _broke(self, post: Post, why: str, now: datetime) -> Post:
        """Nothing was sent: again in a while, and after some failures in a row the operator is asked."""
        with self._store.read() as unit:
            count = failures_in_a_row(unit.posts.attempts(post.id)[:-1]) + 1
        if count >= MOST_FAILURES:
            message = f"it failed {count} times before anything was sent, the last time: {why}; then: {way_out(post)}"
            return self._ledger.settle(post.moved(PostState.NEEDS_ATTENTION, message=message), Outcome.BROKEN, why)
        due = now + _SHORTEST_WAIT * 2 ** (count - 1)
        message = f"it failed before anything was sent: {why}; tried again from {due:%Y-%m-%d %H:%M} UTC on"
        return self._ledger.settle(post.moved(PostState.WAITING, due=due, message=message), Outcome.BROKEN, why)

    def _interrupted(self, turn: _SendPermit) -> None:
        """The program is ending in the middle of an attempt."""
        if turn.begun:
            message = "it may or may not be out: the program was interrupted; the next `auria publish` looks it up"
            unknown = turn.post.moved(PostState.UNKNOWN, message=message, due=self._clock())
            self._ledger.settle(unknown, Outcome.UNCLEAR)
        else:
            self._ledger.close([turn.post])


class _SendPermit:
    """Stands between a claim and its mutation: the `Ready` of one attempt."""

    def __init__(self, post: Post, ledger: AttemptLog) -> None:
        self.post = post
        self.begun = False  # the mutation may have happened
        self.lost = False  # somebody else has the post: nothing was sent
        self._ledger = ledger

    def __call__(self, memo: str = "") -> None:
        """Make sure that the post is still this worker's, remember `memo`, and begin the lease anew.

        Raises:
            InvalidTransition: the post was taken over, or the lease ran out.
        """
        try:
            self._ledger.ready(self.post, memo)
        except InvalidTransition:
            self.lost = True
            raise
        self.begun = True


def retry_after(error: Throttled, now: datetime) -> timedelta:
    """How long to wait: as long as the platform says, within reason."""
    if error.until is None or error.until.tzinfo is None:
        return PAUSE
    return min(max(error.until - now, _SHORTEST_WAIT), LONGEST_WAIT)


def way_out(post: Post) -> str:
    """What the operator can do with a post that needs attention."""
    return f"`auria posts resolve {post.id} --sent URL`, `--not-sent` (it is sent again) or `--give-up`"
