"""Measuring: `measure`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.terminal.console import note
from auria_bot.errors import ChannelError, UnknownName
from auria_bot.execution.parent_watch import report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.engagement import TrackedPost
    from auria_bot.services.engagement.tracker import MeasurementResult

__all__ = ["measure"]


def measure(
    channel: Annotated[
        list[str] | None, typer.Option("--channel", "-c", help="Only on this channel; may be repeated.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is due; no platform is asked, nothing is written.")
    ] = False,
    vanished: Annotated[
        bool,
        typer.Option("--vanished", help="Ask again for posts that were gone, and believe it where every post is."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count what followers did with what is out, where that is due.

    A post is due 15 minutes, 1, 3, 6 and 12 hours, 1, 2, 4, 7, 14 and 30 days after it went out, then every 30 days to a year;
    followers once a day. So it does no harm to run this often.
    """
    from auria_bot.cli.app_context import app_context

    with app_context() as app:
        for name in channel or ():
            if name not in app.settings.channels:
                known = ", ".join(sorted(app.settings.channels))
                raise UnknownName(f"no channel named {name[:40]!r}; known: {known}")
        if dry_run:
            _tell(app, app.tracker.preview(channel or ()), (), as_json=as_json, dry_run=True)
            return
        done = app.tracker.measure(channel or (), vanished=vanished)
        _tell(app, done.results, done.vanished, as_json=as_json, dry_run=False)
    if done.problems:
        raise ChannelError("\n".join(done.problems))


def _tell(
    app: Application,
    visits: Sequence[MeasurementResult],
    gone: Sequence[TrackedPost],
    *,
    as_json: bool,
    dry_run: bool,
) -> None:
    from auria_bot.cli.studio.views import single_line
    from auria_bot.cli.terminal.console import out, print_json

    if as_json:
        print_json(
            {"visits": [_visit_json(visit) for visit in visits], "vanished": [_gone_json(post) for post in gone]}
        )
    else:
        out().print(_table(visits, app))
    for post in gone:
        place = single_line(post.receipt.url or post.receipt.id, 300)
        note(f"post {post.post_id} has vanished from {post.channel}: {place}")
    calls, cost = sum(visit.calls for visit in visits), sum(visit.cost for visit in visits)
    price = f" for ${cost:.3f}" if cost else ""
    if dry_run:
        note(f"{calls} calls{price} would be made" if calls else "nothing is due")
    else:
        note(f"{calls} calls{price}; see what came of it: auria stats" if calls else "nothing is due")
        vanished = f"; {len(gone)} posts have vanished" if gone else ""
        report(f"{calls} calls{price}{vanished}" if calls else f"nothing is due{vanished}")


def _table(visits: Sequence[MeasurementResult], app: Application) -> Any:
    from auria_bot.cli.studio.views import single_line
    from auria_bot.cli.terminal.console import table, when

    now, zone = app.clock(), app.settings.time_zone
    rows = [
        (
            visit.channel,
            str(visit.posts or ""),
            str(visit.left or ""),
            str(visit.calls or ""),
            "" if visit.followers is None else f"{visit.followers:,}",
            "now" if visit.next_at and visit.next_at <= now else when(visit.next_at, zone),
            single_line(visit.message, 300),
        )
        for visit in visits
    ]
    made = table("", ("channel", "posts", "left", "calls", "followers", "next due", "why"), rows)
    for column in made.columns[1:5]:
        column.justify = "right"
    return made


def _visit_json(visit: MeasurementResult) -> dict[str, Any]:
    return {
        "channel": visit.channel,
        "posts": visit.posts,
        "calls": visit.calls,
        "cost": round(visit.cost, 6),
        "followers": visit.followers,
        "left": visit.left,
        "next_at": visit.next_at.isoformat() if visit.next_at else None,
        "words": visit.message,
        "failed": visit.failed,
    }


def _gone_json(post: TrackedPost) -> dict[str, Any]:
    return {"post": post.post_id, "channel": post.channel, "url": post.receipt.url}
