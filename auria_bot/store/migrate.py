"""Upgrades a database's schema, on first use or by `auria db upgrade`.

The version is compared by plain SQL, so that Alembic (half a second of imports) is imported only for a migration. A
database lock serialises concurrent first uses; a migration is one transaction.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Connection, Engine, inspect, make_url, text

from auria_bot.errors import SchemaTooNew, StoreError
from auria_bot.settings.locations import shipped
from auria_bot.store.engine import READ_ONLY, connect, shown, translated
from auria_bot.store.schema import HEAD, METADATA

__all__ = ["bring_up_to_date", "current", "upgrade"]

_LOCK = 0x61757269  # "auri": the key of PostgreSQL's advisory lock


def current(url: str | URL) -> str | None:
    """The version of a database's schema; None if there is none yet. Creates nothing, not even SQLite's file.

    Raises:
        DatabaseUnreachable: the server does not answer.
        StoreError: the file is damaged or not a database.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).exists():
        return None
    engine = connect(url)
    try:
        with translated(engine), engine.connect() as connection:
            return _version(connection.execution_options(**{READ_ONLY: True}))
    finally:
        engine.dispose()


def upgrade(url: str | URL) -> str:
    """Upgrade a database; return its version.

    Raises:
        SchemaTooNew: it was written by a newer auria_bot.
        StoreError: it contains tables that are not Auria's.
    """
    engine = connect(url)
    try:
        bring_up_to_date(engine)
    finally:
        engine.dispose()
    return HEAD


def bring_up_to_date(engine: Engine) -> None:
    """Upgrade a new or older database; an up-to-date one costs one query.

    Raises:
        SchemaTooNew: it was written by a newer auria_bot.
        StoreError: it contains tables that are not Auria's.
    """
    with translated(engine):
        with engine.connect() as connection:
            if _version(connection.execution_options(**{READ_ONLY: True})) == HEAD:
                return
        with engine.begin() as connection:  # on SQLite this is the write lock
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            version = _version(connection)  # another process may have upgraded it meanwhile
            if version != HEAD:
                _migrate(connection, version, shown(engine))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _migrate(connection: Connection, version: str | None, database: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    folder = shipped("migrations")
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    if version is None:
        foreign = set(inspect(connection).get_table_names()) & set(METADATA.tables)
        if foreign:
            raise StoreError(
                f"{database} already holds tables named {', '.join(sorted(foreign))} that Auria did not create;"
                " use a separate database for Auria"
            )
    else:
        try:
            ScriptDirectory.from_config(config).get_revision(version)
        except CommandError:
            raise SchemaTooNew(
                f"{database} has schema {version!r}, and the newest one of this auria_bot is {HEAD!r};"
                " upgrade the program: pip install --upgrade auria-bot"
            ) from None
    command.upgrade(config, HEAD)
