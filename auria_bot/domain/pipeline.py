"""The studio's pipeline: what is asked for, every step of an artwork in order, and every role that works on it.

The one list of steps and of roles; settings, registry, progress and fakes follow it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from auria_bot.domain.artwork import LONGEST_THEME
from auria_bot.domain.mood import find_mood
from auria_bot.errors import InputError, TextRejected, UsageError

__all__ = ["MAX_COUNT", "MODES", "ROLES", "SEEDS", "STEPS", "ArtworkRequest", "Step", "provenance_name", "steps_from"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of an artwork."""

    name: str
    roles: tuple[str, ...]  # the first one's interpreter runs the step
    label: str  # what is being done, for people
    sequential: bool = False  # depends on the results of the batch's earlier artworks


STEPS = (
    Step(name="poem", roles=("poet",), label="writing the poem", sequential=True),
    Step(name="mood", roles=("mood_reader",), label="choosing the mood"),
    Step(name="painting", roles=("painter", "safety_filter"), label="painting"),
    Step(name="enlarge", roles=("enlarger",), label="enlarging"),
    Step(name="style", roles=("stylist", "safety_filter"), label="restyling", sequential=True),
    Step(name="caption", roles=("captioner",), label="describing the picture"),
    Step(name="words", roles=("text_writer",), label="writing the texts"),
    Step(name="finish", roles=("exporter",), label="exporting"),
)
"""Every step, in order. Their names stand in settings, metrics and runs."""

ROLES = tuple(dict.fromkeys(role for step in STEPS for role in step.roles))
"""Every role, in the order in which they first work; each is a kind of the registry and a section of the settings."""

_PROVENANCE = {"mood_reader": "mood-reader", "safety_filter": "gate", "text_writer": "scribe", "exporter": "finisher"}


def provenance_name(role: str) -> str:
    """What a role is called in an artwork's list of models, which is also written into its pictures.

    These names never change: so drafts of every version read alike, and the same seed gives the same bytes.
    """
    return _PROVENANCE.get(role, role)


def steps_from(name: str) -> tuple[Step, ...]:
    """The step of that name and all after it.

    Raises:
        ValueError: there is no such step.
    """
    names = [step.name for step in STEPS]
    return STEPS[names.index(name) :]


SEEDS = 2**63
"""Seeds are 0 to SEEDS - 1."""

MAX_COUNT = 1000
"""The most artworks of one request."""

MODES = ("oil", "watercolour", "ink", "painterly", "photorealistic")
"""How a picture is restyled: painted anew stroke by stroke, by a network, or colours only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtworkRequest:
    """What is asked for. Without a seed, a random one is drawn and recent poems, styles and pictures are avoided."""

    count: int = 1  # 1 to MAX_COUNT
    theme: str | None = None  # what the artworks are about
    season: str | None = None  # a season, or "now": it chooses the theme where none is given
    mood: str | None = (
        None  # a name in MOODS; "read": from the poem; "draw": at random; None: from engagement, else "read"
    )
    style: str | None = None  # a style key, an artist, or a part of a painting's title
    strength: float | None = None  # of the style, 0 to 1; None: the mood's, or as it is where a draft is restyled
    mode: str | None = None  # one of MODES; None: the stylist's own, or as it is where a draft is restyled
    seed: int | None = None  # 0 to SEEDS - 1; the same seed gives the same artwork, whatever was made before

    def validated(self) -> ArtworkRequest:
        """The request in its normal form: surrounding blanks removed, names in lower case.

        Raises:
            UnknownName: no such mood.
            InputError: no such mode, a number out of range, or a text too long.
            TextRejected: a text contains invisible characters.
        """
        if not 1 <= self.count <= MAX_COUNT:
            raise UsageError(f"{self.count} drafts cannot be made in one run; 1 to {MAX_COUNT} are possible")
        if self.seed is not None and not 0 <= self.seed < SEEDS:
            raise UsageError(f"the seed {self.seed} is out of range; 0 to {SEEDS - 1} are possible")
        mood = self.mood.strip().lower() if self.mood else None
        if mood not in {None, "read", "draw"}:
            mood = find_mood(mood or "").name
        if self.mode is not None and self.mode not in MODES:
            raise UsageError(f"no mode named {self.mode[:40]!r}; known: {', '.join(MODES)}")
        if self.strength is not None and not 0.0 <= self.strength <= 1.0:
            raise UsageError(f"the strength {self.strength:g} is out of range; 0 to 1 are possible")
        theme, season, style = _text("theme", self.theme), _text("season", self.season), _text("style", self.style)
        return replace(self, theme=theme, season=season, mood=mood, style=style)


def _text(name: str, text: str | None) -> str | None:
    """A text without surrounding blanks; None where nothing is left."""
    text = (text or "").strip()
    if len(text) > LONGEST_THEME:
        raise InputError(f"the {name} has {len(text)} characters; at most {LONGEST_THEME} are possible")
    if invisible := next((char for char in text if not char.isprintable()), None):
        raise TextRejected(f"the {name} contains the invisible character U+{ord(invisible):04X}; write it without")
    return text or None
