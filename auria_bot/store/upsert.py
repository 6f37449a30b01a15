"""An insert that does nothing where the row is there already, in each database's own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table

__all__ = ["insert_once"]


def insert_once(connection: Connection, table: Table, row: Mapping[str, Any], *, unique: Sequence[str]) -> bool:
    """Insert a row unless one with the same values of the unique columns is there; whether it was inserted."""
    columns = [table.c[name] for name in unique]
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # a user of SQLite need not wait for it

        done = connection.execute(postgresql.insert(table).values(**row).on_conflict_do_nothing(index_elements=columns))
    else:
        from sqlalchemy.dialects import sqlite

        done = connection.execute(sqlite.insert(table).values(**row).on_conflict_do_nothing(index_elements=columns))
    return done.rowcount == 1
