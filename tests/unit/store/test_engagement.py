"""What followers did, on real databases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.post import PostState
from tests.engaged import add_sent
from tests.factories import NOW, add_draft

if TYPE_CHECKING:
    from datetime import datetime

    from auria_bot.store.unit_of_work import Store

DAY = timedelta(days=1)


def _sample(unit: Any, post_id: int, at: datetime, likes: int | None = 1, **counts: int | None) -> None:
    unit.samples.add(post_id, Engagement(at=at, likes=likes, **counts))


def test_only_what_went_out_is_watched(store: Store):
    """Waiting posts, posts from before, other channels' and vanished ones are left out; the newest comes first."""
    with store.begin() as unit:
        old, new = add_sent(unit, 1, at=NOW - 2 * DAY), add_sent(unit, 2, at=NOW - DAY)
        add_sent(unit, 3, at=NOW - 400 * DAY)
        unit.posts.add(add_draft(unit, 4), "fake", due=NOW, picture="/p.jpg", key="waits")
        other = add_sent(unit, 5, at=NOW, channel="other")
        assert [one.post_id for one in unit.samples.tracked_posts(since=NOW - 30 * DAY)] == [other.id, new.id, old.id]
        assert [one.post_id for one in unit.samples.tracked_posts(since=NOW - 30 * DAY, channels=["fake"])] == [
            new.id,
            old.id,
        ]
        assert unit.samples.tracked_posts(since=NOW - 30 * DAY, channels=[]) == ()
        assert unit.samples.mark_vanished(new.id, at=NOW)
        assert [one.post_id for one in unit.samples.tracked_posts(since=NOW - 30 * DAY, channels=["fake"])] == [old.id]
        gone = unit.samples.tracked_posts(since=NOW - 30 * DAY, channels=["fake"], vanished=True)[0]
        assert (gone.post_id, gone.vanished_at, gone.measured_at) == (new.id, NOW, None)
        assert gone.receipt.id == "receipt-2"
        assert gone.receipt.at == NOW - DAY


def test_a_post_knows_when_it_was_last_measured(store: Store):
    """The latest of its samples, whichever came in first."""
    with store.begin() as unit:
        post = add_sent(unit, 1, at=NOW - DAY)
        for hours in (3, 1):
            _sample(unit, post.id, NOW - DAY + timedelta(hours=hours))
        (watched,) = unit.samples.tracked_posts(since=NOW - 30 * DAY)
        assert watched.measured_at == NOW - DAY + timedelta(hours=3)


def test_a_post_vanishes_once_and_may_come_back(store: Store):
    """Only the first note of it is news; its counts stay; a new count takes the note away."""
    with store.begin() as unit:
        post = add_sent(unit, 1, at=NOW - DAY)
        _sample(unit, post.id, NOW)
        assert unit.samples.mark_vanished(post.id, at=NOW)
        assert not unit.samples.mark_vanished(post.id, at=NOW + DAY)
        assert unit.samples.post_engagements()[0].vanished_at == NOW
        assert len(unit.samples.history(post.id)) == 1
        _sample(unit, post.id, NOW + DAY)
        assert unit.samples.post_engagements()[0].vanished_at is None
        assert unit.posts.get(post.id).state is PostState.SENT


def test_a_history_is_kept_in_order(store: Store):
    """Counts come back as they were given, None where the platform does not tell, and bounded where it talks nonsense."""
    with store.begin() as unit:
        post = add_sent(unit, 1, at=NOW - DAY)
        _sample(unit, post.id, NOW, likes=None, views=2**40, replies=-3)
        _sample(unit, post.id, NOW - timedelta(hours=1), likes=7, reposts=2, quotes=1, saves=0)
        first, second = unit.samples.history(post.id)
        assert first == Engagement(at=NOW - timedelta(hours=1), likes=7, reposts=2, quotes=1, saves=0)
        assert (second.likes, second.views, second.replies) == (None, 2**31 - 1, 0)


def test_calls_are_counted_by_channel(store: Store):
    """Samples and audiences of the time asked for, and no others."""
    with store.begin() as unit:
        one, two = add_sent(unit, 1, at=NOW - DAY), add_sent(unit, 2, at=NOW - DAY, channel="other")
        for post, at in ((one, NOW), (one, NOW - 2 * DAY), (two, NOW)):
            _sample(unit, post.id, at)
        unit.samples.add_audience("fake", Audience(at=NOW, followers=5))
        unit.samples.add_audience("fake", Audience(at=NOW - 3 * DAY, followers=4))
        assert unit.samples.call_counts(since=NOW - DAY) == {"fake": 2, "other": 1}
        assert unit.samples.audience_counted_at() == {"fake": NOW}


def test_followers_over_time(store: Store):
    """By channel, the oldest first; what could not be told is left out."""
    with store.begin() as unit:
        for days, count in ((0, 12), (2, 10), (1, None)):
            unit.samples.add_audience("fake", Audience(at=NOW - days * DAY, followers=count))
        unit.samples.add_audience("other", Audience(at=NOW, followers=1))
        found = unit.samples.followers()
        assert [one.followers for one in found["fake"]] == [10, 12]
        assert set(found) == {"fake", "other"}
        assert list(unit.samples.followers(channel="other")) == ["other"]
        assert [one.followers for one in unit.samples.followers(since=NOW - DAY)["fake"]] == [12]


def test_a_standing_holds_the_latest_sample(store: Store):
    """Mood, style, cost and followers at the time come with it; a post never measured has no counts."""
    with store.begin() as unit:
        post = add_sent(unit, 1, at=NOW - 10 * DAY, mood="stormy", cost=0.015)
        bare = add_sent(unit, 2, at=NOW - 5 * DAY, channel="other")
        for days, likes in ((9, 1), (3, 4), (1, 9)):
            _sample(unit, post.id, NOW - days * DAY, likes=likes)
        for days, followers in ((20, 80), (11, 90), (1, 200)):
            unit.samples.add_audience("fake", Audience(at=NOW - days * DAY, followers=followers))
        unit.samples.add_audience("other", Audience(at=NOW, followers=7))
        second, first = unit.samples.post_engagements()
        assert (first.mood, first.style, first.cost, first.followers) == ("stormy", "style-1", 0.015, 90)
        assert first.counts == Engagement(at=NOW - DAY, likes=9)
        assert (second.post_id, second.counts, second.cost) == (bare.id, None, 0.0)
        assert second.followers == 7  # nobody counted before it went out: the first count stands in
        assert [one.post_id for one in unit.samples.post_engagements(channel="fake")] == [post.id]
        assert [one.post_id for one in unit.samples.post_engagements(since=NOW - 6 * DAY)] == [bare.id]


@pytest.mark.parametrize(("ages", "expected"), [((6.9, 7.1, 14), 7.1), ((1, 6.9), 6.9), ((7.0, 30), 7.0)])
def test_a_grown_post_is_taken_at_its_age(store: Store, ages: tuple[float, ...], expected: float):
    """The first sample of at least seven days; of a younger post the latest."""
    with store.begin() as unit:
        post = add_sent(unit, 1, at=NOW - 40 * DAY)
        for age in ages:
            _sample(unit, post.id, NOW - 40 * DAY + age * DAY, likes=round(10 * age))
        (found,) = unit.samples.post_engagements(grown=7 * DAY)
        assert found.counts is not None
        assert found.counts.likes == round(10 * expected)


def test_artworks_are_found_by_their_drafts(store: Store):
    """More of them than a database takes in one question, too."""
    with store.begin() as unit:
        drafts = [add_draft(unit, number) for number in range(1, 4)]
        found = unit.samples.artworks([drafts[0].id, drafts[2].id, *range(1000, 2200)])
        assert found == {drafts[0].id: drafts[0].artwork, drafts[2].id: drafts[2].artwork}
