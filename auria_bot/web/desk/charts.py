"""Geometry of the desk's charts: lines and stacked bars, as the templates draw them in SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

__all__ = ["HEIGHT", "WIDTH", "Bar", "BarChart", "LineChart", "Polyline", "Tick", "bar_chart", "line_chart"]

WIDTH: Final = 640
HEIGHT: Final = 240
"""Of a chart, in its own units."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 10, 12, 28  # margins
_TICKS = 4  # lines across, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on an axis."""

    at: float  # x or y
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Polyline:
    """A line with its legend."""

    name: str
    points: str  # as <polyline> takes them
    last: int
    x: float  # of the last point
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChart:
    """Values over time."""

    lines: tuple[Polyline, ...]
    across: tuple[Tick, ...]  # values
    along: tuple[Tick, ...]  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One part of a stacked bar."""

    series: int  # the number of its name
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """Stacked values by week."""

    names: tuple[str, ...]
    bars: tuple[Bar, ...]
    across: tuple[Tick, ...]
    along: tuple[Tick, ...]


def line_chart(series: Mapping[str, Sequence[tuple[datetime, int]]]) -> LineChart | None:
    """Lines of values over time; None if there are no values."""
    rows = {name: values for name, values in series.items() if values}
    if not rows:
        return None
    times = [at.timestamp() for values in rows.values() for at, _ in values]
    first, span = min(times), (max(times) - min(times)) or 1.0
    top, across = _scale(max(value for values in rows.values() for _, value in values))

    def x(at: datetime) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (at.timestamp() - first) / span, 1)

    lines = tuple(
        Polyline(
            name=name,
            points=" ".join(f"{x(at)},{_y(value, top)}" for at, value in values),
            last=values[-1][1],
            x=x(values[-1][0]),
            y=_y(values[-1][1], top),
        )
        for name, values in rows.items()
    )
    longest = max(rows.values(), key=len)
    shown = [longest[0][0], longest[len(longest) // 2][0], longest[-1][0]]
    along = {f"{at:%Y-%m-%d}": x(at) for at in shown}
    return LineChart(lines=lines, across=across, along=tuple(Tick(at=at, label=day) for day, at in along.items()))


def bar_chart(weeks: Mapping[str, Mapping[date, int]]) -> BarChart | None:
    """Bars of each week's values, one name above the other; None if all are 0."""
    days = sorted({day for row in weeks.values() for day in row})
    totals = [sum(row.get(day, 0) for row in weeks.values()) for day in days]
    if not any(total > 0 for total in totals):
        return None
    top, across = _scale(max(totals))
    step = (WIDTH - _LEFT - _RIGHT) / len(days)
    width, bars = min(step * 0.8, 60.0), list[Bar]()
    for number, day in enumerate(days):
        below = 0
        for series, (name, row) in enumerate(weeks.items()):
            if (value := max(0, row.get(day, 0))) == 0:
                continue
            low, high = _y(below, top), _y(below + value, top)
            bars.append(
                Bar(
                    series=series,
                    x=round(_LEFT + step * number + (step - width) / 2, 1),
                    y=high,
                    width=round(width, 1),
                    height=round(low - high, 1),
                    title=f"{name}, {day:%Y-%m-%d}: {value}",
                )
            )
            below += value
    shown = sorted({0, len(days) // 2, len(days) - 1})
    along = tuple(Tick(at=round(_LEFT + step * (one + 0.5), 1), label=f"{days[one]:%Y-%m-%d}") for one in shown)
    return BarChart(names=tuple(weeks), bars=tuple(bars), across=across, along=along)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top, 1)


def _scale(most: float) -> tuple[float, tuple[Tick, ...]]:
    """The value at the top of a chart, and round values to draw lines at."""
    rough = max(most, 1) / _TICKS
    size = 10 ** math.floor(math.log10(rough))
    step = max(1.0, next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough))
    count = math.ceil(max(most, 1) / step)
    top = step * count
    return top, tuple(Tick(at=_y(step * one, top), label=f"{step * one:,.0f}") for one in range(count + 1))
