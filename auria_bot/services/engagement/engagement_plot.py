"""Draws what followers did as a figure of four panels: followers, points by week, moods, and times of posting.

matplotlib comes with the extra `plot` and is imported when a figure is drawn. Knows a `EngagementReport`; does not know the database.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.errors import BackendMissing, InputError
from auria_bot.files import atomic_path, disk_errors
from auria_bot.services.engagement.report import DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.services.engagement.report import EngagementReport

__all__ = ["FORMATS", "draw"]

FORMATS = ("png", "svg", "pdf", "jpg")
"""What a figure can be written as, by its file's ending."""

_PAPER, _INK, _FAINT = "#fbf8f1", "#2d2a26", "#b9b1a3"
_COLOURS = ("#31688e", "#c8553d", "#588157", "#b08968", "#6d597a", "#e09f3e", "#457b9d")
_MOODS = 14  # that are shown
_FEWEST = 2  # posts in a mood before it is shown


def draw(look: EngagementReport, target: Path) -> None:
    """Write a figure, in one stroke.

    Args:
        look: at least one post.
        target: where; its ending decides the format.

    Raises:
        InputError: there is nothing to draw, or the ending names no format.
        BackendMissing: matplotlib is not installed.
        DiskError: the file cannot be written.
    """
    form = target.suffix.lower().removeprefix(".").replace("jpeg", "jpg")
    if form not in FORMATS:
        raise InputError(
            f"a figure cannot be written as {target.name[:60]!r}; its name must end in {', '.join(FORMATS)}"
        )
    if not look.standings:
        raise InputError("there is nothing to draw: nothing is out yet, or not in that time")
    if find_spec("matplotlib") is None:
        raise BackendMissing("figures need matplotlib: pip install 'auria-bot[plot]'")
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(_manner()):
        figure = Figure(figsize=(13.0, 8.6), facecolor=_PAPER)
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(
            2, 2, width_ratios=(1.15, 1), hspace=0.34, wspace=0.2, left=0.07, right=0.95, top=0.835, bottom=0.08
        )
        _title(figure, look)
        colours = _colours(look)
        _followers(figure.add_subplot(grid[0, 0]), look, colours)
        _weeks(figure.add_subplot(grid[0, 1]), look, colours)
        _times(figure.add_subplot(grid[1, 0]), look)
        _moods(figure.add_subplot(grid[1, 1]), look)
        with disk_errors(target), atomic_path(target, mode=None) as scratch:
            figure.savefig(scratch, format=form, dpi=150, facecolor=_PAPER)


def _manner() -> Any:
    """Warm paper, dark ink, the typeface of Auria's cards."""
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


def _title(figure: Any, look: EngagementReport) -> None:
    first, last = (one.posted_at.astimezone(look.zone) for one in (look.standings[-1], look.standings[0]))
    total = look.total()
    figure.text(0.07, 0.945, "What followers did", fontsize=25)
    words = f"{total.posts:,} posts, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    words += f"   ·   {total.points:,} points" if total.points is not None else ""
    figure.text(0.07, 0.912, f"{words}   ·   times in {look.zone}", fontsize=12.5, color="#7a7267")


def _colours(look: EngagementReport) -> dict[str, str]:
    names = sorted({one.channel for one in look.standings} | set(look.followers))
    return {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(names)}


def _dated(axes: Any) -> None:
    """Few, short dates under an axis."""
    from matplotlib import dates

    kit: Any = dates  # whose classes carry no types
    places = kit.AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(places)
    axes.xaxis.set_major_formatter(kit.ConciseDateFormatter(places))


def _followers(axes: Any, look: EngagementReport, colours: dict[str, str]) -> None:
    """A line a channel, named at its end."""
    axes.set_title("Followers")
    ends = []
    for name, rows in look.followers.items():
        values = [one.followers or 0 for one in rows]
        axes.plot(
            [one.at for one in rows],
            values,
            color=colours[name],
            linewidth=2.2,
            solid_capstyle="round",
            marker="o" if len(rows) == 1 else None,
        )
        ends.append((values[-1], name, rows[-1].at))
    if not ends:
        _nothing(axes, "followers were not counted yet")
        return
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    last = max(at for _, _, at in ends)
    for (value, name, _), place in zip(
        sorted(ends), _apart([value for value, _, _ in sorted(ends)], axes.get_ylim()[1]), strict=True
    ):
        axes.annotate(
            f"{name}  {value:,}",
            (last, place),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=colours[name],
            fontsize=12,
            annotation_clip=False,
        )
    _dated(axes)
    _narrowed(axes, 0.83)


def _apart(values: Sequence[float], top: float) -> list[float]:
    """Heights for labels, in rising order, none closer to the next than a line of text."""
    least, places = top * 0.075, list[float]()
    for value in values:
        places.append(max(value, places[-1] + least) if places else value)
    return places


def _weeks(axes: Any, look: EngagementReport, colours: dict[str, str]) -> None:
    """The points of each week's posts, a channel upon the other."""
    axes.set_title("Points of each week's posts")
    weeks = look.weeks()
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


def _moods(axes: Any, look: EngagementReport) -> None:
    """The rate of each mood, the best on top."""
    axes.set_title("Points for every 100 followers, by mood")
    tallies = [one for one in look.by("mood") if one.rate is not None and one.posts >= _FEWEST][:_MOODS][::-1]
    if not tallies:
        _nothing(axes, "no mood was measured often enough yet")
        return
    rates = [one.rate or 0.0 for one in tallies]
    best = max(rates)
    axes.grid(visible=False)
    axes.hlines(range(len(tallies)), 0, rates, color=_COLOURS[0], linewidth=2.4, alpha=0.45)
    axes.scatter(rates, range(len(tallies)), s=62, color=_COLOURS[0], zorder=3)
    for place, one in enumerate(tallies):
        axes.annotate(
            f"{one.rate:.1f}",
            (one.rate or 0.0, place),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=11,
        )
    axes.set_yticks(range(len(tallies)), [f"{one.name}  ({one.posts})" for one in tallies])
    axes.set_xlim(0, best * 1.12 or 1.0)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])


def _times(axes: Any, look: EngagementReport) -> None:
    """The rate by day of the week and hour of posting."""
    axes.set_title("Points for every 100 followers, by time of posting")
    rates = look.rates()
    told = [rate for row in rates for rate in row if rate is not None]
    if not told:
        _nothing(axes, "no post of a channel with followers was measured yet")
        return
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("rates", ["#efe3cd", "#e09f3e", "#9b2c2c"])
    values = [[float("nan") if rate is None else rate for rate in row] for row in rates]
    mesh = axes.pcolormesh(
        range(25),
        range(8),
        values,
        cmap=colours,
        vmin=min(0.0, *told),
        vmax=max(told),
        edgecolors=_PAPER,
        linewidth=2.0,
    )
    axes.set_xticks([hour + 0.5 for hour in range(0, 24, 3)], [f"{hour}:00" for hour in range(0, 24, 3)])
    axes.set_yticks([day + 0.5 for day in range(7)], [name[:3] for name in DAYS])
    axes.invert_yaxis()
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)
    _narrowed(axes, 0.87)
    scale = axes.figure.colorbar(mesh, cax=axes.inset_axes((1.02, 0.0, 0.02, 1.0)))
    scale.outline.set_visible(False)


def _narrowed(axes: Any, share: float) -> None:
    """Leave room at the right of a panel."""
    box = axes.get_position()
    axes.set_position((box.x0, box.y0, box.width * share, box.height))


def _nothing(axes: Any, words: str) -> None:
    """An empty panel says why it is empty."""
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes, color="#7a7267")
    axes.set_xticks([])
    axes.set_yticks([])
