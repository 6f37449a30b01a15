"""Inserts that do nothing where a row is there already, in each database's own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table

__all__ = ["insert_many", "insert_once"]


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
