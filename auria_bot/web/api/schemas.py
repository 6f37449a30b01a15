"""The values that the REST interface sends and takes. Their names are an interface: fields are added, never renamed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from auria_bot.domain.artwork import LONGEST_THEME
from auria_bot.domain.mood import MOODS
from auria_bot.domain.pipeline import MODES
from auria_bot.services.studio.review import LONGEST_ALT, LONGEST_REASON, LONGEST_TEXT

__all__ = [
    "CLEANED",
    "Approval",
    "Artwork",
    "ArtworkOptions",
    "ArtworkSummary",
    "Attempt",
    "Decision",
    "Draft",
    "Edit",
    "JournalEntry",
    "Model",
    "Moment",
    "NewArtwork",
    "Picture",
    "Post",
    "PostDetail",
    "PostOutcome",
    "PostTime",
    "Preview",
    "Published",
    "Receipt",
    "Rejection",
    "Repainting",
    "Restyling",
    "Run",
    "RunEvent",
    "RunEvents",
    "Style",
    "Undo",
]

_LARGEST_SEED = 2**53 - 1  # the largest whole number that every JSON program reads exactly
_SHOWN = frozenset("\n\r\t\u200d\ufe0f")  # the last two join and colour signs
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _cleaned(text: str) -> str:
    """A text without the characters that no database and no screen can show."""
    return "".join(sign for sign in text if sign.isprintable() or sign in _SHOWN)


def _moment(value: object) -> object:
    """A time as RFC 3339 writes it; pydantic alone takes numbers and other forms too.

    Raises:
        ValueError: it is written otherwise.
    """
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("write it like 2030-01-31T18:30:00+01:00")
    return value


def _in_utc(value: datetime) -> datetime:
    """The same time in UTC, as it is kept.

    Raises:
        ValueError: it lies outside of the years 1 to 9999 there.
    """
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("it is not within the years 1 to 9999 in UTC") from None


def _number(value: object) -> object:
    """A number; pydantic alone takes texts and truth values too.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, str | bool):
        raise ValueError("it must be a number")  # noqa: TRY004 - pydantic collects ValueErrors
    return value


CLEANED = AfterValidator(_cleaned)
"""Takes from a text what cannot be shown; stands after the most characters, which count what was sent."""
ChannelName = Annotated[str, Field(min_length=1, max_length=60)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_in_utc)]
"""A time with its offset, taken in UTC."""


class _Taken(BaseModel):
    """A value that is taken; it has no fields but its own."""

    model_config = ConfigDict(extra="forbid")


class Style(BaseModel):
    """The painting that an artwork was restyled after."""

    key: str
    title: str
    artist: str
    year: str
    mode: str
    strength: float


class Picture(BaseModel):
    """A picture in one width."""

    url: str
    width: int = Field(description="Pixels.")
    media_type: str


class ArtworkSummary(BaseModel):
    """A published artwork."""

    id: int = Field(description="Its draft's.")
    url: str = Field(description="Its page.")
    haiku: list[str] = Field(description="The three lines of the poem.")
    mood: str
    season: str = Field(description="By the poem's season words; empty if it has none.")
    subjects: list[str]
    theme: str = Field(description="Empty if none was given.")
    style: Style
    alt_text: str
    published_at: datetime
    pictures: list[Picture] = Field(description="The same picture as JPEG, the smallest first.")


class Model(BaseModel):
    """A model that worked on an artwork."""

    role: str
    backend: str
    name: str
    sha256: str


class Published(BaseModel):
    """Where an artwork was posted."""

    channel: str
    url: str
    at: datetime


class Artwork(ArtworkSummary):
    """A published artwork and how it came about."""

    seed: int
    corpus: str = Field(description="The version of the corpus that the poet learnt from; empty if unknown.")
    models: list[Model]
    posts: list[Published]


class Draft(BaseModel):
    """An artwork under review."""

    id: int
    version: int = Field(description="Grows with every change.")
    state: str = Field(description="made, approved, rejected, scheduled, published or withdrawn", examples=["made"])
    made_at: datetime
    decided_at: datetime | None
    reason: str = Field(description="Why it was rejected.")
    replaced_by: int | None = Field(description="The draft that took its place.")
    haiku: list[str]
    syllables: list[int]
    seed: int
    theme: str
    mood: str
    mood_source: str
    style: Style
    text: str = Field(description="What is posted, on channels without a text of their own.")
    alt_text: str
    channel_texts: dict[str, str]
    channels: list[str] = Field(description="Where it is published, once it is approved.")
    caption: str
    nudity: float = Field(description="0 to 1.")
    picture: str = Field(description="The address of its picture.")
    picture_sha256: str
    models: dict[str, str]


class Preview(BaseModel):
    """How a channel would publish a draft."""

    channel: str
    action: str
    text: str
    alt_text: str
    characters: int = Field(description="As the channel counts them.")
    most_characters: int | None
    most_alt_characters: int | None
    dropped: list[str] = Field(description="Parts of the text that are left out there.")
    fit: str = Field(description="How the picture is changed to fit.")
    problems: list[str] = Field(description="Why it cannot be published there.")


class JournalEntry(BaseModel):
    """Something that was decided on a draft."""

    id: int
    at: datetime
    who: str = Field(description="An operator, or `key:` and the name of a key.")
    action: str
    details: str


Mood = Literal["read", "draw", *MOODS]  # type: ignore[valid-type]  # the names are known when this is imported
Mode = Literal[MODES]  # type: ignore[valid-type]  # the same


class ArtworkOptions(_Taken):
    """What may be asked for of every artwork."""

    mood: Mood | None = Field(None, description="`read`: from the poem; `draw`: at random.")
    style: Annotated[str, Field(max_length=LONGEST_THEME), CLEANED] | None = Field(
        None, description="A painting's key, a part of its title, or an artist."
    )
    strength: Annotated[float, Field(ge=0, le=1), BeforeValidator(_number)] | None = Field(
        None, description="Of the style."
    )
    mode: Mode | None = Field(None, description="How it is painted.")
    seed: Annotated[int, Field(ge=0, le=_LARGEST_SEED), BeforeValidator(_number)] | None = Field(
        None, description="The same seed and request give the same artwork."
    )


class NewArtwork(ArtworkOptions):
    """What a new artwork is to be like; everything may be left to Auria."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"theme": "autumn rain", "mood": "wistful"}, {}]}
    )

    theme: Annotated[str, Field(max_length=LONGEST_THEME), CLEANED] | None = None
    season: Literal["now", "spring", "summer", "autumn", "winter"] | None = Field(
        None, description="It chooses the theme where none is given."
    )


class Approval(_Taken):
    """Publish a draft."""

    action: Literal["approve"]
    channels: list[ChannelName] = Field([], max_length=50, description="The usual ones when none is named.")


class Rejection(_Taken):
    """Do not publish a draft."""

    action: Literal["reject"]
    reason: Annotated[str, Field(max_length=LONGEST_REASON), CLEANED] = ""


class Edit(_Taken):
    """Change a draft's texts, which voids an approval."""

    action: Literal["edit"]
    text: Annotated[str, Field(max_length=LONGEST_TEXT), CLEANED, Field(min_length=1)] | None = None
    alt_text: Annotated[str, Field(max_length=LONGEST_ALT), CLEANED, Field(min_length=1)] | None = None
    channel_texts: dict[ChannelName, Annotated[str, Field(max_length=LONGEST_TEXT), CLEANED]] = Field(
        {}, description="The own texts of channels; empty gives a channel the common text again."
    )


class Undo(_Taken):
    """Take back the last decision."""

    action: Literal["undo"]


class Restyling(ArtworkOptions):
    """Make another version with the same poem and painting, which replaces the draft."""

    action: Literal["restyle"]


class Repainting(_Taken):
    """Make another version with the same poem and another picture, which replaces the draft."""

    action: Literal["repaint"]


Decision = Annotated[Approval | Rejection | Edit | Undo | Restyling | Repainting, Field(discriminator="action")]


class Run(BaseModel):
    """An artwork, a new version of one, or what a pipeline makes, that is being made."""

    id: str
    state: Literal["waiting", "running", "done", "failed"]
    of: int | None = Field(description="The draft that gets a new version; null for a new artwork.")
    pipeline: str | None = Field(description="The published pipeline that runs, which makes no draft.")
    draft: int | None = Field(description="The draft that was made, once the run is done.")
    error: str = Field(description="Why it failed.")
    events: int = Field(description="How many events there are so far.")


class RunEvent(BaseModel):
    """Something that happened in a run."""

    position: int = Field(description="From 1.")
    at: str
    step: str
    state: str = Field(description="started, progress, done, reused, rejected or failed")
    seconds: float
    message: str
    facts: dict[str, JsonValue] = Field(description="What the step found so far, such as the lines of the poem.")


class RunEvents(BaseModel):
    """What happened in a run after a position."""

    state: Literal["waiting", "running", "done", "failed"]
    draft: int | None
    error: str
    items: list[RunEvent]


class Receipt(BaseModel):
    """What a platform answered to a post."""

    id: str
    url: str
    at: datetime
    cost: float = Field(description="US dollars.")


class Attempt(BaseModel):
    """An attempt to publish or to withdraw a post."""

    number: int
    action: str
    started_at: datetime
    sending_at: datetime | None = Field(description="When it was about to be sent; null: nothing was sent.")
    ended_at: datetime | None
    outcome: str | None
    words: str = Field(description="The platform's answer.")


class Post(BaseModel):
    """A draft on a channel."""

    id: int
    draft: int
    channel: str
    state: str = Field(
        description="waiting, sending, unknown, sent, failed, needs_attention, cancelled, withdrawing or withdrawn"
    )
    due: datetime
    timed_at: datetime | None = Field(description="The time that was chosen for this post alone.")
    text: str
    alt_text: str
    receipt: Receipt | None
    words: str = Field(description="What happened last, and what to do next.")
    vanished_at: datetime | None


class PostDetail(Post):
    """A post with its attempts."""

    attempts: list[Attempt]


class PostOutcome(_Taken):
    """What became of a post."""

    decision: Literal["sent", "not-sent", "give-up", "withdrawn"]
    url: Annotated[str, Field(max_length=2000), CLEANED] = Field("", description="Its address, for `sent`.")
    identifier: Annotated[str, Field(max_length=500), CLEANED] = Field(
        "", description="Its id on the platform, for `sent`."
    )


class PostTime(_Taken):
    """When a post is to be published."""

    at: Moment = Field(examples=["2030-01-31T18:30:00+01:00"])
