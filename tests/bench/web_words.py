"""The benchmark web-words: see `tests.scenarios.caption_regions`."""

from __future__ import annotations

import os
from pathlib import Path

from tests.bench import Result
from tests.scenarios.caption_regions import play

__all__ = ["run"]

_TIMES = 2.0


def run() -> Result:
    """Play the pointing game over all labelled pictures."""
    found = play(Path(os.environ.get("AURIA_DATA", "../shared/data")))
    times = found.right / found.chance
    figures = (
        f"{found.pictures} pictures: the peak is on the thing in {found.right:.0%}, by chance {found.chance:.0%}"
        f" ({times:.1f} times as often), by the picture's centre {found.centre:.0%};"
        f" {found.said} captions say the word, right in {found.right_said:.0%}"
    )
    bar = f"at least {_TIMES:.0f} times as often as chance"
    return Result(name="web-words", figures=figures, bar=bar, passed=times >= _TIMES)
