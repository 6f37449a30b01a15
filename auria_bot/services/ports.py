"""What the services ask of the store: a unit of work with drafts, posts and a journal, and the pictures on disk.

Protocols only; `bootstrap` joins them to the classes of `auria_bot.store`. Knows no SQL and no path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta
    from pathlib import Path

    from auria_bot.corpus.item import CorpusItem
    from auria_bot.corpus.versions import CorpusVersion
    from auria_bot.domain.artwork import Artwork
    from auria_bot.domain.draft import Draft, DraftState
    from auria_bot.domain.engagement import Audience, Engagement, PostEngagement, TrackedPost
    from auria_bot.domain.haiku import Haiku
    from auria_bot.domain.pause import Pause
    from auria_bot.domain.post import Attempt, Outcome, Post, PostState

__all__ = [
    "Bookmarks",
    "Channels",
    "Clock",
    "Drafts",
    "Editions",
    "Journal",
    "Pictures",
    "Posts",
    "Samples",
    "Store",
    "Unit",
    "Verses",
    "Vitals",
    "Watch",
]


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

    def several(self, ids: Collection[int]) -> Mapping[int, Draft]:
        """The drafts of these numbers, each by its number; those that do not exist are left out."""
        ...

    def save(self, draft: Draft) -> Draft:
        """Write what changed and give the draft with its new version.

        Raises:
            InvalidTransition: the draft was changed by someone else since it was read.
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

    def channels(self, states: Collection[PostState]) -> Sequence[str]:
        """The names of the channels that have posts in those states."""
        ...

    def tried(self, channel: str, *, since: datetime) -> int:
        """How many posts went out on a channel, or may have, since then."""
        ...

    def claim(self, *, now: datetime, lease: timedelta, channels: Collection[str], limit: int = 1) -> Sequence[Post]:
        """Move the longest due WAITING posts of these channels to SENDING, each with an attempt, a lease and a fencing number.

        A paused channel's posts are left alone.
        """
        ...

    def ready(self, post: Post, *, memo: str, now: datetime, lease: timedelta) -> None:
        """Note that a claimed post's mutation is about to happen; its lease begins anew.

        Raises:
            InvalidTransition: the post was claimed again, or its lease ran out, since.
        """
        ...

    def settle(self, post: Post, *, outcome: Outcome, words: str, at: datetime) -> None:
        """Write a claimed post's new state, and when it is due, and close its attempt.

        Raises:
            InvalidTransition: the post was claimed again, or given up for lost, since.
        """
        ...

    def release(self, claimed: Collection[Post]) -> None:
        """Let claimed posts go that nothing was done with: they wait again, as if they had not been claimed."""
        ...

    def lapsed(self, *, now: datetime) -> Sequence[Post]:
        """SENDING posts whose lease ran out, and which nobody else is looking at."""
        ...

    def inquire(self, *, now: datetime, lease: timedelta, channels: Collection[str]) -> Post | None:
        """The UNKNOWN post of these channels that is longest due to be asked about; others get it only after the lease.

        A paused channel is not asked.
        """
        ...

    def save(self, post: Post) -> None:
        """Write a post that is not being sent.

        Raises:
            InvalidTransition: its fencing number has moved on, it is being sent, or its state does not lead there.
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


class Samples(Protocol):
    """What followers did, in one unit of work."""

    def watched(
        self, *, since: datetime, channels: Collection[str] | None = None, vanished: bool = False
    ) -> Sequence[TrackedPost]:
        """The posts that went out since then, the newest first; those that are gone only when asked for."""
        ...

    def add(self, post_id: int, counts: Engagement) -> None:
        """Keep what was counted; a post that was noted as gone is there again."""
        ...

    def vanish(self, post_id: int, *, at: datetime) -> bool:
        """Note that a post is gone, and say whether that is news."""
        ...

    def add_audience(self, channel: str, audience: Audience) -> None:
        """Keep how many follow."""
        ...

    def counted_at(self) -> Mapping[str, datetime]:
        """When each channel's followers were last counted."""
        ...

    def calls(self, *, since: datetime) -> Mapping[str, int]:
        """How many counts each channel was asked for since then."""
        ...

    def history(self, post_id: int) -> Sequence[Engagement]:
        """Every sample of a post, the oldest first."""
        ...

    def followers(
        self, *, since: datetime | None = None, channel: str | None = None
    ) -> Mapping[str, Sequence[Audience]]:
        """Each channel's followers over time, the oldest first."""
        ...

    def standings(
        self, *, since: datetime | None = None, channel: str | None = None, grown: timedelta | None = None
    ) -> Sequence[PostEngagement]:
        """Every post that is out, the newest first, with its latest sample, or its first of at least some age."""
        ...

    def artworks(self, draft_ids: Collection[int]) -> Mapping[int, Artwork]:
        """The artworks of some drafts, by the drafts' numbers."""
        ...


class Verses(Protocol):
    """The texts that were met, of one unit of work."""

    def take(self, pieces: Sequence[CorpusItem]) -> Sequence[str]:
        """Keep a batch; what became of each: "new", "better" than the copy that was known, "known" or "forgotten"."""
        ...

    def bury(self, keys: Iterable[str], *, at: datetime) -> int:
        """Forget every verse of these places and authors, for good; how many were there."""
        ...

    def erase(self, digest: str) -> bool:
        """Forget the verse with this digest, for good; whether it was there."""
        ...

    def kept(self) -> Iterator[CorpusItem]:
        """Every kept verse in the order of their digests, read a page at a time."""
        ...

    def sample(
        self, count: int, *, season: str | None = None, form: str | None = None, seed: int = 0
    ) -> Sequence[CorpusItem]:
        """So many kept verses by chance; the same seed gives the same ones while nothing is added."""
        ...

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """How many verses there are by state, the rejected by reason, the kept by form, season, subreddit and so on."""
        ...


class Bookmarks(Protocol):
    """How far each listing of Reddit was read, of one unit of work."""

    def get(self, subreddit: str, listing: str) -> str | None:
        """The mark where a listing was left; None for one that was never read."""
        ...

    def put(self, subreddit: str, listing: str, mark: str, *, at: datetime) -> None:
        """Leave a listing here."""
        ...

    def all(self) -> Mapping[tuple[str, str], tuple[str, datetime]]:
        """Every mark and when it was left, by subreddit and listing."""
        ...


class Watch(Protocol):
    """The posts on Reddit whose poems are kept, of one unit of work."""

    def page(
        self, after: int, *, since: datetime | None, until: datetime | None, limit: int
    ) -> Sequence[tuple[int, str]]:
        """Some posts of an age, in a lasting order: the place and the id of each."""
        ...


class Editions(Protocol):
    """The versions of the corpus, of one unit of work."""

    def add(self, edition: CorpusVersion) -> None:
        """Keep a version's name; one that is there already stays as it is."""
        ...

    def list(self) -> Sequence[CorpusVersion]:
        """Every version, the newest first."""
        ...


class Journal(Protocol):
    """What the operator did."""

    def note(self, action: str, *, draft_id: int | None = None, words: str = "", at: datetime) -> None:
        """Add a line; it is never changed."""
        ...

    def last(self, action: str) -> datetime | None:
        """When something was done last; None where it never was."""
        ...


class Vitals(Protocol):
    """What is counted, of one unit of work."""

    def took(self, step: str, *, seconds: float, times: int) -> None:
        """Count what a step of the studio took."""
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
    def samples(self) -> Samples:
        """What followers did."""
        ...

    @property
    def verses(self) -> Verses:
        """The texts that were met."""
        ...

    @property
    def bookmarks(self) -> Bookmarks:
        """How far Reddit was read."""
        ...

    @property
    def watch(self) -> Watch:
        """The posts whose poems are kept."""
        ...

    @property
    def editions(self) -> Editions:
        """The versions of the corpus."""
        ...

    @property
    def vitals(self) -> Vitals:
        """What is counted."""
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
