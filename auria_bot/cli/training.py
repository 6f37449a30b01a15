"""Training and measuring the models: `train` and `evaluate`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.console import note
from auria_bot.errors import BackendMissing, InputError, NotFound, UnknownName

if TYPE_CHECKING:
    from auria_bot.settings import Settings

__all__ = ["EVALUATED", "TRAINED", "evaluate", "train"]

TRAINED = ("poet", "painter", "captioner")
EVALUATED = (*TRAINED, "stylist")


def train(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=" | ".join(TRAINED))],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="The folder of training data; the setting `data` by default."),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0.01, help="Stop, saved, after so long.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Updates in all; the recipe's by default.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="Where the model goes; models/MODEL in the home by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a model, or go on with a stopped training.

    Needs auria-bot[torch] and a folder of data.
    """
    from auria_bot.cli.console import print_json
    from auria_bot.settings import load

    settings = load()
    recipe = _module(model, TRAINED, "training")
    out = target or settings.home / "models" / model
    metrics = recipe.train(
        data=_data(data, settings),
        folder=settings.home / "train" / model,
        out=out,
        minutes=minutes,
        steps=steps,
        log=note,
    )
    if as_json:
        print_json({"model": model, "path": str(out), "metrics": metrics})
    else:
        _print_metrics(metrics)
        typer.echo(f"the model lies in {out}")


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=" | ".join(EVALUATED))],
    data: Annotated[
        Path | None, typer.Option("--data", help="The folder of test data; the setting `data` by default.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--model", help="The model's folder; the one in use by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a model on the test split of the data."""
    from auria_bot.cli.console import print_json
    from auria_bot.settings import load

    settings = load()
    judge = _module(model, EVALUATED, "evaluation" if model == "stylist" else "training")
    metrics = judge.evaluate(data=_data(data, settings), model=folder or settings.models_folder / model)
    if as_json:
        print_json({"model": model, "metrics": metrics})
    else:
        _print_metrics(metrics)


def _module(model: str, known: tuple[str, ...], package: str) -> Any:
    if model not in known:
        raise UnknownName(f"no model named {model[:40]!r} here; known: {', '.join(known)}")
    try:
        return import_module(f"auria_bot.art.{package}.{model}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("auria_bot"):
            raise
        raise BackendMissing(
            f"this needs the package {error.name!r}; try: pip install 'auria-bot[torch]'"
        ) from error


def _data(given: Path | None, settings: Settings) -> Path:
    folder = given or settings.data
    if folder is None:
        raise InputError("name the folder of data: auria train MODEL --data DIR, or set `data` (AURIA_DATA)")
    if not folder.is_dir():
        raise NotFound(f"{folder} is not a folder; name the folder of data with --data DIR")
    return folder.absolute()


def _print_metrics(metrics: dict[str, Any]) -> None:
    from auria_bot.cli.console import out, table

    rows = (
        (name, f"{value:.4g}" if isinstance(value, float) else str(value)) for name, value in metrics.items()
    )
    out().print(table("", ("figure", "value"), rows))
