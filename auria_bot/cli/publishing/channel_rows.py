"""How each channel stands, for eyes and for programs: state, address, where its secrets are, posts.

Asks the settings, the vault and the database; no platform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auria_bot.errors import AuriaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.text import Text

    from auria_bot.bootstrap.application import Application

__all__ = ["channel_row", "print_rows"]

_ADDRESSES = ("address", "service", "instance", "directory")  # options that say where a channel publishes


def channel_row(app: Application, name: str) -> dict[str, Any]:
    """What is known of a channel, without asking its platform."""
    from auria_bot.domain.post import PostState

    settings = app.settings.channels[name]
    stand = next((pause for pause in app.publisher.paused() if pause.name == name), None)
    state, why, address, where = _set_up(app, name)
    if stand is not None:
        state, why = "paused", stand.reason
    with app.store.read() as unit:
        counts = {kind: number for (channel, kind), number in unit.posts.count().items() if channel == name}
    return {
        "name": name,
        "backend": settings.backend,
        "state": state,
        "why": why,
        "paused_at": stand.at.isoformat() if stand else None,
        "paused_by": stand.by if stand else None,
        "address": address,
        "vault": settings.keystore,
        "secrets": where,
        "waiting": sum(counts.get(kind, 0) for kind in (PostState.WAITING, PostState.SENDING, PostState.UNKNOWN)),
        "sent": counts.get(PostState.SENT, 0),
        "attention": counts.get(PostState.NEEDS_ATTENTION, 0),
    }


def _set_up(app: Application, name: str) -> tuple[str, str, str, dict[str, str | None]]:
    """Whether a channel could be used: "ready" or "broken", why, its address, and where each of its secrets is."""
    from auria_bot import registry
    from auria_bot.redaction import redacted_error

    try:
        config = getattr(app.channels[name](), "config", None)
        address = next((str(found) for option in _ADDRESSES if (found := getattr(config, option, ""))), "")
        kind = registry.find("channel", app.settings.channels[name].backend)
        vault = app.vault(name)
        where = {one.name: vault.where(one.name) for one in kind.QUESTIONS if one.secret}
    except AuriaError as error:
        return "broken", redacted_error(error), "", {}
    if missing := [one.name for one in kind.QUESTIONS if one.secret and one.required and not where[one.name]]:
        return "broken", f"it lacks {', '.join(missing)}; auria channels add {name}", address, where
    return "ready", "", address, where


def print_rows(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """Print a table, and below it why a channel does not work."""
    from rich.text import Text

    from auria_bot.cli.studio.views import single_line
    from auria_bot.cli.terminal.console import state_text, table

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
    """How many posts are out, wait, and need the operator."""
    from rich.text import Text

    parts = [
        Text(f"{row[key]} {words}", style=colour)
        for key, words, colour in (
            ("attention", "need you", "bold red"),
            ("waiting", "waiting", "yellow"),
            ("sent", "sent", "green"),
        )
        if row[key]
    ]
    return Text(", ").join(parts) if parts else Text("none", style="dim")
