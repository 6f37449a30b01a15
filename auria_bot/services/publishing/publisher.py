"""Publishes approved drafts, exactly once on each channel.

The rule: never repeat a visible mutation whose outcome is unknown. A round schedules approved drafts, takes back the
posts of crashed workers, looks up unknown posts, goes on with withdrawals, then claims and sends due posts. Channels
fail independently: one that throttles, fails or refuses its credentials is skipped for the rest of the round. See
`sending` for attempts, `reconciliation` for look-ups, `withdrawal` for deletions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from auria_bot.domain.draft import LAST_ID
from auria_bot.domain.interfaces import LocalChannel
from auria_bot.domain.post import AURIA, Post, PostState
from auria_bot.errors import AuriaError, ChannelError, InputError, InvalidTransition, UnknownName
from auria_bot.redaction import redacted_error
from auria_bot.services.publishing.post_decisions import PostDecisions
from auria_bot.services.publishing.reconciliation import Reconciliation
from auria_bot.services.publishing.sending import Sender
from auria_bot.services.publishing.withdrawal import Withdrawal, WithdrawalPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from auria_bot.domain.draft import Draft
    from auria_bot.domain.interfaces import Channel, Clock
    from auria_bot.domain.post import Attempt, Pause
    from auria_bot.services.publishing.post_creation import PostCreator
    from auria_bot.store.unit_of_work import Store

__all__ = ["LEASE", "OPERATOR", "Publisher", "Round"]

OPERATOR = "operator"
"""Who pauses a channel when nobody is named."""

LEASE = timedelta(minutes=15)
"""How long a worker may take up to its mutation, and again for it; the channels' own time-outs are far shorter."""

_BATCH = 32  # posts claimed at once on a local channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The result of one round."""

    posts: tuple[Post, ...] = ()  # every post that was touched, as it is now
    problems: tuple[str, ...] = ()  # for the operator


class Publisher:
    """Sends approved drafts to the channels.

    Usage::

        result = publisher.publish()  # schedules, looks up, sends
        publisher.decisions.decide(7, "sent", url="https://...")
        publisher.withdraw(publisher.withdrawal.plan([7]))
        publisher.pause("x", reason="a holiday")
        publisher.resume("x")
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        channels: Mapping[str, Callable[[], Channel]],
        creator: PostCreator,
        restoring: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        """While `restoring` notes a restore, nothing is sent."""
        self._store, self._clock, self._channels, self._creator = store, clock, channels, creator
        self._restoring = restoring
        self._reconciliation = Reconciliation(store=store, clock=clock)
        self._sender = Sender(store=store, clock=clock, lease=LEASE, locate=creator.located)
        self.decisions = PostDecisions(store=store, clock=clock)
        self.withdrawal = Withdrawal(store=store, clock=clock, lease=LEASE, channels=channels)

    def publish(
        self,
        ids: Collection[int] = (),
        *,
        channels: Collection[str] = (),
        limit: int | None = None,
        since: datetime | None = None,
    ) -> Round:
        """Do one round: schedule approved drafts, look up unknown posts, and send due posts.

        Args:
            ids: the drafts to schedule; every approved one if empty.
            channels: where to send now; everywhere if empty.
            limit: most posts sent on each channel; None sends until nothing is due.
            since: posts sent, or possibly sent, since then count towards the limit.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: a named draft is not approved.
            StoreError: the database failed; a post that was being sent is looked up in a later round.
        """
        scheduled, problems = self._creator.schedule(ids)
        return self._round({post.id: post for post in scheduled}, problems, channels, limit, since)

    def look_up(self, *, channels: Collection[str] = ()) -> Round:
        """Look up unknown posts and go on with withdrawals: nothing is sent, and no draft becomes a post.

        Raises:
            StoreError: the database failed.
        """
        return self._round({}, [], channels, 0, None)

    def withdraw(self, plans: Sequence[WithdrawalPlan]) -> Round:
        """Take back the planned posts: cancel what is not published yet, delete what is.

        What cannot be deleted now stays WITHDRAWING and goes on in a later round.

        Raises:
            InvalidTransition: a post changed since it was planned; then nothing is done.
        """
        problems = [plan.problem for plan in plans if plan.problem]
        touched = {post.id: post for post in self.withdrawal.request(plans)}
        pending = [post for post in touched.values() if post.state is PostState.WITHDRAWING]
        for name, channel in self._construct({post.channel for post in pending}, problems).items() if pending else ():
            ids = [post.id for post in pending if post.channel == name]
            touched |= {post.id: post for post in self.withdrawal.carry_out(name, channel, ids)}
            problems += _tidy(name, channel)
        paused = {pause.name: pause.reason for pause in self.paused()}
        for post in touched.values():
            if post.state not in {PostState.WITHDRAWN, PostState.CANCELLED}:
                reason = f"{post.channel} is paused: {paused[post.channel]}" if post.channel in paused else post.message
                problems.append(f"post {post.id} on {post.channel} is {post.state}: {reason}")
        return Round(posts=tuple(touched[key] for key in sorted(touched)), problems=tuple(dict.fromkeys(problems)))

    def _round(
        self,
        touched: dict[int, Post],
        problems: list[str],
        channels: Collection[str],
        limit: int | None,
        since: datetime | None,
    ) -> Round:
        touched |= {post.id: post for post in self._reconciliation.expire_leases()}
        for name, channel in self._construct(channels, problems).items():
            for post in self._reconciliation.look_up(name, channel):
                touched[post.id] = post
            for post in self.withdrawal.carry_out(name, channel):
                touched[post.id] = post
            for post in self._send_due(name, channel, self._remaining(name, limit, since)):
                touched[post.id] = post
            problems += _tidy(name, channel)
        if since is not None:
            problems += self._under_way(set(channels or self._channels), since)
        # A post that is due, such as one whose worker crashed, had no turn in this round and has one in the next.
        now = self._clock()
        waiting = [post for post in touched.values() if post.state is PostState.WAITING and post.due > now]
        paused, blocked = self._blocked(channels)
        problems += [
            f"{post.channel}: {post.message}" for post in waiting if post.message and post.channel not in paused
        ]
        return Round(
            posts=tuple(touched[key] for key in sorted(touched)), problems=tuple(dict.fromkeys(problems + blocked))
        )

    def posts(
        self,
        states: Collection[PostState] = (),
        *,
        draft_id: int | None = None,
        before: int = LAST_ID,
        limit: int | None = None,
    ) -> tuple[Post, ...]:
        """Posts in those states (all if empty), newest first, with ids smaller than `before`."""
        with self._store.read() as unit:
            return tuple(unit.posts.list(states, draft_id=draft_id, before=before, limit=limit))

    def post(self, post_id: int) -> tuple[Post, tuple[Attempt, ...]]:
        """A post and its attempts, oldest first.

        Raises:
            NotFound: there is none.
        """
        with self._store.read() as unit:
            return unit.posts.get(post_id), tuple(unit.posts.attempts(post_id))

    def attempts(self, post_ids: Collection[int]) -> dict[int, tuple[Attempt, ...]]:
        """The attempts of several posts, by post, oldest first."""
        with self._store.read() as unit:
            return {post_id: tuple(unit.posts.attempts(post_id)) for post_id in post_ids}

    def set_draft_time(self, draft_id: int, at: datetime) -> tuple[Post, ...]:
        """Make posts of an approved draft, and give each of them that time.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: it is not approved, or was changed since.
            InputError: the time is past, or a channel would reject the draft; the message says why.
        """
        self.decisions.check_time(at)
        posts, problems = self._creator.schedule([draft_id], due=at)  # never due before: a round may come in between
        if problems:
            raise InputError("; ".join(problems))
        return tuple(self.decisions.set_time(post.id, at) for post in posts)

    def paused(self) -> tuple[Pause, ...]:
        """Every paused channel, by name."""
        with self._store.read() as unit:
            return tuple(unit.channels.paused())

    def last_troubles(self) -> Mapping[str, tuple[datetime, int, str]]:
        """For each channel whose last attempt failed: when, with which post, and what the platform answered."""
        with self._store.read() as unit:
            return unit.metrics.last_troubles()

    def pause(self, name: str, reason: str = "", by: str = OPERATOR) -> None:
        """Pause a channel: its posts wait, and it is not asked.

        Raises:
            UnknownName: there is no such channel.
        """
        self._constructor(name)
        now = self._clock()
        reason = reason.strip() or f"paused by the operator; then: `auria channels resume {name}`"
        with self._store.begin() as unit:
            unit.channels.pause(name, reason=reason, by=by, at=now)
            unit.journal.note("pause", details=f"{name}: {reason}", at=now)

    def resume(self, name: str) -> str:
        """Check a channel and end its pause; return the check's result.

        Raises:
            UnknownName: there is no such channel.
            ChannelError: the check failed; a pause stays.
        """
        result = self._constructor(name)().check()
        self._end_pause(name)
        return result

    def check(self, name: str) -> str:
        """Check a channel; return the result. Success ends an automatic pause, but not the operator's.

        Raises:
            UnknownName: there is no such channel.
            ChannelError: the check failed, with what to do.
        """
        result = self._constructor(name)().check()
        if any(pause.name == name and pause.by == AURIA for pause in self.paused()):
            self._end_pause(name)
        return result

    def _end_pause(self, name: str) -> None:
        now = self._clock()
        with self._store.begin() as unit:
            if unit.channels.resume(name):
                unit.journal.note("resume", details=name, at=now)

    def _constructor(self, name: str) -> Callable[[], Channel]:
        if name not in self._channels:
            known = ", ".join(sorted(self._channels)) or "none"
            raise UnknownName(f"no channel named {name[:40]!r}; known: {known}")
        return self._channels[name]

    def _construct(self, names: Collection[str], problems: list[str]) -> dict[str, Channel]:
        """Construct the channels; append the errors of those that fail to `problems`."""
        made = {}
        for name, make in self._channels.items():
            if names and name not in names:
                continue
            try:
                made[name] = make()
            except AuriaError as error:
                problems.append(f"{name}: {redacted_error(error)}")
        return made

    def _remaining(self, name: str, limit: int | None, since: datetime | None) -> int | None:
        if limit is None or since is None:
            return limit
        with self._store.read() as unit:
            return max(0, limit - unit.posts.count_attempted(name, since=since))

    def _under_way(self, channels: Collection[str], since: datetime) -> list[str]:
        """Posts whose outcome is still unknown; whoever counts posts since a time must run again for these."""
        with self._store.read() as unit:
            posts = unit.posts.under_way(since=since)
        return [
            f"post {post.id} on {post.channel} is {post.state}; whether it is published will be known later"
            for post in posts
            if post.channel in channels
        ]

    def _send_due(self, name: str, channel: Channel, limit: int | None) -> Iterator[Post]:
        """Send due posts of a channel until none is left, `limit` are sent, or the channel is in trouble."""
        size = _BATCH if isinstance(channel, LocalChannel) else 1
        while claimed := self._claim(name, size if limit is None else min(size, limit)):
            done = list[Post]()
            for post in self._sender.send(claimed, channel):
                done.append(post)
                yield post
            if len(done) < len(claimed) or done[-1].state in {PostState.WAITING, PostState.UNKNOWN}:
                return
            limit = None if limit is None else limit - len(done)

    def _claim(self, name: str, limit: int) -> Sequence[tuple[Post, Draft]]:
        if limit <= 0:
            return ()
        with self._store.begin() as unit:
            if left := self._restoring():  # looked at within the transaction: the database may be another by now
                raise InvalidTransition(
                    "a restore of the database goes on, or was interrupted, and until it is done nothing is published;"
                    f" repeat it if it does not run: auria db restore {left['folder']} --force"
                )
            claimed = unit.posts.claim(now=self._clock(), lease=LEASE, channels=(name,), limit=limit)
            drafts = unit.drafts.get_many({post.draft_id for post in claimed})
        return [(post, drafts[post.draft_id]) for post in claimed]

    def _blocked(self, names: Collection[str]) -> tuple[set[str], list[str]]:
        """The paused channels, and why posts are blocked: their channel is paused or no longer configured."""
        with self._store.read() as unit:
            paused = {pause.name: pause.reason for pause in unit.channels.paused()}
            held = unit.posts.channels_in({PostState.WAITING, PostState.UNKNOWN})
        reasons = {name: f"{name} is paused: {reason}" for name, reason in paused.items() if name in self._channels}
        reasons |= {
            name: f"posts wait for channel {name}, which is not configured; add [channels.{name}] to auria.toml,"
            " or give them up: `auria posts resolve ID --give-up`"
            for name in held
            if name not in self._channels
        }
        return set(paused), [reasons[name] for name in reasons if not names or name in names]


def _tidy(name: str, channel: Channel) -> list[str]:
    """Let a local channel update what depends on all of its posts; return the problems."""
    if isinstance(channel, LocalChannel):
        try:
            channel.tidy()
        except ChannelError as error:
            return [f"{name}: {redacted_error(error)}"]
    return []
