"""Training and evaluating models: `train` and `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.app import Json, app_context
from auria_bot.cli.films.training import (
    FootageOption,
    FromOption,
    PlanOption,
    SheetOption,
    SizeOption,
    VggOption,
    evaluate_film,
    train_film,
)
from auria_bot.cli.model_versions import print_comparison
from auria_bot.cli.terminal.console import counted, echo, note, out, print_json, table
from auria_bot.cli.training_watch import watch_training
from auria_bot.errors import UsageError
from auria_bot.execution.parent_watch import report
from auria_bot.services.models.training import share_of

if TYPE_CHECKING:
    from auria_bot.services.models.trainer import TrainedModel

__all__ = [
    "evaluate",
    "metric_rows",
    "print_metrics",
    "print_metrics_of",
    "print_trained",
    "train",
]


Data = Annotated[Path | None, typer.Option("--data", help="The folder of training data. Default: the setting `data`.")]
Minutes = Annotated[
    float | None, typer.Option("--minutes", min=0.01, help="Save and stop after training for this time.")
]
Target = Annotated[
    Path | None, typer.Option("--out", "-o", help="The folder of the model. Default: a new version in the registry.")
]
Corpus = Annotated[
    str | None,
    typer.Option("--corpus", metavar="VERSION", help="Train the poet on a version of your corpus, or on newest."),
]
IfGrown = Annotated[
    str | None,
    typer.Option(
        "--if-grown", metavar="10%", help="Only if the version is larger than the last trained one by this share."
    ),
]
WithRatings = Annotated[
    bool,
    typer.Option("--with-ratings", help="Continue with the captioner in service, on what was thought of it too."),
]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="Updates in all. Default: the recipe's.")]
Painting = Annotated[Path | None, typer.Argument(metavar="PAINTING", help="The picture whose style a network learns.")]
Content = Annotated[
    Path | None,
    typer.Option("--content", metavar="DIR", help="Photographs for a style network. Default: the folder of data."),
]
Name = Annotated[
    str | None, typer.Option("--name", help="What a style is to be called. Default: the painting's title.")
]
Trial = Annotated[
    bool, typer.Option("--debug", help="Try the code for a minute on a sliver of the data; nothing is kept.")
]
Watch = Annotated[
    bool, typer.Option("--watch", help="Train nothing; show figures and curves of the training that runs.")
]
Workers = Annotated[
    int,
    typer.Option(
        "--workers", min=1, max=64, help="Processes that train together; each computes a share of every batch."
    ),
]
StyleWeight = Annotated[
    float | None, typer.Option("--style-weight", min=0.01, max=1000.0, help="Of a style network's strokes. Default: 2.")
]


def train(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="poet | painter | captioner | haiku-lm | style | film; with --watch also style-NAME, film-NAME",
        ),
    ],
    painting: Painting = None,
    data: Data = None,
    minutes: Minutes = None,
    steps: Steps = None,
    target: Target = None,
    corpus: Corpus = None,
    if_grown: IfGrown = None,
    with_ratings: WithRatings = False,
    content: Content = None,
    name: Name = None,
    style_weight: StyleWeight = None,
    footage: FootageOption = None,
    size: SizeOption = None,
    earlier: FromOption = None,
    plan: PlanOption = False,
    debug: Trial = False,
    watch: Watch = False,
    workers: Workers = 1,
    if_rated: Annotated[
        int | None,
        typer.Option("--if-rated", min=1, help="With --with-ratings: only if so many ratings were not learnt yet."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model, or continue a stopped training.

    Needs auria-bot[torch] and a folder of data. `auria train style PAINTING` makes a style like those of auria styles,
    by a network of its own. A film model is trained on footage, until its minutes are over or Ctrl-C is pressed.
    A poet trained on a version of the corpus, and a captioner trained with ratings, are compared with the one in
    service, and promoted only when they are better.
    """
    how = {"minutes": minutes, "steps": steps, "target": target, "is_trial": debug, "workers": workers, "log": note}
    is_corpus = corpus is not None or if_grown is not None
    if watch:
        watch_training(model, as_json=as_json)
        return
    if model == "film" or any(each is not None for each in (footage, size, earlier)) or plan:
        train_film(model, footage, how, size=size, earlier=earlier, plan=plan, as_json=as_json)
        return
    _check_options(model, how, corpus=is_corpus, ratings=with_ratings, if_rated=if_rated)
    if model == "style" or any(each is not None for each in (painting, content, name, style_weight)):
        named = {"content": content or data, "name": name, "style_weight": style_weight}
        _train_style(model, painting, named, how, as_json=as_json)
    elif is_corpus:
        _retrain(corpus or "newest", if_grown, data=data, minutes=minutes, steps=steps, as_json=as_json)
    elif with_ratings:
        _train_with_ratings(data, minutes, steps, least=if_rated or 0, as_json=as_json)
    else:
        _train(model, data, how, as_json=as_json)


def _train(model: str, data: Path | None, how: dict[str, Any], *, as_json: bool) -> None:
    from auria_bot.services.models import training

    with app_context() as app:
        done = training.train(app.settings, model, app.trainer(**how), data=data)
    print_trained(model, done, as_json=as_json)


def _train_style(
    model: str, painting: Path | None, options: dict[str, Any], how: dict[str, Any], *, as_json: bool
) -> None:
    """Train the network of a painting, or continue a stopped training, and say how the style is used.

    Raises:
        UsageError: another model than "style" is named, or no painting.
    """
    from auria_bot.services.models import style_training

    if model != "style":
        raise UsageError(f"PAINTING, --content, --name and --style-weight belong to a style, not to the {model[:40]}")
    if painting is None:
        raise UsageError("name the picture of a painting: auria train style PAINTING")
    with app_context() as app:
        done = style_training.train_style(app.settings, painting, trainer=app.trainer(**how), **options)
    print_trained(done.model, done.trained, as_json=as_json, is_promoted=done.is_promoted)
    if done.is_promoted:
        note(f"to use it: auria make --style {done.style}, or auria restyle ID --style {done.style}")


def _check_options(model: str, how: dict[str, Any], *, corpus: bool, ratings: bool, if_rated: int | None) -> None:
    """Refuse what does not belong together.

    Raises:
        UsageError: the options cannot be combined.
    """
    target = how["target"]
    if if_rated is not None and not ratings:
        raise UsageError("--if-rated counts ratings; give it with --with-ratings")
    if corpus and model != "poet":
        raise UsageError(f"the corpus is verse and trains the poet, not the {model[:40]}; leave --corpus out")
    if ratings and model != "captioner":
        raise UsageError(f"ratings are of captions and train the captioner, not the {model[:40]}")
    if how["workers"] > 1 and (corpus or ratings):
        raise UsageError("a training that is compared with the model in service has one worker; leave --workers out")
    if how["is_trial"] and (target is not None or corpus or ratings):
        raise UsageError("--debug keeps nothing; leave out --out, --corpus, --if-grown and --with-ratings")
    if (corpus or ratings) and target is not None:
        option = "--corpus" if corpus else "--with-ratings"
        raise UsageError(f"--out cannot be combined with {option}: a better {model} replaces the one in service")


def _train_with_ratings(
    data: Path | None, minutes: float | None, steps: int | None, *, least: int, as_json: bool
) -> None:
    from auria_bot.services.models import training

    recipe = training.captioner_ratings()
    with app_context() as app:
        folder = training.data_folder(data, app.settings, "train captioner --with-ratings")
        tuner = app.captioner_tuner(recipe=recipe, report=note)
        ratings = app.caption_ratings.recent()
        if (new := tuner.unlearnt(ratings)) < least:
            report(f"{counted(new, 'rating')} not learnt yet; training needs {least}")
            note(f"{counted(new, 'rating')} not learnt yet; training needs {least}")
            if as_json:
                print_json({"model": "captioner", "trained": False, "ratings": new})
            return
        done = tuner.tune(ratings, data=folder, minutes=minutes, steps=steps)
        report(f"version {done.version} is {'better and in service' if done.is_promoted else 'not better'}")
    if as_json:
        print_json(done.to_json())
        return
    print_metrics(dict(done.figures))
    echo(f"version {done.version} of the captioner is {'in service' if done.is_promoted else 'not in service'}")


def print_trained(model: str, done: TrainedModel, *, as_json: bool, is_promoted: bool = False) -> None:
    """Print the figures of a trained model, and how it is put in service where it is not yet."""
    if as_json:
        trial = {"trial": True} if done.is_trial else {"path": str(done.path)}
        print_json({"model": model, "version": done.version, **trial, "metrics": done.metrics})
    else:
        print_metrics(done.metrics)
        echo("the trial is over; nothing of it was kept" if done.is_trial else f"the model is in {done.path}")
    if done.version and not is_promoted:
        note(f"to use it: auria models promote {model} {done.version}")


def _retrain(
    version: str, if_grown: str | None, *, data: Path | None, minutes: float | None, steps: int | None, as_json: bool
) -> None:
    """Train the poet on a version of the corpus, and print what came of it."""
    from auria_bot.services.models import training

    least = share_of(if_grown) if if_grown is not None else None
    recipe, comparison = training.recipe("poet"), training.comparison()
    with app_context() as app:
        done = app.poet_retrainer(recipe=recipe, comparison=comparison, report=note).retrain(
            version, data=data or app.settings.data, minutes=minutes, steps=steps, least=least
        )
    told = "is better and in service" if done.replaced else "is not better"
    report(f"the poet trained on {done.corpus} {told}" if done.trained else f"{done.corpus} has not grown enough")
    if as_json:
        print_json(done.to_json())
    elif done.trained:
        print_metrics(done.figures)
        echo(f"{'now in service' if done.replaced else 'not in service'}: {done.path}")


def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="poet | painter | captioner | haiku-lm | stylist | film-NAME")
    ],
    data: Annotated[
        Path | None, typer.Option("--data", help="The folder of test data. Default: the setting `data`.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--model", help="The model's folder. Default: the one in service.")
    ] = None,
    compared: Annotated[
        tuple[str, str] | None,
        typer.Option("--compare", metavar="VERSION VERSION", help="Evaluate two versions of the registry instead."),
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Also plot the comparison, as PNG, SVG or PDF.")] = None,
    footage: FootageOption = None,
    sheet: SheetOption = None,
    vgg: VggOption = None,
    as_json: Json = False,
) -> None:
    """Evaluate a model on the test split of the data, or a film model on held-out frames of its footage."""
    from auria_bot.services.models import training
    from auria_bot.settings.loading import load

    if model.startswith("film"):
        print_metrics_of(model, evaluate_film(model, footage, folder, sheet=sheet, vgg=vgg), as_json=as_json)
        return
    if plot is not None and compared is None:
        raise UsageError("--plot draws a comparison; name two versions with --compare")
    if compared is None:
        metrics = training.evaluate(load(), model, data=data, folder=folder, log=note)
        print_metrics_of(model, metrics, as_json=as_json)
        return
    if folder is not None:
        raise UsageError("give either --model or --compare")
    with app_context() as app:
        folders = [app.model_registry.folder(model, version) for version in compared]
        found = training.evaluate_two(app.settings, model, folders, data=data, log=note)
        print_comparison(app, model, compared, found, plot=plot, as_json=as_json)


def print_metrics_of(model: str, metrics: dict[str, Any], *, as_json: bool) -> None:
    """Print a model's figures as a table or as JSON."""
    if as_json:
        print_json({"model": model, "metrics": metrics})
    else:
        print_metrics(metrics)


def print_metrics(metrics: dict[str, Any]) -> None:
    """Print a model's figures as a table."""
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
