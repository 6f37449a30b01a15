"""The benchmark syllables: see `tests.scenarios.syllables`."""

from __future__ import annotations

import os
from pathlib import Path

from tests.bench import Result
from tests.scenarios.syllables import COVERED, GUESSED, WORDS, measured

__all__ = ["run"]


def run() -> Result:
    """Count tokens and guesses."""
    bar = f"at least {COVERED:.0%} of the corpus's tokens by CMUdict or words made of its words; at least {GUESSED:.0%} of {WORDS:,} unseen words guessed"
    data = Path(os.environ.get("AURIA_DATA", "../shared/data"))
    figures, passed = measured(data)
    return Result(name="syllables", figures=figures, bar=bar, passed=passed)
