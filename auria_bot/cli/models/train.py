"""Training and measuring the models: `train` and `evaluate`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.terminal.console import note
from auria_bot.errors import BackendMissing, InputError, NotFound, UnknownName

if TYPE_CHECKING:
    from auria_bot.settings.schema import Settings

__all__ = ["EVALUATED", "TRAINED", "evaluate", "train"]

TRAINED = ("poet", "painter", "captioner")
EVALUATED = (*TRAINED, "stylist")


def train(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=" | ".join(TRAINED))],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="The folder of training data; the setting `data` by default."),
    ] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", min=0.01, help="Stop, saved, after so long.")] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Updates in all; the recipe's by default.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="Where the model goes; models/MODEL in the home by default.")
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option(
            "--corpus", metavar="VERSION", help="Train the poet on a version of your corpus; newest for the newest."
        ),
    ] = None,
    if_grown: Annotated[
        str | None,
        typer.Option(
            "--if-grown", metavar="10%", help="Only where the version is so much larger than the last one trained on."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a model, or go on with a stopped training.

    Needs auria-bot[torch] and a folder of data. A poet trained on a version of the corpus is measured beside the one in service, on
    the same poems, and takes its place only when she is better.
    """
    from auria_bot.cli.terminal.console import print_json
    from auria_bot.settings.loading import load

    if corpus is not None or if_grown is not None:
        _train_on_corpus(
            model, corpus or "newest", if_grown, data=data, minutes=minutes, steps=steps, target=target, as_json=as_json
        )
        return
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
    if target is None:
        _complete(out.parent, settings)
        note(f"to work with it, set AURIA_MODELS={out.parent}, or models in auria.toml")


def _train_on_corpus(
    model: str,
    corpus: str,
    if_grown: str | None,
    *,
    data: Path | None,
    minutes: float | None,
    steps: int | None,
    target: Path | None,
    as_json: bool,
) -> None:
    """Train the poet on a version, and put her in service when she is better."""
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.models.retraining import share_of, succeed
    from auria_bot.cli.terminal.console import print_json

    if model != "poet":
        raise InputError(f"the corpus is verse: it trains the poet, not the {model[:40]}; leave --corpus out")
    if target is not None:
        raise InputError("--out does not go with --corpus: the better poet takes the place of the one in service")
    least = share_of(if_grown) if if_grown is not None else None
    recipe, judge = _module(model, TRAINED, "training"), _module("poet_comparison", ("poet_comparison",), "evaluation")
    with app_context() as app:
        done = succeed(
            app,
            corpus,
            recipe=recipe,
            judge=judge,
            data=data or app.settings.data,
            minutes=minutes,
            steps=steps,
            least=least,
        )
    if as_json:
        print_json(done.to_json())
    elif done.trained:
        _print_metrics(done.figures)
        typer.echo(f"{'in service now' if done.replaced else 'kept aside'}: {done.path}")


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
    from auria_bot.cli.terminal.console import print_json
    from auria_bot.settings.loading import load

    settings = load()
    where = _data(data, settings)
    if model == "stylist":
        metrics = _stylist(where, (folder or settings.models_folder / model).parent)
    else:
        # A model is measured by its own evaluation where it has one, else beside its recipe.
        judge = _module(model, EVALUATED, "training")
        if not hasattr(judge, "evaluate"):
            judge = _module(model, EVALUATED, "evaluation")
        metrics = judge.evaluate(data=where, model=folder or settings.models_folder / model)
    if as_json:
        print_json({"model": model, "metrics": metrics})
    else:
        _print_metrics(metrics)


def _stylist(data: Path, models: Path) -> dict[str, Any]:
    """The stylist's figures in both its modes, over scenes of the test split."""
    from dataclasses import asdict

    from auria_bot.art.evaluation import stylist
    from auria_bot.art.real_esrgan import RealEsrgan
    from auria_bot.art.stylists.magenta import Magenta

    made, enlarger = Magenta(Magenta.Config(), models), RealEsrgan(RealEsrgan.Config(), models)
    pictures = stylist.pictures_of(data, 40)
    modes = ("painterly", "photorealistic")
    return {mode: asdict(stylist.evaluate(made, enlarger, pictures, mode=mode)) for mode in modes}


def _complete(folder: Path, settings: Settings) -> None:
    """Put the other models beside one that was trained, so that the folder can be worked with."""
    import shutil

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


def _print_metrics(metrics: dict[str, Any]) -> None:
    from auria_bot.cli.terminal.console import out, table

    out().print(table("", ("figure", "value"), _rows(metrics)))


def _rows(metrics: dict[str, Any], path: str = "") -> list[tuple[str, str]]:
    """Every figure by its name; those of a table within the table have its name before theirs."""
    rows = []
    for name, value in metrics.items():
        if isinstance(value, dict):
            rows += _rows(value, f"{path}{name} ")
        else:
            rows.append((f"{path}{name}", f"{value:.4g}" if isinstance(value, float) else str(value)))
    return rows
