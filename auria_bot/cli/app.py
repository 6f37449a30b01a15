"""The command `auria`: its options, the order of its commands and what its help says."""

from __future__ import annotations

from typing import Annotated

import typer

from auria_bot.cli import care, catalogue, drafts, making, publishing, reviewing, training
from auria_bot.cli.failures import EXIT_CODES

__all__ = ["app"]

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {words}" for code, words in EXIT_CODES.items())

app = typer.Typer(
    name="auria",
    help="Auria, an artist who lives on a server: she writes a haiku, paints it, restyles it in a mood and shows it to you.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich alone would take longer to import than the help takes to show
    pretty_exceptions_enable=False,
    context_settings=_CONTEXT,
)


def _version(wanted: bool) -> None:
    if wanted:
        from auria_bot import __version__

        typer.echo(f"auria {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options that stand before the command; `main` looks for --debug itself."""


for _group in (making, drafts, reviewing, publishing, care, catalogue, training):
    _group.register(app)
