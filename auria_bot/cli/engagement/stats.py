"""What followers did: `stats`. Which posts, put together how, told in which form; the screen stands in `engagement`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.terminal.console import note
from auria_bot.errors import InputError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.artwork import Artwork
    from auria_bot.domain.engagement import PostEngagement
    from auria_bot.services.engagement.report import Aggregate, EngagementReport

__all__ = ["post_rows", "since_when", "stats", "tally_rows"]

_LATEST = 10  # posts that the overview names
_SPANS = {"d": 1, "w": 7, "m": 30, "y": 365}  # days
_NOTHING = "nothing is out yet, or not in that time; publish what is approved: auria publish"


def stats(
    channel: Annotated[str | None, typer.Option("--channel", "-c", help="Only this channel.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Only posts since then: 2026-01-31, or 30d, 12w, 6m, 1y ago.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="One table: post, channel, mood, style, hour, day (of the week) or month."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    csv: Annotated[
        str | None,
        typer.Option("--csv", metavar="FILE", help='Write the table, of posts by default, as CSV; "-": print it.'),
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="FILE", help="Draw a figure: PNG, SVG or PDF.")] = None,
) -> None:
    """Tell what followers did: by channel, mood, painting and time.

    Counts come from auria measure. A rate is points for every 100 followers: a like is one, a reply or a save two, a repost or a
    quote three.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.services.engagement.report import KINDS

    if by is not None and by not in (known := ("post", *KINDS)):
        raise UnknownName(f"statistics cannot be put together by {by[:40]!r}; known: {', '.join(known)}")
    with app_context() as app:
        _check_channel(app, channel)
        zone = _zone(app)
        start = since_when(since, app.clock(), zone) if since else None
        look = app.statistics.report(since=start, channel=channel)
        if plot is not None:
            from auria_bot.services.engagement.engagement_plot import draw

            draw(look, plot)
            note(f"figure: {plot.absolute()}")
        if csv is not None:
            _write_csv(_rows(app, look, by or "post"), csv)
        if as_json:
            _print_json(app, look, by)
        elif csv is None and plot is None:
            _print_tables(app, look, by)


def _check_channel(app: Application, channel: str | None) -> None:
    """A channel that was taken out of the settings still has its past.

    Raises:
        UnknownName: there never was such a channel.
    """
    if channel is None or channel in app.settings.channels:
        return
    with app.store.read() as unit:
        past = {name for name, _ in unit.posts.count()}
    if channel not in past:
        known = ", ".join(sorted(past | set(app.settings.channels)))
        raise UnknownName(f"no channel named {channel[:40]!r}; known: {known}")


def _zone(app: Application) -> ZoneInfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(app.settings.time_zone)


def since_when(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment that `--since` means: midnight of a day in the operator's time zone, or so long ago.

    Raises:
        InputError: it is neither.
    """
    words = text.strip().lower()
    try:
        if found := re.fullmatch(r"(\d{1,4})\s*([dwmy])", words):
            return now - timedelta(days=int(found[1]) * _SPANS[found[2]])
        return datetime.strptime(words, "%Y-%m-%d").replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(
            f"--since cannot be {text[:40]!r}; write a day, like 2026-01-31, or 30d, 12w, 6m or 1y"
        ) from None


def _print_tables(app: Application, look: EngagementReport, by: str | None) -> None:
    from auria_bot.cli.engagement import stats_view
    from auria_bot.cli.terminal.console import out

    if not look.posts:
        note(_NOTHING)
        return
    console = out()
    latest = look.posts if by == "post" else look.posts[:_LATEST]
    ids = [one.draft_id for one in latest[: stats_view.MOST]] + [
        one.example for one in (look.by("style")[: stats_view.MOST] if by in {None, "style"} else ())
    ]
    artworks = app.statistics.artworks(ids)
    if by is None:
        console.print(stats_view.overview(look, artworks, width=console.width, latest=_LATEST))
    else:
        console.print(stats_view.table_by(look, by, artworks, width=console.width))


def _print_json(app: Application, look: EngagementReport, by: str | None) -> None:
    from auria_bot.cli.terminal.console import print_json

    if by is not None:
        print_json(_rows(app, look, by))
        return
    artworks = app.statistics.artworks([one.draft_id for one in look.posts[:_LATEST]])
    print_json(
        {
            "time_zone": app.settings.time_zone,
            "total": tally_rows([look.total()])[0],
            "channels": tally_rows(look.by("channel")),
            "moods": tally_rows(look.by("mood")),
            "styles": tally_rows(look.by("style")),
            "hours": tally_rows(look.by("hour")),
            "days": tally_rows(look.by("day")),
            "months": tally_rows(look.by("month")),
            "posts": post_rows(look.posts[:_LATEST], artworks),
            "followers": {
                name: [{"at": one.at.isoformat(), "followers": one.followers} for one in rows]
                for name, rows in look.followers.items()
            },
        }
    )


def _rows(app: Application, look: EngagementReport, by: str) -> list[dict[str, Any]]:
    if by == "post":
        return post_rows(look.posts, app.statistics.artworks([one.draft_id for one in look.posts]))
    tallies = look.by(by)  # type: ignore[arg-type]  # checked before
    if by != "style":
        return tally_rows(tallies)
    artworks = app.statistics.artworks([one.example for one in tallies])
    return [
        {"title": artworks[one.example].style.title, "artist": artworks[one.example].style.artist, **row}
        for one, row in zip(tallies, tally_rows(tallies), strict=True)
    ]


def tally_rows(tallies: Sequence[Aggregate]) -> list[dict[str, Any]]:
    """Tallies for programs."""
    return [
        {
            "name": one.name,
            "posts": one.posts,
            "measured": one.measured,
            "vanished": one.vanished,
            **one.counts,
            "points": one.points,
            "mean": _rounded(one.mean),
            "rate": _rounded(one.rate),
            "cost": round(one.cost, 6),
        }
        for one in tallies
    ]


def post_rows(standings: Sequence[PostEngagement], artworks: Mapping[int, Artwork]) -> list[dict[str, Any]]:
    """Posts for programs."""
    from auria_bot.domain.engagement import COUNTS

    rows = []
    for one in standings:
        points = one.counts.points if one.counts else None
        rows.append(
            {
                "post": one.post_id,
                "draft": one.draft_id,
                "channel": one.channel,
                "posted_at": one.posted_at.isoformat(),
                "mood": one.mood,
                "style": one.style,
                "poem": " / ".join(artworks[one.draft_id].haiku.lines),
                **{name: getattr(one.counts, name) if one.counts else None for name in COUNTS},
                "points": points,
                "rate": _rounded(100 * points / one.followers) if points is not None and one.followers else None,
                "followers": one.followers,
                "cost": one.cost,
                "url": one.url,
                "measured_at": one.counts.at.isoformat() if one.counts else None,
                "vanished_at": one.vanished_at.isoformat() if one.vanished_at else None,
            }
        )
    return rows


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _write_csv(rows: Sequence[dict[str, Any]], target: str) -> None:
    """Write rows as CSV, to a file in one stroke or to stdout.

    Raises:
        DiskError: the file cannot be written.
    """
    import csv
    import io
    import sys

    from auria_bot import files

    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    if target == "-":
        sys.stdout.write(text.getvalue())
        return
    path = Path(target)
    with files.disk_errors(path):
        if path.exists() and not path.is_file():  # a device or a pipe is written to, never replaced
            path.write_text(text.getvalue(), encoding="utf-8", newline="")
        else:
            files.write_atomic(path, text.getvalue(), mode=0o644)
    note(f"{len(rows)} rows: {path.absolute()}")


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
