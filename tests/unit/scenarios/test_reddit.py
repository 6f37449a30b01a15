"""The benchmark of refreshing detects faults of the synchronisation: a smaller form of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from auria_bot.corpus.sources.listing import listings
from tests.platforms.reddit import RedditServer
from tests.reading_reddit import reading_application
from tests.scenarios.reddit import Tally, compared, trial

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("praw")


@pytest.mark.slow
def test_nothing_is_missed_or_kept_twice_and_deletions_are_forgotten(tmp_path: Path):
    """One Reddit, two rounds, some kills."""
    tally = Tally()
    trial(tmp_path / "home", random.Random(5), tally, posts=130, rounds=2, kills=2)
    assert tally.wrong == []
    assert tally.kills > 0


def test_what_is_wrong_is_noticed(tmp_path: Path):
    """A missed post, one that should have been deleted and a name that should not be stored are reported."""
    with RedditServer() as server:
        server.post(subreddit="youpoets")
        server.fill(3)
        application = reading_application(tmp_path, server)
        for name in ("haiku", "youpoets"):
            application.subreddit_sync.sync(name, listings("new")[0])
        application.close()
        assert compared(tmp_path, server) == []
        server.take_away(server.up()[0].id)
        assert "1 posts kept that do not stand" in compared(tmp_path, server)[0]
        server.post()
        assert "1 of 4 posts missed" in compared(tmp_path, server)[0]
