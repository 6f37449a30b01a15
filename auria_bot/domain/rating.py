"""What somebody thought of a caption: stars, a better caption, and the picture if it may be kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["LONGEST_CORRECTION", "Rating"]

LONGEST_CORRECTION = 200
"""Characters of a better caption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """A rating of one caption of one picture."""

    id: int
    at: datetime  # aware, UTC
    source: str  # "page", or the name of a key
    picture_sha256: str  # of the small copy that was shown
    picture: str  # the kept copy, relative to the home; "" where it may not be kept
    caption: str
    model_version: str
    model_sha256: str
    stars: int | None  # 1 to 5; None where only a better caption was given
    correction: str  # "" if there is none
