"""What a person or a job asks the studio for; built where a request arrives and passed on whole."""

from __future__ import annotations

from dataclasses import dataclass, replace

from auria_bot.domain.haiku import LONGEST_THEME
from auria_bot.domain.mood import find_mood
from auria_bot.errors import InputError, TextRejected

__all__ = ["MAX_COUNT", "MODES", "SEEDS", "ArtworkRequest"]

SEEDS = 2**63
"""Seeds are 0 to SEEDS - 1."""

MAX_COUNT = 1000
"""The most artworks of one request."""

MODES = ("painterly", "photorealistic")
"""How a picture is restyled: brush strokes and colours, or colours only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtworkRequest:
    """What is asked for. Without a seed, a random one is drawn and recent poems, styles and pictures are avoided."""

    count: int = 1  # 1 to MAX_COUNT
    theme: str | None = None  # what the artworks are about
    season: str | None = None  # a season, or "now": it chooses the theme where none is given
    mood: str | None = (
        None  # a name in MOODS; "read": from the poem; "draw": at random; None: from engagement, else "read"
    )
    style: str | None = None  # a style key or a part of a painting's title
    mode: str | None = None  # one of MODES; None: the first, or as it is where a draft is restyled
    seed: int | None = None  # 0 to SEEDS - 1; the same seed gives the same artwork, whatever was made before

    def validated(self) -> ArtworkRequest:
        """The request in its normal form: surrounding blanks removed, names in lower case.

        Raises:
            UnknownName: no such mood.
            InputError: no such mode, a number out of range, or a text too long.
            TextRejected: a text contains invisible characters.
        """
        if not 1 <= self.count <= MAX_COUNT:
            raise InputError(f"{self.count} drafts cannot be made in one run; 1 to {MAX_COUNT} are possible")
        if self.seed is not None and not 0 <= self.seed < SEEDS:
            raise InputError(f"the seed {self.seed} is out of range; 0 to {SEEDS - 1} are possible")
        mood = self.mood.strip().lower() if self.mood else None
        if mood not in {None, "read", "draw"}:
            mood = find_mood(mood or "").name
        if self.mode is not None and self.mode not in MODES:
            raise InputError(f"no mode named {self.mode[:40]!r}; known: {', '.join(MODES)}")
        theme, season, style = _text("theme", self.theme), _text("season", self.season), _text("style", self.style)
        return replace(self, theme=theme, season=season, mood=mood, style=style)


def _text(name: str, text: str | None) -> str | None:
    """A text without surrounding blanks; None where nothing is left.

    Raises:
        InputError: it is too long.
        TextRejected: it contains invisible characters.
    """
    text = (text or "").strip()
    if len(text) > LONGEST_THEME:
        raise InputError(f"the {name} has {len(text)} characters; at most {LONGEST_THEME} are possible")
    if invisible := next((char for char in text if not char.isprintable()), None):
        raise TextRejected(f"the {name} contains the invisible character U+{ord(invisible):04X}; write it without")
    return text or None
