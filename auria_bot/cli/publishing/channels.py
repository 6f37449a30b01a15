"""The channels: `channels`, and `channels add`, `check`, `pause`, `resume`, `remove` and `serve`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.terminal.console import note
from auria_bot.errors import AuriaError, ChannelError, InputError, InvalidTransition, UnknownName

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.interfaces import Channel

__all__ = ["add", "channels", "check", "list_channels", "overview", "pause", "remove", "resume", "serve"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel; auria channels lists them.")]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

channels = typer.Typer(
    help="List channels: where posts go, and how each stands.", add_completion=False, rich_markup_mode=None
)


@channels.callback(invoke_without_command=True)
def overview(context: typer.Context, as_json: Json = False) -> None:
    """List channels: where posts go, and how each stands."""
    if context.invoked_subcommand is None:
        list_channels(as_json=as_json)


@channels.command("list")
def list_channels(as_json: Json = False) -> None:
    """List channels: state, posts, address, where secrets are."""
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.publishing.channel_rows import channel_row, print_rows
    from auria_bot.cli.terminal.console import out, print_json

    with app_context() as app:
        rows = [channel_row(app, name) for name in app.settings.channels]
        if as_json:
            print_json(rows)
        elif rows:
            print_rows(rows, out())
        else:
            note("there is no channel; set one up: auria channels add NAME --backend BACKEND")


@channels.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Your own name for it, such as x or my-bluesky.")],
    backend: Annotated[
        str, typer.Option("--backend", "-b", help="The kind of channel; NAME itself when not given.")
    ] = "",
    secrets: Annotated[str, typer.Option("--secrets", help="Where to keep them: file, keyring or environment.")] = "",
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of the channel; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Confirm whatever is to be confirmed.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Keep the answers without trying them.")] = False,
) -> None:
    """Set up a channel, or give it new credentials.

    Asks what is needed, tries it with the platform, and keeps it when the platform accepts it. Secrets are asked for without
    showing them, or read from environment variables named AURIA_SECRET_<NAME>_<SECRET>; never from the command line.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.publishing.channel_setup import SetupPrompts, TrialSecrets, given_options
    from auria_bot.settings.editing import SettingsFile
    from auria_bot.settings.locations import own_file
    from auria_bot.settings.sections import ChannelSettings

    with app_context() as app:
        current = app.settings.channels.get(name)
        place = _place(secrets, current.keystore if current else "file")
        kind, wanted = _kind(app, name, backend)
        vault = app.vault(name, place=place)
        given = given_options(kind, options or (), name=name, vault=vault)
        before = dict(current.options) if current else {}
        answers = SetupPrompts(name, kind, vault, place=place, yes=yes).answers(given, before)
        offered = TrialSecrets(answers.secrets, vault)
        chosen = ChannelSettings(backend=wanted, keystore=place, options=before | dict(answers.options))
        channel = app.channel(name, chosen, offered)
        found = "not tried yet; auria channels check tries it"
        if not no_check:
            note(f"trying {name} ...")
            found = _tried(name, channel)
        offered.keep(place=place)
        values: dict[str, Any] = {"backend": wanted}
        if place != "file" or (current and current.keystore != place):
            values["keystore"] = place
        SettingsFile(own_file()).set_channel(name, values | {"options": dict(answers.options)})
        typer.echo(f"channel {name} is set up: {found}")
        if place == "environment":
            note(f"keep these variables set: {', '.join(_variables(kind, vault))}")
        if any(pause.name == name for pause in app.publisher.paused()):
            note(f"it is paused; auria channels resume {name} lets it go on")
        elif name not in app.settings.review.channels:
            note(f"send drafts there: auria approve ID --channel {name}")


@channels.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="These channels; all by default.")] = None,
    as_json: Json = False,
) -> None:
    """Ask each platform whether publishing would work.

    A channel that Auria paused by herself goes on when all is well.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.studio.views import single_line
    from auria_bot.cli.terminal.console import out, print_json, state_text, table
    from auria_bot.redaction import redacted

    with app_context() as app:
        wanted = list(dict.fromkeys(names or app.settings.channels))
        for name in wanted:
            _known(app, name)
        found = []
        for name in wanted:
            state, words = "ok", ""
            try:
                words = app.publisher.check(name)
            except AuriaError as error:
                state, words = "bad", str(error)
            except Exception as error:  # noqa: BLE001 - one channel's fault must not hide the others
                state, words = "bad", f"it failed in a way it should not: {type(error).__name__}: {error}"
            found.append({"name": name, "state": state, "words": redacted(words)})
        if as_json:
            print_json(found)
        else:
            rows = [(state_text(one["state"]), one["name"], single_line(one["words"], 500)) for one in found]
            out().print(table("", ("", "channel", "what was found"), rows))
    bad = [one["name"] for one in found if one["state"] == "bad"]
    if bad:
        raise ChannelError(
            f"{len(bad)} of {len(found)} channels would not work: {', '.join(bad)};"
            f" `auria channels add {bad[0]}` takes new credentials"
        )


@channels.command()
def pause(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; kept with the pause.")] = "",
) -> None:
    """Pause a channel: its posts wait, and nothing is asked of it."""
    from auria_bot.cli.app_context import app_context

    with app_context() as app:
        _known(app, name)
        app.publisher.pause(name, reason=reason)
    typer.echo(f"channel {name} is paused; auria channels resume {name} lets it go on")


@channels.command()
def resume(name: Name) -> None:
    """Try a paused channel, and let it go on when it works."""
    from auria_bot.cli.app_context import app_context

    with app_context() as app:
        _known(app, name)
        typer.echo(f"channel {name} goes on: {app.publisher.resume(name)}")


@channels.command()
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take a channel away and forget its secrets.

    What was published stays published. A channel that posts still wait for is not taken away.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.settings.editing import SettingsFile
    from auria_bot.settings.locations import own_file

    with app_context() as app:
        _known(app, name)
        file = SettingsFile(own_file())
        if name not in file.channels():
            raise InputError(
                f"channel {name} does not stand in {file.file} but among the shipped settings or in environment variables;"
                f" to publish nothing there, pause it: auria channels pause {name}"
            )
        _nothing_waits(app, name)
        if not yes and not typer.confirm(f"Forget channel {name} and its secrets?", err=True):
            raise InputError(f"channel {name} stays")
        vault = app.vault(name)
        file.remove_channel(name)
        vault.forget(_secret_names(app, name))
        if name in app.settings.review.channels:
            note(f"it still stands in review.channels; take it out of {file.file} or name others with --channel")
    typer.echo(f"channel {name} is gone, and so are its secrets")


@channels.command()
def serve(
    name: Name,
    host: Annotated[str, typer.Option("--host", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes any.")] = 8417,
) -> None:
    """Serve a channel's pictures, for Instagram to fetch.

    Stand it behind a web server that speaks https, and give that address as the channel's public_url. It serves the pictures that are being posted, each for a while, and nothing else.
    """
    from auria_bot.channels.media.endpoint import picture_server
    from auria_bot.cli.app_context import app_context

    with app_context() as app:
        _known(app, name)
        endpoint = getattr(app.channels[name](), "endpoint", None)
        if endpoint is None:
            raise InputError(f"channel {name} hands its pictures over itself; there is nothing to serve")
        server = picture_server(endpoint(), host=host, port=port)
    with server:
        note(f"serving the pictures of {name} at http://{host}:{server.server_port}/; Ctrl-C ends it")
        server.serve_forever()


def _known(app: Application, name: str) -> None:
    if name not in app.settings.channels:
        known = ", ".join(sorted(app.settings.channels)) or "none"
        raise UnknownName(f"no channel named {name[:40]!r}; known: {known}")


def _place(wanted: str, usual: str) -> Any:
    """Where the secrets are to be kept.

    Raises:
        UnknownName: no such place.
    """
    from auria_bot.secret_store import PLACES

    if wanted and wanted not in PLACES:
        raise UnknownName(f"secrets cannot be kept in {wanted[:40]!r}; known: {', '.join(PLACES)}")
    return wanted or usual


def _kind(app: Application, name: str, backend: str) -> tuple[type[Any], str]:
    """The backend's class and name for a channel that is to be set up.

    Raises:
        InputError: the name cannot be used, or the channel has another backend.
        UnknownName: no such backend.
    """
    from auria_bot import registry

    if not _NAME.fullmatch(name):
        raise InputError(f"{name[:60]!r} is no name for a channel; use small letters, digits, - and _, at most 40")
    for other in app.settings.channels:
        if other != name and other.replace("-", "_").lower() == name.replace("-", "_"):
            raise InputError(f"the name {name} is too like {other}: their secrets could not be told apart")
    current = app.settings.channels.get(name)
    if current and backend and backend != current.backend:
        raise InputError(f"channel {name} has the backend {current.backend}; for {backend} choose another name")
    wanted = backend or (current.backend if current else name)
    known = [one for one in registry.names("channel") if one != "fake"]
    if wanted not in registry.names("channel"):
        raise UnknownName(f"no channel backend named {wanted[:40]!r}; choose one with --backend: {', '.join(known)}")
    return registry.find("channel", wanted), wanted


def _tried(name: str, channel: Channel) -> str:
    """What the platform says.

    Raises:
        ChannelError: it does not accept the answers.
    """
    try:
        return channel.check()
    except ChannelError as error:
        raise ChannelError(
            f"channel {name} stays as it was: {error}; when that is put right: `auria channels add {name}`"
        ) from None


def _variables(kind: type[Any], vault: Any) -> list[str]:
    return [vault.variable(question.name) for question in kind.QUESTIONS if question.secret and question.required]


def _secret_names(app: Application, name: str) -> list[str]:
    from auria_bot import registry

    try:
        kind = registry.find("channel", app.settings.channels[name].backend)
    except AuriaError:
        return []  # its package is gone; what stands in the file is forgotten all the same
    return [question.name for question in kind.QUESTIONS if question.secret]


def _nothing_waits(app: Application, name: str) -> None:
    """Make sure that no post is under way to a channel.

    Raises:
        InvalidTransition: one is.
    """
    from auria_bot.domain.draft import DraftState
    from auria_bot.domain.post import TERMINAL, PostState

    open_states = [state for state in PostState if state not in TERMINAL]
    if posts := [post for post in app.publisher.posts(open_states) if post.channel == name]:
        raise InvalidTransition(
            f"{len(posts)} posts are not done on channel {name}, such as post {posts[0].id}, which is {posts[0].state};"
            f" `auria publish --channel {name}` sends them, `auria posts resolve` decides"
        )
    if drafts := [one for one in app.review.drafts({DraftState.APPROVED}) if name in one.channels]:
        raise InvalidTransition(
            f"draft {drafts[0].id} is approved for channel {name}; publish it, or take the approval back:"
            f" auria reject {drafts[0].id}"
        )
