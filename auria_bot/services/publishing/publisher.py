"""Publishes approved drafts, each once and only once on each channel.

The rule: never repeat a visible mutation whose outcome is unknown. A round schedules what is approved, takes back what
vanished workers had, looks up what may or may not be out, then claims and sends what is due. Channels fail
independently: one that asks to wait, breaks or refuses its credentials is left alone for the rest of the round.
Knows no platform; what the end of an attempt means is known to `sending`, of a look-up to `reconciliation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.interfaces import LocalChannel
from auria_bot.domain.post import Post, PostState, Receipt
from auria_bot.errors import AuriaError, ChannelError, InputError, InvalidTransition
from auria_bot.redaction import redacted_error
from auria_bot.services.publishing.pauses import OPERATOR, Pauses
from auria_bot.services.publishing.post_creation import PostCreator, Preview
from auria_bot.services.publishing.reconciliation import Reconciliation
from auria_bot.services.publishing.sending import Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from auria_bot.domain.draft import Draft
    from auria_bot.domain.interfaces import Channel, Clock
    from auria_bot.domain.post import Attempt, Pause
    from auria_bot.store.files import Pictures
    from auria_bot.store.unit_of_work import Store

__all__ = ["DECISIONS", "LEASE", "Publisher", "Round"]

LEASE = timedelta(minutes=15)
"""How long a worker may take to come to its mutation, and again to make it; channels' own time-outs are far shorter."""

DECISIONS = {"sent": PostState.SENT, "not-sent": PostState.WAITING, "give-up": PostState.FAILED}
"""What an operator can say of a post, and what it becomes."""

_BATCH = 32  # posts that are claimed at once on a channel of this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a round did."""

    posts: tuple[Post, ...] = ()  # as they are now, every one that was touched
    problems: tuple[str, ...] = ()  # sentences for the operator


class Publisher:
    """Carries approved drafts to the channels.

    Usage::

        for preview in publisher.preview(): ...   # touches nothing
        result = publisher.publish()              # schedules, looks up, sends
        publisher.decide(7, "sent", url="https://...")
        publisher.pause("x", reason="a holiday")
        publisher.resume("x")
    """

    def __init__(
        self,
        *,
        store: Store,
        pictures: Pictures,
        clock: Clock,
        channels: Mapping[str, Callable[[], Channel]],
        lease: timedelta = LEASE,
        faults: Callable[[str], Sequence[str]] = lambda _: (),
    ) -> None:
        """Join the collaborators.

        Args:
            store: where posts are kept.
            pictures: where the drafts' pictures lie.
            clock: tells the time.
            channels: every channel by the operator's name for it; called on first use.
            lease: how long a claim holds.
            faults: why a text must not be published; nothing when it may.
        """
        self._store, self._clock, self._lease, self._channels = store, clock, lease, channels
        self._scheduler = PostCreator(store=store, pictures=pictures, clock=clock, channels=channels, faults=faults)
        self._pauses = Pauses(store=store, clock=clock, channels=channels)
        self._reconciliation = Reconciliation(store=store, clock=clock)
        self._sender = Sender(store=store, clock=clock, lease=lease)

    def publish(
        self,
        ids: Collection[int] = (),
        *,
        channels: Collection[str] = (),
        most: int | None = None,
        since: datetime | None = None,
    ) -> Round:
        """One round: schedule approved drafts, find out what became of unknown posts, and send what is due.

        Args:
            ids: the drafts to schedule; every approved one when empty.
            channels: where to send now; everywhere when empty.
            most: how many posts to send on each channel; None sends until nothing is due.
            since: what went out, or may have, since then counts among the most.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: a named draft is not approved.
            StoreError: the database failed; what was being sent is looked up in a later round.
        """
        scheduled, problems = self._scheduler.schedule(ids)
        return self._round({post.id: post for post in scheduled}, problems, channels, most, since)

    def look_up(self, *, channels: Collection[str] = ()) -> Round:
        """Find out what became of posts that may or may not be out; nothing is sent, and no draft becomes a post.

        Raises:
            StoreError: the database failed.
        """
        return self._round({}, [], channels, 0, None)

    def _round(
        self,
        touched: dict[int, Post],
        problems: list[str],
        channels: Collection[str],
        most: int | None,
        since: datetime | None,
    ) -> Round:
        touched |= {post.id: post for post in self._reconciliation.lapse()}
        for name, channel in self._made(channels, problems).items():
            for post in self._reconciliation.resolve(name, channel):
                touched[post.id] = post
            for post in self._drain(name, channel, self._left(name, most, since)):
                touched[post.id] = post
            problems += _tidied(name, channel)
        if since is not None:
            problems += self._under_way(set(channels or self._channels), since)
        waiting = [post for post in touched.values() if post.state is PostState.WAITING and post.message]
        paused, message = self._standstill(channels)
        problems += [f"{post.channel}: {post.message}" for post in waiting if post.channel not in paused]
        return Round(
            posts=tuple(touched[key] for key in sorted(touched)), problems=tuple(dict.fromkeys(problems + message))
        )

    def schedule(self, ids: Collection[int] = (), *, due: datetime | None = None) -> tuple[tuple[Post, ...], list[str]]:
        """Make posts of approved drafts, one a channel, due now or later; and what kept drafts from it.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: a named draft is not approved, or was changed since.
        """
        return self._scheduler.schedule(ids, due=due)

    def preview(self, ids: Collection[int] = (), *, channels: Collection[str] = ()) -> tuple[Preview, ...]:
        """What `publish` would do now. Nothing is written, sent or asked of a platform.

        Raises:
            NotFound: there is no such draft.
        """
        return self._scheduler.preview(ids, channels=channels)

    def posts(self, states: Collection[PostState] = (), *, draft_id: int | None = None) -> tuple[Post, ...]:
        """Posts in those states (all when empty), the newest first."""
        with self._store.read() as unit:
            return tuple(unit.posts.list(states, draft_id=draft_id))

    def post(self, post_id: int) -> tuple[Post, tuple[Attempt, ...]]:
        """A post and every try to publish it, the first first.

        Raises:
            NotFound: there is none.
        """
        with self._store.read() as unit:
            return unit.posts.get(post_id), tuple(unit.posts.attempts(post_id))

    def decide(self, post_id: int, decision: str, *, url: str = "", identifier: str = "") -> Post:
        """The operator's word on a post that Auria cannot bring to an end by herself.

        Args:
            post_id: the post.
            decision: "sent" (it is out), "not-sent" (it is surely not out: it is sent again) or "give-up".
            url: where it is, for "sent".
            identifier: the platform's id of it, for "sent"; by default the last part of the address.

        Raises:
            NotFound: there is no such post.
            InputError: there is no such decision, or the address is missing.
            InvalidTransition: the post's state does not allow it.
        """
        if decision not in DECISIONS:
            raise InputError(f"no decision named {decision[:40]!r}; known: {', '.join(DECISIONS)}")
        if decision == "sent" and not url.strip():
            raise InputError("where is the post? `auria posts resolve ID --sent URL` needs its address")
        now = self._clock()
        with self._store.begin() as unit:
            post = unit.posts.get(post_id)
            open_to = _OPEN_TO[decision]
            if post.state not in open_to:
                raise InvalidTransition(
                    f"post {post_id} is {post.state}; --{decision} is for posts that are {' or '.join(sorted(open_to))};"
                    f" `auria posts show {post_id}` tells more"
                )
            receipt = None
            if decision == "sent":
                receipt = Receipt(id=identifier or url.strip().rstrip("/").rpartition("/")[2], url=url.strip(), at=now)
            message = f"the operator decided: {decision}; `auria posts show {post_id}` tells the whole story"
            moved = post.moved(DECISIONS[decision], receipt=receipt, message=message, due=now)
            unit.posts.save(moved)
            unit.journal.note(
                f"post {decision}", draft_id=post.draft_id, details=f"{post.channel} {url}".strip(), at=now
            )
        return moved

    def paused(self) -> tuple[Pause, ...]:
        """Every channel that stands still, and why."""
        return self._pauses.standing()

    def pause(self, name: str, reason: str = "", by: str = OPERATOR) -> None:
        """Pause a channel: its posts wait, and nothing is asked of it.

        Raises:
            UnknownName: there is no such channel.
        """
        self._pauses.pause(name, reason=reason, by=by)

    def resume(self, name: str) -> str:
        """Check a channel and let it go on; what the check found.

        Raises:
            UnknownName: there is no such channel.
            ChannelError: it would not work yet; a pause stays.
        """
        return self._pauses.resume(name)

    def check(self, name: str) -> str:
        """Check a channel; what was found. A pause that Auria made is over when all is well, the operator's is not.

        Raises:
            UnknownName: there is no such channel.
            ChannelError: it would not work, with what to do.
        """
        return self._pauses.check(name)

    def _made(self, names: Collection[str], problems: list[str]) -> dict[str, Channel]:
        """The channels that can be constructed; what is wrong with the others."""
        made = {}
        for name, make in self._channels.items():
            if names and name not in names:
                continue
            try:
                made[name] = make()
            except AuriaError as error:
                problems.append(f"{name}: {redacted_error(error)}")
        return made

    def _left(self, name: str, most: int | None, since: datetime | None) -> int | None:
        """How many posts may still be sent on a channel."""
        if most is None or since is None:
            return most
        with self._store.read() as unit:
            return max(0, most - unit.posts.count_attempted(name, since=since))

    def _under_way(self, channels: Collection[str], since: datetime) -> list[str]:
        """What is not over yet: whoever counts posts by the time must come back for these."""
        with self._store.read() as unit:
            posts = unit.posts.list({PostState.SENDING, PostState.UNKNOWN})
        return [
            f"post {post.id} on {post.channel} is {post.state}; whether it is out will be known later"
            for post in posts
            if post.channel in channels and (post.state is PostState.SENDING or (post.tried_at or since) >= since)
        ]

    def _drain(self, name: str, channel: Channel, most: int | None) -> Iterator[Post]:
        """Send what is due on a channel until nothing is, `most` are sent, or the channel is in trouble."""
        size = _BATCH if isinstance(channel, LocalChannel) else 1
        while claimed := self._claim(name, size if most is None else min(size, most)):
            done = list[Post]()
            for post in self._sender.send(claimed, channel):
                done.append(post)
                yield post
            if len(done) < len(claimed) or done[-1].state in {PostState.WAITING, PostState.UNKNOWN}:
                return
            most = None if most is None else most - len(done)

    def _claim(self, name: str, limit: int) -> Sequence[tuple[Post, Draft]]:
        """Due posts of a channel, this worker's now, each with the draft that was approved."""
        if limit <= 0:
            return ()
        with self._store.begin() as unit:
            claimed = unit.posts.claim(now=self._clock(), lease=self._lease, channels=(name,), limit=limit)
            drafts = unit.drafts.get_many({post.draft_id for post in claimed})
        return [(post, drafts[post.draft_id]) for post in claimed]

    def _standstill(self, names: Collection[str]) -> tuple[set[str], list[str]]:
        """The paused channels, and why posts stay where they are: their channel is paused, or not set up any more."""
        with self._store.read() as unit:
            paused = {pause.name: pause.reason for pause in unit.channels.paused()}
            held = unit.posts.channels_in({PostState.WAITING, PostState.UNKNOWN})
        message = {name: f"{name} is paused: {reason}" for name, reason in paused.items() if name in self._channels}
        message |= {
            name: f"posts wait for channel {name}, which is not set up; write [channels.{name}] into auria.toml,"
            " or give them up: `auria posts resolve ID --give-up`"
            for name in held
            if name not in self._channels
        }
        return set(paused), [message[name] for name in message if not names or name in names]


def _tidied(name: str, channel: Channel) -> list[str]:
    """Let a channel bring up to date what depends on all of its posts; what went wrong."""
    if isinstance(channel, LocalChannel):
        try:
            channel.tidy()
        except ChannelError as error:
            return [f"{name}: {redacted_error(error)}"]
    return []


_OPEN_TO = {
    "sent": frozenset({PostState.NEEDS_ATTENTION, PostState.UNKNOWN}),
    "not-sent": frozenset({PostState.NEEDS_ATTENTION, PostState.UNKNOWN}),
    "give-up": frozenset({PostState.NEEDS_ATTENTION, PostState.WAITING}),
}
