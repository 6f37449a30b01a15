"""Joins the services that set up, check and administer an installation; each is made when it is asked for."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.interfaces import Channel
    from auria_bot.domain.post import Pause
    from auria_bot.services.corpus.refresh import RedditRefresh
    from auria_bot.services.models.retraining import PoetRetrainer
    from auria_bot.services.operations.database import DatabaseAdministration
    from auria_bot.services.operations.doctor import Doctor
    from auria_bot.services.publishing.channel_administration import ChannelAdministration
    from auria_bot.settings.schema import Settings

__all__ = [
    "channel_administration",
    "database_administration",
    "doctor",
    "open_channels",
    "reddit_refresh",
    "retrainer",
]


def channel_administration(app: Application) -> ChannelAdministration:
    """Adds, removes, checks and lists channels."""
    from auria_bot.services.publishing.channel_administration import ChannelAdministration
    from auria_bot.settings.editing import SettingsFile
    from auria_bot.settings.locations import own_file

    return ChannelAdministration(
        settings=app.settings,
        file=SettingsFile(own_file()),
        store=lambda: app.store,
        publisher=lambda: app.publisher,
        channels=app.channels,
        make=app.channel,
        secrets=lambda name, place: app.vault(name, place=place),
    )


def database_administration(app: Application) -> DatabaseAdministration:
    """Backs the database up, restores it and reads its journal."""
    from auria_bot.bootstrap import operations
    from auria_bot.services.operations.database import DatabaseAdministration
    from auria_bot.store.unit_of_work import Store

    return DatabaseAdministration(
        settings=app.settings,
        backups=operations.backups(app),
        open_store=lambda: Store.open(app.settings),
        clock=app.clock,
    )


def doctor() -> Doctor:
    """Checks the installation; the settings are read when it runs."""
    from auria_bot.services.operations.doctor import Doctor
    from auria_bot.settings import loading

    return Doctor(load=loading.load, open_channels=open_channels)


@contextlib.contextmanager
def open_channels(
    settings: Settings,
) -> Iterator[tuple[Mapping[str, Callable[[], Channel]], Callable[[], Sequence[Pause]]]]:
    """The channels of some settings, and what tells which are paused; the database is opened by the latter only."""
    from auria_bot.bootstrap import application

    with contextlib.closing(application.build(settings)) as app:
        yield app.channels, lambda: app.publisher.paused()  # noqa: PLW0108 - the publisher opens the database


def reddit_refresh(app: Application) -> RedditRefresh:
    """Reads what is new on Reddit and checks known posts for deletions."""
    from auria_bot.services.corpus.refresh import RedditRefresh

    chosen = app.settings.corpus.reddit
    return RedditRefresh(
        sync=app.gleaner,
        checker=app.vigil,
        clock=app.clock,
        searches=chosen.search_terms,
        requests=chosen.check_requests,
    )


def retrainer(app: Application, *, recipe: Any, comparison: Any, report: Callable[[str], None]) -> PoetRetrainer:
    """Trains the poet on a version of the corpus and replaces the one in service when it is better."""
    from auria_bot.services.models.retraining import PoetRetrainer

    return PoetRetrainer(settings=app.settings, versions=app.press, recipe=recipe, comparison=comparison, report=report)
