"""A haiku: three lines and their syllable counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from auria_bot.errors import InputError

__all__ = ["FORM", "LONGEST_THEME", "Haiku"]

FORM = (5, 7, 5)
"""Syllables of each line of the form that the poets write."""

LONGEST_THEME = 200
"""Most characters of a theme; a few words work best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Haiku:
    """Three lines and their syllable counts."""

    lines: tuple[str, str, str]
    syllables: tuple[int, int, int]

    @property
    def text(self) -> str:
        """The poem, its lines separated by newlines."""
        return "\n".join(self.lines)

    @property
    def is_exact(self) -> bool:
        """Whether the poem is 5-7-5."""
        return self.syllables == FORM

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
