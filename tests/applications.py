"""An application of fakes for tests: real database, real files, real child processes, no model."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.bootstrap.application import Application, build
from auria_bot.domain.pipeline import ROLES, ArtworkRequest
from auria_bot.settings.schema import Settings
from auria_bot.settings.sections import BackendSettings, ChannelSettings, StudioSettings
from auria_bot.testing import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


def fake_settings(home: Path, *, deadline: float = 20.0, memory_mb: int = 1000, **options: dict[str, Any]) -> Settings:
    """Settings whose every role is played by a fake; options by role, e.g. `painter={"faults": {"/02/": "crash"}}`."""
    roles: dict[str, Any] = {
        section: BackendSettings(backend="fake", options=options.get(section, {})) for section in ROLES
    }
    channels = {
        "folder": ChannelSettings(backend="folder", options={"directory": "published"}),
        "fake": ChannelSettings(backend="fake"),
    }
    return Settings(
        home=home,
        models=home / "no-models",
        studio=StudioSettings(memory_mb=memory_mb, candidates=2, rounds=2, deadline=deadline),
        channels=channels,
        **roles,
    )


def fake_application(home: Path, *, clock: Callable[[], datetime] | None = None, **options: Any) -> Application:
    """The application of `fake_settings`; its database is a copy of one that was migrated once."""
    if not (home / "auria.db").exists():
        home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(migrated_database(), home / "auria.db")
    return build(fake_settings(home, **options), clock=clock or FakeClock())


def application_with_drafts(home: Path, count: int = 1, **options: Any) -> Application:
    """The application of `fake_application`, with the drafts of `add_drafts`."""
    add_drafts(home, count)
    return fake_application(home, **options)


def add_drafts(home: Path, count: int = 1) -> None:
    """Give a home that no application has opened the drafts 1 to `count` of a run of `fake_application` with seed 1.

    They are made once in a process; every home gets a copy.
    """
    shutil.copytree(_home_with_drafts(count), home, dirs_exist_ok=True)


@cache
def _home_with_drafts(count: int) -> Path:
    home = own_folder() / "home"
    with closing(fake_application(home)) as application:
        assert len(application.studio.make(ArtworkRequest(count=count, seed=1)).drafts) == count
    return home


@cache
def migrated_database() -> Path:
    """An empty database, up to date."""
    from auria_bot.store.engine import upgrade

    file = own_folder() / "auria.db"
    upgrade(f"sqlite:///{file}")
    return file


def own_folder() -> Path:
    """An empty folder that goes with this process."""
    folder = Path(tempfile.mkdtemp(prefix="auria-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
