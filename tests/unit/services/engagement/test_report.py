"""What followers did, added up."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from auria_bot.domain.engagement import Audience, Engagement, PostEngagement
from auria_bot.domain.mood import MOODS
from auria_bot.services.engagement.preferences import Preference
from auria_bot.services.engagement.report import (
    DAYS,
    KINDS,
    EngagementReport,
    EngagementReporter,
    measurement_json,
    moods_json,
    report_json,
    report_rows,
    styles_json,
    vanished_json,
)
from tests.applications import fake_application
from tests.engaged import add_sent
from tests.factories import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.store.unit_of_work import Store


DAY = timedelta(days=1)
PARIS = ZoneInfo("Europe/Paris")
SATURDAY = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)  # half past midnight on Sunday in Paris


def _standing(number: int, *, likes: int | None = 10, followers: int | None = 100, **changes: Any) -> PostEngagement:
    values: dict[str, Any] = {
        "post_id": number,
        "draft_id": number,
        "channel": "a",
        "posted_at": SATURDAY,
        "url": "",
        "mood": "serene",
        "style": "s",
        "cost": 0.0,
        "vanished_at": None,
        "followers": followers,
        "counts": None if likes is None else Engagement(at=SATURDAY + DAY, likes=likes),
    }
    return PostEngagement(**{**values, **changes})


def _look(*standings: PostEngagement, zone: Any = UTC) -> EngagementReport:
    return EngagementReport(posts=standings, followers={}, zone=zone)


def test_posts_are_added_up():
    """Counts, points, the mean of a post, the rate for every hundred followers, cost and what is gone."""
    total = _look(
        _standing(3, likes=30, followers=300, cost=0.015),
        _standing(2, likes=30, cost=0.015, vanished_at=NOW),
        _standing(1, likes=None),
    ).total()
    assert (total.posts, total.measured, total.vanished, total.points, total.mean) == (3, 2, 1, 60, 30.0)
    assert total.rate == pytest.approx((10 + 30) / 2)
    assert total.cost == pytest.approx(0.03)
    assert total.counts == {"likes": 60, "reposts": None, "replies": None, "quotes": None, "saves": None, "views": None}
    assert total.example == 3


def test_what_no_platform_tells_stays_unknown():
    """Not nought: without counts there is no mean, without followers no rate."""
    folder = _standing(1, counts=Engagement(at=SATURDAY))
    assert _look(folder).total().mean is None
    assert _look(folder).total().points is None
    for followers in (None, 0):
        total = _look(_standing(1, followers=followers)).total()
        assert (total.mean, total.rate) == (10.0, None)
    empty = _look().total()
    assert (empty.posts, empty.points, empty.example) == (0, None, 0)


def test_moods_and_paintings_are_ranked():
    """By their rate, so that a large channel counts no more than a small one; then by points a post, then by name."""
    look = _look(
        _standing(1, mood="awed", style="x", likes=50, followers=1000),
        _standing(2, mood="bleak", style="y", likes=20, followers=100),
        _standing(3, mood="still", style="y", likes=5, followers=None),
        _standing(4, mood="shy", style="x", likes=None),
    )
    assert [one.name for one in look.by("mood")] == ["bleak", "awed", "still", "shy"]
    assert [(one.name, one.posts) for one in look.by("style")] == [("y", 2), ("x", 2)]


def test_times_are_the_operators():
    """The same moment is Saturday 23:00 in Greenwich and Sunday 0:00 in Paris, and they come in their order."""
    morning = _standing(2, posted_at=SATURDAY - timedelta(hours=14, days=30))
    for zone, hours, days in (
        (UTC, ["09", "23"], ["Thursday", "Saturday"]),
        (PARIS, ["00", "11"], ["Thursday", "Sunday"]),
    ):
        look = _look(_standing(1), morning, zone=zone)
        assert [one.name for one in look.by("hour")] == hours
        assert [one.name for one in look.by("day")] == days
        assert [one.name for one in look.by("month")] == ["2026-10", "2026-11"]
    rates = _look(_standing(1), morning, zone=PARIS).rates()
    assert rates[6][0] == 10.0
    assert sum(rate is not None for row in rates for rate in row) == 2
    assert (len(rates), {len(row) for row in rates}) == (7, {24})


def test_weeks_without_posts_are_nought():
    """Every channel has every week from the first to the last, by its Monday."""
    look = _look(
        _standing(1, likes=3),
        _standing(2, likes=4, channel="b", posted_at=SATURDAY - 21 * DAY),
        _standing(3, likes=None),
    )
    weeks = look.weeks()
    assert list(weeks) == ["a", "b"]
    assert list(weeks["a"].values()) == [0, 0, 0, 3]
    assert list(weeks["b"].values()) == [4, 0, 0, 0]
    assert {day.weekday() for day in weeks["a"]} == {0}
    assert _look().weeks() == {}


@pytest.mark.parametrize("kind", KINDS)
def test_no_post_is_lost(kind):
    """Whatever they are put together by, the tallies hold every post once."""
    chosen = [
        _standing(
            number,
            mood=f"mood {number % 3}",
            style=f"{number % 4}",
            channel=f"{number % 2}",
            posted_at=SATURDAY - number * timedelta(hours=31),
        )
        for number in range(40)
    ]
    tallies = _look(*chosen).by(kind)
    assert sum(one.posts for one in tallies) == 40
    assert len({one.name for one in tallies}) == len(tallies)
    assert len(DAYS) == 7


def test_a_look_comes_from_the_store(store: Store):
    """Of a time, of a channel, or of everything; with followers, and artworks for those who want their poems."""
    with store.begin() as unit:
        first = add_sent(unit, 1, at=NOW - 9 * DAY, likes=4, age=DAY)
        add_sent(unit, 2, at=NOW - DAY, channel="other", likes=6, age=DAY)
        unit.samples.add_audience("fake", Audience(at=NOW - 9 * DAY, followers=50))
    statistics = EngagementReporter(store=store, zone=PARIS)
    look = statistics.report()
    assert [one.name for one in look.by("channel")] == ["fake", "other"]
    assert look.total().points == 10
    assert look.by("channel")[0].rate == pytest.approx(8.0)
    assert [one.channel for one in statistics.report(since=NOW - 2 * DAY).posts] == ["other"]
    assert [one.channel for one in statistics.report(channel="fake").posts] == ["fake"]
    assert statistics.artworks([first.draft_id])[first.draft_id].style.title == "The Wave"
    assert statistics.channels() == {"fake", "other"}
    key = statistics.artworks([first.draft_id])[first.draft_id].style.key
    assert [(name, one.style.key) for name, one in statistics.style_artworks([key, "unused"]).items()] == [(key, key)]


@pytest.fixture
def reporter(tmp_path: Path) -> Iterator[EngagementReporter]:
    """Two posts, of which one was measured."""
    application = fake_application(tmp_path)
    with application.store.begin() as unit:
        add_sent(unit, 1, at=NOW, likes=3, age=timedelta(hours=3), cost=0.015)
        add_sent(unit, 2, at=NOW - timedelta(days=1))
    yield EngagementReporter(store=application.store, zone=ZoneInfo("UTC"))
    application.close()


def test_a_report_can_be_written_as_json(reporter: EngagementReporter):
    """Totals, every grouping and the latest posts; what is not known is null."""
    report = reporter.report()
    artworks = reporter.artworks([post.draft_id for post in report.posts])
    found = report_json(report, artworks, time_zone="UTC")
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
    styles = report_rows(report, artworks, "style")
    assert [row["title"] for row in styles] == ["The Wave", "The Wave"]
    assert "title" not in report_rows(report, artworks, "mood")[0]
    assert [row["post"] for row in report_rows(report, artworks, "post")] == [1, 2]


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
    assert measurement_json(result)["cost"] == pytest.approx(0.002)
    assert measurement_json(result)["next_at"] == NOW.isoformat()
    post = SimpleNamespace(post_id=1, channel="x", receipt=SimpleNamespace(url="https://x.com/1"))
    assert vanished_json(post) == {"post": 1, "channel": "x", "url": "https://x.com/1"}

    def preference(name: str) -> Preference:
        return Preference(name=name, artworks=1, mean=0.12345, low=-1.0, high=1.0, chance=0.5)

    preferences = SimpleNamespace(moods=[preference(name) for name in MOODS], styles=[preference("wave")], share=0.5)
    moods = moods_json(preferences)
    assert [row["name"] for row in moods] == list(MOODS)
    assert (moods[0]["mean"], moods[0]["drawn"]) == (0.1235, 0.25)
    assert styles_json(preferences)[0]["key"] == "wave"
