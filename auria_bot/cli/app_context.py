"""Build the application for a command: read the settings, set up the log, join the services."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auria_bot.bootstrap.application import Application

__all__ = ["app_context"]


@contextlib.contextmanager
def app_context() -> Iterator[Application]:
    """Yield the application for the length of a command.

    Raises:
        SettingsError: a setting is wrong.
        StoreError: the database cannot be used.
    """
    from auria_bot import telemetry
    from auria_bot.bootstrap import application
    from auria_bot.settings import loading

    read = loading.load()
    # What matters at a terminal is printed by the commands themselves; more records would say it twice.
    level = "debug" if read.logging.level == "debug" else "error"
    telemetry.set_up(level=level, form=read.logging.format)
    with contextlib.closing(application.build(read)) as app:
        yield app
