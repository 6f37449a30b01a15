"""What a run of the studio was asked to make: decided once, written down, never changed.

A plan holds all that the artworks of a run depend on, so the child process needs no settings and a resumed
run makes what the killed one would have made:

- **Seeds.** The first sketch's seed is the run's own, so a draft's recorded seed is the one to give to make it
  again; the others' are derived from it by SHA-256.
- **The past.** What was made lately (poems, style keys, fingerprints) is frozen into the plan. With a seed given
  by the operator it is left out: then the artwork depends on the seed, the wishes, the options and the models only,
  and making it twice in the same home gives the same bytes, not a refusal as a duplicate of itself.
  Within a run, each sketch avoids what the sketches before it chose.
"""

from __future__ import annotations

import hashlib
import secrets
from bisect import bisect_right
from dataclasses import asdict, dataclass, field, fields
from itertools import accumulate
from typing import Any

from auria_bot.domain.haiku import LONGEST_THEME, Haiku
from auria_bot.domain.mood import MOODS, find_mood
from auria_bot.errors import InputError, TextRejected

__all__ = [
    "FORMAT",
    "MAX_COUNT",
    "SEEDS",
    "ArtworkRequest",
    "BackendSpec",
    "Plan",
    "derive",
    "draw_mood",
    "new_seed",
    "sketch_seed",
]

SEEDS = 2**63
"""Seeds are 0 to SEEDS - 1."""

MAX_COUNT = 1000
"""Drafts a run may be asked for."""

FORMAT = 1
"""Of the plan's JSON; a plan of another format is not resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSpec:
    """A backend that plays a role in a run."""

    name: str  # in the registry
    options: dict[str, Any] = field(default_factory=dict)  # for its Config
    models: str = ""  # the folder with the trained models
    python: str = ""  # the interpreter it runs in; "" for the program's own


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtworkRequest:
    """What the operator asked for."""

    theme: str | None = None
    mood: str | None = None  # a name in MOODS; "read": from the poem; "draw": at random; None: "read"
    style: str | None = None  # a style key or a part of a title
    mode: str = "painterly"  # or "photorealistic"

    def checked(self) -> ArtworkRequest:
        """The wish in its normal form.

        Raises:
            UnknownName: there is no such mood.
            InputError: there is no such mode, or a text is too long.
            TextRejected: a text hides characters.
        """
        mood = (self.mood or "read").strip().lower()
        if mood not in {"read", "draw"}:
            mood = find_mood(mood).name
        if self.mode not in {"painterly", "photorealistic"}:
            raise InputError(f"no mode named {self.mode[:40]!r}; known: painterly, photorealistic")
        theme = (self.theme or "").strip() or None
        for what, text in (("theme", theme), ("style", self.style)):
            if text and len(text) > LONGEST_THEME:
                raise InputError(f"the {what} has {len(text)} characters; at most {LONGEST_THEME} are possible")
            if text and (bad := next((char for char in text if not char.isprintable()), None)):
                raise TextRejected(f"the {what} holds the invisible character U+{ord(bad):04X}; write it without")
        return ArtworkRequest(theme=theme, mood=mood, style=(self.style or "").strip() or None, mode=self.mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a run depends on; see the module."""

    run: str  # its folder's name
    seed: int
    count: int
    wish: ArtworkRequest
    tools: dict[str, BackendSpec]  # by role
    candidates: int = 4  # pictures painted a round, of which the best is kept
    rounds: int = 5  # rounds of painting before NoGoodPicture
    size: int = 512  # pixels of the short side of the picture that is restyled
    offers: dict[str, Any] = field(default_factory=dict)  # options for every backend whose Config has such a field
    recent_poems: tuple[Haiku, ...] = ()  # the newest first
    recent_styles: tuple[str, ...] = ()  # the newest first
    known: tuple[str, ...] = ()  # fingerprints of earlier pictures
    format: int = FORMAT

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Plan:
        """Read what `to_json` wrote.

        Raises:
            InputError: it was written by another version.
        """
        if value.get("format") != FORMAT:
            raise InputError(f"the run's plan has format {value.get('format')!r}; this program reads {FORMAT}")
        data = {item.name: value[item.name] for item in fields(cls)}
        data["wish"] = ArtworkRequest(**data["wish"])
        data["tools"] = {role: BackendSpec(**tool) for role, tool in data["tools"].items()}
        data["recent_poems"] = tuple(Haiku.from_json(poem) for poem in data["recent_poems"])
        data["recent_styles"] = tuple(data["recent_styles"])
        data["known"] = tuple(data["known"])
        return cls(**data)


def new_seed() -> int:
    """A seed that nobody can guess; it is recorded with the artwork."""
    return secrets.randbelow(SEEDS)


def derive(seed: int, *words: object) -> int:
    """A seed for one purpose: the first 63 bits of the SHA-256 of the seed and the words."""
    text = ":".join(str(word) for word in (seed, *words))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def sketch_seed(run_seed: int, number: int) -> int:
    """The seed of a run's sketch, numbered from 1; the first one's is the run's own."""
    return run_seed if number == 1 else derive(run_seed, "sketch", number)


def draw_mood(seed: int, weights: dict[str, float] | None = None) -> str:
    """A mood drawn by its weight (all equal when none are given); moods that are not named are not drawn."""
    shares = {name: float(weight) for name, weight in (weights or dict.fromkeys(MOODS, 1.0)).items() if weight > 0}
    names = sorted(shares)
    heaped = list(accumulate(shares[name] for name in names))
    place = bisect_right(heaped, derive(seed, "mood") / SEEDS * heaped[-1])
    return find_mood(names[min(place, len(names) - 1)]).name
