"""Bring a database's schema up to date: by the program itself on first use, or by `auria db upgrade`.

The version is compared by plain SQL, so that Alembic (half a second of imports) is needed only when there is
something to do. A lock on the database keeps two first users apart; a migration happens whole or not at all.
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
    """The version of a database's schema; None where there is none yet. Makes nothing, not even SQLite's file.

    Raises:
        DatabaseUnreachable: the server does not answer.
        StoreError: the file is damaged or not a database.
    """
    place = make_url(url)
    if place.get_backend_name() == "sqlite" and not Path(str(place.database)).exists():
        return None
    engine = connect(url)
    try:
        with translated(engine), engine.connect() as connection:
            return _version(connection.execution_options(**{READ_ONLY: True}))
    finally:
        engine.dispose()


def upgrade(url: str | URL) -> str:
    """Bring a database up to date and give its version.

    Raises:
        SchemaTooNew: it was written by a newer auria_bot.
        StoreError: it holds tables that are not Auria's.
    """
    engine = connect(url)
    try:
        bring_up_to_date(engine)
    finally:
        engine.dispose()
    return HEAD


def bring_up_to_date(engine: Engine) -> None:
    """Migrate a new or older database; a database that is up to date costs one query.

    Raises:
        SchemaTooNew: it was written by a newer auria_bot.
        StoreError: it holds tables that are not Auria's.
    """
    with translated(engine):
        with engine.connect() as connection:
            if _version(connection.execution_options(**{READ_ONLY: True})) == HEAD:
                return
        with engine.begin() as connection:  # on SQLite this is the write lock
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            version = _version(connection)  # another may have done it while this one waited
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
        strangers = set(inspect(connection).get_table_names()) & set(METADATA.tables)
        if strangers:
            raise StoreError(
                f"{database} already holds tables named {', '.join(sorted(strangers))} that Auria did not make;"
                " give Auria a database of her own"
            )
    else:
        try:
            ScriptDirectory.from_config(config).get_revision(version)
        except CommandError:
            raise SchemaTooNew(
                f"{database} has schema {version!r}, and this auria_bot knows no later one than {HEAD!r};"
                " upgrade the program: pip install --upgrade auria-bot"
            ) from None
    command.upgrade(config, HEAD)
