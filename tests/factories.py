"""Domain values for tests, complete and unlike each other where it matters, and words to invent poems of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import Artwork, ArtworkFile, Haiku, Style

if TYPE_CHECKING:
    from auria_bot.domain.draft import Draft

NOW = datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC)
"""When the tests happen."""

NOUNS = tuple(
    "moon river stone frost heron window lantern snow pond willow train smoke barn crow leaf wind road hill dog garden star night".split()  # noqa: SIM905
)
"""Words of invented poems."""


def artwork(number: int = 1, **changes: Any) -> Artwork:
    """A finished artwork; another number, another poem, style and picture."""
    values: dict[str, Any] = {
        "seed": 2**63 - number,
        "theme": "",
        "mood": "serene",
        "mood_source": "read",
        "haiku": Haiku(lines=(f"stone number {number}", "“frost” — ネコ \\ 'quoted'", "the pond"), syllables=(5, 7, 5)),
        "style": Style(key=f"style-{number}", title="The Wave", artist="G. Courbet", year="1870"),
        "nudity": 0.1,
        "fingerprint": f"{number:016x}",
        "caption": "a lake under a mountain",
        "alt_text": f"A painting of lake {number}.",
        "post_text": f"stone number {number}\n\n— Auria #haiku",
        "files": {
            kind: ArtworkFile.named(name)
            for kind, name in {
                "painting": "painting.png",
                "full": "full.png",
                "post": "post.jpg",
                "card": "card.jpg",
            }.items()
        },
        "models": (("poet:word-lstm", "a" * 64), ("painter:attn", "b" * 64)),
    }
    return Artwork(**{**values, **changes})


def add_draft(
    unit: Any, number: int = 1, *, traits: tuple[float, ...] = (), ranker: str = "c" * 64, **changes: Any
) -> Draft:
    """Insert a draft into a unit of work."""
    values = {"folder": f"run-{number}", "picture_sha256": f"{number:064x}", "made_at": NOW, **changes}
    made = artwork(number, traits=traits)
    measured = (("painter:attn:ranker", ranker),) if traits else ()
    return unit.drafts.add(replace(made, models=(*made.models, *measured)), **values)
