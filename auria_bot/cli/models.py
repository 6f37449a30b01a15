"""Models and styles: `train`, `evaluate`, and `styles` with its commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.app import Json
from auria_bot.cli.terminal.console import counted, echo, note, out, print_json, table
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from auria_bot.services.models.training import RetrainingResult, TrainedModel

__all__ = [
    "add_styles",
    "evaluate",
    "list_styles",
    "metric_rows",
    "print_metrics",
    "print_trained",
    "remove_styles",
    "show_style",
    "styles",
    "train",
]


styles = typer.Typer(
    help="List, show, add and remove the paintings that pictures are restyled after.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@styles.command("list")
def list_styles(
    wanted: Annotated[str, typer.Argument(help="Only those whose key, title or artist contains this text.")] = "",
    own: Annotated[bool, typer.Option("--own", help="Only your own.")] = False,
    as_json: Json = False,
) -> None:
    """List the paintings of the style bank, including your own."""
    from auria_bot.services.models.catalogue import style_rows
    from auria_bot.settings.loading import load

    rows = style_rows(load(), matching=wanted, own=own)
    if as_json:
        print_json(rows)
        return
    names = ("key", "artist", "year", "title", "painted by")
    shown = (
        (row["key"], row["artist"], str(row["year"]), row["title"], "a network of its own" if row["network"] else "")
        for row in rows
    )
    out().print(table("", names, shown))


@styles.command("show")
def show_style(
    key: Annotated[str, typer.Argument(help="A painting's key or title.")],
    drawing: Annotated[
        str, typer.Option("--picture", help="How to draw: auto, kitty, iterm, sixel, blocks, blocks-256 or none.")
    ] = "auto",
    target: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the sample as PNG.")] = None,
    as_json: Json = False,
) -> None:
    """Show a painting of the style bank: a landscape in its colours and strokes, its palette, and what is known of it.

    The bank holds no pictures, so the painting itself cannot be shown.
    """
    import tempfile

    from rich.text import Text

    from auria_bot.cli.terminal.console import fact_sheet
    from auria_bot.cli.terminal.pictures import Drawing
    from auria_bot.errors import UnknownName
    from auria_bot.services.models import catalogue
    from auria_bot.settings.loading import load

    if drawing not in set(Drawing):
        raise UnknownName(f"invalid value {drawing[:40]!r} for --picture; known: {', '.join(Drawing)}")
    settings = load()
    row = catalogue.find_style(settings, key).row()
    with tempfile.TemporaryDirectory(prefix="auria-style-") as scratch:
        sample = target or Path(scratch) / "sample.png"
        method = _drawing(drawing)
        if target is not None or (method is not Drawing.NONE and not as_json):
            catalogue.style_sample(settings, row["key"], sample)
        if as_json:
            print_json(row)
            return
        _draw(sample, method)
    feelings = sorted(row["emotions"], key=lambda each: -each[1])[:4]
    facts = (
        ("key", row["key"]),
        ("title", row["title"]),
        ("artist", row["artist"]),
        ("year", str(row["year"])),
        ("licence", row["licence"]),
        ("moods", ", ".join(f"{name} {share:.0%}" for name, share in feelings) + f" ({row['felt']})"),
        ("palette", ", ".join(f"{colour} {share:.0%}" for colour, share in row["palette"])),
    )
    out().print(fact_sheet((name, Text(value)) for name, value in facts))


def _drawing(name: str) -> Any:
    """How pictures are drawn in this terminal."""
    import os
    import sys

    from auria_bot.cli.terminal.pictures import Drawing, choose

    return choose(os.environ, terminal=sys.stdout.isatty()) if name == "auto" else Drawing(name)


def _draw(path: Path, method: Any) -> None:
    """Print a picture, where the terminal can draw."""
    import shutil
    import sys

    from auria_bot.cli.terminal.pictures import Drawing, draw

    if method is not Drawing.NONE:
        size = shutil.get_terminal_size()
        sys.stdout.write(draw(path, method, columns=min(size.columns, 64), rows=max(size.lines - 12, 8)))
        sys.stdout.flush()


@styles.command("remove")
def remove_styles(
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="Keys of your own paintings.")],
    as_json: Json = False,
) -> None:
    """Remove paintings of your own from the style bank."""
    from auria_bot.services.models import catalogue
    from auria_bot.settings.loading import load

    catalogue.remove_styles(load(), keys)
    if as_json:
        print_json({"removed": keys})
    else:
        echo(f"removed {counted(len(set(keys)), 'painting')}")


@styles.command("add")
def add_styles(
    folder: Annotated[Path, typer.Argument(help="Pictures of paintings, optionally with a metadata.csv.")],
    moods: Annotated[
        Path | None, typer.Option("--moods", help="A table of moods: your own, or the WikiArt Emotions TSV.")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="NAME", help="Take this file or title whatever it scored for nudity."),
    ] = None,
    as_json: Json = False,
) -> None:
    r"""Add your own paintings to the style bank.

    Only colours, measures of the strokes and style vectors are stored, no pictures.

    \b
    Columns of metadata.csv, all optional but the first:
      file     the picture's name, with its folder where names repeat
      title    default: the file's name
      artist   year   licence
      moods    separated by semicolons: moods of auria moods, or
               emotions of WikiArt Emotions; default: from similar paintings
      nsfw     a score for nudity, 0 to 1; from 0.7 on a painting is left
               out, unless --allow names it
    """
    from auria_bot.cli.terminal.progress import counting
    from auria_bot.services.models import catalogue
    from auria_bot.settings.loading import load

    settings = load()
    with counting("analysing") as progress:
        done = catalogue.add_styles(settings, folder, moods=moods, allowed=allow or (), progress=progress)
    if as_json:
        print_json(
            {"added": list(done.added), "refused": [list(one) for one in done.rejected], "inferred": done.inferred}
        )
        return
    for name, reason in done.rejected:
        note(f"left out {name}: {reason}")
    _, own = catalogue.style_folders(settings)
    echo(
        f"added {counted(len(done.added), 'painting')} to {own};"
        f" the moods of {done.inferred} are inferred from similar ones"
    )
    echo("use one with: auria make --style KEY    (keys: auria styles list)")


def train(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="poet | painter | captioner | haiku-lm | style")],
    painting: Annotated[
        Path | None, typer.Argument(metavar="[PAINTING]", help="The picture whose style a network learns.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="The folder of training data. Default: the setting `data`.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0.01, help="Save and stop after training for this time.")
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Updates in all. Default: the recipe's.")] = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="The folder of the model. Default: a new version in the registry.")
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
    with_ratings: Annotated[
        bool,
        typer.Option("--with-ratings", help="Continue with the captioner in service, on what was thought of it too."),
    ] = False,
    content: Annotated[
        Path | None,
        typer.Option("--content", metavar="DIR", help="Photographs for a style network. Default: the folder of data."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="What a style is to be called. Default: the painting's title.")
    ] = None,
    style_weight: Annotated[
        float | None, typer.Option("--style-weight", min=0.01, help="Of a style network's strokes. Default: 3.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model, or continue a stopped training.

    Needs auria-bot[torch] and a folder of data. `auria train style PAINTING` makes a style like those of auria styles,
    by a network of its own. A poet trained on a version of the corpus, and a captioner trained with
    ratings, are compared with the one in service, and promoted only when they are better.
    """
    from auria_bot.cli.app import app_context
    from auria_bot.services.models import training

    _check_options(model, target, corpus=corpus is not None or if_grown is not None, ratings=with_ratings)
    if model == "style" or any(each is not None for each in (painting, content, name, style_weight)):
        from auria_bot.cli.style_training import train_style

        train_style(
            model,
            painting=painting,
            content=content or data,
            name=name,
            style_weight=style_weight,
            minutes=minutes,
            steps=steps,
            target=target,
            as_json=as_json,
        )
        return
    if corpus is not None or if_grown is not None:
        _print_retraining(
            _retrain(corpus or "newest", if_grown, data=data, minutes=minutes, steps=steps), as_json=as_json
        )
        return
    if with_ratings:
        _train_with_ratings(data, minutes, steps, as_json=as_json)
        return
    with app_context() as app:
        done = training.train(
            app.settings,
            model,
            data=data,
            minutes=minutes,
            steps=steps,
            target=target,
            registry=app.model_registry,
            experiments=app.experiments,
            log=note,
        )
    print_trained(model, done, as_json=as_json)


def _check_options(model: str, target: Path | None, *, corpus: bool, ratings: bool) -> None:
    """Refuse what does not belong together.

    Raises:
        InputError: the options cannot be combined.
    """
    if corpus and model != "poet":
        raise InputError(f"the corpus is verse and trains the poet, not the {model[:40]}; leave --corpus out")
    if ratings and model != "captioner":
        raise InputError(f"ratings are of captions and train the captioner, not the {model[:40]}")
    if (corpus or ratings) and target is not None:
        option = "--corpus" if corpus else "--with-ratings"
        raise InputError(f"--out cannot be combined with {option}: a better {model} replaces the one in service")


def _train_with_ratings(data: Path | None, minutes: float | None, steps: int | None, *, as_json: bool) -> None:
    from auria_bot.cli.app import app_context
    from auria_bot.services.models import training

    recipe = training.captioner_ratings()
    with app_context() as app:
        folder = training.data_folder(data, app.settings, "train captioner --with-ratings")
        tuner = app.captioner_tuner(recipe=recipe, report=note)
        done = tuner.tune(app.caption_ratings.recent(), data=folder, minutes=minutes, steps=steps)
    if as_json:
        print_json(done.to_json())
        return
    print_metrics(dict(done.figures))
    echo(f"version {done.version} of the captioner is {'in service' if done.is_promoted else 'not in service'}")


def print_trained(model: str, done: TrainedModel, *, as_json: bool, is_promoted: bool = False) -> None:
    """Print the figures of a trained model, and how it is put in service where it is not yet."""
    if as_json:
        print_json({"model": model, "version": done.version, "path": str(done.path), "metrics": done.metrics})
    else:
        print_metrics(done.metrics)
        echo(f"the model is in {done.path}")
    if done.version and not is_promoted:
        note(f"to use it: auria models promote {model} {done.version}")


def _retrain(
    version: str, if_grown: str | None, *, data: Path | None, minutes: float | None, steps: int | None
) -> RetrainingResult:
    """Train the poet on a version of the corpus."""
    from auria_bot.cli.app import app_context
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
        print_metrics(done.figures)
        echo(f"{'now in service' if done.replaced else 'not in service'}: {done.path}")


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="poet | painter | captioner | haiku-lm | stylist")],
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
    as_json: Json = False,
) -> None:
    """Evaluate a model on the test split of the data."""
    from auria_bot.cli.app import app_context
    from auria_bot.cli.model_versions import print_comparison
    from auria_bot.services.models import training
    from auria_bot.settings.loading import load

    if plot is not None and compared is None:
        raise InputError("--plot draws a comparison; name two versions with --compare")
    if compared is None:
        metrics = training.evaluate(load(), model, data=data, folder=folder, log=note)
        if as_json:
            print_json({"model": model, "metrics": metrics})
        else:
            print_metrics(metrics)
        return
    if folder is not None:
        raise InputError("give either --model or --compare")
    with app_context() as app:
        folders = [app.model_registry.folder(model, version) for version in compared]
        found = training.evaluate_two(app.settings, model, folders, data=data, log=note)
        print_comparison(app, model, compared, found, plot=plot, as_json=as_json)


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
