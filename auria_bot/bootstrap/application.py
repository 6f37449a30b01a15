"""The application: all services of some settings, each constructed on first use.

Each module of this package composes one or two packages of services; nothing is opened or imported before it is used,
and no service imports a model.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from auria_bot.bootstrap.corpus import CorpusServices
from auria_bot.bootstrap.operations import OperationsServices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from auria_bot.domain.interfaces import Channel
    from auria_bot.domain.post import Pause
    from auria_bot.services.operations.doctor import Doctor
    from auria_bot.settings.schema import Settings
    from auria_bot.store.unit_of_work import Store

__all__ = ["Application", "build", "doctor", "open_channels"]


class Application(OperationsServices, CorpusServices):
    """Every service."""


def build(
    settings: Settings, *, clock: Callable[[], datetime] | None = None, store: Store | None = None
) -> Application:
    """The application of these settings.

    Usage::

        app = build(load())
        made = app.studio.make(ArtworkRequest(theme="autumn rain"))
        app.review.approve([draft.id for draft in made.drafts])
        app.publisher.publish()

    By default the clock is the system's, and the settings' database is opened on first use.
    """
    return Application(settings, clock=clock, store=store)


def doctor() -> Doctor:
    """Checks the installation; the settings are read when it runs, because they may be wrong."""
    from auria_bot.services.operations.doctor import Doctor
    from auria_bot.settings import loading

    return Doctor(load=loading.load, open_channels=open_channels)


@contextlib.contextmanager
def open_channels(
    settings: Settings,
) -> Iterator[tuple[Mapping[str, Callable[[], Channel]], Callable[[], Sequence[Pause]]]]:
    """The channels of some settings, and a function that lists the paused ones, which opens the database."""
    with contextlib.closing(build(settings)) as app:
        yield app.channels, lambda: app.publisher.paused()  # noqa: PLW0108 - the publisher opens the database
