"""Numbers drawn with characters: sparklines and bars."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["bar", "number", "resampled", "sparkline"]

_TICKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], *, zero: bool = False) -> str:
    """One character per value, its height relative to the others; a blank for None.

    Args:
        values: any numbers.
        zero: start at zero, not at the smallest value.
    """
    known = [value for value in values if value is not None]
    if not known:
        return " " * len(values)
    low, high = (min(0.0, *known) if zero else min(known)), max(known)
    span = high - low
    # A flat line is drawn in the middle, or at the bottom when it is zero.
    level = 0 if zero and high == 0 else 3
    return "".join(
        " " if value is None else _TICKS[level if span == 0 else min(int((value - low) / span * 8), 7)]
        for value in values
    )


def resampled(values: Sequence[float], width: int) -> list[float]:
    """At most `width` values: the means of equal parts of the series."""
    if len(values) <= width:
        return list(values)
    edges = [round(step * len(values) / width) for step in range(width + 1)]
    return [sum(values[left:right]) / (right - left) for left, right in itertools.pairwise(edges)]


def bar(value: float | None, most: float, width: int) -> str:
    """A bar of up to `width` characters, in steps of half a character."""
    if value is None or most <= 0 or value <= 0:
        return ""
    halves = max(round(min(value / most, 1.0) * width * 2), 1)
    return "━" * (halves // 2) + "╸" * (halves % 2)


def number(value: float | None) -> str:
    """A number for people: 1,234 or 98.7k or 1.2M; with one decimal when it is not whole; a dash for None."""
    if value is None:
        return "-"
    if abs(value) >= 999_950:
        return f"{value / 1e6:,.1f}M"
    if abs(value) >= 10_000:
        return f"{value / 1e3:.1f}k"
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 100 else f"{value:.1f}"
