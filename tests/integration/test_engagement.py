"""From an approved draft to what she makes next: published, measured, told, learned from, with real parts."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.engagement import Engagement
from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.testing import FakeChannel, FakeClock
from tests.applications import fake_application

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.post import Receipt


@pytest.fixture
def clock() -> FakeClock:
    """A clock that is ahead of the day, since a folder dates its posts itself."""
    return FakeClock(datetime.now(UTC) + timedelta(days=1))


@pytest.fixture
def application(tmp_path: Path, clock: FakeClock) -> Iterator[Application]:
    """Real database, real files, real child processes; makers without models."""
    with closing(fake_application(tmp_path / "home", clock=clock)) as opened:
        yield opened


def _publish(application: Application, count: int, *, channel: str, mood: str) -> list[int]:
    drafts = application.studio.make(ArtworkRequest(count=count, mood=mood)).drafts
    application.review.approve([draft.id for draft in drafts], channels=(channel,))
    return [post.id for post in application.publisher.publish().posts]


def test_a_folder_is_measured_and_a_deleted_post_noticed(application: Application, clock: FakeClock, tmp_path: Path):
    """Nothing can be counted in a folder, but that a post is gone is told, once; the others stay."""
    posts = _publish(application, 2, channel="folder", mood="serene")
    done = application.tracker.measure(["folder"])
    assert [(visit.posts, visit.followers, visit.failed) for visit in done.results] == [(2, None, False)]
    with application.store.read() as unit:
        assert unit.samples.history(posts[0]) == (Engagement(at=clock()),)
        receipt = unit.posts.get(posts[0]).receipt
    assert receipt is not None
    shutil.rmtree(tmp_path / "home" / "published" / "posts" / receipt.id)
    clock.advance(days=30)
    assert [post.post_id for post in application.tracker.measure(["folder"]).vanished] == [posts[0]]
    clock.advance(days=30)
    assert application.tracker.measure(["folder"]).vanished == ()
    total = application.engagement_reporter.report().total()
    assert (total.posts, total.vanished, total.points) == (2, 1, None)
    assert application.preferences.preferences().artworks == 0


def test_what_followers_love_is_made_next(application: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch):
    """Six stormy artworks are loved, six serene ones are not: counted by the tracker, she leans to storms, and says so."""
    stormy: set[str] = set()

    def measure(_: FakeChannel, receipt: Receipt) -> Engagement:
        return Engagement(at=clock(), likes=90 if receipt.id in stormy else 4, replies=1)

    monkeypatch.setattr(FakeChannel, "measure", measure)
    for mood in ("serene", "stormy"):
        for post in _publish(application, 6, channel="fake", mood=mood):
            with application.store.read() as unit:
                receipt = unit.posts.get(post).receipt
            assert receipt is not None
            stormy |= {receipt.id} if mood == "stormy" else set()
        clock.advance(days=1)
    clock.advance(days=8)
    assert application.tracker.measure(["fake"]).results[0].posts == 12
    assert [one.name for one in application.engagement_reporter.report().by("mood")] == ["stormy", "serene"]
    leanings = application.preferences.preferences()
    assert (leanings.artworks, leanings.moods[0].name) == (12, "stormy")
    assert leanings.moods[-1].name == "serene"
    monkeypatch.setattr("auria_bot.services.studio.planner.new_seed", lambda: 77)
    made = [draft.artwork for draft in application.studio.make(ArtworkRequest(count=10)).drafts]
    assert "learned" in {artwork.mood_source for artwork in made}
    assert application.studio.make(ArtworkRequest(seed=5)).drafts[0].artwork.mood_source == "read"
