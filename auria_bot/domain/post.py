"""A post: one draft on one channel, the transitions that its state allows, and pauses of channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from auria_bot.errors import InvalidTransition

__all__ = [
    "AURIA",
    "TERMINAL",
    "Action",
    "Attempt",
    "FilmLimits",
    "Outcome",
    "Pause",
    "Post",
    "PostState",
    "Receipt",
    "failures_in_a_row",
]


class PostState(StrEnum):
    """The state of a post."""

    WAITING = "waiting"
    SENDING = "sending"
    UNKNOWN = "unknown"
    SENT = "sent"
    FAILED = "failed"
    NEEDS_ATTENTION = "needs_attention"
    CANCELLED = "cancelled"  # taken back by the operator before it was published
    WITHDRAWING = "withdrawing"  # to be deleted from its platform, or perhaps deleted already
    WITHDRAWN = "withdrawn"  # no longer on its platform, as the operator asked


TERMINAL = frozenset({PostState.SENT, PostState.FAILED, PostState.CANCELLED, PostState.WITHDRAWN})
"""Final states: nothing more happens to the post, unless the operator asks for it."""

_TRANSITIONS = {
    PostState.WAITING: {PostState.SENDING, PostState.FAILED, PostState.NEEDS_ATTENTION, PostState.CANCELLED},
    PostState.SENDING: {
        PostState.SENT,
        PostState.UNKNOWN,
        PostState.FAILED,
        PostState.WAITING,
        PostState.NEEDS_ATTENTION,
    },
    PostState.UNKNOWN: {PostState.SENT, PostState.WAITING, PostState.NEEDS_ATTENTION, PostState.WITHDRAWING},
    PostState.NEEDS_ATTENTION: {PostState.SENT, PostState.WAITING, PostState.FAILED, PostState.WITHDRAWING},
    PostState.SENT: {PostState.WITHDRAWING, PostState.WITHDRAWN},
    PostState.FAILED: set[PostState](),
    PostState.CANCELLED: {PostState.WAITING},
    PostState.WITHDRAWING: {PostState.WITHDRAWN, PostState.SENT, PostState.CANCELLED, PostState.NEEDS_ATTENTION},
    PostState.WITHDRAWN: set[PostState](),
}


class Action(StrEnum):
    """What an attempt tries."""

    PUBLISH = "publish"
    WITHDRAW = "withdraw"


class Outcome(StrEnum):
    """How one attempt ended."""

    SENT = "sent"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    THROTTLED = "throttled"
    UNAUTHORISED = "unauthorised"
    UNCLEAR = "unclear"
    ABANDONED = "abandoned"  # its lease expired
    BROKEN = "broken"  # an unexpected error, before anything was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmLimits:
    """What a channel accepts of a film, as H.264 with AAC in MP4; None where it sets no limit."""

    seconds: float | None = None
    least_seconds: float = 0.0
    bytes: int | None = None
    pixels: int | None = None  # longest side
    rate: float | None = None  # frames a second
    least_rate: float = 0.0
    ratios: tuple[float, float] | None = None  # the least and the greatest width / height
    alt_characters: int | None = None  # of its alt text; 0: the channel takes none for films


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a platform returned for a published post."""

    id: str
    url: str
    at: datetime  # aware, UTC
    cost: float = 0.0  # US dollars that the platform charged for the post; 0 if unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to publish or to withdraw a post."""

    number: int  # from 1
    action: Action = Action.PUBLISH
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    message: str  # the platform's answer
    sending_at: datetime | None = None  # when its mutation was about to happen; None: nothing was sent
    memo: str = ""  # what the channel stored then, for its look-ups


def failures_in_a_row(attempts: Sequence[Attempt]) -> int:
    """How many of the last attempts failed before anything was sent, without an answer of the platform."""
    count = 0
    for attempt in reversed(attempts):
        if attempt.outcome not in {Outcome.BROKEN, Outcome.ABANDONED} or attempt.sending_at is not None:
            break
        count += 1
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One draft on one channel: what is sent, and the outcome."""

    id: int
    draft_id: int
    channel: str
    state: PostState
    due: datetime  # aware, UTC
    text: str
    alt_text: str
    picture: str  # absolute path of the JPEG
    picture_sha256: str
    signature: str  # the approval's
    key: str  # the idempotency key, the same for every attempt
    fencing: int = 0  # incremented by every claim; a stale worker's number no longer matches
    lease_until: datetime | None = None
    memo: str = ""  # what the channel stored before the last mutation
    tried_at: datetime | None = None  # when that mutation was about to happen (aware, UTC)
    lookups: int = 0  # how often that attempt was looked up
    receipt: Receipt | None = None
    message: str = ""  # what happened last, and what to do next
    timed_at: datetime | None = None  # the time that the operator gave to this post alone
    vanished_at: datetime | None = None  # when it was first missing from its platform, after it was sent
    film: str = ""  # absolute path of the video that is sent instead of the picture; "" for a picture
    film_sha256: str = ""

    def moved(self, to: PostState, **changes: object) -> Post:
        """The post in another state.

        Raises:
            InvalidTransition: its state does not allow it.
        """
        allowed_states = _TRANSITIONS[self.state]
        if self.state in {PostState.WAITING, PostState.CANCELLED} and self.fencing:
            # A worker whose lease expired may still return with a receipt.
            allowed_states = allowed_states | {PostState.SENT}
        if to not in allowed_states:
            allowed = ", ".join(sorted(allowed_states)) or "nothing"
            raise InvalidTransition(f"post {self.id} is {self.state} and cannot become {to}; allowed: {allowed}")
        return replace(self, state=to, **changes)  # type: ignore[arg-type]  # the callers name real fields


AURIA: Final = "auria"
"""The author of automatic pauses, made when a platform does not accept the credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A paused channel: nothing is sent to it, and it is not asked about earlier posts."""

    name: str  # the channel's
    at: datetime  # aware, UTC
    by: str  # AURIA, or the operator's name
    reason: str  # with what to do
