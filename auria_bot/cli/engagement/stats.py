"""Engagement statistics: `stats`; its tables are in `stats_view`."""

from __future__ import annotations

import csv
import io
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from auria_bot import files
from auria_bot.cli.app import Json, app_context
from auria_bot.cli.engagement import stats_view
from auria_bot.cli.terminal.console import counted, is_terminal, note, out, print_json
from auria_bot.errors import UnknownName, UsageError
from auria_bot.services.engagement.engagement_plot import draw
from auria_bot.services.engagement.report import KINDS, LATEST, report_json, report_rows
from auria_bot.services.serialization import csv_cell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from auria_bot.bootstrap.application import Application
    from auria_bot.services.engagement.report import EngagementReport

__all__ = ["since_when", "stats"]

_SPANS = {"d": 1, "w": 7, "m": 30, "y": 365}  # days
_NOTHING = "nothing was published yet, or not in that time; publish approved drafts: auria publish"


def stats(
    channel: Annotated[str | None, typer.Option("--channel", "-c", help="Only this channel.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Only posts since then: 2026-01-31, or 30d, 12w, 6m, 1y ago.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="One table: post, channel, mood, style, hour, day (of the week) or month."),
    ] = None,
    as_json: Json = False,
    csv: Annotated[
        str | None,
        typer.Option("--csv", metavar="FILE", help='Write the table (default: of posts) as CSV; "-" prints it.'),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw a figure as PNG, SVG or PDF.")
    ] = None,
) -> None:
    """Show engagement by channel, mood, painting and time.

    Counts come from auria measure. A rate is points per 100 followers: a like is one point, a reply or a save two, a
    repost or a quote three.
    """
    if by is not None and by not in (known := ("post", *KINDS)):
        raise UnknownName(f"invalid value {by[:40]!r} for --by; known: {', '.join(known)}")
    with app_context() as app:
        _check_channel(app, channel)
        zone = ZoneInfo(app.settings.time_zone)
        start = since_when(since, app.clock(), zone) if since else None
        report = app.engagement_reporter.report(since=start, channel=channel)
        if plot is not None:
            draw(report, plot)
            note(f"figure: {plot.absolute()}")
        if csv is not None:
            _write_csv(_rows(app, report, by or "post"), csv)
        if as_json:
            _print_json(app, report, by)
        elif csv is None and plot is None:
            _print_tables(app, report, by)


def _check_channel(app: Application, channel: str | None) -> None:
    """Make sure that a channel exists, or existed: one removed from the settings still has its past.

    Raises:
        UnknownName: there never was such a channel.
    """
    if channel is None or channel in app.settings.channels:
        return
    past = app.engagement_reporter.channels()
    if channel not in past:
        known = ", ".join(sorted(past | set(app.settings.channels)))
        raise UnknownName(f"no channel named {channel[:40]!r}; known: {known}")


def since_when(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment that `--since` means: midnight of a day in the operator's time zone, or a span before now.

    Raises:
        UsageError: it is neither.
    """
    span = text.strip().lower()
    try:
        if found := re.fullmatch(r"(\d{1,4})\s*([dwmy])", span):
            return now - timedelta(days=int(found[1]) * _SPANS[found[2]])
        return datetime.strptime(span, "%Y-%m-%d").replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"invalid value {text[:40]!r} for --since; write a day, like 2026-01-31, or 30d, 12w, 6m or 1y"
        ) from None


def _print_tables(app: Application, report: EngagementReport, by: str | None) -> None:
    if not report.posts:
        note(_NOTHING)
        return
    console = out()
    most = stats_view.MOST if is_terminal() else None
    latest = report.posts if by == "post" else report.posts[:LATEST]
    ids = [one.draft_id for one in latest[:most]]
    if by in {None, "style"}:
        ids += [one.example for one in report.by("style")[:most]]
    artworks = app.engagement_reporter.artworks(ids)
    if by is None:
        console.print(stats_view.overview(report, artworks, width=console.width, latest=LATEST))
    else:
        console.print(stats_view.table_by(report, by, artworks, width=console.width, most=most))


def _print_json(app: Application, report: EngagementReport, by: str | None) -> None:
    if by is not None:
        print_json(_rows(app, report, by))
        return
    artworks = app.engagement_reporter.artworks([one.draft_id for one in report.posts[:LATEST]])
    print_json(report_json(report, artworks, time_zone=app.settings.time_zone))


def _rows(app: Application, report: EngagementReport, by: str) -> list[dict[str, Any]]:
    ids = [one.draft_id for one in report.posts] if by == "post" else []
    if by == "style":
        ids = [one.example for one in report.by("style")]
    return report_rows(report, app.engagement_reporter.artworks(ids), by)


def _write_csv(rows: Sequence[dict[str, Any]], target: str) -> None:
    """Write rows as CSV, atomically to a file or to stdout.

    Raises:
        DiskError: the file cannot be written.
    """
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: csv_cell(value) for name, value in row.items()} for row in rows)
    if target == "-":
        sys.stdout.write(text.getvalue())
        return
    path = Path(target)
    if path.exists() and not path.is_file():  # a device or a pipe is written to, never replaced
        with files.disk_errors(path):
            path.write_text(text.getvalue(), encoding="utf-8", newline="")
    else:
        with files.output_path(path, mode=0o644) as scratch:
            scratch.write_text(text.getvalue(), encoding="utf-8", newline="")
    note(f"{counted(len(rows), 'row')}: {path.absolute()}")
