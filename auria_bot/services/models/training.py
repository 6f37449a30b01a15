"""Training a model with its recipe, evaluating one on the test split of the data, and retraining the poet."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from auria_bot.errors import BackendMissing, NotFound, UnknownName, UsageError
from auria_bot.files import atomic_path, write_json
from auria_bot.services.models.catalogue import numbers_of
from auria_bot.services.models.versions import compared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from auria_bot.corpus.verses import CorpusVersion
    from auria_bot.services.corpus.corpus_versions import VersionBuilder
    from auria_bot.services.models.experiments import ExperimentLog
    from auria_bot.services.models.trainer import TrainedModel, Trainer
    from auria_bot.services.models.versions import ModelRegistry
    from auria_bot.settings.schema import Settings

__all__ = [
    "EVALUATED",
    "TRAINED",
    "PoetRetrainer",
    "RetrainingResult",
    "captioner_ratings",
    "comparison",
    "data_folder",
    "evaluate",
    "evaluate_two",
    "growth",
    "imported",
    "recipe",
    "share_of",
    "train",
]


TRAINED = ("poet", "painter", "captioner", "haiku-lm", "film")
"""The models that have a recipe."""

EVALUATED = ("poet", "painter", "captioner", "haiku-lm", "stylist")
"""The models that can be evaluated."""

_SCENES = 40  # test pictures of the stylist's evaluation


def train(settings: Settings, model: str, trainer: Trainer, *, data: Path | None) -> TrainedModel:
    """Train a model, or continue a stopped training.

    Args:
        model: one of `TRAINED`.
        data: the folder of training data; that of the settings by default.

    Raises:
        UnknownName: there is no such model.
        BackendMissing: a package for training is not installed.
        InputError, NotFound: there is no folder of data, or the model is being trained already.
    """
    module, where = recipe(model), data_folder(data, settings, f"train {model}")
    return trainer.train(model, module.train, data=where, given={"data": where})


def evaluate(
    settings: Settings,
    model: str,
    *,
    data: Path | None,
    folder: Path | None,
    log: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """The metrics of a model on the test split.

    By default with the data of the settings, and the model in service; `log` is told how far it is.

    Raises:
        UnknownName: there is no such model.
        BackendMissing: a package for evaluation is not installed.
        UsageError, NotFound: there is no folder of data.
    """
    place = folder or settings.models_folder / model
    _check_known(model, EVALUATED)
    where = data_folder(data, settings, f"evaluate {model}")
    if model == "stylist":
        return _evaluate_stylist(where, place.parent, log)
    log(f"evaluating the {model} in {place} on the test split of {where}")
    # Some models are evaluated by a module of their own, the others beside their recipe.
    module = _module(model, EVALUATED, "training")
    if not hasattr(module, "evaluate"):
        module = _module(model, EVALUATED, "evaluation")
    metrics: dict[str, Any] = module.evaluate(data=where, model=place)
    return metrics


def evaluate_two(
    settings: Settings,
    model: str,
    folders: Sequence[Path],
    *,
    data: Path | None,
    log: Callable[[str], None] = lambda _: None,
) -> dict[str, tuple[float | None, float | None]]:
    """Every figure of two models on one test split, by name; None where one lacks it. Raises as `evaluate` does."""
    first, second = (
        dict(numbers_of(evaluate(settings, model, data=data, folder=folder, log=log))) for folder in folders
    )
    return compared(first, second)


def recipe(model: str) -> Any:
    """The module that trains a model; raises as `train` does."""
    return _module(model, TRAINED, "training")


def captioner_ratings() -> Any:
    """The module that trains the captioner with ratings; raises as `train` does."""
    return imported("auria_bot.art.training.captioner.ratings")


def comparison() -> Any:
    """The module that compares two poets."""
    return _module("poet", EVALUATED, "evaluation")


def _evaluate_stylist(data: Path, models: Path, log: Callable[[str], None]) -> dict[str, Any]:
    from auria_bot.art.evaluation import stylist
    from auria_bot.art.real_esrgan import RealEsrgan
    from auria_bot.art.stylists.magenta import Magenta

    made, enlarger = Magenta(Magenta.Config(), models), RealEsrgan(RealEsrgan.Config(), models)
    pictures = stylist.pictures_of(data, _SCENES)
    modes = ("painterly", "photorealistic")
    return {mode: asdict(stylist.evaluate(made, enlarger, pictures, mode=mode, log=log)) for mode in modes}


def _check_known(model: str, known: tuple[str, ...]) -> None:
    if model not in known:
        other = "style" if known == TRAINED else "film-NAME"  # whose commands take other options
        raise UnknownName(f"no model named {model[:40]!r} here; known: {', '.join((*known, other))}")


def _module(model: str, known: tuple[str, ...], package: str) -> Any:
    _check_known(model, known)
    name = model.replace("-", "_")
    return imported(
        f"auria_bot.art.training.{name}.train" if package == "training" else f"auria_bot.art.evaluation.{name}"
    )


def imported(module: str) -> Any:
    """A module of this program that needs packages of an extra.

    Raises:
        BackendMissing: one of them is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("auria_bot"):
            raise
        raise BackendMissing(f"this needs the package {error.name!r}; try: pip install 'auria-bot[torch]'") from error


def data_folder(given: Path | None, settings: Settings, command: str) -> Path:
    """The folder of data that a command was given, or that of the settings.

    Raises:
        UsageError, NotFound: there is none.
    """
    folder = given or settings.data
    if folder is None:
        raise UsageError(f"name the folder of data: auria {command} --data DIR, or set `data` (AURIA_DATA)")
    if not folder.is_dir():
        raise NotFound(f"{folder} is not a folder; name the folder of data with --data DIR")
    return folder.absolute()


_TRIED = "tried.json"  # the version that was trained on last, whatever the result
_VERSE = ("haiku_public_domain.jsonl.zst", "pd_poetry.jsonl.zst")  # read before the haiku, where the data have them


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainingResult:
    """What a retraining came to."""

    corpus: str  # the version's name
    trained: bool
    replaced: bool = False
    path: str = ""  # the new model's folder
    figures: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The result, ready for JSON."""
        return {
            "model": "poet",
            "corpus": self.corpus,
            "trained": self.trained,
            "replaced": self.replaced,
            "path": self.path,
            **self.figures,
        }


def share_of(text: str) -> float:
    """A share given as "10%" or "0.1".

    Raises:
        UsageError: it is neither.
    """
    found = re.fullmatch(r"\s*(\d{1,4}(?:\.\d{1,4})?)\s*(%?)\s*", text)
    if not found:
        raise UsageError(f"invalid share {text[:20]!r} for --if-grown; write 10% or 0.1")
    return float(found[1]) / (100 if found[2] else 1)


def growth(folder: Path, in_service: Path, version: CorpusVersion) -> float | None:
    """By what share a version is larger than the one that was trained on last; None when that one is not known.

    A training that was cut by its limit does not count, so that the next call goes on with it.
    """
    known: list[dict[str, Any]] = []
    for file, keys in ((folder / _TRIED, ()), (in_service / "config.json", ("training", "corpus"))):
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            if keys and _is_cut(in_service):
                continue
            for key in keys:
                found = found[key]
            known.append({"name": str(found["name"]), "verses": int(found["verses"])})
        except (OSError, ValueError, KeyError, TypeError):
            continue
    if not known:
        return None
    if any(one["name"] == version.name for one in known):
        return 0.0
    most: int = max(1, *(one["verses"] for one in known))
    return version.verses / most - 1


def _is_cut(model: Path) -> bool:
    """Whether the training of a model has updates left, by its config.json."""
    try:
        training = json.loads((model / "config.json").read_text(encoding="utf-8"))["training"]
        return int(training["steps"]) < int(training["of"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _note_tried(folder: Path, model: Path, version: Mapping[str, Any]) -> None:
    """Note the version of the corpus that a model was trained on, once it is trained to the end."""
    if not _is_cut(model):
        write_json(folder / _TRIED, dict(version), pretty=True)


class PoetRetrainer:
    """Trains the poet on a version of the corpus, and puts it in service when it is better than the one there.

    Usage::

        result = retrainer.retrain("newest", data=None, minutes=60, steps=None, least=0.1)
    """

    def __init__(
        self,
        *,
        settings: Settings,
        versions: VersionBuilder,
        registry: ModelRegistry,
        experiments: ExperimentLog,
        recipe: Any,
        comparison: Any,
        report: Callable[[str], None],
    ) -> None:
        """`recipe` and `comparison` are modules with `train` and `compare`; `report` is called with messages."""
        self._settings, self._versions, self._registry, self._report = settings, versions, registry, report
        self._recipe, self._comparison, self._experiments = recipe, comparison, experiments

    def retrain(
        self, name: str, *, data: Path | None, minutes: float | None, steps: int | None, least: float | None
    ) -> RetrainingResult:
        """Train on a version and replace the poet in service when the new one is better.

        Args:
            name: the version's name, or "newest".
            data: a folder with other verse that is read before the haiku.
            minutes: budget of this call; the same call continues a stopped training.
            steps: updates in all.
            least: train only when the version is larger by this share than the one that was trained on last.

        Raises:
            NotFound: there is no such version, or its file is gone.
            ModelError: the model in service cannot be used.
        """
        version = self._versions.find(name)
        verses = self._versions.file(version)
        before = self._registry.promoted("poet")
        folder, in_service = self._settings.home / "train" / "poet-corpus", self._registry.folder("poet", before)
        more = growth(folder, in_service, version)
        if least is not None and more is not None and more < least:
            self._report(f"{version.name} has {more:+.1%} verses; training needs {least:+.1%}")
            return RetrainingResult(corpus=version.name, trained=False, figures={"grown": round(more, 4)})
        own = folder / version.name
        gathered = _gathered(own / "data", verses, data)
        corpus = {"name": version.name, "verses": version.verses, "sha256": version.sha256}
        asked = {"minutes": minutes, "steps": steps, "corpus": version.name}
        with self._experiments.record("poet", data=gathered, run=own / "run", settings=asked) as experiment:
            self._recipe.train(
                data=gathered,
                folder=own / "run",
                out=own / "model",
                minutes=minutes,
                steps=steps,
                log=self._report,
                corpus=corpus,
            )
            self._report("comparing the new poet with the one in service")
            found = self._comparison.compare(data=gathered, candidate=own / "model", incumbent=in_service)
            figures = {
                "grown": None if more is None else round(more, 4),
                "candidate": round(found.candidate, 2),
                "incumbent": round(found.incumbent, 2),
                "test_haiku": found.poems,
                "candidate_fit": round(found.candidate_fit, 3),
                "incumbent_fit": round(found.incumbent_fit, 3),
            }
            experiment.finish(own / "model", figures)
        _note_tried(folder, own / "model", {**corpus, "better": found.better})
        named = f"version {version.name} of the corpus, {version.verses:,} verses"
        made = self._registry.register("poet", own / "model", metrics=figures, data=named, record=experiment.folder)
        experiment.registered(made.name)
        place = str(self._registry.folder("poet", made.name))
        if not found.better:
            self._report(_refusal(found))
            return RetrainingResult(corpus=version.name, trained=True, path=place, figures=figures)
        self._registry.promote("poet", made.name, instead_of=before)
        return RetrainingResult(corpus=version.name, trained=True, replaced=True, path=place, figures=figures)


def _refusal(found: Any) -> str:
    """Why a new poet does not take the place of the one in service."""
    return (
        f"the new poet is not better (perplexity {found.candidate:.1f}, in service {found.incumbent:.1f};"
        f" poems that are fit {found.candidate_fit:.0%}, in service {found.incumbent_fit:.0%}); nothing was replaced"
    )


def _gathered(folder: Path, verses: Path, data: Path | None) -> Path:
    """A folder of data with the version's haiku, and the other verse where there is any."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in (verses, *(data / name for name in _VERSE if data is not None)):
        if source.is_file() and not (folder / source.name).exists():
            with atomic_path(folder / source.name) as scratch:
                shutil.copyfile(source, scratch)
    return folder
