"""Engagement and preferences as plain data."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from auria_bot.domain.mood import MOODS
from auria_bot.services.engagement import serialization
from auria_bot.services.engagement.preferences import Preference
from auria_bot.services.engagement.report import EngagementReporter
from tests.engaged import add_sent
from tests.factories import NOW
from tests.house import fake_house

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def reporter(tmp_path: Path) -> Iterator[EngagementReporter]:
    """Two posts, of which one was measured."""
    house = fake_house(tmp_path)
    with house.store.begin() as unit:
        add_sent(unit, 1, at=NOW, likes=3, age=timedelta(hours=3), cost=0.015)
        add_sent(unit, 2, at=NOW - timedelta(days=1))
    yield EngagementReporter(store=house.store, zone=ZoneInfo("UTC"))
    house.close()


def test_a_report_can_be_written_as_json(reporter: EngagementReporter):
    """Totals, every grouping and the latest posts; what is not known is null."""
    report = reporter.report()
    artworks = reporter.artworks([post.draft_id for post in report.posts])
    found = serialization.report_json(report, artworks, time_zone="UTC")
    assert (found["total"]["posts"], found["total"]["measured"], found["total"]["likes"]) == (2, 1, 3)
    assert set(found) == {
        "time_zone",
        "total",
        "channels",
        "moods",
        "styles",
        "hours",
        "days",
        "months",
        "posts",
        "followers",
    }
    first, second = found["posts"]
    assert first["poem"].startswith("stone number 1 / ")
    assert (first["points"], first["rate"], second["points"], second["measured_at"]) == (3, None, None, None)
    json.dumps(found)


def test_rows_by_style_have_title_and_artist(reporter: EngagementReporter):
    """The other groupings have a name alone, and posts are rows of their own."""
    report = reporter.report()
    artworks = reporter.artworks([post.draft_id for post in report.posts])
    styles = serialization.report_rows(report, artworks, "style")
    assert [row["title"] for row in styles] == ["The Wave", "The Wave"]
    assert "title" not in serialization.report_rows(report, artworks, "mood")[0]
    assert [row["post"] for row in serialization.report_rows(report, artworks, "post")] == [1, 2]


def test_channels_and_styles_of_the_past(reporter: EngagementReporter):
    """Whatever was ever published is known."""
    assert reporter.channels() == {"fake"}
    found = reporter.style_artworks(["style-1", "never"])
    assert [artwork.style.title for artwork in found.values()] == ["The Wave"]


def test_measurements_and_preferences():
    """A measured channel, a vanished post, every mood and the styles that were used."""
    result = SimpleNamespace(
        channel="x", posts=1, calls=2, cost=0.0020000001, followers=5, left=0, next_at=NOW, message="", failed=False
    )
    assert serialization.measurement_json(result)["cost"] == pytest.approx(0.002)
    assert serialization.measurement_json(result)["next_at"] == NOW.isoformat()
    post = SimpleNamespace(post_id=1, channel="x", receipt=SimpleNamespace(url="https://x.com/1"))
    assert serialization.vanished_json(post) == {"post": 1, "channel": "x", "url": "https://x.com/1"}

    def preference(name: str) -> Preference:
        return Preference(name=name, artworks=1, mean=0.12345, low=-1.0, high=1.0, chance=0.5)

    preferences = SimpleNamespace(moods=[preference(name) for name in MOODS], styles=[preference("wave")], share=0.5)
    moods = serialization.moods_json(preferences)
    assert [row["name"] for row in moods] == list(MOODS)
    assert (moods[0]["mean"], moods[0]["drawn"]) == (0.1235, 0.25)
    assert serialization.styles_json(preferences)[0]["key"] == "wave"
