"""The plan of a run."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from auria_bot.domain.haiku import FORM, Haiku
from auria_bot.domain.mood import MOODS
from auria_bot.errors import InputError, UnknownName
from auria_bot.services.studio.plan import (
    SEEDS,
    ArtworkRequest,
    BackendSpec,
    Plan,
    derive,
    draw_mood,
    new_seed,
    sketch_seed,
)


def test_the_first_sketch_has_the_runs_own_seed() -> None:
    """A draft's recorded seed, given to a new run, is the seed of that run's first sketch."""
    assert sketch_seed(7, 1) == 7
    assert sketch_seed(sketch_seed(7, 3), 1) == sketch_seed(7, 3)


def test_derived_seeds_differ_and_stay_in_range() -> None:
    """Derived seeds never collide in practice, fit 63 bits and are the same for ever."""
    seeds = {derive(seed, word) for seed in range(50) for word in ("poem", "painting", "style")}
    assert len(seeds) == 150
    assert all(0 <= seed < SEEDS for seed in seeds)
    assert derive(1, "poem") == 2947347880675600587


def test_new_seeds_are_random() -> None:
    """Two runs without a seed get different ones."""
    assert len({new_seed() for _ in range(20)}) == 20


def test_a_wish_is_brought_into_its_normal_form() -> None:
    """Blanks and letters' case do not matter."""
    wish = ArtworkRequest(theme="  ", mood=" Stormy ", style="", mode="photorealistic").checked()
    assert wish == ArtworkRequest(theme=None, mood="stormy", style=None, mode="photorealistic")
    assert ArtworkRequest().checked().mood == "read"


@pytest.mark.parametrize(
    ("wish", "error"), [(ArtworkRequest(mood="hangry"), UnknownName), (ArtworkRequest(mode="cubist"), InputError)]
)
def test_an_impossible_wish_is_refused(wish: ArtworkRequest, error: type[Exception]) -> None:
    """Unknown moods and modes are named in the message, with the known ones."""
    with pytest.raises(error, match="known"):
        wish.checked()


@pytest.mark.parametrize(
    "wish", [ArtworkRequest(theme="snow\u202e"), ArtworkRequest(style="mo\x00net"), ArtworkRequest(theme="x" * 201)]
)
def test_a_wish_hides_nothing_and_is_short(wish: ArtworkRequest) -> None:
    """Characters that cannot be seen, and floods, are refused before a run is begun."""
    with pytest.raises(InputError, match=r"invisible|201 characters"):
        wish.checked()


def test_a_plan_survives_json() -> None:
    """What was written down is read back as it was."""
    plan = Plan(
        run="r",
        seed=5,
        count=2,
        wish=ArtworkRequest(theme="fog", mood="read"),
        tools={"poet": BackendSpec(name="fake", options={"a": [1]})},
        recent_poems=(Haiku(lines=("a", "b", "c"), syllables=FORM),),
        recent_styles=("x",),
        known=("0" * 16,),
    )
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_a_plan_of_another_format_is_refused() -> None:
    """A run that another version began is not resumed with other rules."""
    with pytest.raises(InputError, match="format 99"):
        Plan.from_json({"format": 99})


def test_moods_are_drawn_by_weight() -> None:
    """A mood of weight nought is never drawn, and three to one is about three to one."""
    drawn = Counter(draw_mood(seed, {"serene": 3.0, "stormy": 1.0, "bleak": 0.0}) for seed in range(2000))
    assert set(drawn) == {"serene", "stormy"}
    assert 2.5 < drawn["serene"] / drawn["stormy"] < 3.6
    assert {draw_mood(seed) for seed in range(2000)} == set(MOODS)
