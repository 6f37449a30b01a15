"""Dumps the database into one file and restores it: SQLite by its online backup, PostgreSQL by pg_dump and pg_restore.

A dump is a consistent snapshot, and writers need not stop. A restore is one transaction: connected programs see the
old contents or the new.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, inspect, make_url, text

from auria_bot.errors import AuriaError, BackendMissing, DiskError, InvalidTransition, SchemaTooNew, StoreError
from auria_bot.files import disk_errors, flush
from auria_bot.redaction import register_secret
from auria_bot.store.engine import BUSY_TIMEOUT, READ_ONLY, connect, translated
from auria_bot.store.schema import HEAD
from auria_bot.telemetry import redacted

__all__ = ["Dump"]

_BUSY, _LOCKED, _READ_ONLY, _IO, _FULL, _CANNOT_OPEN = 5, 6, 8, 10, 13, 14  # https://www.sqlite.org/rescode.html
_MOST = 20  # faults reported
_LONG = 3600  # seconds after which pg_dump or pg_restore counts as hanging


class Dump:
    """Dumps of one database.

    Usage::

        dump = Dump(settings.database_url)
        dump.save(Path("auria.db"))
        dump.restore(Path("auria.db"), force=True)
    """

    def __init__(self, url: str | URL, *, programs: Path | None = None) -> None:
        """Set the URL, and the folder of pg_dump and pg_restore (found in PATH by default)."""
        self._url = make_url(url)
        if self._url.password:
            register_secret(str(self._url.password))
        self._programs = programs

    @property
    def name(self) -> str:
        """The name of a dump's file."""
        return "auria.db" if self._is_sqlite else "auria.dump"

    @property
    def size(self) -> int:
        """Approximate bytes of a dump; 0 if unknown."""
        if not self._is_sqlite:
            return 0
        return sum(file.stat().st_size for file in (self._file, Path(f"{self._file}-wal")) if file.is_file())

    def save(self, file: Path) -> None:
        """Write a verified dump to a new file.

        Raises:
            StoreError: the database does not exist, is damaged, or pg_dump fails.
            BackendMissing: pg_dump is not installed.
            DiskError: the file cannot be written.
        """
        if not self._is_sqlite:
            with _disk(file):
                _create_private(file)
            self._run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={file}", self._address)
            return
        if not self._file.is_file():
            raise StoreError(f"there is no database at {self._file} yet; auria make creates one")
        _copy(self._file, file)
        if faults := _sqlite_faults(file):
            file.unlink(missing_ok=True)
            raise StoreError(f"{self._file} is damaged: {faults[0]}; restore a backup: auria db restore FILE")

    def verify(self, file: Path) -> str:
        """Check a dump and return its schema version; "" for PostgreSQL, whose dumps do not show it.

        Raises:
            StoreError: the file is not a dump of Auria's, is damaged, or of another kind of database.
            SchemaTooNew: it was written by a newer auria_bot.
        """
        if not file.is_file():
            raise StoreError(f"there is no file {file}; auria db backup creates one")
        with file.open("rb") as opened:
            first = opened.read(16)
        if first.startswith(b"PGDMP") and not self._is_sqlite:
            if " alembic_version " not in self._run("pg_restore", "--list", str(file)):
                raise StoreError(f"{file} is a dump of another program's database")
            return ""
        if first != b"SQLite format 3\0" or not self._is_sqlite:
            kind = "an SQLite database" if self._is_sqlite else "a dump of PostgreSQL's (pg_dump --format=custom)"
            raise StoreError(f"{file} is not {kind}, which database.url requires")
        if faults := _sqlite_faults(file, settled=_is_settled(file)):
            raise StoreError(f"{file} is damaged: {faults[0]}; take an older backup")
        schema = _schema(file)
        if schema is None:
            raise StoreError(f"{file} is a database of another program's")
        if code := _code(file):
            raise StoreError(f"{file} has the {code}, which Auria's database never has; take another backup")
        if schema > HEAD:
            raise SchemaTooNew(
                f"{file} has schema {schema!r}, this program {HEAD!r}; upgrade: pip install -U auria-bot"
            )
        return schema

    def restore(self, file: Path, *, force: bool = False, aside: Path | None = None, named: Path | None = None) -> None:
        """Replace the database by a dump.

        Args:
            force: overwrite a database that is not empty.
            aside: where the present database is saved first.
            named: what messages call the dump; the file if not given.

        Raises:
            InvalidTransition: the database is not empty, and `force` is not given.
            StoreError: the dump cannot be used; nothing was changed.
            DiskError: the file cannot be written.
        """
        self.verify(file)
        broken = self._broken()
        if (broken or self._is_used()) and not force:
            state = "is damaged" if broken else "is not empty"
            raise InvalidTransition(
                f"the database {state}; stop the daemon, then: auria db restore {named or file} --force"
            )
        if not self._is_sqlite:
            if aside is not None and self._is_used():
                self.save(aside)
            self._run(
                "pg_restore",
                "--clean",
                "--if-exists",
                "--no-owner",
                "--no-privileges",
                "--single-transaction",
                f"--dbname={self._address}",
                str(file),
            )
            return
        if broken:
            self._move_away(aside)
        elif aside is not None and self._file.is_file():
            _copy(self._file, aside)
        with _disk(self._file):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _copy(file, self._file, settled=_is_settled(file))

    def faults(self) -> tuple[str, ...]:
        """Faults of the database; empty if it is intact.

        Raises:
            DatabaseUnreachable: the server does not answer.
        """
        if self._is_sqlite:
            return _sqlite_faults(self._file) if self._file.is_file() else ()
        return self._postgres_faults()

    @property
    def _is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def _file(self) -> Path:
        return Path(str(self._url.database)).absolute()

    @property
    def _address(self) -> str:
        url = self._url
        plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
        return plain.render_as_string(hide_password=False)

    def _broken(self) -> bool:
        """Whether SQLite's file exists but cannot be used."""
        return self._is_sqlite and self._file.is_file() and self._file.stat().st_size > 0 and bool(self.faults())

    def _is_used(self) -> bool:
        """Whether the database has a draft, or a table that is not Auria's."""
        if self._is_sqlite and not self._file.is_file():
            return False
        engine = connect(self._url)
        try:
            with translated(engine), engine.connect() as connection:
                reading = connection.execution_options(**{READ_ONLY: True})
                tables = set(inspect(reading).get_table_names())
                if tables and "drafts" not in tables:
                    return True
                return bool(tables) and reading.execute(text("SELECT count(*) FROM drafts")).scalar_one() > 0
        finally:
            engine.dispose()

    def _move_away(self, aside: Path | None) -> None:
        """Rename a damaged file and its journal files."""
        with _disk(self._file):
            for ending in ("", "-wal", "-shm"):
                if (part := Path(f"{self._file}{ending}")).exists():
                    part.rename(Path(f"{aside or f'{self._file}.damaged'}{ending}"))

    def _postgres_faults(self) -> tuple[str, ...]:
        """Read every row, and check the indexes if the server has amcheck."""
        found = []
        engine = connect(self._url)
        try:
            with translated(engine), engine.connect() as connection:
                names = inspect(connection).get_table_names()
                amcheck = connection.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'amcheck'")).scalar()
                connection.rollback()
                for name in names:
                    quoted = engine.dialect.identifier_preparer.quote(name)
                    statements = [f"SELECT count(t::text) FROM {quoted} t"]  # noqa: S608 - the database's own tables
                    if amcheck:
                        indexes = (
                            "SELECT bt_index_check(i.indexrelid) FROM pg_index i"
                            " JOIN pg_class c ON c.oid = i.indexrelid"
                            " JOIN pg_am a ON a.oid = c.relam"
                        )
                        statements.append(f"{indexes} WHERE a.amname = 'btree' AND i.indrelid = '{quoted}'::regclass")
                    for statement in statements:
                        try:
                            with translated(engine):
                                connection.exec_driver_sql(statement)
                        except AuriaError as error:
                            found.append(f"{name}: {redacted(str(error))}"[:300])
                        connection.rollback()
        finally:
            engine.dispose()
        return tuple(found)

    def _run(self, program: str, *arguments: str) -> str:
        path = shutil.which(program, path=str(self._programs) if self._programs else None)
        if path is None:
            raise BackendMissing(
                f"{program} is not installed; install PostgreSQL's client of the server's version or newer"
            )
        environment = dict(os.environ)
        if self._url.password is not None:
            environment["PGPASSWORD"] = str(self._url.password)
        try:
            done = subprocess.run(  # noqa: S603 - a program of the operator's, no shell
                [path, *arguments],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=_LONG,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StoreError(f"{program} failed: {redacted(str(error))[:300]}") from None
        if done.returncode != 0:
            message = redacted(" ".join(done.stderr.split()))[:500]
            kind = DiskError if "No space left" in message else StoreError
            raise kind(f"{program} failed: {message}")
        return done.stdout


@contextmanager
def _disk(file: Path) -> Iterator[None]:
    """Convert errors of SQLite and the system about a file."""
    try:
        with disk_errors(file):
            yield
    except sqlite3.Error as error:
        if int(getattr(error, "sqlite_errorcode", 0)) & 0xFF in {_FULL, _READ_ONLY, _IO, _CANNOT_OPEN}:
            raise DiskError(f"{file} cannot be written: {error}; free some space, check its permissions") from error
        raise StoreError(f"{file} failed: {error}; is it a database, and not locked by another program?") from error


def _copy(source: Path, target: Path, *, settled: bool = False) -> None:
    """SQLite's online backup in one step; in WAL mode no writer waits for it."""
    new = not target.exists()
    with _disk(target):
        _create_private(target)
    with _disk(target), closing(_open(source, settled=settled)) as read, closing(_open(target, make=True)) as written:
        read.backup(written, progress=_give_up_when_locked())
        if new:
            written.execute("PRAGMA journal_mode = DELETE")  # a single complete file
    with disk_errors(target):
        flush(target)


def _create_private(file: Path) -> None:
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


def _is_settled(file: Path) -> bool:
    """Whether a dump has no journal files; then it can be read from a read-only place."""
    return not any(Path(f"{file}{ending}").exists() for ending in ("-wal", "-journal"))


def _schema(file: Path) -> str | None:
    with suppress(sqlite3.Error), closing(_open(file, settled=_is_settled(file))) as opened:
        found = opened.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(found[0]) if found else None
    return None


def _code(file: Path) -> str:
    """The first trigger, view or virtual table of a dump, whose SQL would run with the database; "" for none."""
    with closing(_open(file, settled=_is_settled(file))) as opened:
        found = opened.execute(
            "SELECT type || ' ' || name FROM sqlite_master"
            " WHERE type IN ('trigger', 'view') OR (type = 'table' AND lower(sql) LIKE 'create virtual%') LIMIT 1"
        ).fetchone()
    return str(found[0]) if found else ""


def _open(file: Path, *, make: bool = False, settled: bool = False) -> sqlite3.Connection:
    mode = "rwc" if make else "ro&immutable=1" if settled else "rw"
    uri = f"{file.absolute().as_uri()}?mode={mode}"
    opened = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None)
    with suppress(sqlite3.Error):
        opened.execute("PRAGMA trusted_schema = OFF")  # a schema from elsewhere may call no function with side effects
    return opened


def _sqlite_faults(file: Path, *, settled: bool = False) -> tuple[str, ...]:
    """Faults found by SQLite's integrity check and foreign key check."""
    try:
        with closing(_open(file, settled=settled)) as opened:
            found = [str(row[0]) for row in opened.execute(f"PRAGMA integrity_check({_MOST})") if row[0] != "ok"]
            with suppress(sqlite3.Error):
                found += [
                    f"row {row} of {table} refers to a missing row of {other}"
                    for table, row, other, _ in opened.execute("PRAGMA foreign_key_check").fetchmany(_MOST)
                ]
    except sqlite3.Error as error:
        found = [str(error)]
    return tuple(found[:_MOST])
