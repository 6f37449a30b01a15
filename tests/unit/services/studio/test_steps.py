"""What a step does when something that it needs is not there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.artwork import ArtworkInProgress
from auria_bot.domain.haiku import Haiku
from auria_bot.errors import StepFailed
from auria_bot.services.studio.plan import ArtworkRequest, Plan
from auria_bot.services.studio.steps import StepContext, step_named

if TYPE_CHECKING:
    from pathlib import Path

HAIKU = Haiku(
    lines=("lanterns on the hill", "the river carries the light", "under the bare trees"), syllables=(5, 7, 5)
)


def desk(folder: Path, **makers: Any) -> StepContext:
    """A desk with these makers alone."""
    plan = Plan(run="run", seed=1, count=1, wish=ArtworkRequest(), tools={}, candidates=2, rounds=2)
    return StepContext(
        plan=plan, folder=folder, maker=lambda role: makers[role.replace("-", "_")], poems=(), styles=(), known=()
    )


def sketch(**changes: Any) -> ArtworkInProgress:
    """A sketch at its beginning."""
    return ArtworkInProgress(key="01", seed=1, **changes)


def test_a_poet_that_writes_nothing_fails_its_step(tmp_path: Path) -> None:
    """With what to do."""
    silent = SimpleNamespace(compose=lambda **_: ())
    with pytest.raises(StepFailed, match="another theme"):
        step_named("poem").work(sketch(), desk(tmp_path, poet=silent))


def test_a_mood_that_was_given_is_not_read(tmp_path: Path) -> None:
    """The mood-reader is not even asked for."""
    given = sketch(mood="still", mood_source="given", haiku=HAIKU)
    assert step_named("mood").work(given, desk(tmp_path)) == given


def test_a_painter_that_paints_nothing_fails_its_step(tmp_path: Path) -> None:
    """Rather than being asked for ever."""
    lazy = SimpleNamespace(paint=lambda *_, **__: ())
    with pytest.raises(StepFailed, match="painted nothing"):
        step_named("painting").work(sketch(haiku=HAIKU), desk(tmp_path, painter=lazy, gate=None))


@pytest.mark.parametrize(
    ("step", "given", "missing"),
    [
        ("mood", {}, "no poem"),
        ("painting", {}, "no poem"),
        ("enlarge", {"haiku": HAIKU}, "no picture"),
        ("style", {"haiku": HAIKU, "enlarged": "enlarged.png"}, "no mood"),
    ],
)
def test_a_step_says_what_it_lacks(tmp_path: Path, step: str, given: dict[str, Any], missing: str) -> None:
    """A sketch that was put together by hand may lack anything."""
    maker = SimpleNamespace(**dict.fromkeys(("read", "paint", "judge", "enlarge", "choose"), lambda *_, **__: None))
    everyone = dict.fromkeys(("mood_reader", "painter", "gate", "enlarger", "stylist"), maker)
    with pytest.raises(StepFailed, match=missing):
        step_named(step).work(sketch(**given), desk(tmp_path, **everyone))
