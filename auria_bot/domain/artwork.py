"""An ArtworkInProgress is being made; an Artwork is a finished one, with nothing missing.

Both are JSON-able: pictures are named by paths relative to the artwork's own folder, never held as tensors.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from auria_bot.domain.haiku import Haiku
from auria_bot.errors import StepFailed

__all__ = ["Artwork", "ArtworkInProgress", "Style"]

_ATTRIBUTIONS = {
    "Attributed to ": "attributed to ",
    "After ": "after ",
    "Circle of ": "by the circle of ",
    "Follower of ": "by a follower of ",
    "Style of ": "in the style of ",
    "Workshop of ": "by the workshop of ",
}
"""How museums name painters who are not sure, and how that is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The painting whose manner a picture is restyled in."""

    key: str  # its row in the style bank
    title: str
    artist: str
    year: str  # as the museum gives it, maybe "c. 1830"; "" when unknown
    mode: str = "painterly"  # "painterly" (brush strokes and colours) or "photorealistic" (colours only)
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
        year = f", {self.year}" if self.year else ""
        return f"after “{self.title}” {self.byline}".rstrip() + year


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtworkInProgress:
    """An artwork in progress. A step returns `sketch.evolve(...)`; fields are filled from top to bottom."""

    key: str  # its folder's name in the workspace
    seed: int  # 0 to 2**63 - 1; every random choice comes from it
    theme: str | None = None  # what the operator asked for
    mood: str | None = None  # a name in domain.mood.MOODS
    mood_source: str | None = None  # "given", "drawn", "learned" (from what was loved) or "read" (from the poem)
    wanted_style: str | None = None  # a style key the operator asked for
    style_mode: str = "painterly"  # or "photorealistic"
    haiku: Haiku | None = None
    painting: str | None = None  # PNG as the painter made it
    painting_score: float | None = None  # the painter's own matching score of it
    subject: str | None = None  # what the painter set out to paint; "" when it cannot tell
    enlarged: str | None = None  # PNG after the enlarger
    style: Style | None = None
    styled: str | None = None  # PNG after the stylist
    nudity: float | None = None  # 0 to 1
    fingerprint: str | None = None  # perceptual hash, 16 hexadecimal digits
    caption: str | None = None  # the captioner's sentence
    alt_text: str | None = None
    post_text: str | None = None
    full: str | None = None  # full-size PNG
    post: str | None = None  # 1080x1350 JPEG
    card: str | None = None  # JPEG of the poem beside the picture
    models: tuple[tuple[str, str], ...] = ()  # (role:backend, sha256) of every model that worked on it
    rejected: tuple[str, ...] = ()  # why earlier candidates were dropped by the gate
    seconds: tuple[tuple[str, float], ...] = ()  # (step, wall seconds); not part of the artwork's identity

    def evolve(self, **changes: Any) -> ArtworkInProgress:
        """The same sketch with some fields changed."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ArtworkInProgress:
        """Read what `to_json` wrote; unknown fields of a newer version are left out."""
        known = {field.name for field in fields(cls)}
        data = {name: item for name, item in value.items() if name in known}
        if data.get("haiku") is not None:
            data["haiku"] = Haiku.from_json(data["haiku"])
        if data.get("style") is not None:
            data["style"] = Style(**data["style"])
        for name in ("models", "seconds"):
            data[name] = tuple((str(key), item) for key, item in data.get(name, ()))
        data["rejected"] = tuple(data.get("rejected", ()))
        return cls(**data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artwork:
    """A finished sketch: nothing optional, everything that tells how it came about."""

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
    painting: str
    full: str
    post: str
    card: str
    models: tuple[tuple[str, str], ...]

    @classmethod
    def from_sketch(cls, sketch: ArtworkInProgress) -> Artwork:
        """Finish a sketch.

        Raises:
            StepFailed: a field is still missing; the message names it.
        """
        names = [field.name for field in fields(cls)]
        values = {name: getattr(sketch, name) for name in names}
        values["theme"] = sketch.theme or ""
        missing = [name for name in names if values[name] is None]
        if missing:
            raise StepFailed(f"the artwork is not finished: {', '.join(missing)} missing")
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Artwork:
        """Read what `to_json` wrote."""
        return cls.from_sketch(ArtworkInProgress.from_json({"key": "", **value}))
