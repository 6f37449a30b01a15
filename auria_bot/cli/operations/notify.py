"""Notifications to the operator: `notify`."""

from __future__ import annotations

from typing import Annotated

import typer

from auria_bot.cli.app_context import app_context
from auria_bot.cli.terminal.console import counted, echo, note, print_json
from auria_bot.execution.parent_watch import report

__all__ = ["notify"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

notify = typer.Typer(
    help="Test and send notifications.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@notify.command("test")
def check_addresses(as_json: Json = False) -> None:
    """Send a test notification to every address of notify.addresses."""
    from auria_bot.domain.notice import Notice
    from auria_bot.errors import InputError

    with app_context() as app:
        notifier = app.notifier
        if notifier is None:
            raise InputError("there is no address to test; set notify.addresses, or AURIA_NOTIFY__ADDRESSES")
        names = notifier.check()
        message = "This is a test: Auria will notify you here when something needs you."
        result = notifier.send(Notice(kind="test", subject="test", title="Test notification", body=message))
    states = {name: "failed" if name in result.failed else "sent" for name in names}
    if as_json:
        print_json(states)
    else:
        for name, state in states.items():
            echo(f"{name}: {state}")
    if result.failed:
        note(f"Error: {len(result.failed)} of {len(names)} failed; check the address and the network")
        raise typer.Exit(1)


@notify.command("send")
def send(as_json: Json = False) -> None:
    """Find what the operator should know, and send it; the daemon does so automatically."""
    with app_context() as app:
        notices = app.notices
        new, sent = notices.update(), notices.send()
    if as_json:
        print_json({"new": new, "sent": sent})
    else:
        echo(f"{new} new, {sent} sent")


notify.command("say", hidden=True)(send)  # its earlier name


@notify.command("digest")
def digest() -> None:
    """Send a summary of the last 24 hours, once a day."""
    with app_context() as app:
        notices = app.notices
        new = notices.add_digest()
        digest_state = "a new digest" if new else "the digest of today was already sent"
        result = f"{digest_state}, {counted(notices.send(), 'notice')} sent"
    note(result)
    report(result)


@notify.command("relay", hidden=True)
def relay() -> None:
    """Send the notice on stdin to the addresses on stdin; for a daemon whose settings or database fail."""
    import json
    import sys

    from auria_bot.domain.notice import Notice
    from auria_bot.errors import InputError
    from auria_bot.execution.parent_watch import send as send_to_parent
    from auria_bot.services.operations.notifier import AppriseNotifier

    try:
        given = json.load(sys.stdin)
        notice, delivered = Notice(**given["notice"]), [str(key) for key in given["delivered"]]
        addresses = [str(address) for address in given["addresses"]]
    except (ValueError, KeyError, TypeError):
        raise InputError("the notice on stdin cannot be read; test the addresses with: auria notify test") from None
    result = AppriseNotifier(addresses).send(notice, skip=delivered)
    send_to_parent({"delivered": result.delivered, "failed": result.failed})
    if result.failed:
        raise typer.Exit(1)
