"""PostgreSQL: the settings of every connection, the check of its encoding, and its errors in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auria_bot.errors import AuriaError, DatabaseUnreachable, DiskError, InputError, StoreError
from auria_bot.redaction import redacted

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.exc import DBAPIError

__all__ = ["KEPT_ALIVE", "prepare_session", "translated_error"]

# By default the system reports a lost network in the middle of a query only after hours.
KEPT_ALIVE = {
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,  # seconds, seconds, times
    "tcp_user_timeout": 30_000,  # milliseconds
}

_SESSION = {
    "client_encoding": "UTF8",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "extra_float_digits": "1",
}
"""Settings of a session on which the meaning of values depends, whatever the database or the role sets."""


def prepare_session(connection: Any, _record: Any) -> None:
    """Make the session's settings the program's own.

    Raises:
        StoreError: the database's encoding is not UTF-8, so that it cannot hold every text.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(
            f"the database {connection.info.dbname} has the encoding {encoding}, which cannot hold every text; create"
            " one with: CREATE DATABASE auria ENCODING 'UTF8' TEMPLATE template0; then set database.url"
        )
    for name, value in _SESSION.items():
        connection.execute(f"SET {name} = '{value}'")
    connection.commit()


def translated_error(error: DBAPIError, engine: Engine) -> AuriaError:
    """The error of auria_bot for an error of the server or of the connection to it."""
    import psycopg

    original = error.orig
    state = getattr(original, "sqlstate", None) or ""
    message = redacted(" ".join(str(original).split()))
    if isinstance(original, psycopg.errors.DiskFull):
        return DiskError(f"the disk of the database server is full: {message}")
    if isinstance(original, psycopg.errors.ReadOnlySqlTransaction):
        return DatabaseUnreachable(
            f"the database {engine.url.render_as_string(hide_password=True)} can only be read, as a standby or after a"
            " change of the primary server; database.url must name the primary one"
        )
    if isinstance(original, psycopg.OperationalError) and (not state or state[:2] in {"08", "28", "3D", "57", "53"}):
        return DatabaseUnreachable(
            f"the database {engine.url.render_as_string(hide_password=True)} cannot be reached: {message}; check that"
            " it runs and that database.url is right"
        )
    if isinstance(original, psycopg.DataError):
        return InputError(f"the database cannot hold this value: {message}")
    return StoreError(f"PostgreSQL failed: {message}")
