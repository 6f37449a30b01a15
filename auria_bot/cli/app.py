"""The command `auria`: its options, the order of its commands and their help.

A command's module is imported when the command is run; the help needs none of them.
"""

from __future__ import annotations

import contextlib
import os
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from auria_bot import __version__
from auria_bot.cli.error_reporting import EXIT_CODES
from auria_bot.cli.terminal.console import echo, note
from auria_bot.errors import BackendMissing, NotFound, UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from auria_bot.bootstrap.application import Application

__all__ = [
    "COMMANDS",
    "DraftId",
    "Json",
    "Limit",
    "OnChannels",
    "app",
    "app_context",
    "check_states",
    "command_group",
    "draft_option",
    "existing",
    "extra",
    "is_called_alone",
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
"""The option `--json` of the commands that print data."""

DraftId = Annotated[int, typer.Argument(metavar="ID", help="The draft's number.")]

OnChannels = Annotated[list[str] | None, typer.Option("--channel", "-c", help="Only on this channel; may be repeated.")]

_MOST_LISTED = 1_000_000

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=_MOST_LISTED, help="At most this many.")]
"""The option `--limit` of lists that grow for years; read one more, and let `newest` say so."""

COMMANDS = {
    "make": ("studio.make:make", "Make artworks, each a draft for review."),
    "drafts": ("studio.drafts:list_drafts", "List drafts, newest first."),
    "show": ("studio.drafts:show", "Show a draft: picture, poem and text."),
    "review": ("studio.review:review", "Review waiting drafts one by one, with single keys."),
    "approve": ("studio.drafts:approve", "Approve drafts for publishing."),
    "reject": ("studio.drafts:reject", "Reject drafts."),
    "edit": ("studio.drafts:edit", "Edit the texts of a draft: one for all channels, or one channel's own."),
    "undo": ("studio.drafts:undo", "Take back the last decision on a draft, until it is published."),
    "restyle": ("studio.make:restyle", "Make a new version of a draft in another style."),
    "repaint": ("studio.make:repaint", "Make a new version of a draft with another picture."),
    "step": ("studio.pipeline:step", "Perform a single step on a picture or a poem of yours."),
    "pipeline": (
        "studio.pipeline:pipeline",
        "Show the steps of an artwork, run steps in an order of your own, and publish them for programs.",
    ),
    "publish": ("publishing.publish:publish", "Publish approved drafts, each exactly once."),
    "daemon": ("operations.daemon:daemon", "Run the scheduled jobs, day after day, until told to stop."),
    "schedule": ("operations.daemon:schedule", "Show what the daemon will do in the coming week, and what it did."),
    "posts": ("publishing.posts:posts", "List posts: the state of each draft on each channel."),
    "channels": ("publishing.channels:channels", "List and set up channels."),
    "web": ("web.web:web", "Serve the gallery as a web site, or export it as files."),
    "serve": (
        "captions.caption:serve",
        "Run the model server: captions and restyled pictures, poems and pictures of them, for the site and programs.",
    ),
    "caption": (
        "captions.caption:caption",
        "Describe a picture of anything by asking the model server, which `auria serve` runs.",
    ),
    "ratings": ("captions.ratings:ratings", "List and remove ratings of captions."),
    "keys": ("web.keys:keys", "Add, list and revoke the keys with which programs use the REST interface."),
    "sheet": ("studio.drafts:sheet", "Write a contact sheet of drafts and their poems."),
    "print": ("studio.prints:print_draft", "Print a draft at any size, its strokes painted anew."),
    "catalogue": ("studio.prints:catalogue", "Write a catalogue of many works as PDF."),
    "portrait": ("studio.portrait:portrait", "Make her portrait, an emblem painted by her own networks, and use it."),
    "speak": ("studio.speak:speak", "Read a draft's poem aloud, for its web page or into a file."),
    "measure": ("engagement.measure:measure", "Measure engagement with published posts, where that is due."),
    "stats": ("engagement.stats:stats", "Show engagement by channel, mood, painting and time."),
    "ranker": (
        "engagement.measure:show_ranker",
        "Show what the ranker learned from your approvals and rejections.",
    ),
    "moods": ("engagement.measure:list_moods", "List the moods, with their chances learned from engagement."),
    "styles": ("styles:styles", "List, show, add and remove the paintings that pictures are restyled after."),
    "models": (
        "model_versions:models",
        "List the trained models, compare their versions, and choose which are served.",
    ),
    "corpus": ("corpus.verses:corpus", "Import, inspect and version the verse that Auria learns from."),
    "footage": (
        "films.footage:footage",
        "Turn videos and stills into a set of frames that a film model can learn from.",
    ),
    "film": (
        "films.film:film",
        "Make films: walks through a film model. `auria film NAME` is short for `auria film make NAME`.",
    ),
    "restyle-video": (
        "films.restyle_video:restyle_video",
        "Restyle a video in the manner of a painting, steady in time.",
    ),
    "train": ("models:train", "Train a model, or continue a stopped training."),
    "evaluate": (
        "models:evaluate",
        "Evaluate a model on the test split of the data, or a film model on held-out frames of its footage.",
    ),
    "doctor": ("operations.doctor:doctor", "Check the installation, and say how to fix what is wrong."),
    "config": ("operations.doctor:config", "Show every setting in force, without secrets."),
    "db": ("operations.database:database", "Back up, restore and check the database."),
    "storage": ("operations.storage:storage", "Show where pictures are kept, and move them to a bucket or back."),
    "tidy": (
        "operations.database:tidy",
        "Delete old pictures of rejected drafts, unfinished runs and crash logs.",
    ),
    "notify": ("operations.daemon:notify", "List, dismiss, test and send notifications."),
}
"""Each command's function, or group of commands, in auria_bot.cli, and the first line of its docstring.

A group's docstring is that of its callback; where it has none, or one that tells of its `list` alone, this line is its
help.
"""

_FORMER = {"eye": "ranker"}
"""Earlier names of commands, which go on for one version."""

_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())


class _Commands(TyperGroup):
    """The commands of COMMANDS, each imported when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is Typer's
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the signature is Typer's
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            self.add_command(_command(*COMMANDS[cmd_name]), cmd_name)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is Typer's
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and (name := _FORMER.get(args[0])):
            note(f"`auria {args[0]}` is called `auria {name}` now")
            args = [name, *args[1:]]
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"No such command {args[0][:40]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)


def _command(place: str, summary: str) -> Any:
    module, _, name = place.partition(":")
    found: typer.Typer | Callable[..., Any] = getattr(import_module(f"auria_bot.cli.{module}"), name)
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command()(found)
        found = single
    made = get_command(found)
    made.help = made.help or summary
    return _plain_help(made)


def _plain_help(command: Any) -> Any:
    """The command with values named after their options instead of Python's types, and whole summaries."""
    for param in command.params:
        longest = max(param.opts, key=len) if param.opts else param.name
        param.metavar = param.metavar or longest.lstrip("-").upper().replace("_", "-")
        if param.param_type_name == "argument":
            param.display_type_rich = lambda ctx: None  # noqa: ARG005 - Typer's signature
    for name, one in getattr(command, "commands", {}).items():
        one.short_help = " ".join((one.help or "").split("\n\n")[0].split())
        command.commands[name] = _plain_help(one)
    return command


app = typer.Typer(
    name="auria",
    cls=_Commands,
    help="Auria writes a haiku, paints it, restyles the painting in a mood, and publishes what you approve.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,  # rich alone would take longer to import than the help takes to show
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        echo(f"auria {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options that stand before the command; `main` looks for --debug itself."""


def command_group(**options: Any) -> typer.Typer:
    """A group of commands of `auria`; the options are those of Typer."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, **options)


def is_called_alone(context: typer.Context) -> bool:
    """Whether a group of commands is called without one of them.

    Raises:
        UsageError: it is not, and was given options, which only count when it is.
    """
    if context.invoked_subcommand is None:
        return True
    sources = map(context.get_parameter_source, context.params)
    if any(source is not None and source.name == "COMMANDLINE" for source in sources):
        raise UsageError(f"options of `{context.command_path} {context.invoked_subcommand}` stand after its name")
    return False


def draft_option(help_text: str) -> Any:
    """The option `--draft ID` of commands that choose among what belongs to drafts."""
    from auria_bot.domain.draft import LAST_ID

    return typer.Option("--draft", metavar="ID", min=1, max=LAST_ID, help=help_text)


def check_states(given: Iterable[str] | None, known: Collection[str]) -> None:
    """Make sure that the states of a list are known.

    Raises:
        UnknownName: one is not.
    """
    for name in given or ():
        if name not in known:
            raise UnknownName(f"no state named {name[:40]!r}; known: {', '.join(sorted(known))}")


def existing(given: Any) -> Any:
    """Callback of options and arguments that name a file or folder to be read, or several: what was given.

    Raises:
        NotFound: one is not there.
    """
    for path in given if isinstance(given, list | tuple) else [given]:
        if path is None:
            continue
        try:
            os.stat(path)  # noqa: PTH116 - `exists` fails for other reasons too, which the command tells better
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"there is no file or folder {str(path)[:200]}") from None
        except OSError:
            continue
    return given


@contextlib.contextmanager
def extra(name: str, why: str) -> Iterator[None]:
    """Turn a missing package into an error that says how to install an extra.

    Raises:
        BackendMissing: something that the block imports is not there; `why` begins the message.
    """
    try:
        yield
    except ImportError as error:
        raise BackendMissing(f"{why} ({error.name}): pip install 'auria-bot[{name}]'") from None


@contextlib.contextmanager
def app_context() -> Iterator[Application]:
    """Yield the application for the length of a command.

    Raises:
        SettingsError: a setting is wrong.
        StoreError: the database cannot be used.
    """
    from auria_bot import telemetry
    from auria_bot.bootstrap import application
    from auria_bot.settings import loading

    read = loading.load()
    # What matters at a terminal is printed by the commands themselves; more records would say it twice.
    level = "debug" if read.logging.level == "debug" else "error"
    telemetry.set_up(level=level, form=read.logging.format)
    with contextlib.closing(application.build(read)) as app:
        yield app
