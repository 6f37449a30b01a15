"""`auria web webhooks`: the addresses that are told of events."""

from __future__ import annotations

from typing import Annotated

import typer

from auria_bot.cli.app import Json, app_context, command_group
from auria_bot.cli.terminal.console import echo, note, print_rows
from auria_bot.errors import InputError, NotFound
from auria_bot.services.operations.webhooks import SECRET, new_secret

__all__ = ["webhooks"]

_Name = Annotated[str, typer.Argument(metavar="NAME", help="As in [web.webhooks.NAME] of the settings.")]

webhooks = command_group(
    help="List and test the addresses that are told of events, and make their secrets.", no_args_is_help=True
)


@webhooks.command("list")
def list_webhooks(as_json: Json = False) -> None:
    """List the webhooks of the settings, and whether each has a secret."""
    with app_context() as app:
        found = [(hook, bool(hook.secret())) for hook in app.webhooks.hooks.values()]
    values = [
        {"name": hook.name, "url": hook.url, "events": sorted(hook.events), "has_secret": has_secret}
        for hook, has_secret in found
    ]
    rows = [
        (hook.name, hook.url, ", ".join(sorted(hook.events)), "yes" if has_secret else "no")
        for hook, has_secret in found
    ]
    empty = "there is no webhook; set [web.webhooks.NAME] url in auria.toml"
    print_rows(("name", "url", "events", "secret"), rows, values, as_json=as_json, empty=empty)


@webhooks.command("secret")
def secret(name: _Name) -> None:
    """Make a webhook a new secret and print it; it is shown this once. The old one is no longer used."""
    with app_context() as app:
        if name not in app.settings.web.webhooks:
            known = ", ".join(sorted(app.settings.web.webhooks)) or "none"
            raise NotFound(f"there is no webhook {name[:40]!r}; known: {known}; set [web.webhooks.{name[:40]}] first")
        made = new_secret()
        app.secret_store(f"webhook-{name}").store(SECRET, made)
        # The one line that the operator asked for; everywhere else the secret is masked from now on.
        echo(made)
        note("give it to the receiver, which checks the header Webhook-Signature with it")


@webhooks.command("test")
def check(name: _Name) -> None:
    """Send a webhook an event of the type `test`, and show the status of its answer."""
    with app_context() as app:
        status = app.webhooks.test(name)
    echo(f"{name} answered {status}")
    if not 200 <= status < 300:
        raise InputError(f"{name} must answer 200 to 299; see its own log")
