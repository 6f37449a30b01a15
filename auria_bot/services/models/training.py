"""Training a model with its recipe, and evaluating one on the test split of the data."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from auria_bot.errors import BackendMissing, InputError, NotFound, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auria_bot.settings.schema import Settings

__all__ = ["EVALUATED", "TRAINED", "TrainedModel", "comparison", "evaluate", "recipe", "train"]

TRAINED = ("poet", "painter", "captioner")
"""The models that have a recipe."""

EVALUATED = (*TRAINED, "stylist")
"""The models that can be evaluated."""

_SCENES = 40  # test pictures of the stylist's evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A model that was trained."""

    path: Path
    metrics: dict[str, Any]


def train(
    settings: Settings,
    model: str,
    *,
    data: Path | None,
    minutes: float | None,
    steps: int | None,
    target: Path | None,
    log: Callable[[str], None],
) -> TrainedModel:
    """Train a model, or continue a stopped training.

    Args:
        settings: name the home, the data and the other models.
        model: one of `TRAINED`.
        data: the folder of training data; that of the settings by default.
        minutes: budget of this call.
        steps: updates in all; the recipe's by default.
        target: the folder of the model; by default models/MODEL in the home, with the other models copied beside it.
        log: called with messages on the progress.

    Raises:
        UnknownName: there is no such model.
        BackendMissing: a package for training is not installed.
        InputError, NotFound: there is no folder of data.
    """
    module = recipe(model)
    path = target or settings.home / "models" / model
    metrics = module.train(
        data=_data(data, settings),
        folder=settings.home / "train" / model,
        out=path,
        minutes=minutes,
        steps=steps,
        log=log,
    )
    if target is None:
        _complete(path.parent, settings)
    return TrainedModel(path=path, metrics=metrics)


def evaluate(settings: Settings, model: str, *, data: Path | None, folder: Path | None) -> dict[str, Any]:
    """The metrics of a model on the test split.

    Args:
        settings: name the data and the models in service.
        model: one of `EVALUATED`.
        data: the folder of test data; that of the settings by default.
        folder: the model's folder; the one in service by default.

    Raises:
        UnknownName: there is no such model.
        BackendMissing: a package for evaluation is not installed.
        InputError, NotFound: there is no folder of data.
    """
    place = folder or settings.models_folder / model
    where = _data(data, settings)
    if model == "stylist":
        return _evaluate_stylist(where, place.parent)
    # Some models are evaluated by a module of their own, the others beside their recipe.
    module = _module(model, EVALUATED, "training")
    if not hasattr(module, "evaluate"):
        module = _module(model, EVALUATED, "evaluation")
    metrics: dict[str, Any] = module.evaluate(data=where, model=place)
    return metrics


def recipe(model: str) -> Any:
    """The module that trains a model; raises as `train` does."""
    return _module(model, TRAINED, "training")


def comparison() -> Any:
    """The module that compares two poets."""
    return _module("poet_comparison", ("poet_comparison",), "evaluation")


def _evaluate_stylist(data: Path, models: Path) -> dict[str, Any]:
    from auria_bot.art.evaluation import stylist
    from auria_bot.art.real_esrgan import RealEsrgan
    from auria_bot.art.stylists.magenta import Magenta

    made, enlarger = Magenta(Magenta.Config(), models), RealEsrgan(RealEsrgan.Config(), models)
    pictures = stylist.pictures_of(data, _SCENES)
    modes = ("painterly", "photorealistic")
    return {mode: asdict(stylist.evaluate(made, enlarger, pictures, mode=mode)) for mode in modes}


def _complete(folder: Path, settings: Settings) -> None:
    """Copy the other models beside one that was trained, so that the folder can be put in service."""
    for one in sorted(settings.models_folder.iterdir()):
        target = folder / one.name
        if one.is_dir() and not target.exists():
            shutil.copytree(one, target)


def _module(model: str, known: tuple[str, ...], package: str) -> Any:
    if model not in known:
        raise UnknownName(f"no model named {model[:40]!r} here; known: {', '.join(known)}")
    try:
        return import_module(
            f"auria_bot.art.training.{model}.train" if package == "training" else f"auria_bot.art.evaluation.{model}"
        )
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("auria_bot"):
            raise
        raise BackendMissing(f"this needs the package {error.name!r}; try: pip install 'auria-bot[torch]'") from error


def _data(given: Path | None, settings: Settings) -> Path:
    folder = given or settings.data
    if folder is None:
        raise InputError("name the folder of data: auria train MODEL --data DIR, or set `data` (AURIA_DATA)")
    if not folder.is_dir():
        raise NotFound(f"{folder} is not a folder; name the folder of data with --data DIR")
    return folder.absolute()
