"""Measuring: `measure`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.terminal.console import counted, note, out, print_json, single_line, table, when
from auria_bot.errors import ChannelError
from auria_bot.execution.parent_watch import report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.engagement import TrackedPost
    from auria_bot.services.engagement.tracker import MeasurementResult

__all__ = ["measure"]


def measure(
    channel: Annotated[
        list[str] | None, typer.Option("--channel", "-c", help="Only on this channel; may be repeated.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what is due; ask no platform, write nothing.")
    ] = False,
    vanished: Annotated[
        bool,
        typer.Option(
            "--vanished", help="Ask again for posts that vanished, and accept it when all posts of a channel have."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure engagement with published posts, where that is due.

    A post is measured 15 minutes, 1, 3, 6 and 12 hours, 1, 2, 4, 7, 14 and 30 days after its publication, then every
    30 days for a year; followers are counted once a day. Running this often does no harm.
    """
    from auria_bot.cli.app_context import app_context

    with app_context() as app:
        for name in channel or ():
            app.channel_administration.require(name)
        if dry_run:
            _print_results(app, app.tracker.preview(channel or ()), (), as_json=as_json, dry_run=True)
            return
        done = app.tracker.measure(channel or (), vanished=vanished)
        _print_results(app, done.results, done.vanished, as_json=as_json, dry_run=False)
    if done.problems:
        raise ChannelError("\n".join(done.problems))


def _print_results(
    app: Application,
    results: Sequence[MeasurementResult],
    vanished: Sequence[TrackedPost],
    *,
    as_json: bool,
    dry_run: bool,
) -> None:
    from auria_bot.services.engagement.report import measurement_json, vanished_json

    if as_json:
        print_json(
            {
                "visits": [measurement_json(one) for one in results],
                "vanished": [vanished_json(post) for post in vanished],
            }
        )
    else:
        out().print(_table(results, app))
    for post in vanished:
        place = single_line(post.receipt.url or post.receipt.id, 300)
        note(f"post {post.post_id} has vanished from {post.channel}: {place}")
    calls, cost = sum(one.calls for one in results), sum(one.cost for one in results)
    price = f" for ${cost:.3f}" if cost else ""
    if dry_run:
        note(f"{counted(calls, 'call')}{price} would be made" if calls else "nothing is due")
    else:
        note(f"{counted(calls, 'call')}{price}; see the results: auria stats" if calls else "nothing is due")
        gone = f"; {counted(len(vanished), 'post')} vanished" if vanished else ""
        report(f"{counted(calls, 'call')}{price}{gone}" if calls else f"nothing is due{gone}")


def _table(results: Sequence[MeasurementResult], app: Application) -> Table:
    now, zone = app.clock(), app.settings.time_zone
    rows = [
        (
            one.channel,
            str(one.posts or ""),
            str(one.left or ""),
            str(one.calls or ""),
            "" if one.followers is None else f"{one.followers:,}",
            "now" if one.next_at and one.next_at <= now else when(one.next_at, zone),
            single_line(one.message, 300),
        )
        for one in results
    ]
    grid = table("", ("channel", "posts", "left", "calls", "followers", "next due", "why"), rows)
    for column in grid.columns[1:5]:
        column.justify = "right"
    return grid
