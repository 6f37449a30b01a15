"""Connections to SQLite or PostgreSQL, their errors, inserts that skip existing rows, and upgrades of the schema.

The schema's version is compared by plain SQL and a new database is created from the models, so that Alembic (half a
second of imports) is imported only for a migration. A database lock serialises concurrent first uses; a migration is
one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, NoSuchModuleError, SQLAlchemyError

from auria_bot.errors import BackendMissing, DiskError, InputError, SchemaTooNew, SettingsError, StoreError
from auria_bot.redaction import redacted
from auria_bot.settings.locations import shipped
from auria_bot.store import postgres, sqlite
from auria_bot.store.schema import HEAD, METADATA

__all__ = [
    "Queries",
    "bring_up_to_date",
    "connect",
    "connected",
    "current",
    "insert_many",
    "insert_once",
    "parsed_url",
    "shown",
    "translated",
    "upgrade",
]


CONNECT_TIMEOUT = 10  # seconds for a PostgreSQL server to answer
IDLE = 5.0  # seconds of idleness after which a PostgreSQL connection is checked before use


def connect(url: str | URL, *, echo: bool = False) -> Engine:
    """An engine for a database; SQLite's file and folder are made on first use, nothing is connected yet.

    Raises:
        SettingsError: the URL cannot be read, or names another kind of database.
        BackendMissing: PostgreSQL's driver is not installed.
        DiskError: the folder of SQLite's file cannot be created.
    """
    parsed = parsed_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, echo=echo)
    if parsed.drivername != "postgresql+psycopg":
        raise SettingsError(f"database.url names {parsed.drivername[:40]!r}; {_FORMS}")
    if "connect_timeout" not in parsed.query:
        parsed = parsed.update_query_dict({"connect_timeout": str(CONNECT_TIMEOUT)})
    lasting = {name: value for name, value in postgres.KEPT_ALIVE.items() if name not in parsed.query}
    try:
        engine = create_engine(parsed, echo=echo, hide_parameters=True, pool_size=2, connect_args=lasting)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise BackendMissing("PostgreSQL needs a driver: pip install 'auria-bot[postgres]'") from None
    event.listen(engine, "connect", postgres.prepare_session, insert=True)  # before SQLAlchemy's own first queries
    event.listen(engine, "checkin", _remember_use)
    event.listen(engine, "checkout", partial(_check_when_idle, engine))
    return engine


@contextmanager
def connected(url: str | URL) -> Iterator[Engine]:
    """The same for a block, at whose end every connection is closed."""
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


def parsed_url(url: str | URL) -> URL:
    """The parts of a database's URL.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsError(f"database.url {redacted(str(url))[:80]!r} cannot be read; {_FORMS}") from None


_FORMS = "it must look like sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"


def _remember_use(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _check_when_idle(engine: Engine, connection: Any, record: Any, _proxy: Any) -> None:
    """Check a connection that was idle for a while; the pool replaces it if it is lost."""
    if time.monotonic() - record.info.get("used", time.monotonic()) < IDLE:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as error:
        raise DisconnectionError("the connection was lost while it was idle") from error


def _sqlite(parsed: URL, *, echo: bool) -> Engine:
    if parsed.database in {None, "", ":memory:"}:
        raise SettingsError("database.url must name a file, like sqlite:////var/lib/auria/auria.db")
    file = Path(str(parsed.database)).absolute()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise DiskError(f"{file.parent} is a file, where a folder is needed; set AURIA_HOME to another one") from None
    except OSError as error:
        raise DiskError(
            f"the folder {file.parent} cannot be created: {error.strerror}; create it, or set AURIA_HOME"
        ) from error
    parsed = URL.create("sqlite", database=str(file))
    engine = create_engine(parsed, echo=echo, hide_parameters=True, connect_args={"timeout": sqlite.BUSY_TIMEOUT})
    event.listen(engine, "connect", sqlite.prepare_session)
    event.listen(engine, "begin", sqlite.begin)
    sqlite.follow_replaced_file(engine, file)
    return engine


def shown(engine: Engine) -> str:
    """The database's URL without its password."""
    return engine.url.render_as_string(hide_password=True)


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turn the database's errors into Auria's, with what to do next.

    Raises:
        DatabaseUnreachable: the server does not answer or refuses the login.
        DiskError: the disk is full, read-only or failing.
        InputError: a text that the database cannot store.
        StoreError: everything else.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise InputError("the text holds characters that are not valid Unicode") from error
    except DBAPIError as error:
        raise (sqlite if engine.dialect.name == "sqlite" else postgres).translated_error(error, engine) from error
    except SQLAlchemyError as error:
        raise StoreError(f"the database failed: {redacted(str(error))}") from error


class Queries:
    """Queries of some tables, within one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection


def insert_once(connection: Connection, table: Table, row: Mapping[str, Any], *, unique: Sequence[str]) -> bool:
    """Insert a row unless one with the same unique columns exists; return whether it was inserted."""
    # Without this option the row count of an insert is not available on PostgreSQL.
    counted = _insert(connection, table, unique).execution_options(preserve_rowcount=True)
    return bool(connection.execute(counted, row).rowcount == 1)


def insert_many(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, unique: Sequence[str]
) -> None:
    """Insert rows, all with the same columns, except those that exist."""
    if rows:
        connection.execute(_insert(connection, table, unique), list(rows))


def _insert(connection: Connection, table: Table, unique: Sequence[str]) -> Any:
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")  # each alone, because they are slow
    return dialect.insert(table).on_conflict_do_nothing(index_elements=[table.c[name] for name in unique])


_LOCK = 0x61757269  # "auri": the key of PostgreSQL's advisory lock


def current(url: str | URL) -> str | None:
    """The version of a database's schema; None if there is none yet. Creates nothing, not even SQLite's file.

    Raises:
        DatabaseUnreachable: the server does not answer.
        StoreError: the file is damaged or not a database.
    """
    parsed = parsed_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).exists():
        return None
    with connected(url) as engine, translated(engine), engine.connect() as connection:
        return _version(connection.execution_options(**{sqlite.READ_ONLY: True}))


def upgrade(url: str | URL) -> str:
    """Upgrade a database; return its version.

    Raises:
        SchemaTooNew: it was written by a newer auria_bot.
        StoreError: it contains tables that are not Auria's.
    """
    with connected(url) as engine:
        bring_up_to_date(engine)
    return HEAD


def bring_up_to_date(engine: Engine) -> None:
    """Upgrade a new or older database; an up-to-date one costs one query.

    Raises:
        SchemaTooNew: it was written by a newer auria_bot.
        StoreError: it contains tables that are not Auria's.
    """
    with translated(engine):
        with engine.connect() as connection:
            if _version(connection.execution_options(**{sqlite.READ_ONLY: True})) == HEAD:
                return
        with _migrating(engine) as connection:  # on SQLite this is the write lock
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            version = _version(connection)  # another process may have upgraded it meanwhile
            if version is None:
                _create(connection, shown(engine))
            elif version != HEAD:
                _migrate(connection, version, shown(engine))


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """A transaction in which SQLite may copy a table that others refer to; the references are checked at its end."""
    with engine.connect() as connection:
        is_sqlite, driver = engine.dialect.name == "sqlite", connection.connection.cursor()
        if is_sqlite:
            driver.execute("PRAGMA foreign_keys = OFF")  # has no effect within a transaction
        try:
            with connection.begin():
                yield connection
                if is_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                    raise StoreError(f"a row of {broken[0]} refers to a missing row of {broken[2]}; restore a backup")
        finally:
            connection.invalidate()  # a new connection checks again


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version ORDER BY version_num")).scalars().all()
    if len(found) > 1:
        raise StoreError(
            f"{shown(connection.engine)} names {len(found)} versions of its schema in alembic_version"
            f" ({', '.join(found)}), as after"
            " restoring over an existing database; restore into an empty one, or delete the row that is not its own"
        )
    return str(found[0]) if found else None


def _not_created(connection: Connection, present: set[str], database: str) -> str:
    """Why a database with Auria's table names but without a schema version is not used, and what to do."""
    names = ", ".join(sorted(present))
    if len(present) < len(METADATA.tables) / 2:
        return f"{database} already holds tables named {names} that Auria did not create; use a separate database"
    seen = inspect(connection)
    columns = {name: {column["name"] for column in seen.get_columns(name)} for name in present}
    begin = (
        f"{database} holds Auria's tables but not the version of its schema (the row of alembic_version),"
        " as after an incomplete restore"
    )
    if present == set(METADATA.tables) and all(
        columns[name] == {column.name for column in table.columns} for name, table in METADATA.tables.items()
    ):
        create = (
            ""
            if seen.has_table("alembic_version")
            else "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY); "
        )
        repair = f"{create}INSERT INTO alembic_version VALUES ('{HEAD}')"  # noqa: S608 - shown, not run
        return f"{begin}; its tables are those of this auria_bot, so this repairs it: {repair}"
    return f"{begin}; restore a complete backup: auria db restore FILE"


_VERSIONS = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True, nullable=False))
"""Where Alembic keeps the version of the schema."""


def _create(connection: Connection, database: str) -> None:
    """Create what all migrations together would."""
    foreign = set(inspect(connection).get_table_names()) & set(METADATA.tables)
    if foreign:
        raise StoreError(_not_created(connection, foreign, database))
    METADATA.create_all(connection, checkfirst=False)
    _VERSIONS.create(connection, checkfirst=True)
    connection.execute(insert(_VERSIONS).values(version_num=HEAD))


def _migrate(connection: Connection, version: str, database: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    folder = shipped("migrations")
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        ScriptDirectory.from_config(config).get_revision(version)
    except CommandError:
        raise SchemaTooNew(
            f"{database} has schema {version!r}, and the newest one of this auria_bot is {HEAD!r};"
            " upgrade the program: pip install --upgrade auria-bot"
        ) from None
    command.upgrade(config, HEAD)
