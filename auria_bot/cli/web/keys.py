"""`auria keys`: the keys with which programs use the REST interface."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from auria_bot.cli.app import Json, app_context, command_group
from auria_bot.cli.terminal.console import echo, note, print_json, print_rows, when
from auria_bot.domain.job_schedule import moment
from auria_bot.errors import UsageError
from auria_bot.services.serialization import api_key_json

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["keys"]

_YEAR = "365d"

keys = command_group(no_args_is_help=True)


@keys.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who uses it; the journal names it as key:NAME.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", "-s", help="read, decide, make, caption or restyle; may be repeated. Default: read."),
    ] = None,
    expires: Annotated[
        str, typer.Option("--expires", help="A day, like 2027-01-31, a span, like 90d, or never.")
    ] = _YEAR,
    as_json: Json = False,
) -> None:
    """Add a key and print it; it is shown this once, and cannot be read again.

    A key that reads sees drafts, posts, runs and engagement; one that decides approves, rejects, edits and withdraws;
    one that makes starts new artworks; one that captions asks `auria serve` for captions of pictures and rates them;
    one that restyles has it restyle pictures.
    """
    with app_context() as app:
        expires_at = _expiry(expires, app.clock(), ZoneInfo(app.settings.time_zone))
        scopes = tuple(dict.fromkeys(scope or ["read"]))
        key = app.api_keys.add(name, scopes, expires_at=expires_at)
        if as_json:
            ends = expires_at.isoformat() if expires_at else None
            print_json({"name": name, "key": key, "scopes": scopes, "expires_at": ends})
            return
        echo(key)
        until = f" until {when(expires_at, app.settings.time_zone)}" if expires_at else ""
        note(f"{name} may {', '.join(scopes)}{until}, with the header `Authorization: Bearer KEY`; keep the key now")


@keys.command("list")
def list_keys(as_json: Json = False) -> None:
    """List the keys: what each may do, until when, and when it was used last."""
    with app_context() as app:
        found = app.api_keys.list()
        zone, now = app.settings.time_zone, app.clock()
        rows = [
            (
                key.name,
                ", ".join(key.scopes),
                when(key.added_at, zone),
                ("expired " if key.expires_at and key.expires_at <= now else "")
                + (when(key.expires_at, zone) or "never"),
                when(key.used_at, zone) or "never",
            )
            for key in found
        ]
    columns, values = ("name", "may", "added", "expires", "last used"), [api_key_json(key) for key in found]
    print_rows(columns, rows, values, as_json=as_json, empty="there is no key yet: auria keys add NAME")


@keys.command("revoke")
def revoke(name: Annotated[str, typer.Argument(metavar="NAME", help="The key's name.")]) -> None:
    """End a key at once: whoever uses it is refused from the next call on."""
    with app_context() as app:
        app.api_keys.revoke(name)
        note(f"the key {name} is no longer accepted")


def _expiry(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When a key expires: after a span, or when a day begins in the operator's time zone; None for never.

    Raises:
        UsageError: the text is none of these.
    """
    wanted = text.strip().lower()
    if wanted == "never":
        return None
    if found := re.fullmatch(r"(\d{1,4})\s*d", wanted):
        return now + timedelta(days=int(found[1]))
    if not re.match(r"\d{4}-\d{2}-\d{2}", wanted):
        raise UsageError(f"invalid value {text[:40]!r} for --expires; write a day, like 2027-01-31, 90d, or never")
    return moment(text, now=now, zone=zone)
