"""Numbers drawn with characters."""

from __future__ import annotations

import pytest

from auria_bot.cli.terminal.sparklines import bar, number, resampled, sparkline


def test_a_sparkline_rises_with_its_numbers():
    """The least at the foot, the greatest at the top, gaps where nothing is known."""
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([100, None, 107]) == "▁ █"
    assert sparkline([]) == ""
    assert sparkline([None, None]) == "  "


def test_a_sparkline_may_begin_at_nought():
    """Then 80 is nearly as high as 100; and a row of noughts lies at the foot, a flat row in the middle or at the top."""
    assert sparkline([80, 100], zero=True) == "▇█"
    assert sparkline([0, 0], zero=True) == "▁▁"
    assert sparkline([5, 5]) == "▄▄"
    assert sparkline([5, 5], zero=True) == "██"


def test_long_series_are_drawn_by_their_parts():
    """Means of equal parts; a short series stays as it is."""
    assert resampled([1, 2, 3], 5) == [1, 2, 3]
    assert resampled([1, 3, 5, 7], 2) == [2, 6]
    assert len(resampled(list(range(1095)), 12)) == 12


def test_a_bar_is_as_long_as_its_share():
    """To half a character; something is never nothing."""
    assert bar(5, 10, 4) == "━━"
    assert bar(5, 10, 5) == "━━╸"
    assert bar(0.001, 10, 4) == "╸"
    assert bar(20, 10, 4) == "━━━━"
    assert (bar(0, 10, 4), bar(None, 10, 4), bar(3, 0, 4)) == ("", "", "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0"),
        (0.0, "0.0"),
        (7, "7"),
        (9999, "9,999"),
        (12345, "12.3k"),
        (99.94, "99.9"),
        (123.4, "123"),
        (999_949, "999.9k"),
        (999_950, "1.0M"),
        (2_500_000, "2.5M"),
        (0.14, "0.1"),
    ],
)
def test_numbers_are_short(value: float | None, text: str):
    """Five characters and a letter at the most, up to a thousand million."""
    assert number(value) == text
    assert len(text) <= 7
