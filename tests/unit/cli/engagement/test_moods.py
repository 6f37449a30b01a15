"""`auria moods`: what she leans to and why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auria_bot.cli.engagement.moods import strip
from auria_bot.domain.mood import MOODS
from tests.unit.cli.engaged_home import fill, home

__all__ = ["home"]


def test_without_counts_the_moods_are_listed(auria: Any):
    """What each is like; and that nothing is chosen yet, and why."""
    code, said, told = auria("moods")
    assert code == 0
    assert all(mood.description in said for mood in MOODS.values())
    assert "nothing was measured yet" in told
    assert "auria measure" in told
    rows = json.loads(auria("moods", "--json")[1])
    assert [row["name"] for row in rows] == list(MOODS)
    assert {row["drawn"] for row in rows} == {0.0}
    assert json.loads(auria("moods", "--styles", "--json")[1]) == []
    assert auria("moods", "--styles")[1] == ""


def test_with_counts_she_says_what_she_leans_to(auria: Any):
    """The loved mood comes first, with works, reception, interval and chance; then paintings; then a few sentences."""
    fill()
    code, said, told = auria("moods")
    assert code == 0
    first = said.splitlines()[2]
    assert first.split()[:2] == ["stormy", "8"]
    assert "●" in first
    assert MOODS["stormy"].description in first
    assert "The Wave, G. Courbet" in said
    assert "24 artworks measured" in told
    assert "stormy first with" in told
    assert "No chance falls below 1.0%" in told
    rows = {row["name"]: row for row in json.loads(auria("moods", "--json")[1])}
    assert rows["stormy"]["artworks"] == 8
    assert rows["stormy"]["low"] < rows["stormy"]["mean"] < rows["stormy"]["high"]
    assert rows["stormy"]["chance"] > rows["shy"]["chance"] > 0.01
    assert sum(row["chance"] for row in rows.values()) == pytest.approx(1.0, abs=1e-4)
    assert 0.3 < sum(row["drawn"] for row in rows.values()) < 0.8


def test_the_paintings_alone(auria: Any):
    """Five at either end on the first screen, all of them on their own."""
    fill()
    assert auria("moods")[1].count("The Wave") == 10
    assert auria("moods", "--styles")[1].count("The Wave") == 24
    rows = json.loads(auria("moods", "--styles", "--json")[1])
    assert len(rows) == 24
    assert rows == sorted(rows, key=lambda row: -row["weight"])
    assert all(1 / 3 <= row["weight"] <= 3 for row in rows)


def test_switched_off(auria: Any, monkeypatch: pytest.MonkeyPatch):
    """It is told what was loved, and that it is not followed."""
    fill()
    monkeypatch.setenv("AURIA_LEARNING__ENABLED", "false")
    assert "Learning is off" in auria("moods")[2]
    assert {row["drawn"] for row in json.loads(auria("moods", "--json")[1])} == {0.0}


def test_a_narrow_screen_goes_without_descriptions(auria: Any, screen: Any):
    """Eighty columns hold every number."""
    fill()
    screen(80)
    said = auria("moods")[1]
    assert max(len(line) for line in said.splitlines()) <= 80
    assert MOODS["stormy"].description not in said


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ((-0.5, 0.0, 0.5), "      ───●───      "),
        ((0.5, 1.0, 1.5), "         │  ───●───"),
        ((2.0, 5.0, 9.0), "         │        ●"),
        ((-9.0, -1.5, -1.0), "●───     │         "),
    ],
)
def test_a_strip_shows_where_the_mean_lies(values: tuple[float, float, float], drawn: str):
    """What is usual is in the middle; what lies beyond the scale stands at its end."""
    assert strip(*values) == drawn
