"""Running a recipe: as a record and a version, or as a trial."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.errors import InputError
from auria_bot.services.models.distributed_training import DistributedTraining
from auria_bot.services.models.experiments import ExperimentLog
from auria_bot.services.models.folder_registry import FolderRegistry
from auria_bot.services.models.trainer import TRIAL_ITEMS, TRIAL_MINUTES, TRIAL_STEPS, Trainer
from auria_bot.settings.schema import Settings
from tests.factories import NOW

if TYPE_CHECKING:
    from pathlib import Path


def make_trainer(home: Path, **options: Any) -> Trainer:
    """A trainer whose log is a list, with a folder registry."""
    registry = FolderRegistry(Settings(home=home, models=home / "models"), clock=lambda: NOW)
    given = {"log": print} | options
    return Trainer(home=home, registry=registry, experiments=ExperimentLog(home, clock=lambda: NOW), **given)


def test_a_trial_leaves_nothing_behind(tmp_path: Path):
    """It is limited in time, steps and data, says so, and touches no model, record or training in progress."""
    (tmp_path / "train" / "poet").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    asked: dict[str, Any] = {}
    told: list[str] = []

    def recipe(**given: Any) -> dict[str, float]:
        asked.update(given)
        given["out"].mkdir(parents=True)
        return {"loss": 1.0}

    done = make_trainer(tmp_path, is_trial=True, log=told.append).train("poet", recipe, data=tmp_path)
    assert (done.is_trial, done.version, done.metrics) == (True, "", {"loss": 1.0})
    assert (asked["minutes"], asked["steps"], asked["limit"]) == (TRIAL_MINUTES, TRIAL_STEPS, TRIAL_ITEMS)
    assert "no model" in told[0]
    assert [path for path in sorted(tmp_path.rglob("*")) if path.name != "trial"] == before


def test_a_model_is_trained_once_at_a_time(tmp_path: Path):
    """A second training of the same run is refused, with the command that shows the first."""
    trainer = make_trainer(tmp_path / "home", target=tmp_path / "out")

    def recipe(**_: Any) -> dict[str, float]:
        with pytest.raises(InputError, match="auria train poet --watch"):
            trainer.train("poet", dict, data=tmp_path)
        return {}

    (tmp_path / "out").mkdir()
    assert trainer.train("poet", recipe, data=tmp_path).path == tmp_path / "out"


def test_only_some_recipes_are_trained_by_several(tmp_path: Path):
    """The others are refused before anything is computed or recorded."""

    def recipe(**_: Any) -> dict[str, float]:
        raise AssertionError("it is not run")

    for is_trial in (False, True):
        with pytest.raises(InputError, match="one process trains the line; leave --workers out"):
            make_trainer(tmp_path, is_trial=is_trial, workers=2).train("line", recipe, data=tmp_path)
    assert not any(tmp_path.rglob("*.json"))


def test_several_workers_are_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Which gets the recipe by its module's name, and its arguments; the record says how many there were."""
    asked: dict[str, Any] = {}

    def recipe(*, workers: object, **_: Any) -> dict[str, float]:
        raise AssertionError("it runs in the workers")

    def train(group: DistributedTraining, module: str, given: dict[str, Any], **options: Any) -> dict[str, float]:
        asked.update(size=group.size, module=module, given=given, **options)
        options["out"].mkdir(parents=True)
        return {"loss": 1.0}

    monkeypatch.setattr(DistributedTraining, "train", train)
    trainer = make_trainer(tmp_path / "home", target=tmp_path / "out", workers=2, steps=7)
    assert trainer.train("line", recipe, data=tmp_path, given={"data": tmp_path}).metrics == {"loss": 1.0}
    assert (asked["size"], asked["module"], asked["given"]) == (2, __name__, {"data": tmp_path})
    assert (asked["out"], asked["steps"]) == (tmp_path / "out", 7)
    (record,) = (tmp_path / "home" / "experiments" / "line").glob("*/experiment.json")
    assert json.loads(record.read_text())["settings"]["workers"] == 2
