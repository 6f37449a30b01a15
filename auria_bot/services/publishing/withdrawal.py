"""Withdraws posts: takes back what is not published yet, and deletes what is, where the platform allows it.

The operator's request is committed first, as the state WITHDRAWING, so that a later round finishes what a crashed
process began. A deletion is one mutation, and its start is committed before it, like a post's. After an unclear outcome
the post stays WITHDRAWING and the platform is asked: what is gone is WITHDRAWN, what is still there is deleted again.
A post that may or may not be published is looked for first: it is deleted if it is there, else CANCELLED.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auria_bot.domain.interfaces import DeletingChannel
from auria_bot.domain.post import TERMINAL, Action, Outcome, Post, PostState
from auria_bot.errors import AuriaError, NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised
from auria_bot.redaction import redacted_error
from auria_bot.services.publishing import attempt_account
from auria_bot.services.publishing.reconciliation import lookup_wait
from auria_bot.services.publishing.sending import AttemptLog, SendPermit, describe, resolutions, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import timedelta

    from auria_bot.domain.interfaces import Channel, Clock
    from auria_bot.store.unit_of_work import Store

__all__ = ["Withdrawal", "WithdrawalPlan"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalPlan:
    """What withdrawing one post would do."""

    post: Post
    action: str  # "cancel", "delete", "look up" (and delete it if it is there) or "none"
    problem: str = ""  # why nothing would be done


class Withdrawal:
    """Withdraws posts."""

    def __init__(
        self, *, store: Store, clock: Clock, lease: timedelta, channels: Mapping[str, Callable[[], Channel]]
    ) -> None:
        """A claim holds for `lease`, and is renewed when the channel is about to delete."""
        self._store, self._clock, self._lease, self._channels = store, clock, lease, channels
        self._log = AttemptLog(store=store, clock=clock, lease=lease)

    def plan(
        self, ids: Collection[int] = (), *, draft_id: int | None = None, channels: Collection[str] = ()
    ) -> tuple[WithdrawalPlan, ...]:
        """What withdrawing these posts, and all posts of a draft, would do; nothing is written or asked of a platform.

        Args:
            draft_id: a draft; those of its posts that are at their end without being published are left out.
            channels: only the posts on these channels; all if empty.

        Raises:
            NotFound: there is no such post or draft, or none of them is on these channels.
        """
        with self._store.read() as unit:
            found = {post_id: unit.posts.get(post_id) for post_id in ids}
            if draft_id is not None:
                unit.drafts.get(draft_id)
                for post in reversed(unit.posts.list(draft_id=draft_id)):
                    if post.state is PostState.SENT or post.state not in TERMINAL:
                        found[post.id] = post
        wanted = [post for post in found.values() if not channels or post.channel in channels]
        if not wanted:
            there = f"; there are posts on {', '.join(sorted({post.channel for post in found.values()}))}"
            raise NotFound(f"no such post can be withdrawn{there if found else ''}: auria posts")
        return tuple(self._plan(post) for post in wanted)

    def _plan(self, post: Post) -> WithdrawalPlan:
        if post.state is PostState.WAITING:
            return WithdrawalPlan(post=post, action="cancel")
        if problem := self._obstacle(post):
            return WithdrawalPlan(post=post, action="none", problem=f"post {post.id} on {post.channel}: {problem}")
        return WithdrawalPlan(post=post, action="look up" if post.receipt is None else "delete")

    def _obstacle(self, post: Post) -> str:
        """Why a post cannot be withdrawn; "" if it can."""
        if post.state is PostState.SENDING:
            return "it is being published right now; try again in a few minutes"
        if post.state in TERMINAL and post.state is not PostState.SENT:
            return f"it is {post.state}, so there is nothing to withdraw"
        if post.channel not in self._channels:
            return f"channel {post.channel} is not configured; add [channels.{post.channel}] to auria.toml"
        try:
            channel = self._channels[post.channel]()
        except AuriaError as error:
            return redacted_error(error)
        reason = "this channel cannot delete"
        if isinstance(channel, DeletingChannel):
            reason = channel.deletion_obstacle if post.receipt else ""  # one that may not be published is looked for
        if not reason:
            return ""
        where = post.receipt.url if post.receipt else post.channel
        return f"{reason}; delete it at {where}, then: `auria posts resolve {post.id} --withdrawn`"

    def request(self, plans: Sequence[WithdrawalPlan]) -> list[Post]:
        """Cancel what is not published, and commit the request to withdraw the rest; return both as they are now.

        Raises:
            InvalidTransition: a post changed since it was planned; then nothing is done.
        """
        now, requested = self._clock(), list[Post]()
        with self._store.begin() as unit:
            for plan in plans:
                post = plan.post
                if plan.action == "cancel":
                    message = f"taken back before it was published; `auria posts at {post.id} now` queues it again"
                    unit.posts.save(post.moved(PostState.CANCELLED, message=message))
                elif plan.action != "none":
                    message = f"it is to be withdrawn; `auria posts withdraw {post.id}` or `auria publish` goes on"
                    unit.posts.request_withdrawal(post, message=message, now=now)
                else:
                    continue
                details = f"post {post.id} on {post.channel}"
                action = "cancel" if plan.action == "cancel" else "withdraw"
                unit.journal.note(action, draft_id=post.draft_id, details=details, at=now)
                requested.append(unit.posts.get(post.id))
        return requested

    def carry_out(self, name: str, channel: Channel, ids: Collection[int] = ()) -> Iterator[Post]:
        """Withdraw the due WITHDRAWING posts of a channel, or those of `ids`; yield each as it is then.

        Stops at one that is still WITHDRAWING. A channel that cannot delete is left alone.
        """
        while isinstance(channel, DeletingChannel) and (post := self._claim(name, ids)) is not None:
            yield (done := self._attempt(post, channel, channel))
            if done.state is PostState.WITHDRAWING:
                return

    def _claim(self, name: str, ids: Collection[int]) -> Post | None:
        with self._store.begin() as unit:
            return unit.posts.claim_withdrawal(now=self._clock(), lease=self._lease, channels=(name,), ids=ids)

    def _attempt(self, post: Post, channel: Channel, deleting: DeletingChannel) -> Post:
        with self._store.read() as unit:
            earlier = unit.posts.attempts(post.id)[:-1]
        uncertain = any(one.action is Action.WITHDRAW and one.sending_at is not None for one in earlier)
        permit = SendPermit(post, self._log)
        try:
            if post.receipt is None:
                permit.post = post = replace(post, receipt=attempt_account.find(channel, post))
            if post.receipt is None:
                message = "it was not published, and is not sent any more"
                return self._log.record_outcome(post.moved(PostState.CANCELLED, message=message), Outcome.WITHDRAWN)
            if not uncertain or deleting.is_published(post.receipt):
                deleting.delete(post.receipt, permit)
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, what happened is recorded
            return self._failed(permit, error, uncertain=uncertain)
        except BaseException:
            self._interrupted(permit, uncertain=uncertain)
            raise
        message = f"it is no longer on {post.channel}"
        return self._log.record_outcome(post.moved(PostState.WITHDRAWN, message=message), Outcome.WITHDRAWN)

    def _failed(self, permit: SendPermit, error: Exception, *, uncertain: bool) -> Post:
        post, now = permit.post, self._clock()
        if permit.lost:
            return self._log.current(post)
        if isinstance(error, Rejected) and post.receipt is not None:
            message = f"{post.channel} did not delete it, and it is still published: {redacted_error(error)}"
            return self._log.record_outcome(post.moved(PostState.SENT, message=message), Outcome.REFUSED, error)
        if isinstance(error, Unauthorised):
            message = (
                f"it is to be withdrawn, and the channel is paused ({redacted_error(error)}); correct that, then:"
                f" `auria channels resume {post.channel}`"
            )
            waiting = replace(post, message=message, due=now)
            return self._log.record_outcome(waiting, Outcome.UNAUTHORISED, error, refusal=error)
        if isinstance(error, Throttled):
            due = now + retry_after(error, now)
            message = f"it is to be withdrawn; {post.channel} asks to wait until {due:%Y-%m-%d %H:%M} UTC"
            waiting = replace(post, message=f"{message}: {redacted_error(error)}", due=due)
            return self._log.record_outcome(waiting, Outcome.THROTTLED, error)
        if post.receipt is None and isinstance(error, Rejected | OutcomeUnknown):
            message = (
                f"it cannot be determined whether the post is published ({redacted_error(error)}); look at"
                f" {post.channel}, then: {resolutions(post)}"
            )
            stuck = post.moved(PostState.NEEDS_ATTENTION, message=message)
            return self._log.record_outcome(stuck, Outcome.UNCLEAR, error)
        return self._undecided(post, error, maybe_deleted=permit.confirmed or uncertain)

    def _undecided(self, post: Post, error: Exception, *, maybe_deleted: bool) -> Post:
        """Keep it WITHDRAWING, to be tried again at growing intervals."""
        reason = describe(error, OutcomeUnknown)
        if not isinstance(error, OutcomeUnknown):
            extra = {"post": post.id, "channel": post.channel}
            log.error("The channel raised an unexpected error", exc_info=error, extra=extra)
        due = self._clock() + lookup_wait(post.lookups)
        begin = "it may or may not be deleted" if maybe_deleted else "it is not deleted yet"
        message = f"{begin}; next attempt after {due:%Y-%m-%d %H:%M} UTC: {reason}"
        outcome = Outcome.UNCLEAR if maybe_deleted else Outcome.BROKEN
        return self._log.record_outcome(replace(post, message=message, due=due), outcome, reason)

    def _interrupted(self, permit: SendPermit, *, uncertain: bool) -> None:
        maybe = permit.confirmed or uncertain
        begin = "it may or may not be deleted" if maybe else "it is not deleted yet"
        message = f"{begin}: the program was interrupted; `auria posts withdraw {permit.post.id}` goes on"
        post = replace(permit.post, message=message, due=self._clock())
        self._log.record_outcome(post, Outcome.UNCLEAR if maybe else Outcome.ABANDONED)
