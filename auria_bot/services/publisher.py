"""Publishes approved drafts, each once and only once on each channel.

The rule: never repeat a visible mutation whose outcome is unknown. A post is claimed (a lease and a fencing number),
sent by one call of its channel, and settled. What may or may not be out is UNKNOWN, and only the channel's `find`
resolves it: found, it is SENT; surely absent, it waits to be sent again; neither, the operator decides. Right before
sending, the approval's signature is checked against the words and the picture's bytes on the disk.
Channels fail independently. Knows no platform.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import Outcome, Post, PostState, Receipt
from auria_bot.errors import AuriaError, IllegalMove, InputError, Refused, Throttled, Unauthorised, Unclear
from auria_bot.services.workspace import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from auria_bot.domain.draft import Draft
    from auria_bot.domain.roles import Channel
    from auria_bot.services.ports import Clock, Pictures, Store

__all__ = ["LEASE", "PAUSE", "Preview", "Publisher", "Round"]

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=15)
"""How long a worker may take to send a post; channels' own time-outs are far shorter."""

PAUSE = timedelta(minutes=15)
"""How long to wait where a throttling platform does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a round would do with one draft on one channel."""

    draft_id: int
    channel: str
    action: str  # "send", "wait" (until due), "look up" (whether it is out) or "none" (a problem forbids it)
    due: datetime
    text: str
    alt_text: str
    picture: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a round did."""

    posts: tuple[Post, ...] = ()  # as they are now, every one that was touched
    problems: tuple[str, ...] = ()  # sentences for the operator


class Publisher:
    """Carries approved drafts to the channels.

    Usage::

        for preview in publisher.preview(): ...   # touches nothing
        result = publisher.publish()              # schedules, resolves, sends
        publisher.decide(7, "sent", url="https://...")
    """

    def __init__(
        self, *, store: Store, pictures: Pictures, clock: Clock, channels: Mapping[str, Callable[[], Channel]],
        lease: timedelta = LEASE,
    ) -> None:  # fmt: skip
        """Join the collaborators.

        Args:
            store: where posts are kept.
            pictures: where the drafts' pictures lie.
            clock: tells the time.
            channels: every channel by the operator's name for it; called on first use.
            lease: how long a claim holds.
        """
        self._store, self._pictures, self._clock, self._lease = store, pictures, clock, lease
        self._channels = channels

    def publish(self, ids: Collection[int] = (), *, channels: Collection[str] = ()) -> Round:
        """Schedule approved drafts, find out what became of unknown posts, and send what is due.

        Args:
            ids: the drafts to schedule; every approved one when empty.
            channels: where to send now; everywhere when empty.

        Raises:
            NotFound: there is no such draft.
            IllegalMove: a named draft is not approved.
        """
        touched, problems = dict[int, Post](), list[str]()
        scheduled, words = self.schedule(ids)
        problems += words
        touched.update({post.id: post for post in scheduled})
        ready = self._ready(channels, problems)
        with self._store.begin() as unit:
            unit.posts.expire(now=self._clock())
        for post in self._in({PostState.UNKNOWN}):
            if post.channel in ready:
                touched[post.id] = self._resolve(post, ready[post.channel])
        for name, channel in list(ready.items()):
            if not self._trusted(name, channel, problems):
                del ready[name]
        open_channels = set(ready)
        while open_channels and (claimed := self._claim(open_channels)) is not None:
            post = self._send(claimed, ready[claimed.channel])
            touched[post.id] = post
            if post.state is PostState.WAITING or (post.state is PostState.NEEDS_ATTENTION and self._refused(post)):
                open_channels.discard(post.channel)
                problems.append(f"{post.channel}: {post.words}")
        return Round(posts=tuple(touched[key] for key in sorted(touched)), problems=tuple(dict.fromkeys(problems)))

    def schedule(self, ids: Collection[int] = (), *, due: datetime | None = None) -> tuple[tuple[Post, ...], list[str]]:
        """Make posts of approved drafts, one a channel, due now or later; and what kept drafts from it.

        Raises:
            NotFound: there is no such draft.
            IllegalMove: a named draft is not approved, or was changed since.
        """
        posts, problems, now = list[Post](), list[str](), self._clock()
        with self._store.begin() as unit:
            if ids:
                drafts = [unit.drafts.get(draft_id) for draft_id in dict.fromkeys(ids)]
                drafts = [draft for draft in drafts if draft.state is not DraftState.SCHEDULED]
            else:
                drafts = list(reversed(unit.drafts.list({DraftState.APPROVED})))
            for draft in drafts:
                scheduled = draft.schedule()
                if found := [
                    f"draft {draft.id}: {words}" for name in draft.channels for words in self._faults(draft, name)
                ]:
                    problems += found
                    continue
                picture = str(self._pictures.path(draft.folder, draft.artwork.post).absolute())
                saved = unit.drafts.save(scheduled)
                posts += [
                    unit.posts.add(saved, name, due=due or now, picture=picture, key=_key(saved, name))
                    for name in saved.channels
                ]
                unit.journal.note("schedule", draft_id=draft.id, words=", ".join(saved.channels), at=now)
        return tuple(posts), problems

    def posts(self, states: Collection[PostState] = (), *, draft_id: int | None = None) -> tuple[Post, ...]:
        """Posts in those states (all when empty), the newest first."""
        with self._store.read() as unit:
            return tuple(unit.posts.list(states, draft_id=draft_id))

    def preview(self, ids: Collection[int] = (), *, channels: Collection[str] = ()) -> tuple[Preview, ...]:
        """What `publish` would do now. Nothing is written, sent or asked of a platform."""
        now, found = self._clock(), list[Preview]()
        with self._store.read() as unit:
            drafts = [unit.drafts.get(one) for one in ids] if ids else list(unit.drafts.list({DraftState.APPROVED}))
            posts = unit.posts.list({PostState.WAITING, PostState.UNKNOWN, PostState.SENDING})
            owners = {post.draft_id: unit.drafts.get(post.draft_id) for post in posts}
        for draft in drafts:
            if draft.state is not DraftState.APPROVED:
                continue
            for name in draft.channels:
                faults = self._faults(draft, name)
                found.append(
                    Preview(
                        draft_id=draft.id, channel=name, action="none" if faults else "send", due=now, text=draft.text,
                        alt_text=draft.alt_text, picture=f"{draft.folder}/{draft.artwork.post}", problems=tuple(faults),
                    )
                )  # fmt: skip
        for post in reversed(posts):
            faults = self._broken(post, owners[post.draft_id])
            action = "look up" if post.state is not PostState.WAITING else "send" if post.due <= now else "wait"
            found.append(
                Preview(
                    draft_id=post.draft_id, channel=post.channel, action="none" if faults else action, due=post.due,
                    text=post.text, alt_text=post.alt_text, picture=post.picture, problems=tuple(faults),
                )
            )  # fmt: skip
        return tuple(item for item in found if not channels or item.channel in channels)

    def decide(self, post_id: int, decision: str, *, url: str = "", identifier: str = "") -> Post:
        """The operator's word on a post that needs attention.

        Args:
            post_id: the post.
            decision: "sent" (it is out), "again" (it is surely not out: send it) or "never" (give it up).
            url: where it is, for "sent".
            identifier: the platform's id of it, for "sent".

        Raises:
            NotFound: there is no such post.
            InputError: there is no such decision.
            IllegalMove: the post does not need attention.
        """
        states = {"sent": PostState.SENT, "again": PostState.WAITING, "never": PostState.FAILED}
        if decision not in states:
            raise InputError(f"no decision named {decision[:40]!r}; known: {', '.join(states)}")
        now = self._clock()
        with self._store.begin() as unit:
            post = unit.posts.get(post_id)
            if post.state is not PostState.NEEDS_ATTENTION:
                raise IllegalMove(f"post {post_id} is {post.state}; only one that needs attention is decided by hand")
            receipt = Receipt(id=identifier or url or "by hand", url=url, at=now) if decision == "sent" else None
            moved = post.moved(states[decision], receipt=receipt, words=f"the operator decided: {decision}", due=now)
            unit.posts.save(moved)
            unit.journal.note(f"post {decision}", draft_id=post.draft_id, words=f"{post.channel} {url}".strip(), at=now)
        return moved

    def _ready(self, names: Collection[str], problems: list[str]) -> dict[str, Channel]:
        """The channels that can be constructed; what is wrong with the others."""
        ready = {}
        for name, make in self._channels.items():
            if names and name not in names:
                continue
            try:
                ready[name] = make()
            except AuriaError as error:
                problems.append(f"{name}: {error}")
        return ready

    def _in(self, states: set[PostState]) -> Sequence[Post]:
        with self._store.read() as unit:
            return tuple(reversed(unit.posts.list(states)))

    def _resolve(self, post: Post, channel: Channel) -> Post:
        """Ask the channel what became of an unknown post."""
        try:
            receipt = channel.find(post)
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, the post is not sent again by itself
            words = (
                f"it cannot be told whether the post is out ({error}); look at {post.channel}, then decide:"
                f" `auria publish --decide {post.id} sent|again|never`"
            )
            return self._save(post.moved(PostState.NEEDS_ATTENTION, words=words))
        if receipt is not None:
            return self._save(post.moved(PostState.SENT, receipt=receipt, words="found on the platform"))
        return self._save(post.moved(PostState.WAITING, words="surely not out; it is sent again"))

    def _save(self, post: Post) -> Post:
        """Write a post, unless another worker was quicker."""
        try:
            with self._store.begin() as unit:
                unit.posts.save(post)
        except IllegalMove as error:
            log.info("Another worker took the post: %s", error, extra={"post": post.id})
        with self._store.read() as unit:
            return unit.posts.get(post.id)

    def _refused(self, post: Post) -> bool:
        """Whether the platform did not accept the credentials at the post's last attempt."""
        with self._store.read() as unit:
            attempts = unit.posts.attempts(post.id)
        return bool(attempts) and attempts[-1].outcome is Outcome.UNAUTHORISED

    def _trusted(self, name: str, channel: Channel, problems: list[str]) -> bool:
        """Whether a channel may be used: one that refused its credentials is paused until `check` says they are good."""
        stuck = [post for post in self._in({PostState.NEEDS_ATTENTION}) if post.channel == name and self._refused(post)]
        if not stuck:
            return True
        try:
            channel.check()
        except Exception as error:  # noqa: BLE001 - a channel that cannot be checked stays paused
            problems.append(f"{name} is paused: {error}")
            return False
        for post in stuck:
            self._save(post.moved(PostState.WAITING, words="the credentials are good again", due=self._clock()))
        return True

    def _claim(self, channels: Collection[str]) -> Post | None:
        with self._store.begin() as unit:
            return unit.posts.claim(now=self._clock(), lease=self._lease, channels=channels)

    def _send(self, post: Post, channel: Channel) -> Post:
        """One attempt: at most one visible mutation."""
        with self._store.read() as unit:
            draft = unit.drafts.get(post.draft_id)
        if faults := self._broken(post, draft):
            words = f"not sent: {'; '.join(faults)}; put it right, then `auria publish --decide {post.id} again`"
            return self._settle(post.moved(PostState.NEEDS_ATTENTION, words=words), Outcome.REFUSED)
        try:
            receipt = channel.publish(post, _ready)
        except BaseException as error:
            settled = self._settle(*self._failed(post, error))
            if not isinstance(error, Exception):
                raise
            return settled
        return self._settle(post.moved(PostState.SENT, receipt=receipt, words=""), Outcome.SENT)

    def _failed(self, post: Post, error: BaseException) -> tuple[Post, Outcome]:
        """What an attempt's failure means; whatever is not known to be harmless may have been published."""
        if isinstance(error, Refused):
            return post.moved(PostState.FAILED, words=f"refused: {error}"), Outcome.REFUSED
        if isinstance(error, Throttled):
            until = error.until or self._clock() + PAUSE
            words = f"asked to wait until {until:%Y-%m-%d %H:%M} UTC: {error}"
            return post.moved(PostState.WAITING, due=until, words=words), Outcome.THROTTLED
        if isinstance(error, Unauthorised):
            words = (
                f"the credentials were not accepted ({error}); put them right, and `auria publish` goes on by itself"
            )
            return post.moved(PostState.NEEDS_ATTENTION, words=words), Outcome.UNAUTHORISED
        why = str(error)
        if not isinstance(error, Unclear):
            log.error(
                "The channel failed in a way it should not", exc_info=error,
                extra={"post": post.id, "channel": post.channel},
            )  # fmt: skip
            why = f"{type(error).__name__}: {error}"
        words = f"it may or may not be out: {why}; the next `auria publish` looks it up"
        return post.moved(PostState.UNKNOWN, words=words), Outcome.UNCLEAR

    def _settle(self, post: Post, outcome: Outcome) -> Post:
        """Close the attempt. One that outlived its lease was taken over, and says so."""
        now = self._clock()
        try:
            with self._store.begin() as unit:
                unit.posts.settle(post, outcome=outcome, words=post.words, at=now)
                if post.state is PostState.WAITING:
                    unit.posts.save(post)  # with its new due time
        except IllegalMove as error:
            log.warning("The attempt outlived its lease: %s", error, extra={"post": post.id, "channel": post.channel})
            with self._store.read() as unit:
                return unit.posts.get(post.id)
        log.info(
            "The post on %s is %s", post.channel, post.state,
            extra={"post": post.id, "draft": post.draft_id, "channel": post.channel, "action": "publish"},
        )  # fmt: skip
        return replace(post, lease_until=None)

    def _faults(self, draft: Draft, name: str) -> list[str]:
        """Why an approved draft must not go to a channel."""
        faults = [] if draft.is_signed else ["it was changed after its approval; approve it again"]
        try:
            picture = self._pictures.path(draft.folder, draft.artwork.post)
            if sha256_of(picture) != draft.picture_sha256:
                faults.append(f"{picture} is not the picture that was approved; put it back from a backup")
        except AuriaError as error:
            return [*faults, str(error)]
        try:
            channel = self._channels[name]()
        except KeyError:
            return [*faults, f"channel {name} is not set up; known: {', '.join(sorted(self._channels)) or 'none'}"]
        except AuriaError as error:
            return [*faults, f"channel {name}: {error}"]
        limits = channel.limits()
        sizes = (
            ("text", len(draft.text), limits.characters, "characters"),
            ("alt text", len(draft.alt_text), limits.alt_characters, "characters"),
            ("picture", picture.stat().st_size, limits.picture_bytes, "bytes"),
            ("text", draft.text.count("#"), limits.hashtags, "hashtags"),
        )
        return faults + [
            f"{name} takes a {what} of at most {most} {unit}, not {size}; edit it and approve again"
            for what, size, most, unit in sizes
            if most is not None and size > most
        ]

    def _broken(self, post: Post, draft: Draft) -> list[str]:
        """Why a scheduled post must not be sent: it is not what was approved."""
        signed = (post.text, post.alt_text, post.picture_sha256) == (draft.text, draft.alt_text, draft.picture_sha256)
        if not (signed and draft.is_signed and post.signature == draft.signature and post.channel in draft.channels):
            return ["its content is not what was approved"]
        try:
            if sha256_of(Path(post.picture)) != post.picture_sha256:
                return [f"{post.picture} is not the picture that was approved"]
        except AuriaError as error:
            return [str(error)]
        return []


def _key(draft: Draft, channel: str) -> str:
    """The idempotency key: the same for every attempt, another for every draft and channel."""
    return hashlib.sha256(f"{draft.folder}\x1f{channel}".encode()).hexdigest()[:32]


def _ready(memo: str = "") -> None:
    """Nothing stands between a claim and its mutation."""
