"""Geometry of the desk's charts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from auria_bot.web.desk.charts import HEIGHT, WIDTH, bar_chart, line_chart

START = datetime(2026, 11, 1, tzinfo=UTC)


def test_a_line_goes_from_its_first_to_its_last_value() -> None:
    """Within the chart, the greatest value on top, with round numbers beside it."""
    values = [(START + timedelta(days=day), 100 + 10 * day) for day in range(10)]
    chart = line_chart({"folder": values, "empty": []})
    assert chart is not None
    (line,) = chart.lines
    points = [tuple(float(part) for part in pair.split(",")) for pair in line.points.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert points == sorted(points, key=lambda point: (point[0], -point[1]))
    assert (line.last, (line.x, line.y)) == (190, points[-1])
    assert [tick.label for tick in chart.across] == ["0", "50", "100", "150", "200"]
    assert [tick.label for tick in chart.along] == ["2026-11-01", "2026-11-06", "2026-11-10"]


def test_a_single_value_and_none_are_no_error() -> None:
    """A channel that was counted once is a point; one that never was is nothing."""
    chart = line_chart({"folder": [(START, 0)]})
    assert chart is not None
    assert chart.lines[0].points.count(",") == 1
    assert line_chart({"folder": []}) is None
    assert bar_chart({}) is None
    assert bar_chart({"folder": {date(2026, 11, 2): 0}}) is None


def test_bars_stand_on_each_other() -> None:
    """One week, two channels: the upper one begins where the lower one ends."""
    week = date(2026, 11, 2)
    chart = bar_chart({"folder": {week: 3}, "x": {week: 5, week + timedelta(days=7): 8}})
    assert chart is not None
    low, high = chart.bars[0], chart.bars[1]
    assert (low.series, high.series, low.x) == (0, 1, high.x)
    assert round(high.y + high.height, 1) == low.y
    assert "x, 2026-11-02: 5" in high.title
