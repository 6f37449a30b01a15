"""The worker that performs a step: what it gives, keeps, loads ahead and lets go."""

from __future__ import annotations

import gc
import json
import sys
import threading
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from auria_bot import registry
from auria_bot.art import runtime
from auria_bot.domain.artwork import ArtworkFile, ArtworkInProgress, Haiku
from auria_bot.domain.pipeline import ROLES, STEPS, ArtworkRequest
from auria_bot.errors import ModelMissing, NotFound, SettingsError, UnknownName
from auria_bot.services.studio import step_worker
from auria_bot.services.studio.plan import BackendSpec, Plan
from auria_bot.services.studio.step_worker import FUNCTION, StepWorker

if TYPE_CHECKING:
    from pathlib import Path


HAIKU = Haiku(
    lines=("lanterns on the hill", "the river carries the light", "under the bare trees"), syllables=(5, 7, 5)
)


def artwork(**changes: Any) -> ArtworkInProgress:
    """An artwork at its beginning."""
    return ArtworkInProgress(key="01", seed=1, **changes)


def request(*roles: str) -> dict[str, Any]:
    """A plan's JSON in which fakes play these roles."""
    backends = {role: BackendSpec(name="fake") for role in roles}
    plan = Plan(run="run", seed=1, request=ArtworkRequest(), backends=backends, candidates=2)
    return json.loads(json.dumps(plan.to_json()))


def state(step: str, artwork: ArtworkInProgress, **changes: Any) -> dict[str, Any]:
    """The state of a unit."""
    earlier: dict[str, Any] = {"poems": [], "styles": [], "fingerprints": [], "reuse": ""}
    return {"step": step, "artwork": artwork.to_json(), **earlier, **changes}


def unseen(*_: object) -> None:
    """Take a report of a unit that nobody watches, which must not be made."""
    raise AssertionError


def test_a_unit_gives_what_its_step_changed(tmp_path: Path) -> None:
    """The changed fields as JSON, the new files as values, and the key under which the result holds."""
    worker, plan = StepWorker(), request(*ROLES)
    start = ArtworkInProgress(key="01", seed=1)
    result, files = worker(plan, state("poem", start), tmp_path, unseen)
    assert result["changes"].keys() == {"haiku", "models"}
    assert files == {}
    poem = ArtworkInProgress.from_json({**start.to_json(), **result["changes"]})
    painted, files = worker(plan, state("painting", poem), tmp_path, unseen)
    assert files["painting"].size == (tmp_path / "painting.png").stat().st_size
    assert worker(plan, state("painting", poem, reuse=painted["key"]), tmp_path, unseen) == (
        {"key": painted["key"], "reused": True},
        {},
    )


def test_what_earlier_artworks_have_is_avoided(tmp_path: Path) -> None:
    """A poem of the run is not written again."""
    worker, plan, start = StepWorker(), request(*ROLES), ArtworkInProgress(key="01", seed=1)
    first, _ = worker(plan, state("poem", start), tmp_path, unseen)
    second, _ = worker(plan, state("poem", start, poems=[first["changes"]["haiku"]]), tmp_path, unseen)
    assert second["changes"]["haiku"] != first["changes"]["haiku"]


def test_backends_that_no_later_step_needs_are_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their memory is given back before the next ones are loaded; those of another plan are never used."""
    returned: list[bool] = []
    monkeypatch.setattr(step_worker, "_return_memory", lambda: returned.append(True))
    worker, plan, start = StepWorker(), request(*ROLES), ArtworkInProgress(key="01", seed=1)
    poem, _ = worker(plan, state("poem", start), tmp_path, unseen)
    assert worker._backends.keys() == {"poet"}
    artwork = ArtworkInProgress.from_json({**start.to_json(), **poem["changes"]})
    worker(plan, state("painting", artwork), tmp_path, unseen)
    assert worker._backends.keys() == {"painter", "safety_filter"}
    assert returned == [True]
    with pytest.raises(NotFound, match="names no painter"):
        worker(request("poet", "safety_filter"), state("painting", artwork), tmp_path, unseen)


class _Slow:
    """A mood reader that says in which thread it was loaded."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """No options."""

    fails = False

    def __init__(self, config: Config, models: Path) -> None:
        self.thread = threading.current_thread().name
        self.loaded_in = ""

    def load(self) -> None:
        self.loaded_in = threading.current_thread().name
        if self.fails:
            raise ModelMissing("there is no model")

    def models(self) -> dict[str, str]:
        return {}


def test_what_later_steps_need_is_loaded_beside_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread, in the order of the steps; what is not announced is not."""
    monkeypatch.setattr(registry, "find", lambda *_: _Slow)
    worker, plan, start = StepWorker(), request(*ROLES), ArtworkInProgress(key="01", seed=1)
    worker.prepare(plan, state("poem", start))
    assert worker._backends == {}
    worker.prepare(plan, state("poem", start, next=[step.name for step in STEPS[1:] if step.name != "caption"]))
    assert list(worker._backends) == [role for role in ROLES if role not in {"poet", "captioner"}]
    reader = worker._backend("mood_reader")
    assert reader.thread == reader.loaded_in
    assert reader.thread.startswith("loader")
    assert worker._backend("captioner").thread == threading.current_thread().name
    worker.prepare(plan, state("poem", start, next=["mood"]))
    assert worker._backend("mood_reader") is reader


def test_what_cannot_be_loaded_ahead_is_told_by_its_own_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which constructs it anew."""
    monkeypatch.setattr(registry, "find", lambda *_: _Slow)
    monkeypatch.setattr(_Slow, "fails", True)
    worker = StepWorker()
    worker.prepare(request(*ROLES), state("poem", ArtworkInProgress(key="01", seed=1), next=["mood"]))
    backend = worker._backend("mood_reader")
    assert backend.loaded_in == ""
    with pytest.raises(ModelMissing):
        backend.load()


def test_backends_are_imported_ahead_of_any_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread, one after the other; one that is not there is told by the step that needs it."""
    find, found = registry.find, []

    def note(role: str, name: str) -> type[Any]:
        found.append((threading.get_ident(), role, name))
        return find(role, name)

    monkeypatch.setattr(registry, "find", note)
    worker = StepWorker()
    worker.import_ahead({"poet": "fake", "painter": "no-such", "exporter": "fake"})
    errors = [type(one.exception()) for one in worker._imports]
    thread = worker._loader.submit(threading.get_ident).result()
    assert [one[1:] for one in found if one[0] == thread] == [
        ("poet", "fake"),
        ("painter", "no-such"),
        ("exporter", "fake"),
    ]
    assert errors == [type(None), UnknownName, type(None)]
    result, _ = worker(request(*ROLES), state("poem", artwork()), tmp_path, unseen)
    assert "haiku" in result["changes"]


def test_the_first_request_does_not_wait_for_what_is_imported_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports that have not begun are left to the loading of their backends, which does them in order."""
    goes_on, find = threading.Event(), registry.find

    def wait(role: str, name: str) -> type[Any]:
        goes_on.wait(60.0)
        return find(role, name)

    monkeypatch.setattr(registry, "find", wait)
    worker = StepWorker()
    worker.import_ahead(dict.fromkeys(("poet", "painter", "exporter"), "fake"))
    worker.prepare(request(*ROLES), state("poem", artwork(), next=["mood"]))
    goes_on.set()
    assert worker._backend("mood_reader") is not None
    assert [one.cancelled() for one in worker._imports][1:] == [True, True]


def test_a_strength_that_was_asked_for_takes_the_place_of_the_style_s_own(tmp_path: Path) -> None:
    """It is what the artwork records."""
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "enlarged.png")
    files = {"enlarged": ArtworkFile.named("enlarged.png")}
    given = artwork(mood="serene", mood_source="given", haiku=HAIKU, files=files, wanted_strength=0.25)
    result, _ = StepWorker()(request(*ROLES), state("style", given), tmp_path, unseen)
    assert result["changes"]["style"]["strength"] == 0.25


def test_a_wrong_option_is_named(tmp_path: Path) -> None:
    """With its section and what it may be."""
    plan = request(*ROLES)
    plan["backends"]["poet"]["options"] = {"seconds": "long"}
    with pytest.raises(SettingsError, match=r"poet\.options\.seconds"):
        StepWorker()(plan, state("poem", ArtworkInProgress(key="01", seed=1)), tmp_path, unseen)


def test_the_function_is_found_by_its_import_string() -> None:
    """A worker elsewhere imports it."""
    assert FUNCTION == "auria_bot.services.studio.step_worker:StepWorker"


def test_networks_are_compiled_once_for_all_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder and for the device that the plan names."""
    told: list[object] = []
    monkeypatch.setattr(runtime, "keep_compiled_in", told.append)
    monkeypatch.setattr(runtime, "compute_on", told.append)
    plan, start = request(*ROLES), ArtworkInProgress(key="01", seed=1)
    plan["shared_options"] = {"cache": str(tmp_path / "cache"), "onnx_device": "auto"}
    worker = StepWorker()
    poem, _ = worker(plan, state("poem", start), tmp_path, unseen)
    worker(plan, state("mood", ArtworkInProgress.from_json({**start.to_json(), **poem["changes"]})), tmp_path, unseen)
    assert told == [tmp_path / "cache", "auto"]


@pytest.mark.parametrize("is_loaded", [False, True])
def test_the_collector_runs_where_torch_is_loaded_only(monkeypatch: pytest.MonkeyPatch, is_loaded: bool) -> None:
    """Elsewhere it would free nothing."""
    collected: list[bool] = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(True))
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    if is_loaded:
        monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    step_worker._return_memory()
    assert bool(collected) is is_loaded
