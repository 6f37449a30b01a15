"""SQLite: the settings of every connection, its errors, and its files, copied, checked and read unchanged."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError

from auria_bot.errors import AuriaError, DiskError, StoreError
from auria_bot.files import disk_errors, flush

__all__ = [
    "BUSY_TIMEOUT",
    "READ_ONLY",
    "begin",
    "code_of",
    "copy_database",
    "create_private",
    "faults_of",
    "file_errors",
    "follow_replaced_file",
    "is_settled",
    "open_file",
    "prepare_session",
    "schema_of",
    "translated_error",
]

BUSY_TIMEOUT = 20.0  # seconds to wait for another process's transaction

READ_ONLY = "auria_read_only"
"""Execution option of a connection that only reads: on SQLite it takes no write lock."""


# https://www.sqlite.org/rescode.html
_BUSY, _LOCKED, _READ_ONLY, _IO, _CORRUPT, _FULL, _CANNOT_OPEN, _NO_DATABASE = 5, 6, 8, 10, 11, 13, 14, 26
_MOST = 20  # faults reported


_ERRORS: dict[int, tuple[type[AuriaError], str]] = {
    _BUSY: (StoreError, "{file} is locked by another program; end it or try again"),
    _LOCKED: (StoreError, "{file} is locked by another program; end it or try again"),
    _CORRUPT: (StoreError, "{file} is damaged; restore a backup, or move it away to start with an empty one"),
    _NO_DATABASE: (StoreError, "{file} is not a database; move it away, or set database.url to another file"),
    _FULL: (DiskError, "the disk that holds {file} is full; free some space and try again"),
    _READ_ONLY: (
        DiskError,
        "{file} cannot be written; check the disk, the permissions of file and folder, and AURIA_HOME",
    ),
    _CANNOT_OPEN: (DiskError, "{file} cannot be opened; check the permissions of file and folder, and AURIA_HOME"),
    _IO: (DiskError, "the disk that holds {file} fails or is full: {original}"),
}


def follow_replaced_file(engine: Engine, file: Path) -> None:
    """Reopen the database if its file was replaced, which SQLite does not notice; never recreate a removed file."""
    opened: list[bool] = []  # not empty once there was a file

    def connecting(*_: Any) -> None:
        if opened:
            _identity(file)
        elif _is_emptied(file):
            raise StoreError(
                f"{file} is empty, though {file.parent / 'pictures'} holds pictures of drafts; restore a backup"
                " (auria db backups lists them), or delete the file to begin with an empty database"
            )
        else:  # from the first moment on nobody else reads it; SQLite gives its journal files the same permissions
            with suppress(OSError):
                create_private(file)

    def connected(_connection: Any, record: Any) -> None:
        record.info["file"] = _identity(file)
        opened[:] = [True]

    def taken(_connection: Any, record: Any, _proxy: Any) -> None:
        if record.info["file"] != _identity(file):
            raise DisconnectionError("the file was replaced")

    event.listen(engine, "do_connect", connecting)
    event.listen(engine, "connect", connected)
    event.listen(engine, "checkout", taken)


def _is_emptied(file: Path) -> bool:
    """Whether nothing is left of a database that had drafts: a new one must not take its place unnoticed."""
    return file.is_file() and file.stat().st_size == 0 and any((file.parent / "pictures").glob("[!.]*"))


def _identity(file: Path) -> tuple[int, int]:
    """Device and inode of a file."""
    try:
        found = file.stat()
    except OSError as error:
        raise DiskError(
            f"{file} is missing: {error.strerror}; is its disk mounted? auria db restore restores a backup"
        ) from error
    return found.st_dev, found.st_ino


def prepare_session(connection: Any, _record: Any) -> None:
    """Make the session's settings the program's own."""
    connection.isolation_level = None  # the driver's own BEGIN comes too late to serialise writers
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA cache_size = -512")  # kB for each connection; the system caches the file anyway
    cursor.execute("PRAGMA synchronous = FULL")  # an approval survives a power cut
    cursor.execute("PRAGMA secure_delete = ON")  # deleted verses are overwritten; not every build does so by default
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        _switch_to_wal(cursor)
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    """Switch a new file to WAL; SQLite does not wait for concurrent switches, so retry."""
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


def begin(connection: Connection) -> None:
    """Begin a transaction: one that writes takes the write lock at once, so that writers wait for one another."""
    reading = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def translated_error(error: DBAPIError, engine: Engine) -> AuriaError:
    """The error of auria_bot for an error of SQLite."""
    file, original = engine.url.database, error.orig
    code = int(getattr(original, "sqlite_errorcode", 0)) & 0xFF
    kind, template = _ERRORS.get(code, (StoreError, "SQLite failed on {file}: {original}"))
    return kind(template.format(file=file, original=original))


@contextmanager
def file_errors(file: Path, *, source: Path | None = None) -> Iterator[None]:
    """Convert errors of SQLite and the system about a file, or about the one that is copied into it."""
    try:
        with disk_errors(file):
            yield
    except sqlite3.Error as error:
        if int(getattr(error, "sqlite_errorcode", 0)) & 0xFF in {_FULL, _READ_ONLY, _IO, _CANNOT_OPEN}:
            raise DiskError(f"{file} cannot be written: {error}; free some space, check its permissions") from error
        named = source or file
        raise StoreError(f"{named} failed: {error}; is it a database, and not locked by another program?") from error


def copy_database(source: Path, target: Path, *, settled: bool = False) -> None:
    """SQLite's online backup in one step; in WAL mode no writer waits for it."""
    new = not target.exists()
    with file_errors(target):
        create_private(target)
    with (
        file_errors(target, source=source),
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
