from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from auria_bot.corpus.sources.listing import listings
from auria_bot.corpus.sources.reddit import Page
from auria_bot.corpus.sources.submission import Submission
from auria_bot.errors import ChannelError, InputError
from auria_bot.services.corpus.reddit_sync import SubredditSync
from tests.platforms.reddit import NOW, poem
from tests.reading_reddit import kept, kept_lines, reading_application, server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from tests.platforms.reddit import RedditServer

__all__ = ["server"]  # the fixture

pytest.importorskip("praw")

(NEW,) = listings("new")


@pytest.fixture
def application(server: RedditServer, tmp_path: Path) -> Iterator[Application]:
    """An application that reads from it, as far back as it must."""
    made = reading_application(tmp_path, server, overlap=0)
    yield made
    made.close()


class Circle:
    """Pages of one post, each of which leads back to it."""

    def __init__(self, post: Submission) -> None:
        self.post = post
        self.asked = 0

    def page(self, *_: object, **__: object) -> Page:
        """The same page again."""
        self.asked += 1
        return Page(posts=(self.post,), after=f"t3_{self.post.id}")


def test_everything_new_is_read_once(server: RedditServer, application: Application, tmp_path: Path):
    """The second run takes what came since, in one page, and nothing else."""
    server.fill(230)
    first = application.subreddit_sync.sync("haiku", NEW)
    assert (first.posts, first.report.fresh, first.finished, first.gap) == (230, 230, True, False)
    server.now += 500
    server.fill(7, every=10)
    before = len(server.queries)
    second = application.subreddit_sync.sync("haiku", NEW)
    assert (second.report.fresh, second.finished, second.gap) == (7, True, False)
    assert len(server.queries) - before == 1
    assert kept(tmp_path) == {one.id for one in server.up()}


def test_what_is_let_through_late_is_found(server: RedditServer, tmp_path: Path):
    """A post that waited for a moderator stands among older ones; the walk goes a day further."""
    late = server.post(age=3000, state="held")
    server.fill(150)
    application = reading_application(tmp_path, server)
    application.subreddit_sync.sync("haiku", NEW)
    server.take_away(late.id, "up")
    assert application.subreddit_sync.sync("haiku", NEW).report.fresh == 1
    assert kept(tmp_path) == {one.id for one in server.up()}
    application.close()


def test_a_walk_that_breaks_goes_on_where_it_was(server: RedditServer, application: Application, tmp_path: Path):
    """What came since is read too, and no page is asked for again but the one that broke."""
    server.fill(450)

    def breaks(number: int) -> None:
        if number == 3:
            server.fail_next(*["500"] * 5)

    server.before_answer = breaks
    with pytest.raises(ChannelError):
        application.subreddit_sync.sync("haiku", NEW)
    assert len(kept(tmp_path)) == 300
    server.now += 60
    server.fill(5, every=2)
    found = application.subreddit_sync.sync("haiku", NEW)
    assert (found.resumed, found.finished, found.report.fresh) == (True, True, 155)
    assert kept(tmp_path) == {one.id for one in server.up()}


def test_a_limit_is_gone_on_with_next_time(server: RedditServer, application: Application, tmp_path: Path):
    """With 120 a run, 300 posts take three runs."""
    server.fill(300)
    found = [application.subreddit_sync.sync("haiku", NEW, limit=120) for _ in range(3)]
    assert [one.report.fresh for one in found] == [120, 120, 60]
    assert [one.finished for one in found] == [False, False, True]
    assert kept(tmp_path) == {one.id for one in server.up()}


def test_posts_that_come_during_a_walk_wait_for_the_next(
    server: RedditServer, application: Application, tmp_path: Path
):
    """They push nothing out of sight, and are not missed."""
    server.fill(350)

    def arrives(_: int) -> None:
        server.now += 30
        server.fill(40, every=0.5)

    server.before_answer = arrives
    application.subreddit_sync.sync("haiku", NEW)
    server.before_answer = None
    assert application.subreddit_sync.sync("haiku", NEW).finished
    assert kept(tmp_path) == {one.id for one in server.up()}


@pytest.mark.parametrize("forgetful", [False, True])
def test_a_post_from_which_to_go_on_may_be_deleted(
    server: RedditServer, application: Application, tmp_path: Path, *, forgetful: bool
):
    """The walk goes on from another one of the page."""
    posts = server.fill(350)
    server.forgetful = forgetful

    def deletes(number: int) -> None:
        if number == 2:
            server.take_away(posts[250].id)  # the last of the first page
            server.take_away(posts[251].id)

    server.before_answer = deletes
    found = application.subreddit_sync.sync("haiku", NEW)
    assert found.finished
    assert {one.id for one in server.up()} <= kept(tmp_path)


def test_a_walk_that_lost_its_way_begins_anew(server: RedditServer, application: Application, tmp_path: Path):
    """Where no post of the last page is there any more, everything is met again from the top."""
    posts = server.fill(250)
    server.forgetful = True
    application.subreddit_sync.sync("haiku", NEW, limit=100)
    for one in posts[150:]:
        server.take_away(one.id)
    found = application.subreddit_sync.sync("haiku", NEW)
    assert (found.resumed, found.finished, found.report.fresh) == (True, True, 150)
    assert {one.id for one in server.up()} <= kept(tmp_path)


def test_a_walk_that_always_loses_its_way_stops_for_now(server: RedditServer, application: Application, tmp_path: Path):
    """After three walks; the next run reads what is left."""
    server.fill(350)
    server.forgetful = True

    def deletes(_: int) -> None:
        if after := server.queries[-1].get("after"):
            anchor = server.everything[after.removeprefix("t3_")]
            for one in server.up():
                if one.key >= anchor.key:
                    server.take_away(one.id)

    server.before_answer = deletes
    found = application.subreddit_sync.sync("haiku", NEW)
    assert (found.posts, found.finished) == (300, False)
    server.before_answer = None
    found = application.subreddit_sync.sync("haiku", NEW)
    assert (found.posts, found.resumed, found.finished) == (50, False, True)
    assert {one.id for one in server.up()} <= kept(tmp_path)


def test_a_listing_without_end_is_left_and_told(
    application: Application, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """Its pages go in a circle: after sixty of them the walk waits for the next run."""
    post = Submission(
        id="abc",
        subreddit="haiku",
        title=" / ".join(poem(7)),
        body="",
        created=datetime.fromtimestamp(NOW, UTC),
        score=1,
        author="poet",
        removed=False,
        over_18=False,
    )
    circle = Circle(post)
    sync = SubredditSync(
        pages=circle, store=application.store, importer=application.corpus_importer, clock=application.clock
    )
    found = sync.sync("haiku", NEW)
    assert (circle.asked, found.posts, found.finished) == (60, 1, False)
    assert "has no end" in caplog.text
    assert kept(tmp_path) == {"abc"}
    assert sync.sync("haiku", NEW).resumed


def test_the_end_of_a_listing_is_told_where_it_leaves_a_gap(server: RedditServer, application: Application):
    """More than a thousand new posts: some of them cannot be reached."""
    server.fill(30)
    application.subreddit_sync.sync("haiku", NEW)
    server.now += 50_000
    application.clock.advance(seconds=50_100)  # type: ignore[attr-defined]
    server.fill(1100, every=20)
    found = application.subreddit_sync.sync("haiku", NEW)
    assert (found.posts, found.gap) == (1000, True)
    server.now += 100
    server.fill(3, every=10)
    assert not application.subreddit_sync.sync("haiku", NEW).gap


def test_pinned_posts_do_not_mislead(server: RedditServer, application: Application, tmp_path: Path):
    """An old post that stands on top ends no walk, and is taken."""
    old = server.post(age=10**7)
    server.fill(120)
    application.subreddit_sync.sync("haiku", NEW)
    old.stickied = True
    server.now += 5000
    server.fill(130, every=10)
    assert application.subreddit_sync.sync("haiku", NEW).report.fresh == 130
    assert kept(tmp_path) == {one.id for one in server.up()}


def test_a_clock_that_is_ahead_hides_nothing(server: RedditServer, application: Application, tmp_path: Path):
    """A post from the future does not lift the mark beyond now."""
    server.fill(10)
    server.post(age=-(10**6))
    application.subreddit_sync.sync("haiku", NEW)
    server.now += 90
    server.fill(3, every=5)
    application.subreddit_sync.sync("haiku", NEW)
    assert kept(tmp_path) == {one.id for one in server.up()}


def test_a_dry_run_keeps_nothing(server: RedditServer, application: Application, tmp_path: Path):
    """Neither poems nor marks: the run after it reads all."""
    server.fill(20)
    assert application.subreddit_sync.sync("haiku", NEW, dry_run=True).report.kept == 20
    assert kept(tmp_path) == set()
    assert application.subreddit_sync.sync("haiku", NEW).report.fresh == 20


def test_one_that_is_deleted_in_a_listing_is_forgotten(server: RedditServer, application: Application, tmp_path: Path):
    """A poem that two posts have goes with either of them."""
    text = " / ".join(poem(77_777))
    first, second = server.post(text, age=5), server.post(text, age=3)
    application.subreddit_sync.sync("haiku", NEW)
    assert kept(tmp_path) == {first.id}
    server.take_away(second.id)
    application.corpus_importer.take(application.reddit.posts([second.id]).posts, origin="test")
    assert kept(tmp_path) == set()


def test_titles_that_are_escaped_are_read(server: RedditServer, application: Application, tmp_path: Path):
    """An ampersand is an ampersand."""
    server.post("cold rain & wind / a quiet river rises / beside the window")
    application.subreddit_sync.sync("haiku", NEW)
    (only,) = kept_lines(tmp_path)
    assert only.startswith("cold rain & wind\n")


def test_top_reads_each_time(server: RedditServer, application: Application):
    """The best of the day are among those of the week."""
    server.post(age=3600)
    server.post(age=200_000)
    server.post(age=900_000)
    found = {one.name: application.subreddit_sync.sync("haiku", one).posts for one in listings("top")}
    assert found == {"top day": 1, "top week": 2, "top month": 3, "top year": 3, "top all": 3}


def test_a_search_is_gone_on_with(server: RedditServer, application: Application):
    """Its newest come first, so it stops where it was."""
    server.fill(300)
    (river,) = listings("search", searches=["river"])
    first = application.subreddit_sync.sync("haiku", river)
    before = len(server.queries)
    second = application.subreddit_sync.sync("haiku", river)
    assert first.posts == sum("river" in one.title for one in server.up())
    assert (second.report.fresh, len(server.queries) - before) == (0, 1)


def test_a_search_leaves_a_gap_sooner(server: RedditServer, application: Application):
    """It ends after 250 posts."""
    (path,) = listings("search", searches=["beside the path"])
    server.fill(3)
    application.subreddit_sync.sync("haiku", path)
    server.now += 20_000
    server.fill(260, every=20)
    assert application.subreddit_sync.sync("haiku", path).gap


def test_slices_of_time_reach_what_no_listing_does(server: RedditServer, application: Application, tmp_path: Path):
    """Of 600 posts a search gives 250: all are found."""
    server.fill(600, every=3000)
    found = application.subreddit_sync.sync_period("haiku", since=NOW - 600 * 3000 - 10, until=NOW + 1)
    assert found.finished
    assert found.full == ()
    assert kept(tmp_path) == {one.id for one in server.up()}


def test_a_slice_that_is_full_and_as_small_as_may_be_is_told(
    server: RedditServer, application: Application, tmp_path: Path
):
    """More posts in an hour than a search gives: what it gives is taken, and the slice is named."""
    server.fill(300, every=20)
    found = application.subreddit_sync.sync_period("haiku", since=NOW - 7000, until=NOW + 1)
    assert (found.finished, found.full) == (True, (f"slice {int(NOW) - 7000} {int(NOW) + 1}",))
    assert kept(tmp_path) == {one.id for one in server.up()[:250]}


def test_a_stretch_that_breaks_goes_on_where_it_was(server: RedditServer, application: Application, tmp_path: Path):
    """Slices that are done are not searched again."""
    server.fill(300, every=40_000)

    def breaks(number: int) -> None:
        if number == 3:
            server.fail_next(*["500"] * 5)

    server.before_answer = breaks
    since = NOW - 300 * 40_000 - 10
    with pytest.raises(ChannelError):
        application.subreddit_sync.sync_period("haiku", since=since, until=NOW + 1)
    before = len(server.queries)
    found = application.subreddit_sync.sync_period("haiku", since=since, until=NOW + 1)
    assert found.resumed
    assert kept(tmp_path) == {one.id for one in server.up()}
    assert not any(query["q"].endswith(f"..{int(NOW)}") for query in server.queries[before:])


def test_a_server_that_takes_no_times_is_found_out(server: RedditServer, application: Application, tmp_path: Path):
    """Posts outside the requested time slice are not counted as its content."""
    server.knows_times = False
    server.fill(30)
    with pytest.raises(InputError, match="takes no times"):
        application.subreddit_sync.sync_period("haiku", since=NOW - 10**7, until=NOW - 10**6)
    assert kept(tmp_path) == set()


def test_a_subreddit_where_nothing_stands_is_read_and_told_of(
    server: RedditServer, application: Application, tmp_path: Path
):
    """An empty subreddit leaves no checkpoint; each page is reported."""
    told: list[int] = []
    server.post(age=500_000, state="held")
    empty = application.subreddit_sync.sync("haiku", NEW, tell=lambda found: told.append(found.posts))
    assert (empty.posts, empty.finished) == (0, True)
    server.fill(120)
    assert application.subreddit_sync.sync("haiku", NEW, tell=lambda found: told.append(found.posts)).posts == 120
    assert told[-1] == 120
    assert len(told) >= 3


def test_a_dry_search_by_time_keeps_nothing(server: RedditServer, application: Application, tmp_path: Path):
    """Not even how far it came."""
    server.fill(30)
    found = application.subreddit_sync.sync_period("haiku", since=NOW - 90_000, until=NOW, dry_run=True)
    assert found.finished
    assert kept(tmp_path) == set()
