"""What a step does when something that it needs is not there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.artwork import ArtworkFile, ArtworkInProgress, Haiku
from auria_bot.domain.pipeline import STEPS, ArtworkRequest
from auria_bot.errors import StepFailed
from auria_bot.services.studio.plan import Plan
from auria_bot.services.studio.steps import StepContext, work_of

if TYPE_CHECKING:
    from pathlib import Path


HAIKU = Haiku(
    lines=("lanterns on the hill", "the river carries the light", "under the bare trees"), syllables=(5, 7, 5)
)


def context(folder: Path, **backends: Any) -> StepContext:
    """A context with these backends alone."""
    plan = Plan(run="run", seed=1, request=ArtworkRequest(), backends={}, candidates=2, rounds=2)
    return StepContext(plan=plan, folder=folder, backend=backends.__getitem__, poems=(), styles=(), fingerprints=())


def artwork(**changes: Any) -> ArtworkInProgress:
    """An artwork at its beginning."""
    return ArtworkInProgress(key="01", seed=1, **changes)


def test_every_step_of_the_pipeline_has_its_work() -> None:
    """An unknown step lists the known ones."""
    assert all(callable(work_of(step.name).run) for step in STEPS)
    with pytest.raises(StepFailed, match="known: poem, mood"):
        work_of("dance")


def test_a_poet_that_writes_nothing_fails_its_step(tmp_path: Path) -> None:
    """With what to do."""
    silent = SimpleNamespace(compose=lambda **_: ())
    with pytest.raises(StepFailed, match="another theme"):
        work_of("poem").run(artwork(), context(tmp_path, poet=silent))


def test_a_mood_that_was_given_is_not_read(tmp_path: Path) -> None:
    """The mood reader is not even constructed."""
    given = artwork(mood="still", mood_source="given", haiku=HAIKU)
    assert work_of("mood").run(given, context(tmp_path)) == given


def test_a_painter_that_paints_nothing_fails_its_step(tmp_path: Path) -> None:
    """Rather than being asked for ever."""
    lazy = SimpleNamespace(paint=lambda *_, **__: ())
    with pytest.raises(StepFailed, match="painted nothing"):
        work_of("painting").run(artwork(haiku=HAIKU), context(tmp_path, painter=lazy, safety_filter=None))


@pytest.mark.parametrize(
    ("step", "given", "missing"),
    [
        ("mood", {}, "no poem"),
        ("painting", {}, "no poem"),
        ("enlarge", {"haiku": HAIKU}, "no painting picture"),
        ("style", {"haiku": HAIKU, "files": {"enlarged": ArtworkFile.named("enlarged.png")}}, "no mood"),
    ],
)
def test_a_step_says_what_it_lacks(tmp_path: Path, step: str, given: dict[str, Any], missing: str) -> None:
    """A step names what an incomplete artwork lacks."""
    maker = SimpleNamespace(**dict.fromkeys(("read", "paint", "judge", "enlarge", "choose"), lambda *_, **__: None))
    everyone = dict.fromkeys(("mood_reader", "painter", "safety_filter", "enlarger", "stylist"), maker)
    with pytest.raises(StepFailed, match=missing):
        work_of(step).run(artwork(**given), context(tmp_path, **everyone))
