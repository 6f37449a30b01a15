"""Tests of auria_bot.services.films.film_plan."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from auria_bot.art.films import video
from auria_bot.art.films.video_writer import FORMATS
from auria_bot.errors import InputError, NotFound, UnknownName
from auria_bot.services.films.film_plan import FilmRequest
from auria_bot.settings.locations import shipped
from tests.scenarios.films import planner

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = FilmRequest(seconds=Fraction(3), rate=Fraction(10), size=(96, 54), seed=5, loop=True)


def test_the_same_wish_has_the_same_plan_and_frames(tmp_path: Path) -> None:
    """Another seed has others."""
    maker = planner(tmp_path)
    one, two, other = (
        maker.plan("drawn", request, FORMATS[".mp4"]) for request in (REQUEST, REQUEST, replace(REQUEST, seed=6))
    )
    assert one.plan == two.plan != other.plan
    assert one.plan["frames"] == 30
    assert np.array_equal(next(one.frames.frames(7, 8)), next(two.frames.frames(7, 8)))
    assert not np.array_equal(next(one.frames.frames(7, 8)), next(other.frames.frames(7, 8)))


def test_key_frames_of_the_sheet_are_met_in_their_order(tmp_path: Path) -> None:
    """The film begins with the first one."""
    maker = planner(tmp_path)
    sheet = maker.sheet("drawn", seed=5, count=12, truncation=0.8)
    assert np.array_equal(sheet[:4], maker.sheet("drawn", seed=5, count=4, truncation=0.8))
    made = maker.plan("drawn", replace(REQUEST, keys=(12, 3, 7), moving=False), FORMATS[".mp4"])
    assert np.array_equal(made.frames.small(0, 1)[0], sheet[11])


def test_a_mood_gives_the_film_a_paintings_colours(tmp_path: Path) -> None:
    """Which one is in the plan and in the file's own words; a named painting is taken as named."""
    maker = planner(tmp_path)
    moody = maker.plan("drawn", replace(REQUEST, mood="serene"), FORMATS[".mp4"])
    assert moody.plan["painting"]
    assert json.loads(moody.metadata["comment"])["painting"] == moody.plan["painting"]
    assert "in the colours of" in moody.metadata["description"]
    named = maker.plan("drawn", replace(REQUEST, style=moody.plan["painting"]), FORMATS[".mp4"])
    assert named.plan["painting"] == moody.plan["painting"]
    plain = maker.plan("drawn", REQUEST, FORMATS[".mp4"])
    assert not np.array_equal(next(plain.frames.frames(0, 1)), next(moody.frames.frames(0, 1)))
    with pytest.raises(UnknownName, match="no mood named"):
        maker.plan("drawn", replace(REQUEST, mood="hungry"), FORMATS[".mp4"])


def test_what_cannot_be_had_is_refused(tmp_path: Path) -> None:
    """Each with a sentence that says what is possible."""
    maker = planner(tmp_path)
    with pytest.raises(NotFound, match="there are: drawn"):
        maker.plan("oils", REQUEST, FORMATS[".mp4"])
    for change, words in (
        ({"seconds": Fraction(10**6)}, "cannot take"),
        ({"rate": Fraction(1000)}, "1 to 120"),
        ({"size": (641, 360)}, "even numbers"),
        ({"keys": (1, 2)}, "at least 3 key frames to loop"),
        ({"keys": (1, 2, 401)}, "from 1 to 400"),
        ({"keys": (1, 2, 2)}, "cannot follow itself"),
    ):
        with pytest.raises(InputError, match=words):
            maker.plan("drawn", replace(REQUEST, **change), FORMATS[".mp4"])


@pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
def test_music_is_looked_at_before_anything_is_made(tmp_path: Path) -> None:
    """A text is no music."""
    (tmp_path / "a.mp3").write_text("no music")
    with pytest.raises(InputError, match="cannot be read as sound"):
        planner(tmp_path / "models").plan("drawn", replace(REQUEST, music=tmp_path / "a.mp3"), FORMATS[".mp4"])


def test_water_flows_as_in_the_models_footage_where_it_is_known(tmp_path: Path) -> None:
    """The plan says so, and the film still begins again where it ends; without a field of its own a model says what to do."""
    maker = planner(tmp_path)
    with pytest.raises(NotFound, match="--flow FILE"):
        maker.plan("drawn", replace(REQUEST, flow="own"), FORMATS[".mp4"])
    shutil.copy(shipped("models") / "film-waves" / "flow.json", tmp_path / "film-drawn")
    still, flowing = (maker.plan("drawn", replace(REQUEST, flow=flow), FORMATS[".mp4"]) for flow in ("", "own"))
    assert "flow_sha256" not in still.plan
    assert len(flowing.plan["flow_sha256"]) == 64
    assert not np.array_equal(still.frames.small(11, 12), flowing.frames.small(11, 12))
    assert np.array_equal(flowing.frames.small(0, 1), flowing.frames.small(30, 31))
