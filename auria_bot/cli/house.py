"""Opens Auria's house for a command: settings read, the log set up, the services joined."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auria_bot.bootstrap import Application

__all__ = ["opened"]


@contextlib.contextmanager
def opened() -> Iterator[Application]:
    """The house, for the length of a command.

    Raises:
        SettingsError: a setting is wrong.
        StoreError: the database cannot be used.
    """
    from auria_bot import bootstrap, settings, telemetry

    read = settings.load()
    # Informative records would tear the progress bar; what matters at a terminal is printed by the commands.
    level = "warning" if read.logging.level == "info" else read.logging.level
    telemetry.set_up(level=level, form=read.logging.format)
    with contextlib.closing(bootstrap.build(read)) as house:
        yield house
