"""A stand-in for Reddit, and an application that reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from auria_bot.bootstrap.application import build
from auria_bot.corpus.sources.reddit import Reddit
from auria_bot.corpus.sources.retry import RequestCounter
from auria_bot.settings.schema import Settings
from auria_bot.store.engine import connect
from auria_bot.store.schema import verses
from auria_bot.testing import FakeClock
from tests.applications import fake_application
from tests.platforms import MemorySecrets
from tests.platforms.reddit import CLIENT_ID, CLIENT_SECRET, NOW, RedditServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application

__all__ = ["kept", "kept_lines", "reading_application", "server"]


@pytest.fixture
def server() -> Iterator[RedditServer]:
    """A Reddit without posts."""
    with RedditServer() as started:
        yield started


def reading_application(home: Path, server: RedditServer, **more: Any) -> Application:
    """An application that reads from that server by its clock, without waiting; options are of corpus.reddit."""
    fake_application(home).close()
    made = build(
        Settings.model_validate({"home": home, "corpus": {"reddit": server.settings(**more)}}),
        clock=FakeClock(datetime.fromtimestamp(NOW, UTC)),
    )
    made.reddit = Reddit(
        made.settings.corpus.reddit,
        MemorySecrets({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}),
        meter=RequestCounter(sleep=lambda _: None),
    )
    return made


def kept(home: Path) -> set[str]:
    """The ids of the posts whose poems are stored."""
    return {identifier for identifier, _ in _rows(home)}


def kept_lines(home: Path) -> list[str]:
    """The poems that are stored."""
    return [lines for _, lines in _rows(home)]


def _rows(home: Path) -> list[tuple[str, str]]:
    engine = connect(f"sqlite:///{home / 'auria.db'}")
    try:
        with engine.connect() as connection:
            found = connection.execute(select(verses.c.external_id, verses.c.lines).where(verses.c.state == "kept"))
            return [(row.external_id, row.lines) for row in found]
    finally:
        engine.dispose()
