"""What followers did with a post, counted at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Audience", "Engagement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """Counts of a post at a time; None where the platform does not tell."""

    at: datetime  # aware, UTC
    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    quotes: int | None = None
    saves: int | None = None
    views: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """How many follow a channel at a time; None where it has no such count."""

    at: datetime  # aware, UTC
    followers: int | None
