"""`auria web`: the public gallery as a web site, and as files."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from auria_bot.cli.app import Json, app_context, command_group, extra, is_called_alone
from auria_bot.cli.terminal.console import counted, echo, note, print_json
from auria_bot.cli.terminal.progress import counting
from auria_bot.cli.web.webhooks import webhooks
from auria_bot.http_server import check_address

__all__ = ["web"]

web = command_group(name="web", invoke_without_command=True)

_EXTRA = ("web", "the web interface needs packages that are not installed")


@web.callback()
def _serve(
    context: typer.Context,
    is_opened: Annotated[
        bool, typer.Option("--open", help="Open the site in your browser, where there is one.")
    ] = False,
) -> None:
    """Serve the gallery as a web site, or export it as files.

    The address is web.address in the settings, by default 127.0.0.1:8620. What is published is public there; behind a
    proxy with HTTPS, set web.url to the public address. Ctrl-C or SIGTERM ends it.
    """
    if not is_called_alone(context):
        return
    from auria_bot import telemetry

    with app_context() as app:
        telemetry.set_up(level=app.settings.logging.level, form=app.settings.logging.format)
        with extra(*_EXTRA):
            from auria_bot.web.server import serve as run
        _ = app.store  # a wrong database is an error of the command, not of every page
        check_address(app.settings.web.address, setting="web.address")
        note(f"The gallery is at {app.public_url}; Ctrl-C ends it.")
        run(app, ready=partial(_open, app.public_url) if is_opened else None)


def _open(address: str) -> None:
    """Open an address in a browser with windows; one in the terminal would take it over."""
    import webbrowser

    if sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(address)


@web.command("export")
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to; it is created.")],
    language: Annotated[
        str, typer.Option("--language", help="Of the pages: en or de. Default: that of the settings.")
    ] = "",
) -> None:
    """Write the gallery as files that any web server can serve, and that open in a browser without one.

    Repeating it writes only what changed, and deletes the pages of works that are no longer published.
    """
    with app_context() as app:
        with extra(*_EXTRA):
            from auria_bot.web.export import export_site
        with counting("exporting") as progress:
            result = export_site(app, folder, language=language, progress=progress)
        done = f"{counted(result.written, 'file')} written, {result.removed} removed"
        note(f"{counted(result.works, 'work')} on {counted(result.pages, 'page')} in {folder}: {done}")


operators = command_group(help="Add, list and remove those who may sign in to the desk.", no_args_is_help=True)
web.add_typer(operators, name="operators")
web.add_typer(webhooks, name="webhooks")


@operators.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, '.', '_' and '-'.")],
    role: Annotated[
        str,
        typer.Option(
            "--role",
            help="owner: decides, and manages operators; editor: decides; viewer: looks. Default: owner for the first"
            " operator, editor for others.",
        ),
    ] = "",
) -> None:
    """Add an operator, or give one a new password; it is asked for, or read from standard input.

    Sessions that were begun with the old password end, and passkeys are removed.
    """
    with app_context() as app, extra(*_EXTRA):
        if sys.stdin.isatty():
            password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        else:
            password = sys.stdin.readline().rstrip("\n")
        added = app.accounts.add(name, password, role=role)
        note(f"{added.name} may sign in as {added.role} at {app.public_url}/desk")


@operators.command("list")
def list_operators(as_json: Json = False) -> None:
    """List the operators with their roles."""
    with app_context() as app:
        found = app.accounts.operators()
        if as_json:
            print_json([{"name": one.name, "role": one.role, "added_at": one.added_at.isoformat()} for one in found])
            return
        for one in found:
            echo(f"{one.name}  {one.role}  {one.added_at:%Y-%m-%d}")
        if not found:
            note("nobody may sign in yet: auria web operators add NAME")


@operators.command("role")
def set_role(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The operator's name.")],
    role: Annotated[str, typer.Argument(metavar="ROLE", help="owner, editor or viewer.")],
) -> None:
    """Give an operator another role."""
    with app_context() as app:
        app.accounts.set_role(name, role)
        note(f"{name} is {role} now")


@operators.command("remove")
def remove(name: Annotated[str, typer.Argument(metavar="NAME", help="The operator's name.")]) -> None:
    """Remove an operator and end all of their sessions."""
    with app_context() as app:
        app.accounts.remove(name)
        note(f"{name} may no longer sign in")


@operators.command("passkeys")
def passkeys(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The operator's name.")],
    remove_id: Annotated[
        str, typer.Option("--remove", metavar="ID", help="Remove this one; it can no longer be used to sign in.")
    ] = "",
    as_json: Json = False,
) -> None:
    """List the passkeys of an operator, or remove one; they are added at the desk, on the account's page."""
    with app_context() as app:
        if remove_id:
            gone = app.passkeys.remove(name, remove_id)
            if as_json:
                print_json({"removed": gone.id, "name": gone.name})
            note(f"the passkey {gone.name} of {name} is no longer accepted")
            return
        found = app.passkeys.list(name)
        if as_json:
            times = [(one, one.used_at.isoformat() if one.used_at else None) for one in found]
            print_json(
                [
                    {"id": one.id, "name": one.name, "added_at": one.added_at.isoformat(), "used_at": used}
                    for one, used in times
                ]
            )
            return
        for one in found:
            used = f"{one.used_at:%Y-%m-%d}" if one.used_at else "never"
            echo(f"{one.id}  {one.name}  added {one.added_at:%Y-%m-%d}, last used {used}")
        if not found:
            note(f"{name} has no passkey; they are added at {app.public_url}/desk/account")
