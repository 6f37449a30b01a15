"""Publishing: `publish`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.terminal.console import note
from auria_bot.errors import ChannelError, UnknownName
from auria_bot.execution.parent_watch import report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.bootstrap.application import Application
    from auria_bot.services.publishing.publisher import Round

__all__ = ["publish"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def publish(
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="ID", help="These drafts; all approved ones by default.")
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option("--channel", "-c", help="Only on this channel; may be repeated.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Send at most one post on each channel; else all that is due.")
    ] = False,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"],
            help="With --once: not where a post went out since then (2026-11-21T18:00:00+0000).",
        ),
    ] = None,
    look_up: Annotated[
        bool, typer.Option("--look-up", help="Only find out what became of posts that may be out; nothing is sent.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done; nothing is sent or written.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Publish what is approved, once and only once.

    A post whose outcome is unknown is looked up on its channel before anything is sent again.
    """
    from auria_bot.cli.app_context import app_context

    with app_context() as app:
        for name in channel or ():
            if name not in app.settings.channels:
                known = ", ".join(sorted(app.settings.channels))
                raise UnknownName(f"no channel named {name[:40]!r}; known: {known}")
        if dry_run:
            _preview(app, ids or (), channel or (), as_json=as_json)
        elif look_up:
            _tell(app, app.publisher.look_up(channels=channel or ()), as_json=as_json)
        else:
            most = 1 if once else None
            _tell(
                app,
                app.publisher.publish(ids or (), channels=channel or (), limit=most, since=since),
                as_json=as_json,
            )


def _tell(app: Application, done: Round, *, as_json: bool) -> None:
    """Print what came of a round.

    Raises:
        ChannelError: something was not published.
    """
    from auria_bot.cli.studio.views import post_json, post_table
    from auria_bot.cli.terminal.console import out, print_json
    from auria_bot.domain.post import PostState

    if as_json:
        print_json([post_json(post) for post in done.posts])
    elif done.posts:
        out().print(post_table(done.posts, app.settings.time_zone))
    sent = sum(post.state is PostState.SENT for post in done.posts)
    stuck = [post for post in done.posts if post.state not in {PostState.SENT, PostState.WAITING, PostState.SENDING}]
    problems = [
        *done.problems,
        *(f"post {post.id} on {post.channel} is {post.state}: {post.message}" for post in stuck),
    ]
    if problems:
        raise ChannelError("\n".join(dict.fromkeys(problems)))
    found = f"{sent} published" if done.posts else "nothing is approved and due; approve a draft: auria approve ID"
    note(found)
    if left := app.publisher.posts({PostState.NEEDS_ATTENTION}):
        attention = (
            f"{len(left)} {'needs' if len(left) == 1 else 'need'} attention: auria posts --state needs_attention"
        )
        note(attention)
        found = f"{found}; {attention}"
    report(found)


def _preview(app: Application, ids: Sequence[int], channels: Sequence[str], *, as_json: bool) -> None:
    from auria_bot.cli.studio.views import single_line
    from auria_bot.cli.terminal.console import out, print_json, table, when

    found = app.publisher.preview(ids, channels=channels)
    if as_json:
        print_json(
            [
                {
                    "draft": one.draft_id,
                    "channel": one.channel,
                    "action": one.action,
                    "due": one.due.isoformat(),
                    "text": one.text,
                    "alt_text": one.alt_text,
                    "dropped": list(one.dropped),
                    "picture": one.picture,
                    "problems": list(one.problems),
                }
                for one in found
            ]
        )
    elif found:
        rows = (
            (
                str(one.draft_id),
                one.channel,
                one.action,
                when(one.due, app.settings.time_zone),
                "; ".join(one.problems) or single_line(one.text, 300),
                " ".join(one.dropped),
            )
            for one in found
        )
        out().print(table("", ("draft", "channel", "action", "due", "what", "left out"), rows))
    else:
        note("nothing would be published; approve a draft: auria approve ID")
