"""Training the poet on a version of the corpus: she takes the place of the one in service only when she is better.

Knows folders and what is told; does not know how a poet is trained or measured.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.cli.terminal.console import note
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.corpus.versions import CorpusVersion

__all__ = ["Outcome", "grown", "share_of", "succeed"]

_TRIED = "tried.json"  # which version was trained on last, whatever came of it
_VERSE = (
    "haiku_public_domain.jsonl.zst",
    "pd_poetry.jsonl.zst",
)  # read before the haiku, where the folder of data has them


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    corpus: str  # the version's name
    trained: bool
    replaced: bool = False
    path: str = ""  # where the new model lies
    figures: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "model": "poet",
            "corpus": self.corpus,
            "trained": self.trained,
            "replaced": self.replaced,
            "path": self.path,
            **self.figures,
        }


def share_of(text: str) -> float:
    """What `--if-grown` says: "10%" or "0.1" is a tenth.

    Raises:
        InputError: it is no share.
    """
    found = re.fullmatch(r"\s*(\d{1,4}(?:\.\d{1,4})?)\s*(%?)\s*", text)
    if not found:
        raise InputError(f"--if-grown cannot be {text[:20]!r}; write 10% or 0.1")
    return float(found[1]) / (100 if found[2] else 1)


def grown(folder: Path, in_service: Path, edition: CorpusVersion) -> float | None:
    """By what share a version has more verses than the one that was trained on last; None where nobody knows that one.

    Args:
        folder: where poets are trained on versions.
        in_service: the model in service.
        edition: the version.
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
    if any(one["name"] == edition.name for one in known):
        return 0.0
    most: int = max(1, *(one["verses"] for one in known))
    return edition.verses / most - 1


def succeed(
    app: Application,
    version: str,
    *,
    recipe: Any,
    judge: Any,
    data: Path | None,
    minutes: float | None,
    steps: int | None,
    least: float | None,
) -> Outcome:
    """Train on a version, measure beside the poet in service, and put her in its place when she is better.

    Args:
        app: settings and versions.
        version: the version's name, or "newest".
        recipe: the module that trains.
        judge: the module that compares.
        data: a folder whose other verse is read before the haiku.
        minutes: budget of this sitting; the same command goes on.
        steps: updates in all.
        least: train only where the version is larger by this share than the one that was trained on last.

    Raises:
        NotFound: there is no such version, or its file is gone.
        ModelError: the model in service cannot be used.
    """
    edition = app.press.find(version)
    verses = app.press.file(edition)
    folder, in_service = app.settings.home / "train" / "poet-corpus", app.settings.models_folder / "poet"
    more = grown(folder, in_service, edition)
    if least is not None and more is not None and more < least:
        note(f"{edition.name} has {more:+.1%} verses; nothing is trained below {least:+.1%}")
        return Outcome(corpus=edition.name, trained=False, figures={"grown": round(more, 4)})
    own = folder / edition.name
    gathered = _gathered(own / "data", verses, data)
    corpus = {"name": edition.name, "verses": edition.verses, "sha256": edition.sha256}
    recipe.train(
        data=gathered, folder=own / "run", out=own / "model", minutes=minutes, steps=steps, log=note, corpus=corpus
    )
    note("measuring her beside the one in service")
    found = judge.compare(data=gathered, candidate=own / "model", incumbent=in_service)
    (folder / _TRIED).write_text(json.dumps({**corpus, "better": found.better}, indent=2) + "\n", encoding="utf-8")
    figures = {
        "grown": None if more is None else round(more, 4),
        "candidate": round(found.candidate, 2),
        "incumbent": round(found.incumbent, 2),
        "test_haiku": found.poems,
    }
    if not found.better:
        note(f"she is not better ({found.candidate:.1f} against {found.incumbent:.1f}); the one in service stays")
        return Outcome(corpus=edition.name, trained=True, path=str(own / "model"), figures=figures)
    place = _replace(app, own / "model")
    return Outcome(corpus=edition.name, trained=True, replaced=True, path=str(place), figures=figures)


def _gathered(folder: Path, verses: Path, data: Path | None) -> Path:
    """A folder of data with the version's haiku, and the other verse where there is any."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in (verses, *(data / name for name in _VERSE if data is not None)):
        if source.is_file() and not (folder / source.name).exists():
            shutil.copyfile(source, folder / f".{source.name}")
            (folder / f".{source.name}").replace(folder / source.name)
    return folder


def _replace(app: Application, model: Path) -> Path:
    """Put a model in the place of the one in service, which is kept beside it; what came with the program is never changed."""
    from auria_bot.settings.locations import shipped

    models = app.settings.models_folder
    if models == shipped("models"):
        models = app.settings.home / "models"
        models.mkdir(parents=True, exist_ok=True)
        for one in sorted(app.settings.models_folder.iterdir()):
            if one.is_dir() and one.name != "poet" and not (models / one.name).exists():
                shutil.copytree(one, models / one.name)
        note(f"to work with her, set AURIA_MODELS={models}, or models in auria.toml")
    place, fresh, before = models / "poet", models / ".poet.new", models / ".poet.before"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(model, fresh)
    shutil.rmtree(before, ignore_errors=True)
    if place.exists():
        place.rename(before)
    fresh.rename(place)
    return place
