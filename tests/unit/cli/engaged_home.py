"""A home with a past of posts and counts, and the command line on it, in this process."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.bootstrap.application import build
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.settings.loading import load
from tests.engaged import add_sent

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = """
time_zone = "Europe/Paris"
[channels.fake]
backend = "fake"
[channels.other]
backend = "fake"
"""


@pytest.fixture
def home(home: Path) -> Path:
    """A home with an empty database and two channels."""
    (home / "auria.toml").write_text(CHANNELS, encoding="utf-8")
    return home


def now() -> datetime:
    """The present time, which the command line uses."""
    return datetime.now(UTC)


def fill(posts: int = 24, *, loved: str = "stormy") -> None:
    """A past: a post a day on two channels, one mood loved; followers counted every day."""
    with closing(build(load())) as application, application.store.begin() as unit:
        for number in range(1, posts + 1):
            at, mood = now() - timedelta(days=number), loved if number % 3 == 0 else "serene"
            first = add_sent(unit, number, at=at, mood=mood, cost=0.015)
            second = add_sent(unit, number, at=at, mood=mood, channel="other", draft=first.draft_id)
            for post, likes in ((first, 20), (second, 3)):
                many = likes * (6 if mood == loved else 1) + number % 4
                counts: dict[str, Any] = {"likes": many, "reposts": many // 5, "views": 30 * many}
                unit.samples.add(post.id, Engagement(at=at + timedelta(hours=3), **counts))
                unit.samples.add(post.id, Engagement(at=min(at + timedelta(days=7), now()), **counts))
            unit.samples.add_audience("fake", Audience(at=at, followers=300 - number))
            unit.samples.add_audience("other", Audience(at=at, followers=80))
