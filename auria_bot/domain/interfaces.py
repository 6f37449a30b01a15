"""The roles of the studio and the channels, as Protocols.

A backend of a role is one file with a frozen `Config` dataclass and one class, named in the registry. Makers of
pictures are constructed as `Class(Class.Config(**options), models=FOLDER)`, where FOLDER holds the trained
models; for channels see `Channel`. Pictures are passed as paths; targets are
written atomically. The same arguments on the same machine give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from auria_bot.domain.artwork import ArtworkInProgress, Haiku, Style
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.mood import Mood
from auria_bot.domain.post import FilmLimits, Post, Receipt

__all__ = [
    "ArtworkTexts",
    "Captioner",
    "Channel",
    "Clock",
    "ConfirmSend",
    "DeletingChannel",
    "Enlarger",
    "Exporter",
    "Limits",
    "LocalChannel",
    "Maker",
    "MoodReader",
    "Painter",
    "Painting",
    "Poet",
    "PreparedText",
    "Question",
    "SafetyFilter",
    "SafetyResult",
    "Secrets",
    "Stylist",
    "TextWriter",
    "Verse",
]


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Now: aware, UTC."""


class Maker(Protocol):
    """What every backend of the studio has in common."""

    def models(self) -> Mapping[str, str]:
        """The models it uses: name to SHA-256 (of the folder's SHA256SUMS, or of the package's file)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verse:
    """A poem and the poet's own score of it."""

    haiku: Haiku
    score: float  # higher is better; comparable within one call only


@runtime_checkable
class Poet(Maker, Protocol):
    """Writes haiku."""

    def compose(
        self,
        *,
        seed: int,
        count: int = 1,
        theme: str | None = None,
        mood: Mood | None = None,
        recent: Sequence[Haiku] = (),
    ) -> tuple[Verse, ...]:
        """Write `count` different haiku, the best first, far from `recent` ones; InputError for an unusable theme."""


@runtime_checkable
class MoodReader(Maker, Protocol):
    """Reads the mood of a poem."""

    def read(self, haiku: Haiku) -> tuple[tuple[Mood, float], ...]:
        """Every mood with its share (they sum to 1), the nearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Painting:
    """A painted candidate."""

    path: Path  # PNG
    score: float  # how well it matches the poem; higher is better; comparable within one call only
    subject: str = ""  # what it set out to paint, as it follows "a painting of"; "" where it cannot say
    traits: tuple[float, ...] = ()  # what it looks like, of unit variance, for `domain.approval`; () where not measured


@runtime_checkable
class Painter(Maker, Protocol):
    """Paints poems."""

    def paint(
        self, haiku: Haiku, *, seed: int, count: int, folder: Path, mood: Mood | None = None, theme: str | None = None
    ) -> tuple[Painting, ...]:
        """Paint `count` candidates as PNG files in `folder`, the best first."""


@runtime_checkable
class Enlarger(Maker, Protocol):
    """Makes pictures larger."""

    def enlarge(self, source: Path, target: Path, *, size: int) -> None:
        """Write `source` as PNG with a short side of `size` pixels; PictureError if it cannot be read."""


@runtime_checkable
class Stylist(Maker, Protocol):
    """Restyles a picture in the manner of a painting."""

    def choose(
        self,
        *,
        mood: Mood,
        haiku: Haiku,
        picture: Path,
        seed: int,
        recent: Sequence[str] = (),
        wanted: str | None = None,
    ) -> Style:
        """Choose a painting for a mood, near in meaning to the poem and in colour to the picture.

        Args:
            mood: decides which paintings are eligible, and the strength.
            seed: breaks near-ties.
            recent: style keys used lately, the newest first; avoided.
            wanted: a style key or a part of a title that must be used.

        Raises:
            UnknownName: `wanted` is not in the bank.
        """

    def restyle(self, source: Path, target: Path, *, style: Style, seed: int) -> None:
        """Write `source` in that style as PNG: of the same size, or painted by strokes on a 4:5 canvas.

        The same seed gives the same bytes.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyResult:
    """What a safety filter found."""

    passed: bool
    reason: str  # "" when it passed
    nudity: float  # 0 to 1
    fingerprint: str  # perceptual hash, 16 hexadecimal digits


@runtime_checkable
class SafetyFilter(Maker, Protocol):
    """Rejects pictures that must not be published."""

    def judge(self, picture: Path, *, known: Sequence[str] = ()) -> SafetyResult:
        """Judge a picture, also against the fingerprints of earlier ones; a broken picture is rejected."""


@runtime_checkable
class Captioner(Maker, Protocol):
    """Describes pictures."""

    def describe(self, picture: Path) -> str:
        """One sentence on what the picture shows; PictureError if it cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtworkTexts:
    """The texts that go with a picture."""

    alt_text: str  # at most 1,000 characters
    post_text: str  # haiku, signature, at most 5 hashtags


@runtime_checkable
class TextWriter(Maker, Protocol):
    """Writes the alt text and the post's text from what is known."""

    def write(self, artwork: ArtworkInProgress) -> ArtworkTexts:
        """Texts for an artwork that has its haiku, mood, style and caption."""


@runtime_checkable
class Exporter(Maker, Protocol):
    """Writes the files that are shown, kept and published, with their provenance inside."""

    def export(self, artwork: ArtworkInProgress, picture: Path, folder: Path) -> Mapping[str, Path]:
        """Write the files of a finished artwork into `folder`, from the styled picture.

        Returns:
            The files by kind: "full" (full-size PNG), "post" (1080x1350 JPEG) and "card" (JPEG).
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a channel accepts; None where it sets no limit."""

    characters: int | None = None  # of the text, as the platform counts them
    text_bytes: int | None = None  # of the text in UTF-8
    alt_characters: int | None = None
    picture_bytes: int | None = None
    picture_pixels: int | None = None  # longest side
    ratios: tuple[float, float] | None = None  # the least and the greatest width / height
    hashtags: int | None = None
    film: FilmLimits | None = None  # None: it takes no films


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedText:
    """A post's texts as a channel sends them."""

    text: str
    alt_text: str
    dropped: tuple[str, ...] = ()  # what of the text is left out: hashtags, then the signature; never the poem
    characters: int | None = field(default=None, compare=False)  # of the text, as the platform counts; None: its length


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A setting or secret that a channel needs; `auria channels add` asks for it."""

    name: str  # a field of the channel's Config, or the name of a secret
    prompt: str
    secret: bool = False
    required: bool = True


class Secrets(Protocol):
    """The secrets of one channel."""

    def get(self, name: str) -> str | None:
        """A secret's value; None where there is none."""

    def put(self, name: str, value: str) -> None:
        """Keep a secret that the channel renewed, such as a session or a token; DiskError if it cannot be written."""


class ConfirmSend(Protocol):
    """Called by a channel right before its one visible mutation, never afterwards."""

    def __call__(self, memo: str = "") -> None:
        """Make sure that the post is still this worker's to send, and remember `memo` for `Channel.find`.

        Args:
            memo: what helps to find out later whether the mutation happened, such as a container's id; no secret.

        Raises:
            InvalidTransition: the post was taken over meanwhile: nothing must be sent.
        """


@runtime_checkable
class Channel(Protocol):
    """A place where posts are published.

    Constructed as `Class(Class.Config(**options), home=FOLDER, secrets=SECRETS)`, which uses neither network nor files.
    `QUESTIONS` lists what `auria channels add` asks for. Every call over the network has a time limit, and no error
    message contains a secret.
    """

    QUESTIONS: ClassVar[tuple[Question, ...]]
    name: str

    def limits(self) -> Limits:
        """What the channel accepts; without the network."""

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """A post's texts as they are sent; without the network.

        Raises:
            Rejected: they exceed a limit, which the message names, even without everything that may be left out.
        """

    def check(self) -> str:
        """Verify the configuration and credentials without publishing; returns a sentence on the result.

        Raises:
            Unauthorised: the credentials are not accepted, with what to do.
            ChannelError: publishing would fail, with what to do.
        """

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Publish once: upload what is invisible, call `ready`, then make at most one visible mutation.

        Raises:
            Rejected: definitely not posted; no use repeating.
            Throttled: definitely not posted; again later.
            Unauthorised: definitely not posted; the operator is needed.
            OutcomeUnknown: posted or not, only `find` can tell.
            InvalidTransition: from `ready`, passed on; nothing was sent.
        """

    def find(self, post: Post) -> Receipt | None:
        """Whether an earlier attempt did publish: its receipt, or None when surely absent.

        `post.memo` is what that attempt gave to `ready`, at `post.tried_at`.

        Raises:
            Throttled: not known yet; ask again later (the network is down, or it is too early to be sure).
            Unauthorised: not known without other credentials.
            OutcomeUnknown: asking can never tell; the operator must look.
        """

    def measure(self, receipt: Receipt) -> Engagement:
        """What followers did with the post so far.

        Raises:
            NotFound: the post is gone.
            Throttled: ask again later.
            ChannelError: the platform does not say.
        """

    def audience(self) -> Audience:
        """How many follow.

        Raises:
            Throttled: ask again later.
            ChannelError: the platform does not say.
        """


@runtime_checkable
class LocalChannel(Protocol):
    """A channel on this machine: it needs no network, and its `find` is always sure.

    Its posts are claimed, and their receipts written, in batches.
    """

    def tidy(self) -> None:
        """Update what depends on all posts together, such as an index page; called at the end of every round.

        Raises:
            ChannelError: it failed; the posts themselves are not affected.
        """


@runtime_checkable
class DeletingChannel(Protocol):
    """A channel that can delete what it published; others leave that to their platform's own app."""

    deletion_obstacle: str  # why it cannot delete as it is configured; "" if it can

    def delete(self, receipt: Receipt, ready: ConfirmSend) -> None:
        """Delete a post: call `ready`, then make at most one mutation; no error if it is gone already.

        Raises as `publish` does. Rejected says what the operator can do instead; after OutcomeUnknown only
        `is_published` can tell.
        """

    def is_published(self, receipt: Receipt) -> bool:
        """Whether a post is still there; raises as `find` does, and Rejected if the receipt is not of this channel."""
