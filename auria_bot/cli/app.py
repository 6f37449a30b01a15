"""The command `auria`: its options, the order of its commands and what its help says.

A command's module is imported when the command is run; the help needs none of them, and stands on the screen sooner.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from auria_bot.cli.error_reporting import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COMMANDS", "app"]

COMMANDS = {
    "make": ("studio.make:make", "Make artworks, each a draft for review."),
    "drafts": ("studio.drafts:list_drafts", "List drafts, the newest first."),
    "show": ("studio.drafts:show", "Show a draft: picture, poem and words."),
    "review": ("studio.review:review", "Go through the drafts that wait, one key each."),
    "approve": ("studio.drafts:approve", "Approve drafts: sign picture and words for publishing."),
    "reject": ("studio.drafts:reject", "Reject drafts for good."),
    "edit": ("studio.drafts:edit", "Change a draft's words."),
    "restyle": ("studio.drafts:restyle", "Make a draft anew in another style."),
    "repaint": ("studio.drafts:repaint", "Make a draft anew with another picture."),
    "publish": ("publishing.publish:publish", "Publish what is approved, once and only once."),
    "daemon": ("operations.daemon:daemon", "Run the scheduled jobs, day after day, until told to stop."),
    "schedule": ("operations.daemon:schedule", "Show what the daemon will do in the coming week, and what it did."),
    "posts": ("publishing.posts:posts", "List posts: where each draft went, or why not."),
    "channels": ("publishing.channels:channels", "List channels: where posts go, and how each stands."),
    "sheet": ("studio.make:sheet", "Write a contact sheet: drafts and their poems on one page."),
    "measure": ("engagement.measure:measure", "Count what followers did with what is out, where that is due."),
    "stats": ("engagement.stats:stats", "Tell what followers did: by channel, mood, painting and time."),
    "moods": ("engagement.moods:list_moods", "List the moods, what they are like, and which she leans to."),
    "styles": ("models.listing:styles", "The paintings whose manner pictures are restyled in."),
    "models": ("models.listing:list_models", "List the trained models: hash, size, figures and licence."),
    "corpus": ("corpus.verses:corpus", "The verse that Auria learns from: import, look at it, forget, make versions."),
    "train": ("models.train:train", "Train a model, or go on with a stopped training."),
    "evaluate": ("models.train:evaluate", "Measure a model on the test split of the data."),
    "doctor": ("operations.doctor:doctor", "Examine everything and say what to do."),
    "config": ("operations.doctor:config", "Show every setting in force, without secrets."),
    "db": ("operations.database:database", "The database: its schema, backups, and whether it is whole."),
    "tidy": (
        "operations.database:tidy",
        "Take away what is old: rejected drafts' pictures, broken-off runs, crash logs.",
    ),
    "notify": ("operations.notify:notify", "Telling you what matters: try it, and say what is to be said."),
}
"""Each command's function, or group of commands, in auria_bot.cli, and the first sentence of its docstring."""

_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {words}" for code, words in EXIT_CODES.items())


class _Commands(TyperGroup):
    """The commands of COMMANDS, each made when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is Typer's
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the signature is Typer's
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            self.add_command(_made(COMMANDS[cmd_name][0]), cmd_name)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is Typer's
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"No such command {args[0][:40]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)


def _made(place: str) -> Any:
    module, _, name = place.partition(":")
    found: typer.Typer | Callable[..., Any] = getattr(import_module(f"auria_bot.cli.{module}"), name)
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command()(found)
        found = single
    return get_command(found)


app = typer.Typer(
    name="auria",
    cls=_Commands,
    help="Auria, an artist who lives on a server: she writes a haiku, paints it, restyles it in a mood and shows it to you.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich alone would take longer to import than the help takes to show
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
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
