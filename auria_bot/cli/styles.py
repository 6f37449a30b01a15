"""The styles that pictures are restyled in: `styles` with its commands."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from auria_bot.cli.app import Json, command_group, existing
from auria_bot.cli.terminal.console import counted, echo, fact_sheet, note, out, print_json, print_result, print_rows
from auria_bot.cli.terminal.pictures import Drawing, DrawingOption, draw, in_terminal
from auria_bot.cli.terminal.progress import counting
from auria_bot.files import scratch_folder

__all__ = ["add_styles", "list_styles", "remove_styles", "show_style", "styles"]

styles = command_group(no_args_is_help=True)


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
    names = ("key", "artist", "year", "title", "painted by")
    shown = (
        (row["key"], row["artist"], str(row["year"]), row["title"], "a network of its own" if row["network"] else "")
        for row in rows
    )
    empty = "there is no such painting; add your own: auria styles add DIR"
    print_rows(names, shown, rows, as_json=as_json, empty=empty)


@styles.command("show")
def show_style(
    key: Annotated[str, typer.Argument(help="A painting's key or title.")],
    drawing: DrawingOption = "auto",
    target: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the sample as PNG.")] = None,
    as_json: Json = False,
) -> None:
    """Show a painting of the style bank: a landscape in its colours and strokes, its palette, and what is known of it.

    The bank holds no pictures, so the painting itself cannot be shown.
    """
    from rich.text import Text

    from auria_bot.services.models import catalogue
    from auria_bot.settings.loading import load

    settings = load()
    row = catalogue.find_style(settings, key).row()
    with scratch_folder() as scratch:
        sample = target or scratch / "sample.png"
        method = in_terminal(Drawing(drawing))
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


def _draw(path: Path, method: Drawing) -> None:
    """Print a picture, where the terminal can draw."""
    if method is not Drawing.NONE:
        size = shutil.get_terminal_size()
        sys.stdout.write(draw(path, method, columns=min(size.columns, 64), rows=max(size.lines - 12, 8)))
        sys.stdout.flush()


@styles.command("remove")
def remove_styles(
    keys: Annotated[list[str], typer.Argument(metavar="KEY", help="Keys of your own paintings.")],
    as_json: Json = False,
) -> None:
    """Remove paintings of your own from the style bank."""
    from auria_bot.services.models import catalogue
    from auria_bot.settings.loading import load

    catalogue.remove_styles(load(), keys)
    print_result({"removed": keys}, f"removed {counted(len(set(keys)), 'painting')}", as_json=as_json)


@styles.command("add")
def add_styles(
    folder: Annotated[
        Path, typer.Argument(callback=existing, help="Pictures of paintings, optionally with a metadata.csv.")
    ],
    moods: Annotated[
        Path | None,
        typer.Option("--moods", callback=existing, help="A table of moods: your own, or the WikiArt Emotions TSV."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow", metavar="NAME", help="Take this file or title whatever it scored for nudity; may be repeated."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Add your own paintings to the style bank.

    Only colours, measures of the strokes and style vectors are stored, no pictures.

    metadata.csv has a column file (the picture's name, with its folder where names repeat) and may have: title (else
    the file's name), artist, year, licence, moods (those of auria moods or the emotions of WikiArt Emotions, separated
    by semicolons; else from similar paintings), and nsfw (a score for nudity, 0 to 1; from 0.7 on a painting is left
    out, unless --allow names it).
    """
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
