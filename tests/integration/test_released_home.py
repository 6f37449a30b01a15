"""A home of the release before opens, is upgraded and goes on, also after it was moved.

`released_home/auria.sql` is the database that the release with schema 0006 wrote at /srv/auria-released: one sent
post, one queued post, one queued post whose picture lies outside the home, an approved, a rejected and a new draft, a
notice and a paused channel.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import PostState
from auria_bot.store.engine import current
from auria_bot.store.schema import HEAD
from auria_bot.testing import FakeClock
from tests.applications import fake_application

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auria_bot.bootstrap.application import Application

_RELEASED = Path(__file__).parent / "released_home"


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[Application]:
    """The application of the released home, moved to another folder."""
    home, archive = tmp_path / "moved", tmp_path / "archive"
    archive.mkdir()
    shutil.copyfile(_RELEASED / "post.jpg", archive / "run-3.jpg")
    (home / "pictures" / "run-2").mkdir(parents=True)
    shutil.copyfile(_RELEASED / "post.jpg", home / "pictures" / "run-2" / "post.jpg")
    statements = (_RELEASED / "auria.sql").read_text(encoding="utf-8").replace("/mnt/archive", str(archive))
    with closing(sqlite3.connect(home / "auria.db")) as connection:
        connection.executescript(statements)
    app = fake_application(home, clock=FakeClock(datetime(2026, 11, 22, 12, tzinfo=UTC)))
    with closing(app):
        yield app


def test_drafts_and_posts_are_as_they_were(moved: Application) -> None:
    """The schema is upgraded on opening; drafts, posts, attempts, journal and pauses keep their contents."""
    drafts = {draft.id: draft.state for draft in moved.review.drafts()}
    states = [DraftState.SCHEDULED] * 3 + [DraftState.APPROVED, DraftState.REJECTED, DraftState.MADE]
    assert drafts == dict(enumerate(states, start=1))
    assert {post.id: post.state for post in moved.publisher.posts()} == {1: "sent", 2: "waiting", 3: "waiting"}
    sent, (attempt,) = moved.publisher.post(1)
    assert sent.receipt is not None
    assert attempt.outcome == "sent"
    assert [pause.name for pause in moved.publisher.paused()] == ["fake"]
    with moved.store.read() as unit:
        assert len(unit.journal.list()) == 8
    assert current(moved.settings.database_url) == HEAD


def test_paths_in_the_home_move_with_it(moved: Application, tmp_path: Path) -> None:
    """A path under the old home is found in the new one; a path elsewhere stays as it is."""
    pictures = {post.id: post.picture for post in moved.publisher.posts()}
    home = tmp_path / "moved"
    assert pictures[1] == str(home / "pictures" / "run-1" / "post.jpg")
    assert pictures[2] == str(home / "pictures" / "run-2" / "post.jpg")
    assert pictures[3] == str(tmp_path / "archive" / "run-3.jpg")
    with moved.store.begin() as unit:
        (notice,) = unit.notices.claim_due(now=moved.clock(), until=moved.clock())
    assert notice.notice.picture == pictures[2]


def test_queued_posts_go_out_after_the_move(moved: Application) -> None:
    """Both queued posts are sent to the folder channel once with its picture; another round sends nothing."""
    done = moved.publisher.publish([2, 3])
    assert [(post.id, post.state) for post in done.posts] == [(2, PostState.SENT), (3, PostState.SENT)]
    assert done.problems == ("fake is paused: a holiday",)
    published = sorted((moved.settings.home / "published" / "posts").glob("*/picture.jpg"))
    assert len(published) == 2
    assert {file.read_bytes() for file in published} == {(_RELEASED / "post.jpg").read_bytes()}
    assert moved.publisher.publish([2, 3]).posts == ()
