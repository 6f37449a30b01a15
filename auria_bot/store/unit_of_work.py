"""The store and its transactions: `with store.begin() as unit: unit.drafts.get(7)`.

Joins the queries to one connection; knows no SQL.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine

from auria_bot.settings.schema import Settings
from auria_bot.store.channels import Channels
from auria_bot.store.corpus import Bookmarks, CorpusVersions, Verses
from auria_bot.store.drafts import Drafts, Journal
from auria_bot.store.engagement import Samples
from auria_bot.store.engine import READ_ONLY, connect, shown, translated
from auria_bot.store.metrics import Metrics
from auria_bot.store.migrate import bring_up_to_date
from auria_bot.store.notices import Notices
from auria_bot.store.posts import Posts
from auria_bot.store.schedule import JobRuns, Leases

__all__ = ["Store", "Unit"]


class Unit:
    """One transaction: what is done through it happens together or not at all."""

    def __init__(self, connection: Connection, *, home: Path, who: str) -> None:
        self.drafts = Drafts(connection)
        self.posts = Posts(connection, home=home)
        self.channels = Channels(connection)
        self.samples = Samples(connection)
        self.verses = Verses(connection)
        self.bookmarks = Bookmarks(connection)
        self.corpus_versions = CorpusVersions(connection)
        self.job_runs = JobRuns(connection)
        self.leases = Leases(connection)
        self.notices = Notices(connection, home=home)
        self.metrics = Metrics(connection)
        self.journal = Journal(connection, who=who)


class Store:
    """The database. Safe to use from several threads and processes; made by `open`."""

    def __init__(self, engine: Engine, *, home: Path, who: str | None = None) -> None:
        self._engine, self._home = engine, home.absolute()
        self._who = who if who is not None else _user()

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Connect, and bring the schema up to date where it is new or older.

        Raises:
            DatabaseUnreachable: the server does not answer.
            SchemaTooNew: the database was written by a newer auria_bot.
            StoreError: the file is damaged, not a database, or someone else's.
            DiskError: the file cannot be written.
        """
        engine = connect(settings.database_url, echo=settings.database.echo)
        try:
            bring_up_to_date(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, home=settings.home)

    @property
    def url(self) -> str:
        """The database's URL without its password."""
        return shown(self._engine)

    @contextmanager
    def begin(self) -> Iterator[Unit]:
        """A transaction: committed at the end of the block, rolled back by an exception.

        On SQLite one at a time; others wait.
        """
        with translated(self._engine), self._engine.begin() as connection:
            yield Unit(connection, home=self._home, who=self._who)

    @contextmanager
    def read(self) -> Iterator[Unit]:
        """A view of one moment that waits for nobody; what is written through it is lost."""
        level = {} if self._engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with translated(self._engine), self._engine.connect() as connection:
            yield Unit(connection.execution_options(**{READ_ONLY: True}, **level), home=self._home, who=self._who)

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"  # a container may run under a number that has no name
