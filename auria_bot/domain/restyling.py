"""What is asked for where a picture that somebody brings is restyled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.domain.pipeline import MODES, SEEDS
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["StyleWish"]

_LONGEST = 120  # characters of a style's name
_MODE, _STRENGTH = "painterly", 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleWish:
    """A style, and how it is painted."""

    style: str  # a painting's key or title, an artist, or the name of a style with its own network
    mode: str = _MODE  # one of MODES
    strength: float = _STRENGTH  # 0 to 1
    seed: int = 0  # of the strokes; 0 to SEEDS - 1

    def to_query(self) -> dict[str, str]:
        """The wish as the parameters of a query."""
        return {"style": self.style, "mode": self.mode, "strength": f"{self.strength:g}", "seed": str(self.seed)}

    @classmethod
    def from_query(cls, given: Mapping[str, str]) -> StyleWish:
        """The wish that a query's parameters make; those left out have their defaults.

        Raises:
            InputError: one of them cannot be used; the message says which.
        """
        style, mode = " ".join(given.get("style", "").split()), given.get("mode", _MODE)
        if not 1 <= len(style) <= _LONGEST:
            raise InputError(f"the style must be named with 1 to {_LONGEST} characters")
        if mode not in MODES:
            raise InputError(f"no mode named {mode[:40]!r}; known: {', '.join(MODES)}")
        try:
            strength, seed = float(given.get("strength", _STRENGTH)), int(given.get("seed", 0))
        except ValueError:
            raise InputError("strength must be a number of 0 to 1, seed a whole number") from None
        if not 0 <= strength <= 1:
            raise InputError(f"the strength {strength:g} is out of range; 0 to 1 are possible")
        if not 0 <= seed < SEEDS:
            raise InputError(f"the seed {seed} is out of range; 0 to {SEEDS - 1} are possible")
        return cls(style=style, mode=mode, strength=strength, seed=seed)
