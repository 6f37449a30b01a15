"""Plots two versions of a model: the figures that both have, and the curves of their trainings.

matplotlib comes with the extra `plot` and is imported when a figure is drawn.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from auria_bot.errors import BackendMissing, InputError, UsageError
from auria_bot.files import output_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["FORMATS", "Curve", "draw"]

FORMATS: Final = ("png", "svg", "pdf", "jpg")
"""File formats of a figure, by the file's ending."""

Curve = list[tuple[int, float]]

_COLOURS: Final = ("#31688e", "#c8553d")
_PAPER, _INK, _FAINT = "#fbf8f1", "#2d2a26", "#b9b1a3"
_MOST_FIGURES, _MOST_CURVES, _COLUMNS = 18, 9, 3


def draw(
    target: Path,
    *,
    title: str,
    names: tuple[str, str],
    figures: Mapping[str, tuple[float | None, float | None]],
    curves: tuple[Mapping[str, Curve], Mapping[str, Curve]],
) -> None:
    """Write a plot atomically; the target's ending decides the format.

    Each figure is a bar: by what share the second version differs from the first. Figures that differ in sign, or
    that one lacks, have none.

    Raises:
        InputError: there is nothing to draw, or the ending names no format.
        BackendMissing: matplotlib is not installed.
        DiskError: the file cannot be written.
    """
    form = target.suffix.lower().removeprefix(".").replace("jpeg", "jpg")
    if form not in FORMATS:
        raise UsageError(f"a plot cannot be written as {target.name[:60]!r}; its name must end in {', '.join(FORMATS)}")
    bars = _differences(figures)
    shown = sorted(set(curves[0]) | set(curves[1]))[:_MOST_CURVES]
    if not bars and not shown:
        raise InputError(f"there is nothing to draw: {names[0]} and {names[1]} have no figure in common, and no curves")
    if find_spec("matplotlib") is None:
        raise BackendMissing("plots need matplotlib: pip install 'auria-bot[plot]'")
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = -(-len(shown) // _COLUMNS)
    heights = [0.34 * len(bars) + 1.1] * bool(bars) + [2.7] * rows
    with mpl.rc_context({"font.size": 9, "axes.edgecolor": _FAINT, "text.color": _INK, "axes.labelcolor": _INK}):
        figure = Figure(figsize=(12.0, sum(heights) + 0.9), facecolor=_PAPER, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title, fontsize=14, x=0.01, ha="left")
        grid = figure.add_gridspec(len(heights), _COLUMNS, height_ratios=heights)
        if bars:
            _draw_bars(figure.add_subplot(grid[0, :]), bars, names)
        for number, name in enumerate(shown):
            axes = figure.add_subplot(grid[bool(bars) + number // _COLUMNS, number % _COLUMNS])
            _draw_curve(axes, name, [one.get(name, []) for one in curves], names)
        with output_path(target) as scratch:
            figure.savefig(scratch, format=form, dpi=120, facecolor=_PAPER)


def _differences(figures: Mapping[str, tuple[float | None, float | None]]) -> list[tuple[str, float, float, float]]:
    """Name, both values and relative difference of the figures that have one; the largest differences first."""
    found = [
        (name, first, second, second / first - 1)
        for name, (first, second) in figures.items()
        if first is not None and second is not None and first * second > 0
    ]
    return sorted(found, key=lambda row: -abs(row[3]))[:_MOST_FIGURES]


def _draw_bars(axes: Any, bars: Sequence[tuple[str, float, float, float]], names: tuple[str, str]) -> None:
    at = range(len(bars))
    axes.barh(at, [row[3] * 100 for row in bars], color=_COLOURS[1], height=0.55)
    axes.axvline(0, color=_INK, linewidth=0.8)
    axes.set_yticks(at, [f"{name}   {first:.4g} → {second:.4g}" for name, first, second, _ in bars])
    axes.invert_yaxis()
    axes.set_title(f"{names[1]} against {names[0]}, in percent", loc="left")
    axes.set_facecolor(_PAPER)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)


def _draw_curve(axes: Any, name: str, curves: Sequence[Curve], names: tuple[str, str]) -> None:
    for curve, colour, label in zip(curves, _COLOURS, names, strict=True):
        if curve:
            steps, values = zip(*curve, strict=True)
            axes.plot(steps, values, color=colour, linewidth=1.2, label=label, marker="." if len(curve) == 1 else None)
    axes.set_title(name, loc="left")
    axes.set_facecolor(_PAPER)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
