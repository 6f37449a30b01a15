"""The channels: `channels`, and `channels add`, `avatar`, `check`, `pause`, `resume`, `remove` and `serve`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from auria_bot.channels.media.endpoint import picture_server
from auria_bot.cli.app import COMMANDS, Json, app_context, command_group, is_called_alone
from auria_bot.cli.terminal.console import (
    counted,
    note,
    out,
    print_json,
    print_result,
    single_line,
    state_text,
    table,
)
from auria_bot.cli.terminal.prompts import TerminalPrompts, require_confirmation
from auria_bot.errors import ChannelError, InputError, UsageError
from auria_bot.services.portraits.avatars import set_avatar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["add", "avatar", "channels", "check", "list_channels", "pause", "remove", "resume", "serve"]

Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel; auria channels lists them.")]

channels = command_group(help=COMMANDS["channels"][1])


@channels.command("list")
@channels.callback(invoke_without_command=True)
def list_channels(context: typer.Context, as_json: Json = False) -> None:
    """List channels: state, posts, address, where secrets are stored."""
    if not is_called_alone(context):
        return
    with app_context() as app:
        rows = app.channel_administration.statuses()
    if as_json:
        print_json(rows)
    elif rows:
        _print_rows(rows, out())
    else:
        note("there is no channel; set one up: auria channels add NAME --backend BACKEND")


def _print_rows(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """Print a table of channels, and below it why a channel does not work."""
    lines = []
    for row in rows:
        places = sorted({place for place in row["secrets"].values() if place})
        secrets = ", ".join(places) or ("none yet" if row["secrets"] else "needs none")
        name = Text(row["name"], style="bold")
        if row["name"] != row["backend"]:
            name.append(f" ({row['backend']})", style="dim")
        lines.append((name, state_text(row["state"]), _posts(row), secrets, single_line(row["address"], 60)))
    console.print(table("", ("channel", "state", "posts", "secrets", "address"), lines))
    for row in rows:
        since = f"paused since {row['paused_at'][:10]}: " if row["paused_at"] else ""
        if row["why"]:
            console.print(Text.assemble((row["name"], "bold"), ": ", since, single_line(row["why"], 500)))


def _posts(row: dict[str, Any]) -> Text:
    """How many posts need the operator, wait, and are published."""
    parts = [
        Text(f"{row[key]} {label}", style=colour)
        for key, label, colour in (
            ("attention", "need you", "bold red"),
            ("waiting", "waiting", "yellow"),
            ("sent", "sent", "green"),
        )
        if row[key]
    ]
    return Text(", ").join(parts) if parts else Text("none", style="dim")


@channels.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Your own name for it, such as x or my-bluesky.")],
    backend: Annotated[str, typer.Option("--backend", "-b", help="The kind of channel. Default: NAME.")] = "",
    secrets: Annotated[
        str, typer.Option("--secrets", help="Where to store secrets: file, keyring or environment.")
    ] = "",
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of the channel; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Answer every confirmation with yes.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Save the answers without trying them.")] = False,
    as_json: Json = False,
) -> None:
    """Set up a channel, or give it new credentials.

    Asks for what is needed, tries it with the platform, and saves it when the platform accepts it. Secrets are asked
    for without echo, or read from environment variables named AURIA_SECRET_<NAME>_<SECRET>; never from the command
    line.
    """
    with app_context() as app:
        done = app.channel_administration.add(
            name,
            backend=backend,
            place=secrets,
            pairs=options or (),
            prompts=TerminalPrompts(),
            yes=yes,
            check=not no_check,
        )
    value = {"name": name, "state": "set up", "words": done.found, "variables": list(done.variables)}
    print_result(value, f"channel {name} is set up: {done.found}", as_json=as_json)
    if done.variables:
        note(f"keep these variables set: {', '.join(done.variables)}")
    if done.paused:
        note(f"it is paused; to resume it: auria channels resume {name}")
    elif not done.is_default:
        note(f"publish drafts there: auria approve ID --channel {name}")


@channels.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="These channels. Default: all.")] = None,
    as_json: Json = False,
) -> None:
    """Ask each platform whether publishing would work.

    A channel that Auria paused automatically is resumed when its check succeeds.
    """
    with app_context() as app:
        found = app.channel_administration.check(names or ())
    if as_json:
        print_json(found)
    else:
        rows = [(state_text(one["state"]), one["name"], single_line(one["words"], 500)) for one in found]
        out().print(table("", ("", "channel", "result"), rows))
    if bad := [one["name"] for one in found if one["state"] == "bad"]:
        raise ChannelError(
            f"{len(bad)} of {counted(len(found), 'channel')} would not work: {', '.join(bad)};"
            f" to enter new credentials: auria channels add {bad[0]}"
        )


@channels.command()
def pause(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; shown with the pause.")] = "",
    as_json: Json = False,
) -> None:
    """Pause a channel: its posts wait, and its platform is not contacted."""
    with app_context() as app:
        app.channel_administration.require(name)
        app.publisher.pause(name, reason=reason)
    line = f"channel {name} is paused; to resume it: auria channels resume {name}"
    print_result({"name": name, "state": "paused", "words": reason}, line, as_json=as_json)


@channels.command()
def resume(name: Name, as_json: Json = False) -> None:
    """Check a paused channel, and resume it when it works."""
    with app_context() as app:
        app.channel_administration.require(name)
        found = app.publisher.resume(name)
    value = {"name": name, "state": "ready", "words": found}
    print_result(value, f"channel {name} is resumed: {found}", as_json=as_json)


@channels.command()
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: Json = False,
) -> None:
    """Remove a channel and its secrets.

    What was published stays published. A channel that posts still wait for is not removed.
    """
    with app_context() as app:
        administration = app.channel_administration
        administration.check_removable(name)
        command = f"auria channels remove {shlex.quote(name)} --yes"
        if not yes and not require_confirmation(f"Remove channel {name} and its secrets?", command):
            raise InputError(f"channel {name} was not removed")
        if administration.remove(name):
            note(f"review.channels still names {name}; take it out of your auria.toml, or name channels with --channel")
    value = {"name": name, "state": "removed"}
    print_result(value, f"channel {name} and its secrets are removed", as_json=as_json)


@channels.command()
def avatar(
    name: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    as_json: Json = False,
) -> None:
    """Make the portrait in use the avatar of a channel's account.

    Bluesky and Mastodon let programs change avatars; elsewhere the file is named that you can upload yourself.
    """
    with app_context() as app:
        app.channel_administration.require(name)
        done = set_avatar(app.channels[name](), app.portraits.require(), dry_run=dry_run)
    said = "is now the avatar of" if done["sent"] else "would be the avatar of"
    print_result(done, f"{done['file']} ({done['bytes']:,} bytes) {said} {name}", as_json=as_json)


@channels.command()
def serve(
    name: Name,
    host: Annotated[str, typer.Option("--host", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 for any free one.")] = 8417,
) -> None:
    """Serve a channel's pictures over HTTP, for Instagram to fetch.

    Run it behind a web server that speaks https, and set that address as the channel's public_url. It serves the
    pictures that are being published, each for a short time, and nothing else.
    """
    with app_context() as app:
        app.channel_administration.require(name)
        endpoint = getattr(app.channels[name](), "endpoint", None)
        if endpoint is None:
            raise UsageError(f"channel {name} uploads its pictures itself; there is nothing to serve")
        server = picture_server(endpoint(), host=host, port=port)
    with server:
        note(f"serving the pictures of {name} at http://{host}:{server.server_port}/; Ctrl-C stops it")
        server.serve_forever()
