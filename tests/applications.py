"""An application of fakes for tests: real database, real files, real child processes, no model."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.bootstrap.application import Application, build
from auria_bot.domain.pipeline import ROLES
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


@cache
def migrated_database() -> Path:
    """An empty database, up to date."""
    from auria_bot.store.engine import upgrade

    folder = Path(tempfile.mkdtemp(prefix="auria-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    upgrade(f"sqlite:///{folder / 'auria.db'}")
    return folder / "auria.db"
