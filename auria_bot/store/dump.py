"""Dumps the database into one file and restores it: SQLite by its online backup, PostgreSQL by pg_dump and pg_restore.

A dump is a consistent snapshot, and writers need not stop. A restore is one transaction: connected programs see the
old contents or the new. Only PostgreSQL's tables that an older dump does not have are dropped before; where it cannot
be restored, they are brought back from the copy that was saved aside.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, inspect, text

from auria_bot.errors import (
    AuriaError,
    BackendMissing,
    DiskError,
    InvalidTransition,
    RestoreBroken,
    SchemaTooNew,
    StoreError,
)
from auria_bot.files import flush
from auria_bot.redaction import redacted, register_secret
from auria_bot.store.engine import bring_up_to_date, connected, parsed_url, translated
from auria_bot.store.schema import HEAD, METADATA
from auria_bot.store.sqlite import (
    READ_ONLY,
    code_of,
    copy_database,
    create_private,
    faults_of,
    file_errors,
    is_settled,
    open_file,
    schema_of,
)

__all__ = ["Dump"]

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
        self._url = parsed_url(url)
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

    @property
    def exists(self) -> bool:
        """Whether there is a database; a server's is assumed to exist."""
        return not self._is_sqlite or self._file.is_file()

    def save(self, file: Path) -> None:
        """Write a verified dump to a new file.

        Raises:
            StoreError: the database does not exist, is damaged, or pg_dump fails.
            BackendMissing: pg_dump is not installed.
            DiskError: the file cannot be written.
        """
        if not self._is_sqlite:
            with file_errors(file):
                create_private(file)
            self._run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={file}", self._address)
            return
        if not self._file.is_file():
            raise StoreError(f"there is no database at {self._file} yet; auria make creates one")
        copy_database(self._file, file)
        if faults := faults_of(file):
            file.unlink(missing_ok=True)
            raise StoreError(f"{self._file} is damaged: {faults[0]}; restore a backup: auria db restore FILE")
        _check_age(schema_of(file), self._file)

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
        if faults := faults_of(file, settled=is_settled(file)):
            raise StoreError(f"{file} is damaged: {faults[0]}; take an older backup")
        schema = schema_of(file)
        if schema is None:
            raise StoreError(f"{file} is a database of another program's")
        if code := code_of(file):
            raise StoreError(f"{file} has the {code}, which Auria's database never has; take another backup")
        _check_age(schema, file)
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
            self._restore_postgres(file, aside)
            return
        if broken:
            self._move_away(aside)
        elif aside is not None and self._file.is_file():
            copy_database(self._file, aside)
        with file_errors(self._file):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy_database(file, self._file, settled=is_settled(file))

    def rows(self, file: Path, table: str, columns: Sequence[str]) -> Iterator[tuple[str | None, ...]]:
        """The rows of a table in a dump, as text; none if the dump, being older, has no such table or column.

        Raises:
            StoreError: the dump cannot be read.
        """
        if self._is_sqlite:
            names = ", ".join(f'"{column}"' for column in columns)
            with file_errors(file), closing(open_file(file, settled=is_settled(file))) as opened:
                known = {row[1] for row in opened.execute(f'PRAGMA table_info("{table}")')}
                if known.issuperset(columns):
                    query = f'SELECT {names} FROM "{table}"'  # noqa: S608 - the program's own names
                    for row in opened.execute(query):
                        yield tuple(None if value is None else str(value) for value in row)
            return
        reading = False
        at: list[int] = []
        for line in self._run("pg_restore", "--data-only", f"--table={table}", "--file=-", str(file)).split("\n"):
            if line == "\\.":
                reading = False
            elif reading:
                cells = line.split("\t")
                yield tuple(None if cells[place] == "\\N" else cells[place] for place in at)
            elif found := re.fullmatch(r"COPY \S+ \((.*)\) FROM stdin;", line):
                copied = [name.strip('" ') for name in found[1].split(",")]
                reading = set(copied).issuperset(columns)
                at = [copied.index(column) for column in columns] if reading else []

    def rewrite(self, file: Path, target: Path, change: Callable[[Connection], object]) -> None:
        """Write a changed dump to a new file, with the newest schema; nothing that was deleted remains in it.

        Raises:
            StoreError: the dump cannot be used; or PostgreSQL's user may not create the database that this needs.
        """
        if self._is_sqlite:
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".rewriting-") as folder:
                scratch = Path(folder) / "auria.db"
                copy_database(file, scratch, settled=is_settled(file))
                _change(URL.create("sqlite", database=str(scratch)), change)
                with file_errors(target), closing(open_file(scratch)) as opened:
                    opened.execute("VACUUM INTO ?", (str(target),))  # deleted texts are not copied
            target.chmod(0o600)
            flush(target)
            return
        name = f"auria_rewrite_{secrets.token_hex(4)}"
        with connected(self._url) as admin:
            for stale in _stale_databases(admin):
                _command(admin, f"DROP DATABASE IF EXISTS {stale}")
            # The server's own encoding and locale may be others than those of Auria's database.
            _command(admin, f"CREATE DATABASE {name} ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0")
            try:
                other = Dump(self._url.set(database=name), programs=self._programs)
                other.restore(file, force=True)
                _change(self._url.set(database=name), change)
                other.save(target)
            finally:
                _command(admin, f"DROP DATABASE {name}")

    def faults(self) -> tuple[str, ...]:
        """Faults of the database; empty if it is intact.

        Raises:
            DatabaseUnreachable: the server does not answer.
        """
        if self._is_sqlite:
            return faults_of(self._file) if self._file.is_file() else ()
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
        if self._is_sqlite and not (self._file.is_file() and self._file.stat().st_size):
            return False
        with connected(self._url) as engine, translated(engine), engine.connect() as connection:
            reading = connection.execution_options(**{READ_ONLY: True})
            tables = set(inspect(reading).get_table_names())
            if tables and "drafts" not in tables:
                return True
            return bool(tables) and reading.execute(text("SELECT count(*) FROM drafts")).scalar_one() > 0

    def _restore_postgres(self, file: Path, aside: Path | None) -> None:
        with connected(self._url) as engine:
            with translated(engine), engine.connect() as connection:
                tables = set(inspect(connection).get_table_names())
            if aside is not None and tables:
                self.save(aside)
            contents = self._run("pg_restore", "--list", str(file))
            listed = re.findall(r"^\d+; \d+ \d+ TABLE \S+ (\S+) ", contents, re.MULTILINE)
            # An older dump replaces none of the tables that later migrations made, and they would be in its way.
            newer = sorted((tables & set(METADATA.tables)) - set(listed))
            if newer:
                _command(engine, f"DROP TABLE {', '.join(newer)} CASCADE")
            try:
                self._load(file)
            except BaseException as error:
                if newer and aside is not None:
                    self._bring_back(newer, aside, error)
                raise

    def _bring_back(self, tables: Sequence[str], aside: Path, reason: BaseException) -> None:
        """Restore dropped tables from the copy aside; raises RestoreBroken where that fails."""
        try:
            self._load(aside)
        except AuriaError as error:
            lost = f"the tables {', '.join(tables)} are gone and could not be brought back from {aside}"
            raise RestoreBroken(f"{str(reason) or type(reason).__name__}; {lost}: {error}") from reason

    def _load(self, file: Path) -> None:
        """Replace the tables that are in a dump of PostgreSQL, in one transaction."""
        how = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction")
        self._run("pg_restore", *how, f"--dbname={self._address}", str(file))

    def _move_away(self, aside: Path | None) -> None:
        """Rename a damaged file and its journal files."""
        with file_errors(self._file):
            for ending in ("", "-wal", "-shm"):
                if (part := Path(f"{self._file}{ending}")).exists():
                    part.rename(Path(f"{aside or f'{self._file}.damaged'}{ending}"))

    def _postgres_faults(self) -> tuple[str, ...]:
        """Read every row, and check the indexes if the server has amcheck."""
        found = []
        with connected(self._url) as engine, translated(engine), engine.connect() as connection:
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


def _check_age(schema: str | None, file: Path) -> None:
    if schema is not None and schema > HEAD:
        raise SchemaTooNew(f"{file} has schema {schema!r}, this program {HEAD!r}; upgrade: pip install -U auria-bot")


def _change(url: URL, change: Callable[[Connection], object]) -> None:
    """Upgrade the schema of a database, then change it in one transaction."""
    with connected(url) as engine:
        bring_up_to_date(engine)
        with translated(engine), engine.begin() as connection:
            change(connection)


def _stale_databases(engine: Engine) -> Sequence[str]:
    """The databases that killed processes left when they rewrote a dump: this user's that nobody is connected to."""
    wanted = text(
        "SELECT datname FROM pg_database WHERE datname ~ '^auria_rewrite_[0-9a-f]{8}$'"
        " AND pg_get_userbyid(datdba) = current_user"
        " AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE datid = pg_database.oid)"
    )
    with translated(engine), engine.connect() as connection:
        return connection.execute(wanted).scalars().all()


def _command(engine: Engine, statement: str) -> None:
    """Run a statement that no transaction may contain."""
    with translated(engine), engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(statement)
