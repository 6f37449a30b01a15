"""What the services ask of the store: a unit of work with drafts, posts and a journal, and the pictures on disk.

Protocols only; `bootstrap` joins them to the classes of `auria_bot.store`. Knows no SQL and no path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta
    from pathlib import Path

    from auria_bot.domain.artwork import Artwork
    from auria_bot.domain.draft import Draft, DraftState
    from auria_bot.domain.haiku import Haiku
    from auria_bot.domain.pause import Pause
    from auria_bot.domain.post import Attempt, Outcome, Post, PostState

__all__ = ["Channels", "Clock", "Drafts", "Journal", "Pictures", "Posts", "Store", "Unit"]


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Now: aware, UTC."""
        ...


class Drafts(Protocol):
    """The drafts of one unit of work."""

    def add(self, artwork: Artwork, *, folder: str, picture_sha256: str, made_at: datetime) -> Draft:
        """Insert a MADE draft with the artwork's words; where that folder has a draft already, give that one."""
        ...

    def get(self, draft_id: int) -> Draft:
        """The draft.

        Raises:
            NotFound: there is none.
        """
        ...

    def save(self, draft: Draft) -> Draft:
        """Write what changed and give the draft with its new version.

        Raises:
            IllegalMove: the draft was changed by someone else since it was read.
        """
        ...

    def list(self, states: Collection[DraftState] = (), *, limit: int | None = None) -> Sequence[Draft]:
        """Drafts in those states (all when empty), the newest first."""
        ...

    def fingerprints(self) -> Sequence[str]:
        """The perceptual hash of every picture so far, the newest first."""
        ...

    def recent_haiku(self, count: int) -> Sequence[Haiku]:
        """The poems of the latest drafts, the newest first."""
        ...

    def recent_styles(self, count: int) -> Sequence[str]:
        """The style keys of the latest drafts, the newest first."""
        ...


class Posts(Protocol):
    """The posts of one unit of work."""

    def add(self, draft: Draft, channel: str, *, due: datetime, picture: str, key: str) -> Post:
        """Insert a WAITING post; where the draft has one on that channel already, give that one."""
        ...

    def get(self, post_id: int) -> Post:
        """The post.

        Raises:
            NotFound: there is none.
        """
        ...

    def list(
        self, states: Collection[PostState] = (), *, draft_id: int | None = None, limit: int | None = None
    ) -> Sequence[Post]:
        """Posts in those states (all when empty), the newest first."""
        ...

    def claim(self, *, now: datetime, lease: timedelta, channels: Collection[str]) -> Post | None:
        """Move the longest due WAITING post of these channels to SENDING, with an attempt, a lease and a fencing number."""
        ...

    def settle(self, post: Post, *, outcome: Outcome, words: str, at: datetime) -> None:
        """Write a claimed post's new state and close its attempt.

        Raises:
            IllegalMove: the post was claimed again since (its fencing number has moved on).
        """
        ...

    def expire(self, *, now: datetime) -> Sequence[Post]:
        """Move every SENDING post whose lease ran out to UNKNOWN and give them."""
        ...

    def save(self, post: Post) -> None:
        """Write a post that is not being sent.

        Raises:
            IllegalMove: its fencing number has moved on.
        """
        ...

    def attempts(self, post_id: int) -> Sequence[Attempt]:
        """The tries so far, the first first."""
        ...


class Channels(Protocol):
    """The channels of one unit of work: which of them are paused."""

    def paused(self) -> Sequence[Pause]:
        """Every pause that stands, by the channel's name."""
        ...

    def pause(self, name: str, *, reason: str, by: str, at: datetime) -> None:
        """Pause a channel; a pause that stands already is replaced."""
        ...

    def resume(self, name: str) -> bool:
        """Let a channel go on; whether it was paused."""
        ...


class Journal(Protocol):
    """What the operator did."""

    def note(self, action: str, *, draft_id: int | None = None, words: str = "", at: datetime) -> None:
        """Add a line; it is never changed."""
        ...


class Unit(Protocol):
    """One transaction."""

    @property
    def drafts(self) -> Drafts:
        """The drafts."""
        ...

    @property
    def posts(self) -> Posts:
        """The posts."""
        ...

    @property
    def channels(self) -> Channels:
        """The channels."""
        ...

    @property
    def journal(self) -> Journal:
        """The journal."""
        ...


class Store(Protocol):
    """The database."""

    def begin(self) -> AbstractContextManager[Unit]:
        """A transaction: committed at the end of the block, rolled back by an exception."""
        ...

    def read(self) -> AbstractContextManager[Unit]:
        """A view of one moment that waits for nobody."""
        ...


class Pictures(Protocol):
    """The finished pictures on disk, one folder a draft."""

    def keep(self, folder: str, files: Mapping[str, Path]) -> Path:
        """Copy files (name to source) into a new folder that appears whole or not at all; repeating it is harmless."""
        ...

    def path(self, folder: str, name: str) -> Path:
        """Where a file of a draft lies.

        Raises:
            NotFound: it does not lie there.
        """
        ...
