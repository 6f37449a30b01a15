"""A home with a past of posts and counts, and the command line on it, in this process."""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.bootstrap import build
from auria_bot.cli.app import app
from auria_bot.cli.failures import reported
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.settings import load
from tests.engaged import add_sent
from tests.house import _migrated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CHANNELS = """
time_zone = "Europe/Paris"
[channels.fake]
backend = "fake"
[channels.other]
backend = "fake"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with an empty database and two channels."""
    for name in list(os.environ):
        if name.startswith("AURIA_"):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copyfile(_migrated(), folder / "auria.db")
    (folder / "auria.toml").write_text(CHANNELS, encoding="utf-8")
    monkeypatch.setenv("AURIA_HOME", str(folder))
    own, root = logging.getLogger("auria_bot"), logging.getLogger()
    before = (own.handlers[:], own.level, own.propagate, root.handlers[:])
    yield folder
    own.handlers[:], own.level, own.propagate, root.handlers[:] = before


@pytest.fixture
def auria(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command as `main` does: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as done, reported():
            app(list(arguments), prog_name="auria")
        return (int(done.value.code or 0), *capsys.readouterr())

    return run


def now() -> datetime:
    """This moment: the command line knows no other clock."""
    return datetime.now(UTC)


def fill(posts: int = 24, *, loved: str = "stormy") -> None:
    """A past: a post a day on two channels, one mood loved; followers counted every day."""
    with closing(build(load())) as house, house.store.begin() as unit:
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
