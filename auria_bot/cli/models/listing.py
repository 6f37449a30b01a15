"""The trained models and the style bank: `models`, `styles list` and `styles add`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.terminal.console import counted, echo, note, out, print_json, state_text, table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["add_styles", "list_models", "list_styles", "styles"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

styles = typer.Typer(
    help="List and add the paintings that pictures are restyled after.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

_HEADLINES = {
    "poet": (("perplexity_test", "perplexity {:.1f}"),),
    "painter": (("scene", "scene found {:.0%}"), ("fd_lite0", "FD-lite0 {:.0f}")),
    "captioner": (("test.bleu_4", "BLEU-4 {:.3f}"), ("test.cider_d", "CIDEr-D {:.2f}")),
}
"""The metrics of a model that are shown; `--json` gives all."""


def list_models(
    verify: Annotated[bool, typer.Option("--verify", help="Verify the checksum of every file.")] = False,
    as_json: Json = False,
) -> None:
    """List the trained models: hash, size, metrics and licence."""
    from auria_bot.errors import ModelCorrupt
    from auria_bot.services.models.catalogue import model_rows
    from auria_bot.settings.loading import load

    rows = list(model_rows(load(), verify=verify))
    if as_json:
        print_json(rows)
    else:
        shown = (
            (
                row["name"],
                row["sha256"][:12],
                f"{row['bytes'] / 1e6:.1f} MB",
                state_text(row["state"]),
                _headline(row),
                row["licence"],
            )
            for row in rows
        )
        out().print(table("", ("model", "sha256", "size", "state", "metrics", "licence"), shown))
    if bad := [row for row in rows if row["state"] == "bad"]:
        raise ModelCorrupt("; ".join(row["words"] for row in bad))


def _headline(row: Mapping[str, Any]) -> str:
    metrics = _HEADLINES.get(row["name"], ())
    return ", ".join(form.format(row["metrics"][name]) for name, form in metrics if name in row["metrics"])


@styles.command("list")
def list_styles(
    wanted: Annotated[str, typer.Argument(help="Only those whose key, title or artist contains this text.")] = "",
    as_json: Json = False,
) -> None:
    """List the paintings of the style bank, including your own."""
    from auria_bot.services.models.catalogue import style_rows
    from auria_bot.settings.loading import load

    rows = style_rows(load(), matching=wanted)
    if as_json:
        print_json(rows)
        return
    shown = ((row["key"], row["artist"], str(row["year"]), row["title"]) for row in rows)
    out().print(table("", ("key", "artist", "year", "title"), shown))


@styles.command("add")
def add_styles(
    folder: Annotated[Path, typer.Argument(help="Pictures of paintings, optionally with a metadata.csv.")],
    moods: Annotated[
        Path | None, typer.Option("--moods", help="A table of moods: your own, or the WikiArt Emotions TSV.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add your own paintings to the style bank.

    Only colours and style vectors are stored, no pictures.
    """
    from auria_bot.cli.terminal.progress import counting
    from auria_bot.services.models import catalogue
    from auria_bot.settings.loading import load

    settings = load()
    with counting("analysing") as progress:
        done = catalogue.add_styles(settings, folder, moods=moods, progress=progress)
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
