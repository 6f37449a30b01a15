from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.corpus.sources import submission
from auria_bot.corpus.sources.listing import listings
from auria_bot.corpus.sources.reddit import Reddit
from auria_bot.errors import ChannelError, InputError
from auria_bot.services.corpus import deletion_check
from tests.reading_reddit import kept, reading_application, server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeClock
    from tests.platforms.reddit import RedditServer

__all__ = ["server"]  # the fixture

pytest.importorskip("praw")

(NEW,) = listings("new")


@pytest.fixture
def application(server: RedditServer, tmp_path: Path) -> Iterator[Application]:
    """An application that reads from it."""
    made = reading_application(tmp_path, server)
    yield made
    made.close()


def clock(application: Application) -> FakeClock:
    """The application's clock."""
    return application.clock  # type: ignore[return-value]


def infos(server: RedditServer) -> int:
    """How often posts were looked up."""
    return server.asked["/api/info"]


@pytest.mark.parametrize("how", ["deleted", "removed"])
def test_what_is_gone_is_forgotten(server: RedditServer, application: Application, tmp_path: Path, how: str):
    """The poem of a deleted post is removed, and not imported again."""
    posts = server.fill(150)
    application.subreddit_sync.sync("haiku", NEW)
    for one in posts[20:30]:
        server.take_away(one.id, how)
    looked = application.deletion_checker.check(requests=10)
    assert (looked.posts, looked.requests, looked.deleted, looked.buried, looked.finished) == (150, 2, 10, 10, True)
    assert kept(tmp_path) == {one.id for one in server.up()}
    server.take_away(posts[25].id, "up")
    application.subreddit_sync.sync("haiku", NEW)
    assert posts[25].id not in kept(tmp_path)


def test_young_posts_are_looked_at_often_and_old_ones_seldom(server: RedditServer, application: Application):
    """Each age has its own round: an hour, a day, a week, 45 days."""
    for age in (0.5, 7, 40, 400):
        server.post(age=age * 86_400)
    application.subreddit_sync.sync("haiku", NEW)
    found = []
    for hours in (0, 0.5, 0.6, 26, 24 * 7, 24 * 46):
        clock(application).advance(hours=hours)
        found.append(application.deletion_checker.check(requests=100).posts)
    # All four; none; the youngest again; that is by now two days old, with the one of a week; ...
    assert found == [4, 0, 1, 2, 3, 4]


def test_few_requests_take_several_runs(server: RedditServer, application: Application, tmp_path: Path):
    """A round continues where it stopped and checks no post twice; each request is reported."""
    told: list[int] = []
    posts = server.fill(350)
    application.subreddit_sync.sync("haiku", NEW)
    for one in posts:
        server.take_away(one.id)
    found = [
        application.deletion_checker.check(requests=1, tell=lambda looked: told.append(looked.posts)) for _ in range(4)
    ]
    assert [one.posts for one in found] == told == [100, 100, 100, 50]
    assert [one.finished for one in found] == [False, False, False, True]
    assert kept(tmp_path) == set()


def test_a_round_that_breaks_goes_on(server: RedditServer, application: Application, tmp_path: Path):
    """What was found before is forgotten all the same."""
    posts = server.fill(250)
    application.subreddit_sync.sync("haiku", NEW)
    for one in posts:
        server.take_away(one.id)

    def breaks(_: int) -> None:
        if infos(server) == 2:
            server.fail_next(*["500"] * 5)

    server.before_answer = breaks
    with pytest.raises(ChannelError):
        application.deletion_checker.check(requests=10)
    server.before_answer = None
    assert len(kept(tmp_path)) == 50
    application.deletion_checker.check(requests=10)
    assert kept(tmp_path) == set()


def test_what_reddit_does_not_know_is_forgotten_the_second_time(
    server: RedditServer, application: Application, tmp_path: Path
):
    """Once could be a slip; a day later it is gone."""
    posts = server.fill(40)
    application.subreddit_sync.sync("haiku", NEW)
    server.take_away(posts[3].id, "purged")
    server.take_away(posts[4].id, "purged")
    assert application.deletion_checker.check(requests=10).missing == 2
    assert len(kept(tmp_path)) == 40
    server.take_away(posts[4].id, "up")  # a slip it was
    clock(application).advance(hours=21)
    assert application.deletion_checker.check(requests=10).buried == 1
    assert kept(tmp_path) == {one.id for one in server.up()}


def test_where_most_is_unknown_nothing_is_forgotten(server: RedditServer, application: Application, tmp_path: Path):
    """A Reddit that lost its memory does not cost us ours."""
    posts = server.fill(60)
    application.subreddit_sync.sync("haiku", NEW)
    for one in posts:
        server.take_away(one.id, "purged")
    for _ in range(3):
        assert application.deletion_checker.check(requests=10).doubted == 1
        clock(application).advance(hours=21)
    assert len(kept(tmp_path)) == 60


def test_a_post_that_cannot_be_read_is_not_unknown(
    server: RedditServer, application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where Reddit's answers changed, no poem is forgotten for it, whenever and however often."""
    server.fill(5)
    application.subreddit_sync.sync("haiku", NEW)
    monkeypatch.setattr(submission, "_time", _refused)
    for _ in range(3):
        assert application.deletion_checker.check(requests=10).buried == 0
        clock(application).advance(hours=30)
    assert len(kept(tmp_path)) == 5


def test_a_doubted_batch_is_told_in_full(
    server: RedditServer, application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
):
    """A post that is deleted for sure is forgotten all the same; an answer without an id may be any post's."""
    posts = server.fill(5)
    application.subreddit_sync.sync("haiku", NEW)
    server.take_away(posts[0].id)
    server.take_away(posts[1].id, "purged")
    read = Reddit.posts
    monkeypatch.setattr(Reddit, "posts", lambda self, ids: replace(read(self, ids), bad=2))
    found = application.deletion_checker.check(requests=10)
    assert (found.doubted, found.missing, found.buried) == (1, 0, 1)
    assert kept(tmp_path) == {one.id for one in posts[1:]}
    (told,) = [one.getMessage() for one in caplog.records if one.name == deletion_check.__name__]
    assert told == "Of 5 posts, 1 are unknown to Reddit, and 2 answers could not be read; no unknown post is forgotten"


def _refused(_: object) -> None:
    raise InputError("no time of creation")


@pytest.mark.parametrize("text", [None, "", "{", "[1]"])
def test_a_mark_that_cannot_be_read_is_as_none(text: str | None):
    """The round begins anew."""
    assert deletion_check._read(text) == {}
