"""Composes what films are made from."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from auria_bot.bootstrap.core import Core

if TYPE_CHECKING:
    from auria_bot.services.footage.library import FootageLibrary

__all__ = ["FilmServices"]


class FilmServices(Core):
    """Footage, and what is learned from it."""

    @cached_property
    def footage(self) -> FootageLibrary:
        """The sets of footage."""
        from auria_bot.services.footage.library import FootageLibrary

        return FootageLibrary(self.settings.home)
