"""Engagement statistics on the screen: an overview, or one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from auria_bot.cli.terminal.console import bar, counted, number, resampled, single_line, sparkline, table
from auria_bot.domain.engagement import COUNTS
from auria_bot.services.engagement.report import DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auria_bot.domain.artwork import Artwork
    from auria_bot.domain.engagement import PostEngagement
    from auria_bot.services.engagement.report import Aggregate, EngagementReport

__all__ = ["MOST", "overview", "table_by"]

MOST = 40
"""Rows of a table on a terminal; piped output, --csv and --json have them all."""

_BEST = 8  # moods and paintings that the overview names
_WEEKS = 100  # columns of a screen from which each channel's weeks are drawn
_PAIR = 118  # from which two tables stand side by side
_COUNTS = 146  # from which every count of the channels is shown
_MEANING = "A rate is points per 100 followers: a like 1, a reply or a save 2, a repost or a quote 3."
_UNCOUNTED = "Nothing was measured yet: auria measure"
_INK = {"line": "cyan", "bar": "magenta", "dim": "dim"}


def overview(report: EngagementReport, artworks: Mapping[int, Artwork], *, width: int, latest: int) -> RenderableType:
    """Everything at a glance: channels, moods, paintings, times, and the latest posts."""
    moods = _ranking("moods", report.by("mood")[:_BEST], [])
    styles = report.by("style")[:_BEST]
    titles = [_title(artworks.get(one.example)) for one in styles]
    paintings = _ranking("paintings", styles, titles)
    pair: RenderableType = Group(moods, paintings)
    if width >= _PAIR:
        grid = Table.grid(padding=(0, 4))
        grid.add_row(moods, paintings)
        pair = grid
    first, last = (one.posted_at.astimezone(report.zone) for one in (report.posts[-1], report.posts[0]))
    time = f"   {counted(len(report.posts), 'post')}, {first:%Y-%m-%d} to {last:%Y-%m-%d}, times in {report.zone}"
    head = Text.assemble(("Engagement", "bold"), (time, "dim"))
    measured = max((one.counts.at for one in report.posts if one.counts), default=None)
    foot = (
        f"{_MEANING} {f'Last measured {measured.astimezone(report.zone):%Y-%m-%d %H:%M}.' if measured else _UNCOUNTED}"
    )
    parts: list[RenderableType] = [
        head,
        _channels(report, width),
        pair,
        _times(report),
        _posts(report.posts[:latest], artworks, report, width),
    ]
    return Group(*parts, Text(foot, style=_INK["dim"]))


def table_by(
    report: EngagementReport, by: str, artworks: Mapping[int, Artwork], *, width: int, most: int | None = MOST
) -> RenderableType:
    """One table: of posts, or of the aggregates of one kind; at most so many rows, all for None."""
    if by == "post":
        shown: Table = _posts(report.posts[:most], artworks, report, width)
        rows = len(report.posts)
    else:
        tallies = report.by(by)  # type: ignore[arg-type]  # the caller checked it
        names = [_title(artworks.get(one.example)) for one in tallies[:most]] if by == "style" else []
        shown, rows = _tallies(by, tallies[:most], names, width), len(tallies)
    if most is None or rows <= most:
        return shown
    return Group(shown, Text(f"{rows - most:,} more: auria stats --by {by} --csv -", style="dim"))


def _right(grid: Table, *, but: Sequence[int]) -> Table:
    """Align every column to the right but some, close together."""
    grid.padding = (0, 1, 0, 0)
    for place, column in enumerate(grid.columns):
        column.no_wrap = True
        if place not in but:
            column.justify = "right"
    return grid


def _channels(report: EngagementReport, width: int) -> Table:
    """One row a channel: followers and engagement; on a narrow screen the sums alone."""
    tallies, weeks = report.by("channel"), report.weeks()
    wide, shown = width >= _WEEKS, list(COUNTS) if width >= _COUNTS else ["likes"]
    gone, paid = any(one.vanished for one in tallies), any(one.cost for one in tallies)
    names = ["channel", "posts", "followers", "", "30 days", *shown, "a post", "rate"]
    names += [*(["by week"] if wide else []), *(["gone"] if gone else []), *(["cost"] if paid else [])]
    rows: list[list[str | Text]] = []
    for one in tallies:
        audience = [float(each.followers or 0) for each in report.followers.get(one.name, ())]
        row: list[str | Text] = [
            Text(one.name, style="bold"),
            number(one.posts),
            f"{audience[-1]:,.0f}" if audience else "-",
            Text(sparkline(resampled(audience, 12 if wide else 8)), style=_INK["line"]),
            _growth(report, one.name),
            *(number(one.counts[name]) for name in shown),
            number(one.mean),
            number(one.rate),
        ]
        by_week = sparkline(list(weeks[one.name].values())[-12:], zero=True)
        row += [Text(by_week, style=_INK["bar"])] if wide else []
        row += [str(one.vanished or "")] if gone else []
        row += [f"${one.cost:.2f}" if one.cost else ""] if paid else []
        rows.append(row)
    return _right(table("", names, rows), but=[0, 3, *([names.index("by week")] if wide else [])])


def _growth(report: EngagementReport, channel: str) -> str:
    """The change of followers over the last thirty days that were measured."""
    rows = report.followers.get(channel, ())
    if len(rows) < 2:
        return ""
    before = [one for one in rows if (rows[-1].at - one.at).days >= 30] or rows[:1]
    change = (rows[-1].followers or 0) - (before[-1].followers or 0)
    return f"{change:+,}" if change else "±0"


def _ranking(name: str, tallies: Sequence[Aggregate], titles: Sequence[str]) -> Table:
    """What was received best, as bars."""
    most = max((one.rate or 0.0 for one in tallies), default=0.0)
    rows = [
        (
            single_line(titles[place] if titles else one.name, 40),
            number(one.posts),
            number(one.rate),
            Text(bar(one.rate, most, 14), style=_INK["bar"]),
        )
        for place, one in enumerate(tallies)
    ]
    return _right(table("", (name, "posts", "rate", ""), rows), but=[0, 3])


def _times(report: EngagementReport) -> RenderableType:
    """The rate by hour and by day of the week."""
    hours = {one.name: one.rate for one in report.by("hour")}
    days = {one.name: one.rate for one in report.by("day")}
    grid = Table.grid(padding=(0, 2))
    grid.add_row(
        Text("by hour", style="dim"),
        Text("0     6     12    18   23", style="dim"),
        Text("   by day", style="dim"),
        Text("  ".join(name[:2] for name in DAYS), style="dim"),
    )
    by_hour = sparkline([hours.get(f"{hour:02d}") for hour in range(24)], zero=True)
    by_day = sparkline([days.get(name) for name in DAYS], zero=True)
    grid.add_row(
        "", Text(by_hour, style=_INK["bar"]), "", Text("  ".join(2 * tick for tick in by_day), style=_INK["bar"])
    )
    return grid


def _posts(
    standings: Sequence[PostEngagement], artworks: Mapping[int, Artwork], report: EngagementReport, width: int
) -> Table:
    """One row a post; without hours and likes on a narrow screen."""
    wide = width >= _WEEKS
    rows: list[list[str | Text]] = []
    for one in standings:
        points, at = one.counts.points if one.counts else None, one.posted_at.astimezone(report.zone)
        poem = artworks[one.draft_id].haiku.lines[0] if one.draft_id in artworks else ""
        row: list[str | Text] = [str(one.post_id), f"{at:%Y-%m-%d %H:%M}" if wide else f"{at:%Y-%m-%d}", one.channel]
        row += [one.mood, Text(single_line(poem, 32 if wide else 18), style="italic")]
        row += [number(one.counts.likes if one.counts else None)] if wide else []
        row += [number(points), number(100 * points / one.followers if points is not None and one.followers else None)]
        rows.append([*row, Text("gone", style="red") if one.vanished_at else ""])
    names = ("post", "when", "channel", "mood", "poem", *(["likes"] if wide else []), "points", "rate", "")
    return _right(table("", names, rows), but=[1, 2, 3, 4])


def _tallies(by: str, tallies: Sequence[Aggregate], titles: Sequence[str], width: int) -> Table:
    """One row an aggregate; without the single counts on a narrow screen."""
    most = max((one.rate or 0.0 for one in tallies), default=0.0)
    shown = list(COUNTS) if width >= _PAIR else ["likes"]
    rows: list[list[str | Text]] = []
    for place, one in enumerate(tallies):
        row: list[str | Text] = [single_line(titles[place] if titles else one.name, 40), number(one.posts)]
        row += [number(one.counts[name]) for name in shown]
        rows.append([*row, number(one.mean), number(one.rate), Text(bar(one.rate, most, 16), style=_INK["bar"])])
    names = (by, "posts", *shown, "a post", "rate", "")
    return _right(table("", names, rows), but=[0, len(names) - 1])


def _title(artwork: Artwork | None) -> str:
    return f"{artwork.style.title}, {artwork.style.artist}" if artwork else ""
