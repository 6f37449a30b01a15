"""Plots an engagement report as a figure of four panels: followers, points by week, moods, and times of posting.

matplotlib comes with the extra `plot` and is imported when a figure is drawn.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.errors import BackendMissing, InputError, UsageError
from auria_bot.files import output_path
from auria_bot.services.engagement.report import DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.services.engagement.report import EngagementReport

__all__ = ["FORMATS", "draw"]

FORMATS = ("png", "svg", "pdf", "jpg")
"""File formats of a figure, by the file's ending."""

_PAPER, _INK, _FAINT = "#fbf8f1", "#2d2a26", "#b9b1a3"
_COLOURS = ("#31688e", "#c8553d", "#588157", "#b08968", "#6d597a", "#e09f3e", "#457b9d")
_MOODS = 14  # most moods shown
_FEWEST = 2  # posts of a mood needed to show it


def draw(report: EngagementReport, target: Path) -> None:
    """Write a figure atomically.

    The report has at least one post; the target's ending decides the format.

    Raises:
        InputError: there is nothing to draw, or the ending names no format.
        BackendMissing: matplotlib is not installed.
        DiskError: the file cannot be written.
    """
    form = target.suffix.lower().removeprefix(".").replace("jpeg", "jpg")
    if form not in FORMATS:
        raise UsageError(
            f"a figure cannot be written as {target.name[:60]!r}; its name must end in {', '.join(FORMATS)}"
        )
    if not report.posts:
        raise InputError("there is nothing to draw: nothing was published yet, or not in that period")
    if find_spec("matplotlib") is None:
        raise BackendMissing("figures need matplotlib: pip install 'auria-bot[plot]'")
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(_style()):
        figure = Figure(figsize=(13.0, 8.6), facecolor=_PAPER)
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(
            2, 2, width_ratios=(1.15, 1), hspace=0.34, wspace=0.2, left=0.07, right=0.95, top=0.835, bottom=0.08
        )
        _title(figure, report)
        colours = _colours(report)
        _followers(figure.add_subplot(grid[0, 0]), report, colours)
        _weeks(figure.add_subplot(grid[0, 1]), report, colours)
        _times(figure.add_subplot(grid[1, 0]), report)
        _moods(figure.add_subplot(grid[1, 1]), report)
        with output_path(target) as scratch:
            figure.savefig(scratch, format=form, dpi=150, facecolor=_PAPER)


def _style() -> Any:
    from matplotlib import font_manager

    family = ["DejaVu Serif"]
    spec = find_spec("fontpkg_eb_garamond")
    if spec is not None and spec.origin is not None:
        for file in sorted((Path(spec.origin).parent / "files").glob("*.ttf")):
            font_manager.fontManager.addfont(str(file))
        family.insert(0, "EB Garamond")
    return {
        "font.family": family,
        "font.size": 12,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": _FAINT,
        "axes.facecolor": _PAPER,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 15,
        "axes.titlepad": 10,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "grid.color": "#e6dfd1",
        "grid.linewidth": 0.8,
    }


def _title(figure: Any, report: EngagementReport) -> None:
    first, last = (post.posted_at.astimezone(report.zone) for post in (report.posts[-1], report.posts[0]))
    total = report.total()
    figure.text(0.07, 0.945, "Engagement", fontsize=25)
    text = f"{total.posts:,} posts, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    text += f"   ·   {total.points:,} points" if total.points is not None else ""
    figure.text(0.07, 0.912, f"{text}   ·   times in {report.zone}", fontsize=12.5, color="#7a7267")


def _colours(report: EngagementReport) -> dict[str, str]:
    names = sorted({post.channel for post in report.posts} | set(report.followers))
    return {name: _COLOURS[position % len(_COLOURS)] for position, name in enumerate(names)}


def _dated(axes: Any) -> None:
    from matplotlib import dates

    untyped: Any = dates
    locator = untyped.AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(untyped.ConciseDateFormatter(locator))


def _followers(axes: Any, report: EngagementReport, colours: dict[str, str]) -> None:
    axes.set_title("Followers")
    ends = []
    for name, rows in report.followers.items():
        values = [count.followers or 0 for count in rows]
        axes.plot(
            [count.at for count in rows],
            values,
            color=colours[name],
            linewidth=2.2,
            solid_capstyle="round",
            marker="o" if len(rows) == 1 else None,
        )
        ends.append((values[-1], name, rows[-1].at))
    if not ends:
        _empty(axes, "followers were not counted yet")
        return
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    last = max(at for _, _, at in ends)
    for (value, name, _), position in zip(
        sorted(ends), _spread([value for value, _, _ in sorted(ends)], axes.get_ylim()[1]), strict=True
    ):
        axes.annotate(
            f"{name}  {value:,}",
            (last, position),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=colours[name],
            fontsize=12,
            annotation_clip=False,
        )
    _dated(axes)
    _narrow(axes, 0.83)


def _spread(values: Sequence[float], top: float) -> list[float]:
    """Ascending label heights, at least a line of text apart."""
    least, positions = top * 0.075, list[float]()
    for value in values:
        positions.append(max(value, positions[-1] + least) if positions else value)
    return positions


def _weeks(axes: Any, report: EngagementReport, colours: dict[str, str]) -> None:
    axes.set_title("Points of each week's posts")
    weeks = report.weeks()
    days = list(next(iter(weeks.values())))
    floor = [0] * len(days)
    for name, row in weeks.items():
        values = list(row.values())
        axes.bar(
            days,
            values,
            bottom=floor,
            width=6.2 if len(days) < 80 else 7.0,
            align="edge",
            color=colours[name],
            label=name,
        )
        floor = [low + value for low, value in zip(floor, values, strict=True)]
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.margins(x=0.01)
    if len(weeks) > 1:
        axes.legend(frameon=False, loc="upper left", ncols=2, fontsize=11, handlelength=1.0, handleheight=1.0)
    _dated(axes)


def _moods(axes: Any, report: EngagementReport) -> None:
    axes.set_title("Points per 100 followers, by mood")
    aggregates = [mood for mood in report.by("mood") if mood.rate is not None and mood.posts >= _FEWEST][:_MOODS][::-1]
    if not aggregates:
        _empty(axes, "no mood has enough measured posts yet")
        return
    rates = [mood.rate or 0.0 for mood in aggregates]
    best = max(rates)
    axes.grid(visible=False)
    axes.hlines(range(len(aggregates)), 0, rates, color=_COLOURS[0], linewidth=2.4, alpha=0.45)
    axes.scatter(rates, range(len(aggregates)), s=62, color=_COLOURS[0], zorder=3)
    for position, mood in enumerate(aggregates):
        axes.annotate(
            f"{mood.rate:.1f}",
            (mood.rate or 0.0, position),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=11,
        )
    axes.set_yticks(range(len(aggregates)), [f"{mood.name}  ({mood.posts})" for mood in aggregates])
    axes.set_xlim(0, best * 1.12 or 1.0)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])


def _times(axes: Any, report: EngagementReport) -> None:
    axes.set_title("Points per 100 followers, by time of posting")
    rates = report.rates()
    known = [rate for row in rates for rate in row if rate is not None]
    if not known:
        _empty(axes, "no post of a channel with followers was measured yet")
        return
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("rates", ["#efe3cd", "#e09f3e", "#9b2c2c"])
    values = [[float("nan") if rate is None else rate for rate in row] for row in rates]
    mesh = axes.pcolormesh(
        range(25),
        range(8),
        values,
        cmap=colours,
        vmin=min(0.0, *known),
        vmax=max(known),
        edgecolors=_PAPER,
        linewidth=2.0,
    )
    axes.set_xticks([hour + 0.5 for hour in range(0, 24, 3)], [f"{hour}:00" for hour in range(0, 24, 3)])
    axes.set_yticks([day + 0.5 for day in range(7)], [name[:3] for name in DAYS])
    axes.invert_yaxis()
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)
    _narrow(axes, 0.87)
    scale = axes.figure.colorbar(mesh, cax=axes.inset_axes((1.02, 0.0, 0.02, 1.0)))
    scale.outline.set_visible(False)


def _narrow(axes: Any, share: float) -> None:
    box = axes.get_position()
    axes.set_position((box.x0, box.y0, box.width * share, box.height))


def _empty(axes: Any, text: str) -> None:
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color="#7a7267")
    axes.set_xticks([])
    axes.set_yticks([])
