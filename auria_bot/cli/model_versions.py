"""`auria models`: the trained models, their versions, and which of them are served.

A training registers a version; promoted, it is served from then on by the studio and by `auria serve`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.app import COMMANDS, Json, app_context, command_group, is_called_alone
from auria_bot.cli.terminal.console import counted, out, print_json, print_result, state_text, table
from auria_bot.errors import ModelCorrupt, NotFound
from auria_bot.services.models.versions import compared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.bootstrap.application import Application
    from auria_bot.services.models.versions import ModelVersion

__all__ = ["models", "print_comparison"]

Model = Annotated[str, typer.Argument(metavar="MODEL", help="A model's name, such as captioner.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="A version such as v3, or installed.")]

models = command_group(help=COMMANDS["models"][1], invoke_without_command=True)

_HEADLINES = {
    "poet": (("perplexity_test", "perplexity {:.1f}"),),
    "painter": (("scene", "scene found {:.0%}"), ("fd_lite0", "FD-lite0 {:.0f}")),
    "captioner": (("test.bleu_4", "BLEU-4 {:.3f}"), ("test.cider_d", "CIDEr-D {:.2f}")),
}
"""The metrics of a model that are shown; `--json` gives all."""


@models.command("list")
@models.callback()
def list_models(
    context: typer.Context,
    verify: Annotated[bool, typer.Option("--verify", help="Verify the checksum of every file.")] = False,
    as_json: Json = False,
) -> None:
    """List the models in service: version, hash, size, metrics and licence."""
    if not is_called_alone(context):
        return
    from auria_bot.services.models.catalogue import model_rows

    with app_context() as app:
        registry = app.model_registry
        registry.refresh()
        known = registry.models()
        rows = [
            row | {"version": registry.promoted(row["name"]) if row["name"] in known else "installed"}
            for row in model_rows(app.settings, verify=verify)
        ]
    if as_json:
        print_json(rows)
    else:
        shown = (
            (
                row["name"],
                row["version"],
                row["sha256"][:12],
                f"{row['bytes'] / 1e6:.1f} MB",
                state_text(row["state"]),
                _headline(row["name"], row["metrics"]),
                row["licence"],
            )
            for row in rows
        )
        out().print(table("", ("model", "version", "sha256", "size", "state", "metrics", "licence"), shown))
    if bad := [row for row in rows if row["state"] == "bad"]:
        raise ModelCorrupt("; ".join(row["words"] for row in bad))


def _headline(model: str, metrics: Mapping[str, Any]) -> str:
    chosen = _HEADLINES.get(model, ())
    return ", ".join(form.format(metrics[name]) for name, form in chosen if name in metrics)


@models.command("show")
def show(model: Model, as_json: Json = False) -> None:
    """Show the versions of a model, the newest first, and which is in service."""
    with app_context() as app:
        found = app.model_registry.versions(model)
    if not found:
        raise NotFound(f"there is no model named {model[:40]!r}", hint="auria models")
    if as_json:
        print_json([version.to_json() for version in found])
        return
    out().print(
        table("", ("version", "state", "registered", "sha256", "trained on", "metrics"), map(_version_row, found))
    )


def _version_row(version: ModelVersion) -> tuple[Any, ...]:
    state = "removed" if version.is_removed else ("in service" if version.is_promoted else "")
    figures = _headline(version.model, version.metrics) or ", ".join(
        f"{name} {value:.4g}" for name, value in list(version.metrics.items())[:4]
    )
    at = "" if version.registered_at is None else f"{version.registered_at:%Y-%m-%d %H:%M}"
    return version.name, state, at, version.sha256[:12], version.data, figures


@models.command("compare")
def compare(
    model: Model,
    one: Version,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Another version. Default: the one in service.")] = "",
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Also plot the figures and both trainings, as PNG, SVG or PDF.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare the figures of two versions of a model."""
    with app_context() as app:
        two = (one, other or app.model_registry.promoted(model))
        found = compared(*(app.model_registry.version(model, version).metrics for version in two))
        print_comparison(app, model, two, found, plot=plot, as_json=as_json)


def print_comparison(
    app: Application,
    model: str,
    versions: tuple[str, str],
    figures: Mapping[str, tuple[float | None, float | None]],
    *,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Print the figures of two versions, and plot them where a file is named."""
    if plot is not None:
        from auria_bot.services.models import comparison_plot

        records = [app.model_registry.version(model, version).experiment for version in versions]
        first, second = (app.experiments.curves(model, record) for record in records)
        title = f"{model}: {versions[0]} and {versions[1]}"
        comparison_plot.draw(plot, title=title, names=versions, figures=figures, curves=(first, second))
    if as_json:
        metrics = {name: list(two) for name, two in figures.items()}
        print_json({"model": model, "versions": list(versions), "metrics": metrics})
        return
    shown = (
        (name, _number(first), _number(second), "" if first is None or second is None else f"{first - second:+.4g}")
        for name, (first, second) in figures.items()
    )
    out().print(table("", ("metric", *versions, "difference"), shown))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


@models.command("promote")
def promote(model: Model, version: Version, as_json: Json = False) -> None:
    """Put a version of a model in service; nothing needs to be started again."""
    with app_context() as app:
        done = app.model_registry.promote(model, version)
    _print_served(done, as_json=as_json)


@models.command("rollback")
def rollback(model: Model, as_json: Json = False) -> None:
    """Go back to the version of a model that was in service before."""
    with app_context() as app:
        done = app.model_registry.rollback(model)
    _print_served(done, as_json=as_json)


def _print_served(version: ModelVersion, *, as_json: bool) -> None:
    line = f"version {version.name} of the {version.model} is in service ({version.sha256[:12]})"
    print_result(version.to_json(), line, as_json=as_json)


@models.command("remove")
def remove(
    model: Model,
    versions: Annotated[list[str], typer.Argument(metavar="VERSION", help="Versions that are not in service.")],
    as_json: Json = False,
) -> None:
    """Delete the files of versions; their figures and hashes stay, because artworks may name them."""
    with app_context() as app:
        done = [app.model_registry.remove(model, version) for version in versions]
    line = f"removed {counted(len(done), 'version')} of the {model}"
    print_result([version.to_json() for version in done], line, as_json=as_json)
