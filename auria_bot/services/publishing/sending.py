"""Sends a claimed post: at most one visible mutation, and the meaning of its outcome.

Rejected, Throttled and Unauthorised mean that nothing was published. Any other error is judged by whether the channel
had called `confirm_send`: before it nothing was published, and the post is tried again; after it the post may be
published and is UNKNOWN. Right before sending, the approval's signature is checked against the texts and the
picture's bytes on the disk.

The start of a mutation is committed before it, its outcome after it, so that the next worker knows what a crashed one
did. Where posts follow each other quickly, the receipt of one is committed with the start of the next.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.post import AURIA, Outcome, Post, PostState, failures_in_a_row
from auria_bot.errors import (
    AuriaError,
    InvalidTransition,
    OutcomeUnknown,
    Rejected,
    StorageAway,
    Throttled,
    Unauthorised,
)
from auria_bot.redaction import redacted_error
from auria_bot.services.publishing.attempt_account import account_of, for_account, noted
from auria_bot.services.publishing.post_creation import broken

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime

    from auria_bot.domain.draft import Draft
    from auria_bot.domain.interfaces import Channel, Clock
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = [
    "LONGEST_WAIT",
    "MOST_FAILURES",
    "PAUSE",
    "AttemptLog",
    "SendPermit",
    "Sender",
    "describe",
    "pause_refused",
    "resolutions",
    "retry_after",
]


log = logging.getLogger(__name__)

PAUSE = timedelta(minutes=15)
"""How long to wait if a throttling platform does not say."""

LONGEST_WAIT = timedelta(hours=24)
"""The longest wait that a platform may ask for at once."""

MOST_FAILURES = 5
"""Attempts in a row that may fail before anything is sent; then the operator must decide."""

_SHORTEST_WAIT = timedelta(minutes=1)


def pause_refused(unit: Unit, name: str, error: Exception, *, at: datetime) -> None:
    """Pause a channel whose platform did not accept the credentials; an existing pause is kept."""
    reason = f"{redacted_error(error)}; correct that, then: `auria channels resume {name}`"
    if all(pause.name != name for pause in unit.channels.paused()):
        unit.channels.pause(name, reason=reason, by=AURIA, at=at)
        log.warning("The channel %s is paused: %s", name, reason, extra={"channel": name, "action": "pause"})


class AttemptLog:
    """The attempts of one worker."""

    def __init__(self, *, store: Store, clock: Clock, lease: timedelta) -> None:
        """A post belongs to this worker for `lease`, counted from `confirm_send`."""
        self._store, self._clock, self._lease = store, clock, lease
        self._unwritten: Post | None = None  # a sent post whose receipt is not committed yet

    def confirm_send(self, post: Post, memo: str) -> None:
        """Commit that the mutation of a claimed post is about to happen.

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
    action = "withdraw" if post.state in {PostState.WITHDRAWING, PostState.WITHDRAWN} else "publish"
    extra = {"post": post.id, "draft": post.draft_id, "channel": post.channel, "action": action}
    log.info("The post on %s is %s", post.channel, post.state, extra=extra)


class Sender:
    """Sends posts that this worker has claimed."""

    def __init__(self, *, store: Store, clock: Clock, lease: timedelta, locate: Callable[[Post], Post]) -> None:
        """A claim holds for `lease`, and is renewed when the channel calls `confirm_send`.

        `locate` gives a post with its files' paths on this machine; it raises StorageAway where they are out of reach.
        """
        self._store, self._clock, self._locate = store, clock, locate
        self._log = AttemptLog(store=store, clock=clock, lease=lease)

    def send(self, claimed: Sequence[tuple[Post, Draft]], channel: Channel) -> Iterator[Post]:
        """Attempt each claimed post once; yield each as it is afterwards. Stops when the channel is in trouble.

        Posts that were not attempted are released, whatever happens.
        """
        rest = list(claimed)
        try:
            while rest:
                post, draft = rest.pop(0)
                yield (done := self._attempt(post, draft, channel, more=bool(rest)))
                if done.state in {PostState.WAITING, PostState.UNKNOWN}:
                    return
        finally:
            self._log.flush([post for post, _ in rest])

    def _attempt(self, post: Post, draft: Draft, channel: Channel, *, more: bool) -> Post:
        try:
            post = self._locate(post)
        except StorageAway as error:
            return self._not_sent(post, redacted_error(error), self._clock())
        except AuriaError:
            pass  # what is missing is told as a fault
        if faults := broken(post, draft):
            message = f"not sent: {'; '.join(faults)}; correct it, then: {resolutions(post)}"
            return self._log.record_outcome(post.moved(PostState.NEEDS_ATTENTION, message=message), Outcome.REFUSED)
        permit = SendPermit(post, self._log)
        try:
            permit.account = account_of(channel)
            receipt = channel.publish(for_account(post, permit.account), permit)
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, nothing is sent twice
            return self._failed(permit, error)
        except BaseException:
            self._interrupted(permit)
            raise
        return self._log.record_sent(post.moved(PostState.SENT, receipt=receipt, message=""), more=more)

    def _failed(self, permit: SendPermit, error: Exception) -> Post:
        post, now = permit.post, self._clock()
        if permit.lost:
            log.warning("Nothing was sent: %s", error, extra={"post": post.id, "channel": post.channel})
            return self._log.current(post)
        if isinstance(error, Rejected):
            message = (
                f"{post.channel} rejected it, nothing was posted: {redacted_error(error)}. `auria posts show {post.id}`"
                " shows details; `auria make` makes another artwork"
            )
            return self._log.record_outcome(post.moved(PostState.FAILED, message=message), Outcome.REFUSED, error)
        if isinstance(error, Throttled):
            due = now + retry_after(error, now)
            message = f"{post.channel} asks to wait until {due:%Y-%m-%d %H:%M} UTC: {redacted_error(error)}"
            waiting = post.moved(PostState.WAITING, due=due, message=message)
            return self._log.record_outcome(waiting, Outcome.THROTTLED, error)
        if isinstance(error, Unauthorised):
            message = (
                f"it waits: the channel is paused ({redacted_error(error)}); correct that, then:"
                f" `auria channels resume {post.channel}`"
            )
            waiting = post.moved(PostState.WAITING, message=message)
            return self._log.record_outcome(waiting, Outcome.UNAUTHORISED, error, refusal=error)
        reason = describe(error, OutcomeUnknown)
        if not isinstance(error, OutcomeUnknown):
            extra = {"post": post.id, "channel": post.channel}
            log.error("The channel raised an unexpected error", exc_info=error, extra=extra)
        # Before `confirm_send`, OutcomeUnknown can only concern an earlier attempt, if there was one.
        if permit.confirmed or (isinstance(error, OutcomeUnknown) and post.tried_at is not None):
            message = f"it may or may not be published: {reason}; the next `auria publish` looks it up"
            unknown = post.moved(PostState.UNKNOWN, message=message, due=now)
            return self._log.record_outcome(unknown, Outcome.UNCLEAR, reason)
        return self._not_sent(post, reason, now)

    def _not_sent(self, post: Post, reason: str, now: datetime) -> Post:
        """Retry a post of which nothing was sent; after MOST_FAILURES in a row the operator must decide."""
        with self._store.read() as unit:
            count = failures_in_a_row(unit.posts.attempts(post.id)[:-1]) + 1
        if count >= MOST_FAILURES:
            message = f"it failed {count} times before anything was sent, last: {reason}; then: {resolutions(post)}"
            stuck = post.moved(PostState.NEEDS_ATTENTION, message=message)
            return self._log.record_outcome(stuck, Outcome.BROKEN, reason)
        due = now + _SHORTEST_WAIT * 2 ** (count - 1)
        message = f"it failed before anything was sent: {reason}; next attempt after {due:%Y-%m-%d %H:%M} UTC"
        waiting = post.moved(PostState.WAITING, due=due, message=message)
        return self._log.record_outcome(waiting, Outcome.BROKEN, reason)

    def _interrupted(self, permit: SendPermit) -> None:
        if permit.confirmed:
            message = (
                "it may or may not be published: the program was interrupted; the next `auria publish` looks it up"
            )
            unknown = permit.post.moved(PostState.UNKNOWN, message=message, due=self._clock())
            self._log.record_outcome(unknown, Outcome.UNCLEAR)
        else:
            self._log.flush([permit.post])


class SendPermit:
    """The `ConfirmSend` of one attempt, which the channel calls right before its mutation."""

    def __init__(self, post: Post, attempts: AttemptLog) -> None:
        self.post = post
        self.confirmed = False  # the mutation may have happened
        self.lost = False  # another worker has the post: nothing was sent
        self.account = ""  # which is noted with the memo
        self._attempts = attempts

    def __call__(self, memo: str = "") -> None:
        """Check that the post still belongs to this worker, store `memo`, and renew the lease."""
        try:
            self._attempts.confirm_send(self.post, noted(memo, self.account))
        except InvalidTransition:
            self.lost = True
            raise
        self.confirmed = True


def retry_after(error: Throttled, now: datetime) -> timedelta:
    """How long to wait: as long as the platform asks, within one minute and LONGEST_WAIT."""
    if error.until is None or error.until.tzinfo is None:
        return PAUSE
    return min(max(error.until - now, _SHORTEST_WAIT), LONGEST_WAIT)


def describe(error: Exception, expected: type[AuriaError]) -> str:
    """An error's message without secrets; the class of an unexpected error precedes it."""
    return redacted_error(error) if isinstance(error, expected) else f"{type(error).__name__}: {redacted_error(error)}"


def resolutions(post: Post) -> str:
    """The commands by which the operator resolves a post that needs attention."""
    return f"`auria posts resolve {post.id} --sent URL`, `--not-sent` (it is sent again) or `--give-up`"
