"""SQLite's database files: copied, checked and read without being changed."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from auria_bot.errors import DiskError, StoreError
from auria_bot.files import disk_errors, flush
from auria_bot.store.engine import BUSY_TIMEOUT

__all__ = [
    "code_of",
    "copy_database",
    "create_private",
    "faults_of",
    "file_errors",
    "is_settled",
    "open_file",
    "schema_of",
]

_BUSY, _LOCKED, _READ_ONLY, _IO, _FULL, _CANNOT_OPEN = 5, 6, 8, 10, 13, 14  # https://www.sqlite.org/rescode.html
_MOST = 20  # faults reported


@contextmanager
def file_errors(file: Path) -> Iterator[None]:
    """Convert errors of SQLite and the system about a file."""
    try:
        with disk_errors(file):
            yield
    except sqlite3.Error as error:
        if int(getattr(error, "sqlite_errorcode", 0)) & 0xFF in {_FULL, _READ_ONLY, _IO, _CANNOT_OPEN}:
            raise DiskError(f"{file} cannot be written: {error}; free some space, check its permissions") from error
        raise StoreError(f"{file} failed: {error}; is it a database, and not locked by another program?") from error


def copy_database(source: Path, target: Path, *, settled: bool = False) -> None:
    """SQLite's online backup in one step; in WAL mode no writer waits for it."""
    new = not target.exists()
    with file_errors(target):
        create_private(target)
    with (
        file_errors(target),
        closing(open_file(source, settled=settled)) as read,
        closing(open_file(target, make=True)) as written,
    ):
        read.backup(written, progress=_give_up_when_locked())
        if new:
            written.execute("PRAGMA journal_mode = DELETE")  # a single complete file
    with disk_errors(target):
        flush(target)


def create_private(file: Path) -> None:
    """Create a file that only its owner may read, unless it exists."""
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _give_up_when_locked() -> Callable[[int, int, int], None]:
    """A progress callback that ends a backup waiting too long for a lock; by default it waits forever."""
    until = time.monotonic() + BUSY_TIMEOUT

    def look(state: int, _left: int, _all: int) -> None:
        if state in {_BUSY, _LOCKED} and time.monotonic() > until:
            raise sqlite3.OperationalError("it is locked by another program; end it or try again")

    return look


def is_settled(file: Path) -> bool:
    """Whether a dump has no journal files; then it can be read from a read-only place."""
    return not any(Path(f"{file}{ending}").exists() for ending in ("-wal", "-journal"))


def schema_of(file: Path) -> str | None:
    """The schema version of Auria's database in a file; None if it is another program's."""
    with suppress(sqlite3.Error), closing(open_file(file, settled=is_settled(file))) as opened:
        found = opened.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(found[0]) if found else None
    return None


def code_of(file: Path) -> str:
    """The first trigger, view or virtual table of a dump, whose SQL would run with the database; "" for none."""
    with closing(open_file(file, settled=is_settled(file))) as opened:
        found = opened.execute(
            "SELECT type || ' ' || name FROM sqlite_master"
            " WHERE type IN ('trigger', 'view') OR (type = 'table' AND lower(sql) LIKE 'create virtual%') LIMIT 1"
        ).fetchone()
    return str(found[0]) if found else ""


def open_file(file: Path, *, make: bool = False, settled: bool = False) -> sqlite3.Connection:
    """Open a file; a settled one is only read, and `make` creates it."""
    mode = "rwc" if make else "ro&immutable=1" if settled else "rw"
    uri = f"{file.absolute().as_uri()}?mode={mode}"
    opened = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None)
    with suppress(sqlite3.Error):
        opened.execute("PRAGMA trusted_schema = OFF")  # a schema from elsewhere may call no function with side effects
    return opened


def faults_of(file: Path, *, settled: bool = False) -> tuple[str, ...]:
    """Faults found by SQLite's integrity check and foreign key check."""
    try:
        with closing(open_file(file, settled=settled)) as opened:
            found = [str(row[0]) for row in opened.execute(f"PRAGMA integrity_check({_MOST})") if row[0] != "ok"]
            with suppress(sqlite3.Error):
                found += [
                    f"row {row} of {table} refers to a missing row of {other}"
                    for table, row, other, _ in opened.execute("PRAGMA foreign_key_check").fetchmany(_MOST)
                ]
    except sqlite3.Error as error:
        found = [str(error)]
    return tuple(found[:_MOST])
