"""Running a recipe: recorded and registered as a version, or tried out for a minute on a sliver of the data."""

from __future__ import annotations

import inspect
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auria_bot.errors import UsageError
from auria_bot.files import readable_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from auria_bot.execution.work_unit import Executor
    from auria_bot.services.models.experiments import ExperimentLog
    from auria_bot.services.models.versions import ModelRegistry

__all__ = ["TrainedModel", "Trainer"]

TRIAL_MINUTES: Final = 1.0
TRIAL_STEPS: Final = 40
TRIAL_ITEMS: Final = 100  # pictures of an archive or frames of a clip; of poems ten times as many


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A model that was trained."""

    path: Path
    metrics: dict[str, Any]
    version: str = ""  # in the registry; "" where the operator named a folder
    is_trial: bool = False  # nothing of it was kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """Runs recipes for one home.

    Usage::

        trained = trainer.train("poet", module.train, data=folder)
    """

    home: Path
    registry: ModelRegistry
    experiments: ExperimentLog
    log: Callable[[str], None]
    minutes: float | None = None  # budget of a call
    steps: int | None = None  # updates in all; the recipe's by default
    target: Path | None = None  # the folder of the model; by default the result becomes a version in the registry
    is_trial: bool = False  # try the code on a sliver of the data, and keep nothing
    workers: int = 1  # processes that train together
    executor: Executor | None = None  # of the cluster on which all but the first of them work

    def train(
        self,
        model: str,
        recipe: Callable[..., dict[str, Any]],
        *,
        data: Path,
        run: str = "",
        given: Mapping[str, Any] | None = None,
        asked: Mapping[str, Any] | None = None,
        trained_on: str = "",
    ) -> TrainedModel:
        """Train a model, or continue a stopped training.

        Args:
            model: its name in the registry.
            recipe: the function that trains, called with folder, out, minutes, steps, limit and log.
            data: the folder of data, for the record; the recipe gets it with `given`.
            run: the training's folder below that of the model.
            given: further arguments of the recipe.
            asked: what the record is to say beside minutes and steps.
            trained_on: what the version is to say of its data; the folder's name by default.

        Raises:
            InputError: the same training runs already, or its recipe is not one for several workers.
            DiskError: the record cannot be written.
        """
        given = given or {}
        if self.workers > 1 and "workers" not in inspect.signature(recipe).parameters:
            raise UsageError(f"one process trains the {model}; leave --workers out")
        if self.is_trial:
            return self._try_out(model, recipe, given)
        folder = self.home / "train" / model / run
        path = self.target or folder / "model"
        settings = {**(asked or {}), "minutes": self.minutes, "steps": self.steps, "workers": self.workers}
        with self.experiments.record(model, data=data, run=folder, settings=settings) as experiment:
            options = {"out": path, "minutes": self.minutes, "steps": self.steps, "limit": None}
            metrics = self._run(recipe, given, folder=folder, **options)
            experiment.finish(path, metrics)
        if self.target is not None:
            return TrainedModel(path=path, metrics=metrics)
        version = self.registry.register(
            model, path, metrics=metrics, data=trained_on or readable_name(data), record=experiment.folder
        )
        experiment.registered(version.name)
        return TrainedModel(path=self.registry.folder(model, version.name), metrics=metrics, version=version.name)

    def _run(self, recipe: Callable[..., dict[str, Any]], given: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        if self.workers == 1:
            return recipe(**given, **options, log=self.log)
        from auria_bot.services.models.distributed_training import DistributedTraining

        group = DistributedTraining(size=self.workers, log=self.log, executor=self.executor)
        return group.train(recipe.__module__, given, **options)

    def _try_out(self, model: str, recipe: Callable[..., dict[str, Any]], given: Mapping[str, Any]) -> TrainedModel:
        minutes, steps = self.minutes or TRIAL_MINUTES, self.steps or TRIAL_STEPS
        self.log(
            f"a trial of the code: at most {steps} steps or {minutes:g} min of training on {TRIAL_ITEMS} items of the"
            " data; no model, version or training in progress is touched"
        )
        folder = self.home / "train" / "trial" / model
        shutil.rmtree(folder, ignore_errors=True)
        try:
            options = {"out": folder / "model", "minutes": minutes, "steps": steps, "limit": TRIAL_ITEMS}
            metrics = self._run(recipe, given, folder=folder, **options)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return TrainedModel(path=folder / "model", metrics=metrics, is_trial=True)
