"""A pause: a channel that nothing is sent to until somebody lets it go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

__all__ = ["AURIA", "Pause"]

AURIA: Final = "auria"
"""Who paused a channel by herself, because its platform did not accept the credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Why a channel stands still; it is neither sent to nor asked about earlier posts."""

    name: str  # the channel's
    at: datetime  # aware, UTC
    by: str  # AURIA, or the operator's name
    reason: str  # with what to do
