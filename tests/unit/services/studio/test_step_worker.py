"""The function of the studio's units of work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.artwork import ArtworkInProgress
from auria_bot.domain.pipeline import ROLES
from auria_bot.domain.request import ArtworkRequest
from auria_bot.errors import NotFound, SettingsError
from auria_bot.services.studio import step_worker
from auria_bot.services.studio.plan import BackendSpec, Plan
from auria_bot.services.studio.step_worker import FUNCTION, StepWorker

if TYPE_CHECKING:
    from pathlib import Path


def request(*roles: str) -> dict[str, Any]:
    """A plan's JSON in which fakes play these roles."""
    backends = {role: BackendSpec(name="fake") for role in roles}
    plan = Plan(run="run", seed=1, request=ArtworkRequest(), backends=backends, candidates=2)
    return json.loads(json.dumps(plan.to_json()))


def state(step: str, artwork: ArtworkInProgress, **changes: Any) -> dict[str, Any]:
    """The state of a unit."""
    earlier: dict[str, Any] = {"poems": [], "styles": [], "fingerprints": [], "reuse": ""}
    return {"step": step, "artwork": artwork.to_json(), **earlier, **changes}


def test_a_unit_gives_what_its_step_changed(tmp_path: Path) -> None:
    """The changed fields as JSON, the new files as values, and the key under which the result holds."""
    worker, plan = StepWorker(), request(*ROLES)
    start = ArtworkInProgress(key="01", seed=1)
    result, files = worker(plan, state("poem", start), tmp_path)
    assert result["changes"].keys() == {"haiku", "models"}
    assert files == {}
    poem = ArtworkInProgress.from_json({**start.to_json(), **result["changes"]})
    painted, files = worker(plan, state("painting", poem), tmp_path)
    assert files["painting"].size == (tmp_path / "painting.png").stat().st_size
    assert worker(plan, state("painting", poem, reuse=painted["key"]), tmp_path) == (
        {"key": painted["key"], "reused": True},
        {},
    )


def test_what_earlier_artworks_have_is_avoided(tmp_path: Path) -> None:
    """A poem of the run is not written again."""
    worker, plan, start = StepWorker(), request(*ROLES), ArtworkInProgress(key="01", seed=1)
    first, _ = worker(plan, state("poem", start), tmp_path)
    second, _ = worker(plan, state("poem", start, poems=[first["changes"]["haiku"]]), tmp_path)
    assert second["changes"]["haiku"] != first["changes"]["haiku"]


def test_backends_that_no_later_step_needs_are_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their memory is given back before the next ones are loaded; those of another plan are never used."""
    returned: list[bool] = []
    monkeypatch.setattr(step_worker, "_return_memory", lambda: returned.append(True))
    worker, plan, start = StepWorker(), request(*ROLES), ArtworkInProgress(key="01", seed=1)
    poem, _ = worker(plan, state("poem", start), tmp_path)
    assert worker._backends.keys() == {"poet"}
    artwork = ArtworkInProgress.from_json({**start.to_json(), **poem["changes"]})
    worker(plan, state("painting", artwork), tmp_path)
    assert worker._backends.keys() == {"painter", "safety_filter"}
    assert returned == [True]
    with pytest.raises(NotFound, match="names no painter"):
        worker(request("poet", "safety_filter"), state("painting", artwork), tmp_path)


def test_a_wrong_option_is_named(tmp_path: Path) -> None:
    """With its section and what it may be."""
    plan = request(*ROLES)
    plan["backends"]["poet"]["options"] = {"seconds": "long"}
    with pytest.raises(SettingsError, match=r"poet\.options\.seconds"):
        StepWorker()(plan, state("poem", ArtworkInProgress(key="01", seed=1)), tmp_path)


def test_the_function_is_found_by_its_import_string() -> None:
    """A worker elsewhere imports it."""
    assert FUNCTION == "auria_bot.services.studio.step_worker:StepWorker"
