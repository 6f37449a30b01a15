"""The plan of a run."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.artwork import FORM, ArtworkInProgress, Haiku, Style
from auria_bot.domain.mood import MOODS
from auria_bot.domain.pipeline import SEEDS, ArtworkRequest
from auria_bot.errors import InputError, ModelMissing, StepCrashed
from auria_bot.services.studio.plan import (
    ArtworkState,
    BackendSpec,
    CompletedStep,
    Failure,
    Plan,
    StudioConfig,
    artwork_seed,
    derive,
    draw_mood,
    new_seed,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_the_first_artwork_has_the_runs_own_seed() -> None:
    """A draft's recorded seed, given to a new run, is the seed of that run's first artwork."""
    assert artwork_seed(7, 1) == 7
    assert artwork_seed(artwork_seed(7, 3), 1) == artwork_seed(7, 3)


def test_derived_seeds_differ_and_stay_in_range() -> None:
    """Derived seeds never collide in practice, fit 63 bits and are the same for ever."""
    seeds = {derive(seed, word) for seed in range(50) for word in ("poem", "painting", "style")}
    assert len(seeds) == 150
    assert all(0 <= seed < SEEDS for seed in seeds)
    assert derive(1, "poem") == 2947347880675600587


def test_new_seeds_are_random() -> None:
    """Two runs without a seed get different ones."""
    assert len({new_seed() for _ in range(20)}) == 20


def test_a_plan_survives_json() -> None:
    """What was written down is read back as it was."""
    plan = Plan(
        run="r",
        seed=5,
        request=ArtworkRequest(count=2, theme="fog", mood="read"),
        backends={"poet": BackendSpec(name="fake", options={"a": [1]})},
        recent_poems=(Haiku(lines=("a", "b", "c"), syllables=FORM),),
        recent_styles=("x",),
        fingerprints=("0" * 16,),
    )
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert plan.count == 2


def test_a_plan_of_another_format_is_refused() -> None:
    """A run that another version began is not resumed with other rules."""
    with pytest.raises(InputError, match="format 1, of another version"):
        Plan.from_json({"format": 1})


def test_a_step_may_have_a_deadline_of_its_own() -> None:
    """The others share one."""
    config = StudioConfig(backends={}, deadline=10.0, deadlines={"painting": 90.0})
    assert (config.deadline_of("painting"), config.deadline_of("poem")) == (90.0, 10.0)


def test_moods_are_drawn_by_weight() -> None:
    """A mood of weight 0 is never drawn, and three to one is about three to one."""
    drawn = Counter(draw_mood(seed, {"serene": 3.0, "stormy": 1.0, "bleak": 0.0}) for seed in range(2000))
    assert set(drawn) == {"serene", "stormy"}
    assert 2.5 < drawn["serene"] / drawn["stormy"] < 3.6
    assert {draw_mood(seed) for seed in range(2000)} == set(MOODS)


def state(**changes: object) -> ArtworkState:
    """An artwork at its beginning."""
    return ArtworkState(number=1, start=ArtworkInProgress(key="01", seed=1), **changes)


def test_a_state_survives_json() -> None:
    """Steps, failure and draft are read back as they were."""
    full = state(
        done=(CompletedStep(step="poem", key="k", seconds=0.5, changes={"mood": "serene"}),),
        finished=True,
        draft=4,
        failure=Failure(artwork=1, step="mood", error="StepCrashed", message="m", log="l"),
    )
    assert ArtworkState.from_json(json.loads(json.dumps(full.to_json()))) == full


def test_an_artwork_is_its_start_and_what_was_done_since() -> None:
    """Rewinding takes back the step and all after it, and nothing else."""
    style = {"key": "s", "title": "t", "artist": "a", "year": "", "mode": "painterly", "strength": 0.5}
    full = state(
        done=(
            CompletedStep(step="mood", key="1", seconds=0.0, changes={"mood": "serene"}),
            CompletedStep(step="style", key="2", seconds=0.0, changes={"style": style}),
            CompletedStep(step="caption", key="3", seconds=0.0, changes={"caption": "c"}),
        )
    )
    assert full.artwork.style == Style(**style)
    before = full.before("style").artwork
    assert (before.mood, before.style, before.caption) == ("serene", None, None)


def test_a_failure_becomes_its_own_error() -> None:
    """The exit code of the child's error is preserved; an unknown one is a crash."""
    failure = Failure(artwork=2, step="poem", error="ModelMissing", message="gone", log="/x.log")
    error = failure.to_error()
    assert isinstance(error, ModelMissing)
    assert "step 'poem' of artwork 2: gone; its log: /x.log" in str(error)
    assert isinstance(Failure(artwork=1, step="s", error="StepCrashed", message="", log="").to_error(), StepCrashed)


def test_a_plan_of_another_machine_uses_the_folders_of_this_one(tmp_path: Path) -> None:
    """Where its own are not here: models, interpreters, style banks and the cache."""
    gone, here = "/of/another/machine", str(tmp_path)
    plan = Plan(
        run="r",
        seed=1,
        request=ArtworkRequest(),
        backends={
            "poet": BackendSpec(name="fake", models=gone, python="/of/another/python"),
            "painter": BackendSpec(name="fake", models=here, python="/of/another/python"),
            "captioner": BackendSpec(name="unknown", models=gone),
        },
        shared_options={"banks": [gone], "cache": f"{gone}/cache"},
    )
    config = StudioConfig(
        backends={role: BackendSpec(name="fake", models=here, python="/own/python") for role in ("poet", "painter")},
        shared_options={"banks": [here], "cache": f"{here}/cache"},
    )
    moved = plan.on_this_machine(config)
    assert {role: (spec.models, spec.python) for role, spec in moved.backends.items()} == {
        "poet": (here, "/own/python"),
        "painter": (here, "/of/another/python"),
        "captioner": (gone, ""),
    }
    assert moved.shared_options == {"banks": [here], "cache": f"{here}/cache"}
    assert moved.on_this_machine(config) == moved
