"""Tests of tests.scenarios.film_measures, and a small form of the benchmarks film-steady and style-video."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.films import video
from auria_bot.art.films.steady_style import SteadyStyle
from auria_bot.art.films.video_writer import FORMATS
from auria_bot.services.films.film_plan import FilmRequest
from auria_bot.services.films.films import FilmLibrary, render
from tests.scenarios.film_measures import steps, warping_error
from tests.scenarios.films import planner

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
def test_a_loop_of_the_drawn_model_changes_evenly(tmp_path: Path) -> None:
    """In the decoded file, the step that closes the loop included; without a loop, the last frame is far from the first."""
    for loop in (True, False):
        request = FilmRequest(seconds=Fraction(6), rate=Fraction(10), size=(160, 90), seed=5, loop=loop, moving=False)
        planned = planner(tmp_path / "models").plan("drawn", request, FORMATS[".mp4"])
        made, _ = render(FilmLibrary(tmp_path), planned, lambda _done, _all: None)
        found = steps(made.path, loop=True)
        assert len(found) == 60
        assert found[:-1].max() < 3 * np.median(found)
        assert (found[-1] < 3 * np.median(found)) == loop


def test_a_style_that_boils_has_a_large_warping_error() -> None:
    """Made steady, it has less than half of that; the video itself has nearly none."""
    chance = np.random.default_rng(1)
    wide = Image.fromarray(chance.integers(0, 255, (30, 80, 3)).astype(np.uint8)).resize(
        (640, 240), Image.Resampling.BICUBIC
    )
    shown = [wide.crop((2 * number, 20, 2 * number + 320, 200)) for number in range(6)]

    def boiling(frame: Image.Image) -> Image.Image:
        noise = chance.normal(0, 25, (180, 320, 1))
        return Image.fromarray(np.clip(np.asarray(frame, float) + noise, 0, 255).astype(np.uint8))

    steady = SteadyStyle(boiling)
    own, made = [boiling(frame) for frame in shown], [steady.restyle(frame) for frame in shown]
    assert warping_error(shown, shown) < 0.2 * warping_error(shown, own)
    assert warping_error(shown, made) < 0.5 * warping_error(shown, own)
