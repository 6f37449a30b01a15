"""A post: one draft on one channel, and the moves that its state allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from auria_bot.errors import InvalidTransition

__all__ = ["AURIA", "TERMINAL", "Attempt", "Outcome", "Pause", "Post", "PostState", "Receipt", "failures_in_a_row"]


class PostState(StrEnum):
    """Where a post stands."""

    WAITING = "waiting"
    SENDING = "sending"
    UNKNOWN = "unknown"
    SENT = "sent"
    FAILED = "failed"
    NEEDS_ATTENTION = "needs_attention"


TERMINAL = frozenset({PostState.SENT, PostState.FAILED})
"""States that are never left."""

_MOVES = {
    PostState.WAITING: {PostState.SENDING, PostState.FAILED, PostState.NEEDS_ATTENTION},
    PostState.SENDING: {
        PostState.SENT,
        PostState.UNKNOWN,
        PostState.FAILED,
        PostState.WAITING,
        PostState.NEEDS_ATTENTION,
    },
    PostState.UNKNOWN: {PostState.SENT, PostState.WAITING, PostState.NEEDS_ATTENTION},
    PostState.NEEDS_ATTENTION: {PostState.SENT, PostState.WAITING, PostState.FAILED},
    PostState.SENT: set[PostState](),
    PostState.FAILED: set[PostState](),
}


class Outcome(StrEnum):
    """How one attempt ended."""

    SENT = "sent"
    REFUSED = "refused"
    THROTTLED = "throttled"
    UNAUTHORISED = "unauthorised"
    UNCLEAR = "unclear"
    ABANDONED = "abandoned"  # its lease ran out
    BROKEN = "broken"  # an error nobody foresaw, before anything was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a platform gave for a post."""

    id: str
    url: str
    at: datetime  # aware, UTC
    cost: float = 0.0  # US dollars that the platform charged for the post, as far as it is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to publish a post."""

    number: int  # from 1
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    message: str  # what the platform said
    sending_at: datetime | None = None  # when its mutation was about to happen; None: surely nothing was sent
    memo: str = ""  # what it wanted remembered then


def failures_in_a_row(attempts: Sequence[Attempt]) -> int:
    """How many attempts, up to the last, ended before anything was sent and without a word of the platform."""
    count = 0
    for attempt in reversed(attempts):
        if attempt.outcome not in {Outcome.BROKEN, Outcome.ABANDONED} or attempt.sending_at is not None:
            break
        count += 1
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One draft on one channel: what is sent, and what came of it."""

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
    key: str  # the idempotency key: the same for every attempt
    fencing: int = 0  # grows with every claim; a stale worker's number no longer matches
    lease_until: datetime | None = None
    memo: str = ""  # what the last attempt that came as far as its mutation wanted remembered
    tried_at: datetime | None = None  # when that attempt was about to make its mutation (aware, UTC)
    lookups: int = 0  # how often its channel was asked what became of that attempt
    receipt: Receipt | None = None
    message: str = ""  # what happened last, and what to do next
    vanished_at: datetime | None = None  # when it was first found to be gone from its platform, after it was sent

    def moved(self, to: PostState, **changes: object) -> Post:
        """The post in another state.

        Raises:
            InvalidTransition: the state it is in does not lead there.
        """
        possible = _MOVES[self.state]
        if self.state is PostState.WAITING and self.fencing:
            # A worker that was given up for lost may come back with a receipt.
            possible = possible | {PostState.SENT}
        if to not in possible:
            allowed = ", ".join(sorted(possible)) or "nothing more"
            raise InvalidTransition(f"post {self.id} is {self.state} and cannot become {to}; it can become: {allowed}")
        return replace(self, state=to, **changes)  # type: ignore[arg-type]  # the callers name real fields


AURIA: Final = "auria"
"""Who paused a channel by herself, because its platform did not accept the credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Why a channel stands still; it is neither sent to nor asked about earlier posts."""

    name: str  # the channel's
    at: datetime  # aware, UTC
    by: str  # AURIA, or the operator's name
    reason: str  # with what to do
