"""auria_bot: an artist who lives on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auria_bot.domain.artwork import Artwork, ArtworkInProgress, Haiku
    from auria_bot.domain.draft import Draft
    from auria_bot.domain.mood import Mood
    from auria_bot.errors import AuriaError

__all__ = ["Artwork", "ArtworkInProgress", "AuriaError", "Draft", "Haiku", "Mood", "__version__"]

__version__ = "0.1.0"

_HOMES = {
    "Artwork": "auria_bot.domain.artwork",
    "ArtworkInProgress": "auria_bot.domain.artwork",
    "Draft": "auria_bot.domain.draft",
    "Haiku": "auria_bot.domain.artwork",
    "Mood": "auria_bot.domain.mood",
    "AuriaError": "auria_bot.errors",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'auria_bot' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - importing the package must stay free

    return getattr(import_module(_HOMES[name]), name)
