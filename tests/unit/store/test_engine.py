"""The databases' errors become Auria's, with what to do; a connection keeps what it is given."""

from __future__ import annotations

import sqlite3
from collections import deque
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from auria_bot.errors import BackendMissing, DiskError, SettingsError, StoreError
from auria_bot.settings.schema import Settings
from auria_bot.store import engine as module
from auria_bot.store.engine import connect, shown, translated
from auria_bot.store.unit_of_work import Store
from tests.factories import add_draft

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://u:hunter2@h/d",
        "postgresql://u:hunter2@h:port/d",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_urls_that_name_no_database(url: str):
    """A URL that cannot be used is refused with the forms that can, without its password."""
    with pytest.raises(SettingsError, match="sqlite:///") as caught:
        connect(url)
    assert "hunter2" not in str(caught.value)


def test_shown_urls_hide_the_password():
    """What is shown of a URL has no password, and a driver is filled in."""
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        engine = connect(f"{scheme}://me:hunter2@h/d")
        assert shown(engine).startswith("postgresql+psycopg://me:***@h/d")
        assert "hunter2" not in repr(engine)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch):
    """Without psycopg the message says what to install."""

    def create_engine(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'psycopg'")

    monkeypatch.setattr(module, "create_engine", create_engine)
    with pytest.raises(BackendMissing, match=r"auria-bot\[postgres\]"):
        connect("postgresql://h/d")


def test_sqlite_is_safe_by_its_settings(tmp_path: Path):
    """A connection writes ahead, waits for the disk, checks references, and waits for other writers."""
    engine = connect(f"sqlite:///{tmp_path}/new/folder/x.db")
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 20_000}
    engine.dispose()


@pytest.mark.parametrize("content", [b"not a database, but long enough to be read as one" * 100, b"\x00" * 5000])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes):
    """A file of something else is reported with what to do, and left as it was."""
    (tmp_path / "auria.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"auria\.db is (not a database|damaged).*move it away"):
        Store.open(Settings(home=tmp_path))
    assert (tmp_path / "auria.db").read_bytes() == content


def test_a_damaged_database(tmp_path: Path):
    """A database whose pages were overwritten is reported as damaged."""
    settings = Settings(home=tmp_path)
    with Store.open(settings) as store, store.begin() as unit:
        add_draft(unit)
    with sqlite3.connect(tmp_path / "auria.db") as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    file = tmp_path / "auria.db"
    file.write_bytes(file.read_bytes()[:4096] + b"\xa5" * (file.stat().st_size - 4096))
    with pytest.raises(StoreError, match="is damaged"), Store.open(settings) as store, store.read() as unit:
        unit.drafts.list()


def test_a_folder_in_the_place_of_the_file(tmp_path: Path):
    """A folder where the database should be is a disk error that names it."""
    (tmp_path / "auria.db").mkdir()
    with pytest.raises(DiskError, match=r"auria\.db cannot be opened"):
        Store.open(Settings(home=tmp_path))


def test_a_home_that_cannot_be_made(tmp_path: Path):
    """A file where the home should be is a disk error that names it."""
    (tmp_path / "home").write_text("x")
    with pytest.raises(DiskError, match=r"home.*AURIA_HOME"):
        Store.open(Settings(home=tmp_path / "home"))


def test_a_full_disk_loses_nothing(tmp_path: Path):
    """When the disk is full the transaction is rolled back and the message says so; earlier drafts stay."""
    settings = Settings(home=tmp_path)
    with Store.open(settings) as store:
        with store.begin() as unit:
            add_draft(unit, 1)

        def no_more_pages(connection: sqlite3.Connection, _: object) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

        event.listen(store._engine, "connect", no_more_pages)
        store._engine.dispose()
        with pytest.raises(DiskError, match=r"full; free some space"), store.begin() as unit:
            deque(add_draft(unit, number) for number in range(2, 500))
    with Store.open(settings) as store, store.read() as unit:
        assert len(unit.drafts.list()) == 1


def test_a_read_only_database(tmp_path: Path):
    """Writing to a database that is read-only is a disk error that says where."""
    engine = connect(f"sqlite:///{tmp_path}/x.db")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
    with (
        pytest.raises(DiskError, match=r"x\.db cannot be written"),
        translated(engine),
        engine.begin() as connection,
    ):
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    engine.dispose()


def test_a_file_that_is_taken_away(tmp_path: Path):
    """Nothing is written into a file that is missing, none is made in its place, and what is put there is opened."""
    home, away = tmp_path / "home", tmp_path / "away"
    with Store.open(Settings(home=home)) as store:
        with store.begin() as unit:
            add_draft(unit, 1)
        home.rename(away)
        for enter in (store.begin, store.read, store.begin):
            with pytest.raises(DiskError, match=r"auria\.db is missing.*auria db restore"), enter():
                pass
        store.close()  # the connection
        with pytest.raises(DiskError, match="is missing"), store.begin():
            pass
        assert not home.exists()
        away.rename(home)
        with store.begin() as unit:
            add_draft(unit, 2)
        with Store.open(Settings(home=away)) as other, other.begin() as unit:
            add_draft(unit, 7)
        for ending in ("-wal", "-shm"):
            (home / f"auria.db{ending}").unlink(missing_ok=True)
        (away / "auria.db").replace(home / "auria.db")
        with store.read() as unit:
            assert [draft.folder for draft in unit.drafts.list()] == ["run-7"]


def test_a_network_that_goes_away_is_noticed(migrated_postgres: str):
    """A connection to PostgreSQL is watched, unless its URL says how; messages do not tell of it."""
    for more, idle in (("", "20"), ("&keepalives_idle=9", "9")):
        engine = connect(f"{migrated_postgres}{more}")
        with engine.connect() as connection:
            told = connection.connection.dbapi_connection.info.get_parameters()
        engine.dispose()
        assert (told["keepalives_idle"], told["tcp_user_timeout"]) == (idle, "30000")
        assert "tcp_user_timeout" not in shown(engine)


def test_a_writer_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A database that stays locked is reported after a while, not waited for for ever."""
    monkeypatch.setattr(module, "BUSY_TIMEOUT", 0.05)
    with (
        Store.open(Settings(home=tmp_path)) as store,
        store.begin(),
        pytest.raises(StoreError, match="locked by another program"),
        store.begin(),
    ):
        pass


def test_an_odd_home(tmp_path: Path):
    """A home whose name holds what a URL would read as its own is a home like any other."""
    home = tmp_path / "a?b #c %20 d'\"e"
    with Store.open(Settings(home=home)) as store, store.begin() as unit:
        add_draft(unit)
    assert (home / "auria.db").is_file()


def test_a_connection_lost_while_idle_is_replaced(postgres, monkeypatch: pytest.MonkeyPatch):
    """A server that was restarted is met with a new connection; a busy one is not asked each time."""
    url = postgres()
    connected = connect(url)
    other = connect(url)
    asked = []
    real = type(connected.dialect).do_ping
    monkeypatch.setattr(type(connected.dialect), "do_ping", lambda *given: (asked.append(1), real(*given))[1])
    with connected.connect() as connection:
        first = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with connected.connect() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() == first
    assert asked == []
    monkeypatch.setattr(module, "IDLE", 0.0)
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first})
    with connected.connect() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != first
    assert asked
    connected.dispose()
    other.dispose()
