"""What is asked of the model server: a picture that somebody brings in another style, poems, a picture of a poem."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.domain.artwork import Haiku
from auria_bot.domain.mood import find_mood
from auria_bot.domain.pipeline import MODES, SEEDS, ArtworkRequest
from auria_bot.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOST_POEMS", "PictureRequest", "PoemRequest", "StyleRequest"]

MOST_POEMS = 10
"""The most poems of one request."""

_LONGEST = 120  # characters of a style's name, and of a poem's line
_MODE, _STRENGTH = "painterly", 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleRequest:
    """A style, and how it is painted."""

    style: str  # a painting's key or title, an artist, or the name of a style with its own network
    mode: str = _MODE  # one of MODES
    strength: float = _STRENGTH  # 0 to 1
    seed: int = 0  # of the strokes; 0 to SEEDS - 1

    def to_query(self) -> dict[str, str]:
        """The request as the parameters of a query."""
        return {"style": self.style, "mode": self.mode, "strength": f"{self.strength:g}", "seed": str(self.seed)}

    @classmethod
    def from_query(cls, given: Mapping[str, str]) -> StyleRequest:
        """The request that a query's parameters make; those left out have their defaults.

        Raises:
            InputError: one of them cannot be used; the message says which.
        """
        style, mode = " ".join(given.get("style", "").split()), given.get("mode", _MODE)
        if not 1 <= len(style) <= _LONGEST:
            raise UsageError(f"the style must be named with 1 to {_LONGEST} characters")
        if mode not in MODES:
            raise UsageError(f"no mode named {mode[:40]!r}; known: {', '.join(MODES)}")
        try:
            strength = float(given.get("strength", _STRENGTH))
        except ValueError:
            raise UsageError("the strength must be a number of 0 to 1") from None
        if not 0 <= strength <= 1:
            raise UsageError(f"the strength {strength:g} is out of range; 0 to 1 are possible")
        return cls(style=style, mode=mode, strength=strength, seed=_whole(given, "seed", 0, 0, SEEDS - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class PoemRequest:
    """Poems, and what they are about."""

    theme: str | None = None
    mood: str | None = None  # one of MOODS
    count: int = 1  # 1 to MOST_POEMS
    seed: int = 0  # 0 to SEEDS - 1

    @classmethod
    def from_query(cls, given: Mapping[str, str]) -> PoemRequest:
        """The request that a query's parameters make; those left out have their defaults.

        Raises:
            InputError: one of them cannot be used; the message says which.
        """
        return cls(
            theme=_theme(given),
            mood=_mood(given),
            count=_whole(given, "count", 1, 1, MOST_POEMS),
            seed=_whole(given, "seed", 0, 0, SEEDS - 1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRequest:
    """A picture of a poem."""

    haiku: Haiku
    theme: str | None = None
    mood: str | None = None  # one of MOODS
    seed: int = 0  # 0 to SEEDS - 1

    @classmethod
    def from_query(cls, given: Mapping[str, str], body: bytes) -> PictureRequest:
        """The request of a query's parameters and a body with the poem, as `Haiku.to_json` gives it.

        Raises:
            InputError: one of them cannot be used; the message says which.
        """
        try:
            haiku = Haiku.from_json(json.loads(body))
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            raise InputError('the poem must be JSON: {"lines": [3 lines], "syllables": [5, 7, 5]}') from None
        if not all(0 < len(line.strip()) <= _LONGEST for line in haiku.lines):
            raise InputError(f"each line of the poem must have 1 to {_LONGEST} characters")
        return cls(haiku=haiku, theme=_theme(given), mood=_mood(given), seed=_whole(given, "seed", 0, 0, SEEDS - 1))


def _theme(given: Mapping[str, str]) -> str | None:
    return ArtworkRequest(theme=given.get("theme")).validated().theme


def _mood(given: Mapping[str, str]) -> str | None:
    """The mood's name; UnknownName where there is no such mood."""
    return find_mood(given["mood"]).name if given.get("mood") else None


def _whole(given: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = given.get(name, str(default))
    try:
        value = int(text)
    except ValueError:
        raise InputError(f"the {name} {text[:40]!r} is no whole number") from None
    if not least <= value <= most:
        raise InputError(f"the {name} {value} is out of range; {least} to {most} are possible")
    return value
