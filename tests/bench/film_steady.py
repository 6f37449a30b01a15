"""The benchmark film-steady: how evenly a film of the shipped model changes, whether a loop closes, and whether strokes flicker."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.films.video_writer import FORMATS
from auria_bot.bootstrap.application import build
from auria_bot.services.films.film_plan import FilmRequest
from auria_bot.services.films.films import FilmLibrary, render
from auria_bot.services.films.restyle_video import restyled_frame
from auria_bot.settings.loading import load
from tests.bench import Result
from tests.scenarios.film_measures import decoded, steps, warping_error

if TYPE_CHECKING:
    from auria_bot.art.films.film_frames import FilmFrames, Timing
    from auria_bot.bootstrap.application import Application

__all__ = ["run"]

REQUEST = FilmRequest(seconds=Fraction(60), rate=Fraction(25), size=(320, 180), seed=7, loop=True)
MOST = 3.0  # times the median step
HALF = 0.5  # of the warping error of frames that are painted each by itself


def run(seconds: int = 60) -> Result:
    """Make a loop of the shipped model, decode it, and compare each frame with the next, the last with the first."""
    with tempfile.TemporaryDirectory(prefix="auria-film-steady-") as scratch:
        app = build(load({"AURIA_HOME": scratch}))
        planner = app.film_planner
        name = "waves"
        planned = planner.plan(name, replace(REQUEST, seconds=Fraction(seconds)), FORMATS[".mp4"])
        made, _ = render(FilmLibrary(Path(scratch)), planned, lambda _done, _all: None)
        found = steps(made.path, loop=True)
        closed = _closes(planned.frames)
        flicker, seam = _strokes(app, Path(scratch))
        app.close()
    largest, middle = float(found.max()), float(np.median(found))
    figures = (
        f"{name}, {len(found)} frames: largest step {largest / middle:.2f} times the median ({middle:.2f} of 255), the loop"
        f" {'closes to the same bytes' if closed else 'does not close'}; strokes' warping error {flicker:.2f} of painting each"
        f" frame by itself, step over their loop's seam {seam:.2f} times the median"
    )
    bar = (
        f"largest at most {MOST:g} times the median, over the strokes' seam too; closes to the same bytes; strokes at most"
        f" {HALF:g}"
    )
    passed = closed and largest <= MOST * middle and flicker <= HALF and seam <= MOST
    return Result(name="film-steady", figures=figures, bar=bar, passed=passed)


def _strokes(app: Application, scratch: Path) -> tuple[float, float]:
    """How much strokes change beyond the film's own motion, as a share of frames painted each by itself; and the seam."""
    request = replace(
        REQUEST, seconds=Fraction(4), rate=Fraction(12), flow="own", strokes=True, style="The Starry Night"
    )
    planned = app.film_planner.plan("waves", request, FORMATS[".mp4"])
    style, stylist = planned.strokes, app.video_stylist
    if style is None:
        raise ValueError("the plan names no strokes")
    made, _ = render(FilmLibrary(scratch), planned, lambda _done, _all: None, lambda: stylist)
    shown = [Image.fromarray(frame) for frame in planned.frames.frames(0, planned.frames.timing.frames)]
    alone = [restyled_frame(stylist, style, request.seed, one) for one in shown]
    found = steps(made.path, loop=True)
    share = warping_error(shown, decoded(made.path, request.size)) / warping_error(shown, alone)
    return share, float(found[-1] / np.median(found))


def _closes(frames: FilmFrames) -> bool:
    """Whether the frame after the last one has the first one's bytes."""
    timing: Timing = frames.timing
    first, after = (next(frames.frames(number, number + 1)) for number in (0, timing.frames))
    return first.tobytes() == after.tobytes()
