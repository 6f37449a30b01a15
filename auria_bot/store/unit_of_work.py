"""The store and its transactions: `with store.begin() as unit: unit.drafts.get(7)`."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine

from auria_bot.settings.schema import Settings
from auria_bot.store.corpus import Bookmarks, CorpusVersions, Verses
from auria_bot.store.drafts import Drafts, Journal, PublishedArtworks
from auria_bot.store.engagement import Samples
from auria_bot.store.engine import bring_up_to_date, connect, shown, translated
from auria_bot.store.operations import Channels, JobRuns, Leases, Metrics, Notices
from auria_bot.store.posts import Posts
from auria_bot.store.ratings import Ratings
from auria_bot.store.rejected import ForgottenVerses, RejectedVerses
from auria_bot.store.sqlite import READ_ONLY

__all__ = ["Store", "Unit"]


class Unit:
    """One transaction, with the queries of every table."""

    def __init__(self, connection: Connection, *, home: Path, who: str) -> None:
        self.drafts = Drafts(connection)
        self.posts = Posts(connection, home=home)
        self.channels = Channels(connection)
        self.published = PublishedArtworks(connection)
        self.samples = Samples(connection)
        self.verses = Verses(connection)
        self.rejected = RejectedVerses(connection)
        self.forgotten = ForgottenVerses(connection)
        self.bookmarks = Bookmarks(connection)
        self.corpus_versions = CorpusVersions(connection)
        self.job_runs = JobRuns(connection)
        self.leases = Leases(connection)
        self.notices = Notices(connection, home=home)
        self.metrics = Metrics(connection)
        self.ratings = Ratings(connection)
        self.journal = Journal(connection, who=who)


class Store:
    """The database. Safe for use by several threads and processes; created by `open`."""

    def __init__(self, engine: Engine, *, home: Path, who: str | None = None) -> None:
        self._engine, self._home = engine, home.absolute()
        self._who = who if who is not None else _user()

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Connect, and upgrade the schema if it is new or older.

        Raises:
            DatabaseUnreachable: the server does not answer.
            SchemaTooNew: the database was written by a newer auria_bot.
            StoreError: the file is damaged, not a database, or another program's.
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
        """A transaction, committed at the end of the block and rolled back by an exception; SQLite serialises them."""
        with translated(self._engine), self._engine.begin() as connection:
            yield Unit(connection, home=self._home, who=self._who)

    @contextmanager
    def read(self) -> Iterator[Unit]:
        """A consistent snapshot that waits for no writer; changes made through it are discarded."""
        level = {} if self._engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with translated(self._engine), self._engine.connect() as connection:
            yield Unit(connection.execution_options(**{READ_ONLY: True}, **level), home=self._home, who=self._who)

    def acting_as(self, who: str) -> Store:
        """The same database, whose journal names somebody else."""
        return Store(self._engine, home=self._home, who=who)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"  # a container may run under a user id without a name
