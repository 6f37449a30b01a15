"""The benchmark film-steady: how evenly a film of the shipped model changes, and whether a loop closes."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.films.video_writer import FORMATS
from auria_bot.bootstrap.application import build
from auria_bot.services.films.film_plan import FilmWish
from auria_bot.services.films.films import FilmLibrary, render
from auria_bot.settings.loading import load
from tests.bench import Result
from tests.scenarios.film_measures import steps

if TYPE_CHECKING:
    from auria_bot.art.films.film_frames import FilmFrames, Timing

__all__ = ["run"]

WISH = FilmWish(seconds=Fraction(60), rate=Fraction(25), size=(320, 180), seed=7, loop=True)
MOST = 3.0  # times the median step


def run(seconds: int = 60) -> Result:
    """Make a loop of the shipped model, decode it, and compare each frame with the next, the last with the first."""
    with tempfile.TemporaryDirectory(prefix="auria-film-steady-") as scratch:
        app = build(load({"AURIA_HOME": scratch}))
        planner = app.film_planner
        name = "waves"
        planned = planner.plan(name, replace(WISH, seconds=Fraction(seconds)), FORMATS[".mp4"])
        made, _ = render(FilmLibrary(Path(scratch)), planned, lambda _done, _all: None)
        found = steps(made.path, loop=True)
        closed = _closes(planned.frames)
        app.close()
    largest, middle = float(found.max()), float(np.median(found))
    figures = (
        f"{name}, {len(found)} frames: largest step {largest / middle:.2f} times the median ({middle:.2f} of 255), the loop"
        f" {'closes to the same bytes' if closed else 'does not close'}; strokes over time are not offered"
    )
    bar = f"largest at most {MOST:g} times the median; closes to the same bytes"
    return Result(name="film-steady", figures=figures, bar=bar, passed=closed and largest <= MOST * middle)


def _closes(frames: FilmFrames) -> bool:
    """Whether the frame after the last one has the first one's bytes."""
    timing: Timing = frames.timing
    first, after = (next(frames.frames(number, number + 1)) for number in (0, timing.frames))
    return first.tobytes() == after.tobytes()
