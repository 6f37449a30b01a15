"""Training and evaluating models: `train` and `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.terminal.console import echo, note, out, print_json, table
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from auria_bot.services.models.training import RetrainingResult

__all__ = ["evaluate", "metric_rows", "train"]


def train(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="poet | painter | captioner | haiku-lm")],
    data: Annotated[
        Path | None, typer.Option("--data", help="The folder of training data. Default: the setting `data`.")
    ] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", min=0.01, help="Save and stop after this time.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Updates in all. Default: the recipe's.")] = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="The folder of the model. Default: models/MODEL in the home.")
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option("--corpus", metavar="VERSION", help="Train the poet on a version of your corpus, or on newest."),
    ] = None,
    if_grown: Annotated[
        str | None,
        typer.Option(
            "--if-grown", metavar="10%", help="Only if the version is larger than the last trained one by this share."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a model, or continue a stopped training.

    Needs auria-bot[torch] and a folder of data. A poet trained on a version of the corpus is compared with the one in
    service on the same poems, and replaces it only when it is better.
    """
    from auria_bot.services.models import training
    from auria_bot.settings.loading import load

    if corpus is not None or if_grown is not None:
        if model != "poet":
            raise InputError(f"the corpus is verse and trains the poet, not the {model[:40]}; leave --corpus out")
        if target is not None:
            raise InputError("--out cannot be combined with --corpus: a better poet replaces the one in service")
        _print_retraining(
            _retrain(corpus or "newest", if_grown, data=data, minutes=minutes, steps=steps), as_json=as_json
        )
        return
    done = training.train(load(), model, data=data, minutes=minutes, steps=steps, target=target, log=note)
    if as_json:
        print_json({"model": model, "path": str(done.path), "metrics": done.metrics})
    else:
        _print_metrics(done.metrics)
        echo(f"the model is in {done.path}")
    if target is None:
        note(f"to use it, set AURIA_MODELS={done.path.parent}, or models in auria.toml")


def _retrain(
    version: str, if_grown: str | None, *, data: Path | None, minutes: float | None, steps: int | None
) -> RetrainingResult:
    """Train the poet on a version of the corpus."""
    from auria_bot.cli.app_context import app_context
    from auria_bot.services.models import training
    from auria_bot.services.models.training import share_of

    least = share_of(if_grown) if if_grown is not None else None
    recipe, comparison = training.recipe("poet"), training.comparison()
    with app_context() as app:
        return app.poet_retrainer(recipe=recipe, comparison=comparison, report=note).retrain(
            version, data=data or app.settings.data, minutes=minutes, steps=steps, least=least
        )


def _print_retraining(done: RetrainingResult, *, as_json: bool) -> None:
    if as_json:
        print_json(done.to_json())
    elif done.trained:
        _print_metrics(done.figures)
        echo(f"{'now in service' if done.replaced else 'not in service'}: {done.path}")


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="poet | painter | captioner | haiku-lm | stylist")],
    data: Annotated[
        Path | None, typer.Option("--data", help="The folder of test data. Default: the setting `data`.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--model", help="The model's folder. Default: the one in service.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Evaluate a model on the test split of the data."""
    from auria_bot.services.models import training
    from auria_bot.settings.loading import load

    metrics = training.evaluate(load(), model, data=data, folder=folder)
    if as_json:
        print_json({"model": model, "metrics": metrics})
    else:
        _print_metrics(metrics)


def _print_metrics(metrics: dict[str, Any]) -> None:
    out().print(table("", ("metric", "value"), metric_rows(metrics)))


def metric_rows(metrics: dict[str, Any], path: str = "") -> list[tuple[str, str]]:
    """Every metric by its name; those of a nested table with the table's name before theirs."""
    rows = []
    for name, value in metrics.items():
        if isinstance(value, dict):
            rows += metric_rows(value, f"{path}{name} ")
        else:
            rows.append((f"{path}{name}", f"{value:.4g}" if isinstance(value, float) else str(value)))
    return rows
