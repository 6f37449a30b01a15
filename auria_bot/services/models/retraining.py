"""Training the poet on a version of the corpus; the new model replaces the one in service only when it is better."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auria_bot.corpus.versions import CorpusVersion
    from auria_bot.services.corpus.corpus_versions import VersionBuilder
    from auria_bot.settings.schema import Settings

__all__ = ["PoetRetrainer", "RetrainingResult", "growth", "share_of"]

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
        InputError: it is neither.
    """
    found = re.fullmatch(r"\s*(\d{1,4}(?:\.\d{1,4})?)\s*(%?)\s*", text)
    if not found:
        raise InputError(f"invalid share {text[:20]!r} for --if-grown; write 10% or 0.1")
    return float(found[1]) / (100 if found[2] else 1)


def growth(folder: Path, in_service: Path, version: CorpusVersion) -> float | None:
    """By what share a version is larger than the one that was trained on last; None when that one is not known.

    Args:
        folder: where poets are trained on versions.
        in_service: the folder of the model in service.
        version: the version.
    """
    known: list[dict[str, Any]] = []
    for file, keys in ((folder / _TRIED, ()), (in_service / "config.json", ("training", "corpus"))):
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
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
        recipe: Any,
        comparison: Any,
        report: Callable[[str], None],
    ) -> None:
        """Set what the service works with.

        Args:
            settings: name the home and the models folder.
            versions: the versions of the corpus.
            recipe: the module that trains (`art.training.poet.train`).
            comparison: the module that compares (`art.evaluation.poet_comparison`).
            report: called with messages on the progress.
        """
        self._settings, self._versions, self._report = settings, versions, report
        self._recipe, self._comparison = recipe, comparison

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
        folder, in_service = self._settings.home / "train" / "poet-corpus", self._settings.models_folder / "poet"
        more = growth(folder, in_service, version)
        if least is not None and more is not None and more < least:
            self._report(f"{version.name} has {more:+.1%} verses; training needs {least:+.1%}")
            return RetrainingResult(corpus=version.name, trained=False, figures={"grown": round(more, 4)})
        own = folder / version.name
        gathered = _gathered(own / "data", verses, data)
        corpus = {"name": version.name, "verses": version.verses, "sha256": version.sha256}
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
        (folder / _TRIED).write_text(json.dumps({**corpus, "better": found.better}, indent=2) + "\n", encoding="utf-8")
        figures = {
            "grown": None if more is None else round(more, 4),
            "candidate": round(found.candidate, 2),
            "incumbent": round(found.incumbent, 2),
            "test_haiku": found.poems,
        }
        if not found.better:
            self._report(
                f"the new poet is not better (perplexity {found.candidate:.1f}, in service {found.incumbent:.1f});"
                " nothing was replaced"
            )
            return RetrainingResult(corpus=version.name, trained=True, path=str(own / "model"), figures=figures)
        place = self._replace(own / "model")
        return RetrainingResult(corpus=version.name, trained=True, replaced=True, path=str(place), figures=figures)

    def _replace(self, model: Path) -> Path:
        """Put a model in service; the one before is kept beside it, and the shipped models are never changed."""
        from auria_bot.settings.locations import shipped

        models = self._settings.models_folder
        if models == shipped("models"):
            models = self._settings.home / "models"
            models.mkdir(parents=True, exist_ok=True)
            for one in sorted(self._settings.models_folder.iterdir()):
                if one.is_dir() and one.name != "poet" and not (models / one.name).exists():
                    shutil.copytree(one, models / one.name)
            self._report(f"to use the new poet, set AURIA_MODELS={models}, or models in auria.toml")
        place, fresh, before = models / "poet", models / ".poet.new", models / ".poet.before"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(model, fresh)
        shutil.rmtree(before, ignore_errors=True)
        if place.exists():
            place.rename(before)
        fresh.rename(place)
        return place


def _gathered(folder: Path, verses: Path, data: Path | None) -> Path:
    """A folder of data with the version's haiku, and the other verse where there is any."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in (verses, *(data / name for name in _VERSE if data is not None)):
        if source.is_file() and not (folder / source.name).exists():
            shutil.copyfile(source, folder / f".{source.name}")
            (folder / f".{source.name}").replace(folder / source.name)
    return folder
