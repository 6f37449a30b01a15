"""Tests of auria_bot.services.films.poem_film."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from auria_bot.art.films import video
from auria_bot.art.films.video_writer import FORMATS
from auria_bot.art.voice import RATE
from auria_bot.errors import InputError
from auria_bot.services.films.film_plan import FilmRequest
from auria_bot.services.films.films import FilmLibrary, render
from auria_bot.services.films.poem_film import line_times
from tests.scenarios.films import planner

if TYPE_CHECKING:
    from pathlib import Path

POEM = ("low tide", "a gull walks the line of foam", "back to its own prints")
REQUEST = FilmRequest(seconds=Fraction(8), rate=Fraction(5), size=(96, 54), seed=5, poem=POEM, voice=True, moving=False)


def test_a_film_goes_from_line_to_line_by_the_frames_that_fit_best(tmp_path: Path) -> None:
    """It begins and ends at the frame of the whole poem; a loop returns to it; other keys take precedence."""
    maker = planner(tmp_path)
    made = maker.plan("drawn", REQUEST, FORMATS[".mp4"])
    keys = made.plan["keys"]
    assert len(keys) == 5
    assert keys[0] == keys[-1]
    assert len(set(keys)) == 4
    assert maker.plan("drawn", replace(REQUEST, loop=True), FORMATS[".mp4"]).plan["keys"] == keys[:-1]
    sheet = maker.sheet("drawn", seed=5, count=240, truncation=0.8)
    light = sheet.mean(axis=(1, 2, 3))
    assert keys[1] - 1 == np.abs(light - 80 - len(POEM[0])).argmin()
    first, last = (next(made.frames.frames(number, number + 1)) for number in (0, 39))
    assert np.array_equal(first, last)
    assert maker.plan("drawn", replace(REQUEST, keys=(1, 2, 3)), FORMATS[".mp4"]).plan["keys"] == [1, 2, 3]


def test_lines_are_spoken_while_their_frames_are_met(tmp_path: Path) -> None:
    """The plan and the file say which voice read them, and when; without a poem nothing is said of one."""
    maker = planner(tmp_path)
    made = maker.plan("drawn", REQUEST, FORMATS[".mp4"])
    assert made.plan["voice"] == "humming==1"
    assert made.plan["spoken"] == [round(line.begin, 3) for line in made.spoken]
    for line, after in pairwise(made.spoken):
        assert after.begin - line.end >= 0.69
    assert json.loads(made.metadata["comment"])["poem"] == list(POEM)
    assert "low tide / a gull" in made.metadata["description"]
    silent = maker.plan("drawn", replace(REQUEST, voice=False, poem=()), FORMATS[".mp4"])
    assert not {"poem", "voice", "matcher_sha256"} & set(silent.plan)


@pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
def test_the_voice_is_heard_in_the_film(tmp_path: Path) -> None:
    """Where the plan says, and silence elsewhere."""
    import av

    made = planner(tmp_path / "models").plan("drawn", REQUEST, FORMATS[".mp4"])
    film, _ = render(FilmLibrary(tmp_path), made, lambda _done, _all: None)
    with av.open(str(film.path)) as opened:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in opened.decode(audio=0)])
    for line in made.spoken:
        middle = round((line.begin + len(line.samples) / RATE / 2) * 48_000)
        assert np.abs(heard[middle - 2000 : middle + 2000]).max() > 0.2
    assert np.abs(heard[: round((made.spoken[0].begin - 0.1) * 48_000)]).max() < 0.01


def test_lines_stay_near_their_places_and_apart() -> None:
    """Those that would touch are moved, and so are those beyond the ends."""
    assert line_times([3, 6, 9], [2, 2, 2], 12) == [2, 5, 8]
    begins = line_times([0, 0.5, 20], [2, 2, 2], 12)
    assert begins == pytest.approx([0.8, 3.5, 8.8])
    begins = line_times([11, 11, 11], [2, 2, 2], 12)
    assert begins == pytest.approx([3.4, 6.1, 8.8])


def test_a_film_that_is_too_short_to_be_read_is_refused() -> None:
    """The message says how long it must be."""
    with pytest.raises(InputError, match=r"9\.4 s to be read, and the film 8 s; add --seconds 10"):
        line_times([1, 2, 3], [2, 2, 2], 8)


def test_a_film_of_a_poem_needs_no_voice(tmp_path: Path) -> None:
    """None is loaded."""
    made: Any = planner(tmp_path)
    made._poems._voice = None
    assert made.plan("drawn", replace(REQUEST, voice=False), FORMATS[".mp4"]).spoken == ()
