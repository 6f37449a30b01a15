"""`notify`: try the addresses at which the operator is told what matters, and say what is to be said."""

from __future__ import annotations

import typer

from auria_bot.cli.app_context import app_context
from auria_bot.cli.terminal.console import note
from auria_bot.execution.parent_watch import report

__all__ = ["notify"]

notify = typer.Typer(
    help="Telling you what matters: try it, and say what is to be said.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@notify.command("test")
def test() -> None:
    """Say hello at every address of notify.addresses."""
    from auria_bot.bootstrap import operations
    from auria_bot.domain.notice import Notice
    from auria_bot.errors import InputError

    with app_context() as app:
        herald = operations.herald(app.settings)
        if herald is None:
            raise InputError("there is no address to try; set notify.addresses, or AURIA_NOTIFY__ADDRESSES")
        names = herald.check()
        words = "You will be told here when Auria needs you. Nothing is to be done."
        said = herald.say(Notice(kind="test", subject="test", title="Auria says hello", body=words))
    for name in names:
        typer.echo(f"{name}: {'failed' if name in said.failed else 'told'}")
    if said.failed:
        note(f"Error: {len(said.failed)} of {len(names)} could not be told; look at the address and the network")
        raise typer.Exit(1)


@notify.command("say")
def say() -> None:
    """Look what is to be said, and say it; the daemon does so by itself."""
    from auria_bot.bootstrap import operations

    with app_context() as app:
        notices = operations.notices(app)
        news = notices.look()
        typer.echo(f"{news} new, {notices.say()} said")


@notify.command("digest")
def digest() -> None:
    """Say how the last 24 hours were, once a day."""
    from auria_bot.bootstrap import operations

    with app_context() as app:
        notices = operations.notices(app)
        news = notices.digest()
        found = (
            f"{'the digest is new' if news else 'the digest of today was sent before'}, {notices.say()} notices sent"
        )
        note(found)
        report(found)


@notify.command("relay", hidden=True)
def relay() -> None:
    """Say the notice on stdin at the addresses on stdin, and nothing else is needed: for a daemon that stands still."""
    import json
    import sys

    from auria_bot.domain.notice import Notice
    from auria_bot.errors import InputError
    from auria_bot.execution.parent_watch import send
    from auria_bot.services.operations.notifier import AppriseNotifier

    try:
        given = json.load(sys.stdin)
        notice, told = Notice(**given["notice"]), [str(key) for key in given["told"]]
        addresses = [str(address) for address in given["addresses"]]
    except (ValueError, KeyError, TypeError):
        raise InputError("the daemon's words cannot be read; try the addresses with: auria notify test") from None
    said = AppriseNotifier(addresses).say(notice, but=told)
    send({"told": said.told, "failed": said.failed})
    if said.failed:
        raise typer.Exit(1)
