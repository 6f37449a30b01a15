"""Publishing: `publish`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from auria_bot.cli.app import Json, OnChannels, app_context
from auria_bot.cli.publishing.posts import post_table
from auria_bot.cli.terminal.console import fact_sheet, note, out, print_json, printable, when
from auria_bot.domain.post import PostState
from auria_bot.errors import ChannelError
from auria_bot.execution.parent_watch import report
from auria_bot.services.serialization import post_json, preview_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.bootstrap.application import Application
    from auria_bot.services.publishing.post_creation import Preview
    from auria_bot.services.publishing.publisher import Round

__all__ = ["publish"]


def publish(
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="ID", help="These drafts. Default: all approved ones.")
    ] = None,
    channel: OnChannels = None,
    once: Annotated[
        bool, typer.Option("--once", help="Send at most one post on each channel. Default: all that are due.")
    ] = False,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            metavar="TIME",
            formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"],
            help="With --once: skip channels that published since then (2026-11-21T18:00:00+0000).",
        ),
    ] = None,
    look_up: Annotated[
        bool, typer.Option("--look-up", help="Only look posts of unknown outcome up; send nothing.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done; send and write nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Publish approved drafts, each exactly once.

    A post of unknown outcome is looked up on its channel before anything is sent again.
    """
    with app_context() as app:
        for name in channel or ():
            app.channel_administration.require(name)
        if dry_run:
            _print_preview(app, app.post_creator.preview(ids or (), channels=channel or ()), as_json=as_json)
        elif look_up:
            _print_round(app, app.publisher.look_up(channels=channel or ()), as_json=as_json)
        else:
            most = 1 if once else None
            done = app.publisher.publish(ids or (), channels=channel or (), limit=most, since=since)
            _print_round(app, done, as_json=as_json)


def _print_round(app: Application, done: Round, *, as_json: bool) -> None:
    """Print the result of a round.

    Raises:
        ChannelError: something was not published.
    """
    if as_json:
        print_json([post_json(post) for post in done.posts])
    elif done.posts:
        out().print(post_table(done.posts, app.settings.time_zone))
    sent = sum(post.state is PostState.SENT for post in done.posts)
    fine = {PostState.SENT, PostState.WAITING, PostState.SENDING, PostState.CANCELLED, PostState.WITHDRAWN}
    stuck = [post for post in done.posts if post.state not in fine]
    problems = [
        *done.problems,
        *(f"post {post.id} on {post.channel} is {post.state}: {post.message}" for post in stuck),
    ]
    if problems:
        raise ChannelError("\n".join(dict.fromkeys(problems)))
    if done.posts:
        messages = [f"{sent} published"]
    elif waiting := app.publisher.posts({PostState.WAITING}):
        due = when(min(post.due for post in waiting), app.settings.time_zone)
        messages = [f"nothing is due now; the next post is due {due}: auria posts --state waiting"]
    else:
        messages = ["nothing is approved and due; approve a draft: auria approve ID"]
    if left := app.publisher.posts({PostState.NEEDS_ATTENTION}):
        need = "needs" if len(left) == 1 else "need"
        messages.append(f"{len(left)} {need} attention: auria posts --state needs_attention")
    for message in messages:
        note(message)
    report("; ".join(messages))


def _print_preview(app: Application, found: Sequence[Preview], *, as_json: bool) -> None:
    if as_json:
        print_json([preview_json(one) for one in found])
    elif found:
        console = out()
        for number, one in enumerate(found):
            if number:
                console.print()
            console.print(fact_sheet(_preview_facts(one, app.settings.time_zone)))
    else:
        note("nothing would be published; approve a draft: auria approve ID")


def _preview_facts(one: Preview, zone: str) -> list[tuple[str, Text]]:
    """What would be sent, in lines as they would stand there, with what it takes of the channel's limits."""
    counter = f"{one.characters:,} of {one.most_characters:,}" if one.most_characters else f"{one.characters:,}"
    alt = len(one.alt_text)
    alt_counter = f"{alt:,} of {one.most_alt_characters:,}" if one.most_alt_characters else f"{alt:,}"
    head = Text.assemble((f"{one.draft_id} on {one.channel}", "bold"), f": {one.action}, due {when(one.due, zone)}")
    return [
        ("draft", head),
        ("problem", Text(printable("\n".join(one.problems)), style="red")),
        ("text", Text(printable(one.text))),
        ("left out", Text(printable(" ".join(one.dropped)))),
        ("alt text", Text(printable(one.alt_text))),
        ("characters", Text(f"text {counter}, alt text {alt_counter}")),
        ("picture", Text(f"{'/'.join(Path(one.picture).parts[-2:])}\n{one.fit}".strip())),
    ]
