"""Artworks and their poems.

ArtworkInProgress is on its way through the steps; Artwork is finished, with nothing missing. Both are JSON-able.
Pictures are files in the artwork's own folder, named by kind: "painting" (as the painter made it),
"enlarged", "styled", "full" (full-size PNG), "post" (JPEG to publish), "card" (JPEG of the poem beside the picture).
An artwork that is a film has a video too, of kind FILM; its pictures show its first frame.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import PurePath
from typing import Any

from auria_bot.errors import InputError, StepFailed

__all__ = [
    "FILM",
    "FORM",
    "KEPT_FILES",
    "LONGEST_THEME",
    "VISITOR",
    "Artwork",
    "ArtworkFile",
    "ArtworkInProgress",
    "FilmFacts",
    "Haiku",
    "Style",
    "stored_name",
]


KEPT_FILES = ("painting", "full", "post", "card")
"""The kinds of files that a finished artwork consists of."""

FILM = "film"
"""The kind of the video of an artwork that is a film."""

_MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".m4a": "audio/mp4",
    ".wav": "audio/wav",
    ".json": "application/json",
}

_ATTRIBUTIONS = {
    "Attributed to ": "attributed to ",
    "After ": "after ",
    "Circle of ": "by the circle of ",
    "Follower of ": "by a follower of ",
    "Style of ": "in the style of ",
    "Workshop of ": "by the workshop of ",
}
"""How museums mark an uncertain attribution, and how that reads in a sentence."""


FORM = (5, 7, 5)
"""Syllables of each line of the form that the poets write."""

LONGEST_THEME = 200
"""Most characters of a theme; a few words work best."""

VISITOR = "visitor"
"""The origin of an artwork that a visitor of the web site asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Haiku:
    """Three lines and their syllable counts."""

    lines: tuple[str, str, str]
    syllables: tuple[int, int, int]

    @property
    def text(self) -> str:
        """The poem, its lines separated by newlines."""
        return "\n".join(self.lines)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form, read back by `from_json`."""
        return {"lines": list(self.lines), "syllables": list(self.syllables)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Haiku:
        """Read what `to_json` wrote.

        Raises:
            InputError: the value does not have three lines and three counts.
        """
        lines, syllables = value.get("lines", ()), value.get("syllables", ())
        if len(lines) != 3 or len(syllables) != 3:
            raise InputError(
                f"a haiku has three lines and three syllable counts, not {len(lines)} and {len(syllables)}"
            )
        first, second, third = (str(line) for line in lines)
        one, two, three = (int(count) for count in syllables)
        return cls(lines=(first, second, third), syllables=(one, two, three))

    def __str__(self) -> str:
        return " / ".join(self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The painting whose manner a picture is restyled in."""

    key: str  # its row in the style bank; "" for a film that takes no painting's colours
    title: str
    artist: str
    year: str  # as the museum gives it, maybe "c. 1830"; "" when unknown
    mode: str = "painterly"  # a name in pipeline.MODES
    strength: float = 0.6  # 0 leaves the picture as it is, 1 is all style

    @property
    def byline(self) -> str:
        """Who painted it, as it follows the title: `by G. Courbet`, `attributed to Pieter Boel`; "" when unknown."""
        artist = re.sub(r"\s*\([^)]*\)", "", self.artist).split(" / ")[0].strip()
        for museum, words in _ATTRIBUTIONS.items():
            if artist.startswith(museum):
                return words + artist.removeprefix(museum)
        return f"by {artist}" if artist else ""

    @property
    def credit(self) -> str:
        """The words that credit the painting, e.g. `after "The Wave" by G. Courbet, 1870`."""
        if not self.title:
            return "in its own colours"
        year = f", {self.year}" if self.year else ""
        return f"after “{self.title}” {self.byline}".rstrip() + year


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtworkFile:
    """A file of an artwork, without its content."""

    name: str  # in the artwork's folder
    media_type: str  # such as "image/png"
    sha256: str = ""  # of its content, in hexadecimal; "" where an earlier version did not record it
    size: int = 0  # bytes; 0 likewise

    @classmethod
    def named(cls, name: str, *, sha256: str = "", size: int = 0) -> ArtworkFile:
        """A file whose media type follows from its name."""
        media_type = _MEDIA_TYPES.get(PurePath(name).suffix.lower(), "application/octet-stream")
        return cls(name=name, media_type=media_type, sha256=sha256, size=size)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFacts:
    """What a film is, apart from its file."""

    model: str  # of which it is a walk
    seconds: float
    width: int  # pixels
    height: int
    rate: float  # frames a second
    sound: bool

    @property
    def summary(self) -> str:
        """Length, size and rate, e.g. `30 s, 1920x1080, 25 frames a second, no sound`."""
        sound = "with sound" if self.sound else "no sound"
        return f"{self.seconds:.3g} s, {self.width}x{self.height}, {self.rate:.4g} frames a second, {sound}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtworkInProgress:
    """An artwork on its way. A step returns `artwork.evolve(...)`; fields are filled from top to bottom."""

    key: str  # its name in the run
    seed: int  # 0 to 2**63 - 1; every random choice follows from it
    theme: str | None = None  # as requested
    mood: str | None = None  # a name in domain.mood.MOODS
    mood_source: str | None = None  # "given", "drawn", "learned" (from engagement) or "read" (from the poem)
    wanted_style: str | None = None  # the style key or title that was requested
    wanted_strength: float | None = None  # see Style.strength; None: the mood's
    style_mode: str = ""  # see Style.mode; "": the stylist's own
    origin: str = ""  # who asked for it: VISITOR, or "" for the operator and the schedule
    haiku: Haiku | None = None
    painting_score: float | None = None  # the painter's own matching score
    subject: str | None = None  # what the painter set out to paint; "" when it cannot say
    traits: tuple[float, ...] = ()  # what the painting looks like, see `domain.approval`
    style: Style | None = None
    nudity: float | None = None  # 0 to 1
    fingerprint: str | None = None  # perceptual hash, 16 hexadecimal digits
    caption: str | None = None  # the captioner's sentence
    alt_text: str | None = None
    post_text: str | None = None
    files: Mapping[str, ArtworkFile] = field(default_factory=dict)  # by kind; see the module
    film: FilmFacts | None = None  # of an artwork that is a film
    models: tuple[tuple[str, str], ...] = ()  # (role:backend:model, sha256) of every model that worked on it
    rejected: tuple[str, ...] = ()  # why earlier candidates were dropped by the safety filter
    seconds: tuple[tuple[str, float], ...] = ()  # (step, wall seconds); not part of the artwork's identity

    def evolve(self, **changes: Any) -> ArtworkInProgress:
        """The same artwork with some fields changed."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ArtworkInProgress:
        """Read what `to_json` wrote in this or an earlier version; unknown fields of a newer version are left out."""
        known = {field.name for field in fields(cls)}
        data = {name: item for name, item in value.items() if name in known}
        if data.get("haiku") is not None:
            data["haiku"] = Haiku.from_json(data["haiku"])
        if data.get("style") is not None:
            data["style"] = Style(**data["style"])
        if data.get("film") is not None:
            data["film"] = FilmFacts(**data["film"])
        for name in ("models", "seconds"):
            data[name] = tuple((str(key), item) for key, item in data.get(name, ()))
        data["rejected"] = tuple(data.get("rejected", ()))
        data["traits"] = tuple(float(value) for value in data.get("traits", ()))
        data["files"] = _files_from_json(value)
        return cls(**data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artwork:
    """A finished artwork: nothing optional, with everything that tells how it came about."""

    seed: int
    theme: str  # "" when none was given
    mood: str
    mood_source: str
    haiku: Haiku
    style: Style
    nudity: float
    fingerprint: str
    caption: str
    alt_text: str
    post_text: str
    files: Mapping[str, ArtworkFile]  # by kind; KEPT_FILES, and FILM where it is a film
    models: tuple[tuple[str, str], ...]
    traits: tuple[float, ...] = ()  # of the painting, see `domain.approval`; () where they were not measured
    origin: str = ""  # see ArtworkInProgress
    film: FilmFacts | None = None  # None: a picture

    @classmethod
    def finished(cls, artwork: ArtworkInProgress) -> Artwork:
        """The artwork that has passed all steps.

        Raises:
            StepFailed: a field or a file is still missing; the message names it.
        """
        names = [field.name for field in fields(cls)]
        values = {name: getattr(artwork, name) for name in names}
        values["theme"] = artwork.theme or ""
        values["files"] = {kind: artwork.files[kind] for kind in (*KEPT_FILES, FILM) if kind in artwork.files}
        missing = [name for name in names if values[name] is None and name != "film"]
        wanted = KEPT_FILES if artwork.film is None else (*KEPT_FILES, FILM)
        missing += [kind for kind in wanted if kind not in artwork.files]
        if missing:
            raise StepFailed(f"the artwork is not finished: {', '.join(missing)} missing")
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Artwork:
        """Read what `to_json` wrote, in this or an earlier version."""
        return cls.finished(ArtworkInProgress.from_json({"key": "", **value}))


def stored_name(artwork: Mapping[str, Any], kind: str) -> str:
    """The name of the file of a kind, in what `to_json` of this or an earlier version wrote; "" if it has none."""
    if "files" in artwork:
        return str(artwork["files"].get(kind, {}).get("name", ""))
    return str(artwork.get(kind) or "")


def _files_from_json(value: Mapping[str, Any]) -> dict[str, ArtworkFile]:
    """The files of an artwork; earlier versions kept each picture's name in a field of its own."""
    if "files" in value:
        return {kind: ArtworkFile(**file) for kind, file in value["files"].items()}
    kinds = ("painting", "enlarged", "styled", "full", "post", "card")
    return {kind: ArtworkFile.named(value[kind]) for kind in kinds if value.get(kind)}
