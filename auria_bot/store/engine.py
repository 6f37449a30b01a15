"""Connections to SQLite or PostgreSQL, translation of their errors, and inserts that skip existing rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, NoSuchModuleError, SQLAlchemyError

from auria_bot.errors import (
    AuriaError,
    BackendMissing,
    DatabaseUnreachable,
    DiskError,
    InputError,
    SettingsError,
    StoreError,
)
from auria_bot.telemetry import redacted

__all__ = ["READ_ONLY", "connect", "insert_many", "insert_once", "shown", "translated"]

BUSY_TIMEOUT = 20.0  # seconds that SQLite waits for another program's transaction
CONNECT_TIMEOUT = 10  # seconds for a PostgreSQL server to answer
IDLE = 5.0  # seconds of idleness after which a connection to PostgreSQL is asked whether it is still there

# By itself, the system tells of a network that went away in the middle of a question after hours.
_KEPT_ALIVE = {
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,  # seconds, seconds, times
    "tcp_user_timeout": 30_000,  # milliseconds
}

READ_ONLY = "auria_read_only"
"""The execution option of a connection that only reads: on SQLite it takes no write lock."""

# https://www.sqlite.org/rescode.html
_BUSY, _LOCKED, _READ_ONLY, _IO, _CORRUPT, _FULL, _CANNOT_OPEN, _NO_DATABASE = 5, 6, 8, 10, 11, 13, 14, 26


def connect(url: str | URL, *, echo: bool = False) -> Engine:
    """An engine for a database; SQLite's file and folder are made on first use, nothing is connected yet.

    Raises:
        SettingsError: the URL cannot be read, or names another kind of database.
        BackendMissing: PostgreSQL's driver is not installed.
        DiskError: the folder of SQLite's file cannot be made.
    """
    try:
        place = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsError(f"database.url {redacted(str(url))[:80]!r} cannot be read; {_FORMS}") from None
    if place.drivername in {"postgres", "postgresql"}:
        place = place.set(drivername="postgresql+psycopg")
    if place.get_backend_name() == "sqlite":
        return _sqlite(place, echo=echo)
    if place.drivername != "postgresql+psycopg":
        raise SettingsError(f"database.url names {place.drivername[:40]!r}; {_FORMS}")
    if "connect_timeout" not in place.query:
        place = place.update_query_dict({"connect_timeout": str(CONNECT_TIMEOUT)})
    lasting = {name: value for name, value in _KEPT_ALIVE.items() if name not in place.query}
    try:
        engine = create_engine(place, echo=echo, hide_parameters=True, pool_size=2, connect_args=lasting)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise BackendMissing("PostgreSQL needs a driver: pip install 'auria-bot[postgres]'") from None
    event.listen(engine, "checkin", _remember_use)
    event.listen(engine, "checkout", partial(_ask_when_idle, engine))
    return engine


_FORMS = "it must look like sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"


def _remember_use(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _ask_when_idle(engine: Engine, connection: Any, record: Any, _proxy: Any) -> None:
    """Make sure that a connection which was idle for a while is still there; the pool replaces it when it is not."""
    if time.monotonic() - record.info.get("used", time.monotonic()) < IDLE:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as error:
        raise DisconnectionError("the connection was lost while it was idle") from error


def _sqlite(place: URL, *, echo: bool) -> Engine:
    if place.database in {None, "", ":memory:"}:
        raise SettingsError("database.url must name a file, like sqlite:////var/lib/auria/auria.db")
    file = Path(str(place.database)).absolute()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(
            f"the folder {file.parent} cannot be made: {error.strerror}; make it, or set AURIA_HOME"
        ) from error
    place = URL.create("sqlite", database=str(file))
    engine = create_engine(place, echo=echo, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    _keep_to_the_file(engine, file)
    return engine


def _keep_to_the_file(engine: Engine, file: Path) -> None:
    """See to it that nobody goes on in a file that was taken away: SQLite itself would not notice.

    Another file in its place is opened; where there is none, none is made.
    """
    opened: list[bool] = []  # once there was a file

    def connecting(*_: Any) -> None:
        if opened:
            _identity(file)

    def connected(_connection: Any, record: Any) -> None:
        record.info["file"] = _identity(file)
        opened[:] = [True]

    def taken(_connection: Any, record: Any, _proxy: Any) -> None:
        if record.info["file"] != _identity(file):
            raise DisconnectionError("there is another file now")

    event.listen(engine, "do_connect", connecting)
    event.listen(engine, "connect", connected)
    event.listen(engine, "checkout", taken)


def _identity(file: Path) -> tuple[int, int]:
    """Which file it is, whatever its name.

    Raises:
        DiskError: it is gone.
    """
    try:
        found = file.stat()
    except OSError as error:
        raise DiskError(
            f"{file} is gone: {error.strerror}; is its disk there? auria db restore puts a backup back"
        ) from error
    return found.st_dev, found.st_ino


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late to keep two writers apart
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")  # an approval survives a power cut
    cursor.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten; not every build does so by itself
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        _to_wal(cursor)
    cursor.close()


def _to_wal(cursor: Any) -> None:
    """Switch a new file over; SQLite does not wait here for others who do the same, so ask again."""
    import sqlite3

    until = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in {_BUSY, _LOCKED} or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def shown(engine: Engine) -> str:
    """The database's URL without its password."""
    return engine.url.render_as_string(hide_password=True)


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turn the database's errors into Auria's, with what to do next.

    Raises:
        DatabaseUnreachable: the server does not answer or refuses the login.
        DiskError: the disk is full, read-only or failing.
        InputError: a text that the database cannot hold.
        StoreError: everything else.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise InputError("the text holds characters that are not valid Unicode") from error
    except DBAPIError as error:
        raise (_from_sqlite if engine.dialect.name == "sqlite" else _from_postgres)(error, engine) from error
    except SQLAlchemyError as error:
        raise StoreError(f"the database failed: {redacted(str(error))}") from error


def _from_sqlite(error: DBAPIError, engine: Engine) -> AuriaError:
    file, original = engine.url.database, error.orig
    code = int(getattr(original, "sqlite_errorcode", 0)) & 0xFF
    kind, words = _SQLITE.get(code, (StoreError, "SQLite failed on {file}: {original}"))
    return kind(words.format(file=file, original=original))


_SQLITE: dict[int, tuple[type[AuriaError], str]] = {
    _BUSY: (StoreError, "{file} is locked by another program; end that or try again"),
    _LOCKED: (StoreError, "{file} is locked by another program; end that or try again"),
    _CORRUPT: (
        StoreError,
        "{file} is damaged; put a backup in its place, or move it away to start with an empty one",
    ),
    _NO_DATABASE: (StoreError, "{file} is not a database; move it away, or set database.url to another file"),
    _FULL: (DiskError, "the disk that holds {file} is full; free some space and try again"),
    _READ_ONLY: (
        DiskError,
        "{file} cannot be written; check the disk, the permissions of file and folder, and AURIA_HOME",
    ),
    _CANNOT_OPEN: (
        DiskError,
        "{file} cannot be opened; check the permissions of file and folder, and AURIA_HOME",
    ),
    _IO: (DiskError, "the disk that holds {file} fails or is full: {original}"),
}


def _from_postgres(error: DBAPIError, engine: Engine) -> AuriaError:
    import psycopg

    original = error.orig
    state = getattr(original, "sqlstate", None) or ""
    words = redacted(" ".join(str(original).split()))
    if isinstance(original, psycopg.errors.DiskFull):
        return DiskError(f"the disk of the database server is full: {words}")
    if isinstance(original, psycopg.OperationalError) and (not state or state[:2] in {"08", "28", "3D", "57", "53"}):
        return DatabaseUnreachable(
            f"the database {shown(engine)} cannot be reached: {words}; check that it runs and that database.url is right"
        )
    if isinstance(original, psycopg.DataError):
        return InputError(f"the database cannot hold this value: {words}")
    return StoreError(f"PostgreSQL failed: {words}")


def insert_once(connection: Connection, table: Table, row: Mapping[str, Any], *, unique: Sequence[str]) -> bool:
    """Insert a row unless one with the same values of the unique columns is there; whether it was inserted."""
    # Without the option, the count of an insert is not read from PostgreSQL's driver.
    counted = _insert(connection, table, unique).execution_options(preserve_rowcount=True)
    return bool(connection.execute(counted, row).rowcount == 1)


def insert_many(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, unique: Sequence[str]
) -> None:
    """Insert rows, all with the same columns, but for those that are there already."""
    if rows:
        connection.execute(_insert(connection, table, unique), list(rows))


def _insert(connection: Connection, table: Table, unique: Sequence[str]) -> Any:
    columns = [table.c[name] for name in unique]
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # a user of SQLite need not wait for it

        return postgresql.insert(table).on_conflict_do_nothing(index_elements=columns)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table).on_conflict_do_nothing(index_elements=columns)
