"""The databases' errors become Auria's, with what to do; a connection keeps what it is given."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import IntegrityError

from auria_bot.domain.post import Outcome
from auria_bot.errors import BackendMissing, DatabaseUnreachable, DiskError, SchemaTooNew, SettingsError, StoreError
from auria_bot.settings.locations import shipped
from auria_bot.settings.schema import Settings
from auria_bot.store import engine as module
from auria_bot.store.engine import bring_up_to_date, connect, current, shown, translated, upgrade
from auria_bot.store.schema import HEAD, METADATA
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
        "postgresql://u:hunter2@[::1/d",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_urls_that_name_no_database(url: str):
    """A URL that cannot be used is refused with the forms that can, without its password."""
    for use in (connect, current) if "sqlite" not in url else (connect,):
        with pytest.raises(SettingsError, match="sqlite:///") as caught:
            use(url)
        assert "hunter2" not in str(caught.value)


def test_a_server_that_can_only_be_read_is_no_fault_of_a_statement(migrated_postgres: str):
    """A standby, or the former primary: the daemon waits for one that takes writes."""
    engine = connect(migrated_postgres)
    with engine.begin() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        with pytest.raises(DatabaseUnreachable, match="can only be read"), translated(engine):
            connection.execute(text("DELETE FROM drafts"))
        connection.rollback()
    engine.dispose()


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


def test_an_emptied_database_is_not_begun_anew(tmp_path: Path):
    """Beside pictures of drafts an empty file is a loss; without them, what a killed first start left."""
    (tmp_path / "auria.db").touch()
    (tmp_path / "pictures" / "20260101-000000-aaaaaa-01").mkdir(parents=True)
    for use in (Store.open, lambda settings: current(settings.database_url)):
        with pytest.raises(StoreError, match=r"auria\.db is empty, .* restore a backup"):
            use(Settings(home=tmp_path))
    assert (tmp_path / "auria.db").stat().st_size == 0
    (tmp_path / "pictures" / "20260101-000000-aaaaaa-01").rmdir()
    Store.open(Settings(home=tmp_path)).close()
    assert current(Settings(home=tmp_path).database_url) == HEAD


def test_a_folder_in_the_place_of_the_file(tmp_path: Path):
    """A folder where the database should be is a disk error that names it."""
    (tmp_path / "auria.db").mkdir()
    with pytest.raises(DiskError, match=r"auria\.db cannot be opened"):
        Store.open(Settings(home=tmp_path))


def test_a_home_that_cannot_be_made(tmp_path: Path):
    """A file where the home should be is a disk error that names it."""
    (tmp_path / "home").write_text("x")
    with pytest.raises(DiskError, match=r"home is a file, where a folder is needed; set AURIA_HOME"):
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
    monkeypatch.setattr("auria_bot.store.sqlite.BUSY_TIMEOUT", 0.05)
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


def test_a_database_without_the_version_of_its_schema_is_explained(database_url: str):
    """Auria's tables without alembic_version's row come from an incomplete restore; the sentence repairs them."""
    upgrade(database_url)
    for change, repair in (("DELETE FROM", "INSERT"), ("DROP TABLE", "CREATE TABLE alembic_version .*INSERT")):
        _run(database_url, f"{change} alembic_version")
        with pytest.raises(StoreError, match=f"incomplete restore.*{repair}") as refused:
            upgrade(database_url)
    for statement in str(refused.value).partition("repairs it: ")[2].split("; "):
        _run(database_url, statement)
    upgrade(database_url)
    _run(database_url, "DELETE FROM alembic_version")
    _run(database_url, "DROP TABLE bookmarks")
    with pytest.raises(StoreError, match="auria db restore"):
        upgrade(database_url)


def test_a_database_with_two_versions_of_its_schema_is_explained(database_url: str):
    """Both are named, and where they come from."""
    upgrade(database_url)
    _run(database_url, "INSERT INTO alembic_version VALUES ('0001')")
    for use in (current, upgrade):
        with pytest.raises(StoreError, match=rf"2 versions .*0001, {HEAD}.*existing database"):
            use(database_url)


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


def _run(url: str, *statements: str) -> None:
    engine = connect(url)
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


def test_head_is_the_newest_migration():
    """The version known without Alembic is the newest script's, and there is one line of them."""
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


@pytest.mark.parametrize("begun_with", [None, "0001"])
def test_models_and_migrations_agree(database_url: str, begun_with: str | None):
    """A new and a migrated database hold exactly the tables, columns, types, indexes and constraints of the models."""
    assert current(database_url) is None
    if begun_with:
        _first(database_url)
    assert current(database_url) == begun_with
    assert upgrade(database_url) == HEAD
    assert current(database_url) == HEAD
    engine = create_engine(make_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        found = inspect(connection)
        for table in METADATA.tables.values():
            checks = sorted(str(one["name"]) for one in found.get_check_constraints(table.name))
            assert checks == sorted(str(one.name) for one in table.constraints if isinstance(one, CheckConstraint))
            assert found.get_pk_constraint(table.name)["name"] == f"pk_{table.name}"
    engine.dispose()


def _first(url: str) -> None:
    """A database as the first migration left it."""
    engine = connect(url)
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()


_AT = "'2026-11-21 10:00:00+00:00'"
_POST = "draft_id, channel, state, due, text, alt_text, picture, picture_sha256, signature, key, fencing, words"
_ATTEMPT = "post_id, number, fencing, started_at, outcome, words"
_OLD_WORDS = "look, then: `auria publish --decide 2 sent|again|never`"


def _old_posts(url: str, **states: tuple[str, str | None]) -> None:
    """Posts of the first schema, each on the channel that is named, with its state and its last attempt's outcome."""
    _run(
        url,
        "INSERT INTO drafts (version, folder, state, made_at, reason, text, alt_text, channels, signature,"
        " picture_sha256, artwork, mood, style, fingerprint) VALUES (1, 'f', 'scheduled', '2026-11-21 10:00:00+00:00',"
        " '', '', '', '[]', '', '', '{}', '', '', '')",
    )
    for number, (channel, (state, outcome)) in enumerate(states.items(), start=1):
        told = "NULL" if outcome is None else f"'{outcome}'"
        post = f"(1, '{channel}', '{state}', {_AT}, 'ponds', 'a pond', '/p.jpg', '', '', 'key-{channel}', 2, '{_OLD_WORDS}')"
        tries = f"({number}, 1, 1, {_AT}, 'throttled', ''), ({number}, 2, 2, '2026-11-21 11:00:00+00:00', {told}, '')"
        _run(
            url,
            f"INSERT INTO posts ({_POST}) VALUES {post}",  # noqa: S608 - the words are the test's own
            f"INSERT INTO attempts ({_ATTEMPT}) VALUES {tries}",  # noqa: S608
        )


def test_a_first_schema_keeps_its_posts(database_url: str, tmp_path):
    """What an attempt may have sent is not taken for unsent; nothing else is lost."""
    _first(database_url)
    _old_posts(
        database_url, a=("sending", None), b=("sent", "sent"), c=("unknown", "unclear"), d=("waiting", "throttled")
    )
    later = datetime(2026, 11, 21, 11, tzinfo=UTC)
    with Store.open(Settings(home=tmp_path, database={"url": database_url})) as store, store.read() as unit:
        found = {post.channel: post for post in unit.posts.list()}
        assert {name: post.tried_at for name, post in found.items()} == {"a": later, "b": later, "c": later, "d": None}
        assert {post.state for post in found.values()} == {"sending", "sent", "unknown", "waiting"}
        assert {(post.text, post.alt_text, post.fencing, post.memo) for post in found.values()} == {
            ("ponds", "a pond", 2, "")
        }
        tries = unit.posts.attempts(found["a"].id)
        assert [(one.sending_at, one.outcome) for one in tries] == [(None, "throttled"), (later, None)]
    assert current(database_url) == HEAD


def test_a_first_schema_s_refused_credentials_pause_the_channel(database_url: str, tmp_path):
    """The post waits in the queue again, its channel is paused instead; other words name the new command."""
    _first(database_url)
    _old_posts(database_url, a=("needs_attention", "unauthorised"), b=("needs_attention", "unclear"))
    with Store.open(Settings(home=tmp_path, database={"url": database_url})) as store, store.read() as unit:
        other, refused = unit.posts.list()
        assert (refused.state, other.state) == ("waiting", "needs_attention")
        assert other.message == "look, then: `auria posts resolve 2 --sent URL | --not-sent | --give-up`"
        (paused,) = unit.channels.paused()
        assert (paused.name, paused.by, paused.at) == ("a", "auria", datetime(2026, 11, 21, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/old/home/pictures/f/post.jpg", "pictures/f/post.jpg"),
        ("C:\\Auria\\pictures\\f\\post.jpg", "pictures/f/post.jpg"),
        ("/mnt/pictures/another/post.jpg", "/mnt/pictures/another/post.jpg"),
        ("/p.jpg", "/p.jpg"),
    ],
)
def test_picture_paths_become_relative(database_url: str, tmp_path, before: str, after: str):
    """A draft's picture is found after the home moved; a path of another kind is unchanged."""
    _first(database_url)
    _old_posts(database_url, a=("waiting", None))
    _run(database_url, f"UPDATE posts SET picture = '{before}'")  # noqa: S608 - the test's own words
    with Store.open(Settings(home=tmp_path, database={"url": database_url})) as store, store.read() as unit:
        assert unit.posts.get(1).picture == str(tmp_path / after)


def test_a_downgrade_brings_the_first_schema_back(database_url: str):
    """And the way up again is open."""
    upgrade(database_url)
    engine = connect(database_url)
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        assert "channels" not in inspect(connection).get_table_names()
        assert "memo" not in {one["name"] for one in inspect(connection).get_columns("posts")}
    engine.dispose()
    assert upgrade(database_url) == HEAD


def test_looking_makes_nothing(tmp_path):
    """Asking for the version of a database that is not there leaves it so."""
    assert current(f"sqlite:///{tmp_path}/new/x.db") is None
    assert list(tmp_path.iterdir()) == []


def test_the_database_itself_refuses_unknown_states(database_url: str):
    """A state that the program does not know cannot be written, whoever writes it."""
    upgrade(database_url)
    insert = (
        "INSERT INTO drafts (version, folder, state, made_at, reason, text, alt_text, channels, signature,"
        " picture_sha256, artwork, mood, style, fingerprint)"
        " VALUES (1, '{0}', '{0}', '2026-11-21', '', '', '', '[]', '', '', '{{}}', '', '', '')"
    )
    _run(database_url, insert.format("made"))
    with pytest.raises(IntegrityError, match="ck_drafts_state"):
        _run(database_url, insert.format("sailing"))


def test_the_database_knows_every_outcome(database_url: str):
    """What the program can write may be written, and nothing else."""
    _first(database_url)
    _old_posts(database_url, a=("sending", None))
    upgrade(database_url)
    for outcome in Outcome:
        _run(database_url, f"UPDATE attempts SET outcome = '{outcome}'")  # noqa: S608 - the program's own words
    with pytest.raises(IntegrityError, match="ck_attempts_outcome"):
        _run(database_url, "UPDATE attempts SET outcome = 'lucky'")


def test_upgrading_twice_keeps_everything(database_url: str, tmp_path):
    """An up-to-date database is left as it is."""
    settings = Settings(home=tmp_path, database={"url": database_url})
    with Store.open(settings) as store, store.begin() as unit:
        add_draft(unit)
    assert upgrade(database_url) == HEAD
    with Store.open(settings) as store, store.read() as unit:
        assert len(unit.drafts.list()) == 1


def test_a_newer_schema_is_refused(database_url: str, tmp_path):
    """A database that a newer program wrote is neither opened nor changed."""
    upgrade(database_url)
    _run(database_url, "UPDATE alembic_version SET version_num = '9999'")
    for attempt in (
        lambda: upgrade(database_url),
        lambda: Store.open(Settings(home=tmp_path, database={"url": database_url})),
    ):
        with pytest.raises(SchemaTooNew, match=r"'9999'.*upgrade the program"):
            attempt()
    assert current(database_url) == "9999"


def test_a_stranger_s_tables_are_not_touched(database_url: str):
    """A database with another program's table of the same name is refused and not changed."""
    _run(database_url, "CREATE TABLE posts (mine INTEGER)", "INSERT INTO posts VALUES (42)")
    with pytest.raises(StoreError, match="tables named posts that Auria did not create"):
        upgrade(database_url)
    assert current(database_url) is None


def test_a_migration_that_fails_leaves_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch):
    """A migration that breaks at its end is rolled back whole, and the next try succeeds."""
    _first(database_url)
    whole = command.upgrade

    def broken(*arguments) -> None:
        whole(*arguments)
        raise StoreError("the power went out")

    monkeypatch.setattr(command, "upgrade", broken)
    with pytest.raises(StoreError, match="power"):
        upgrade(database_url)
    monkeypatch.undo()
    assert current(database_url) == "0001"
    assert upgrade(database_url) == HEAD


def test_a_creation_that_fails_leaves_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch):
    """Nor does a new database that could not be written to its end; the next try succeeds."""

    def broken(*_: object, **__: object) -> None:
        raise StoreError("the power went out")

    monkeypatch.setattr(module._VERSIONS, "create", broken)
    with pytest.raises(StoreError, match="power"):
        upgrade(database_url)
    monkeypatch.undo()
    assert current(database_url) is None
    assert upgrade(database_url) == HEAD


def test_first_users_do_not_collide(database_url: str):
    """Five who open a new database at once all find it ready, created once."""
    failures: list[BaseException] = []
    start = threading.Barrier(5)

    def first_use() -> None:
        engine = connect(database_url)
        try:
            start.wait()
            bring_up_to_date(engine)
        except BaseException as error:  # noqa: BLE001 - told to the test below
            failures.append(error)
        finally:
            engine.dispose()

    users = [threading.Thread(target=first_use) for _ in range(5)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert failures == []
    assert current(database_url) == HEAD


def test_a_server_that_is_away(tmp_path):
    """A server that does not answer is reported with its address and without its password."""
    with pytest.raises(DatabaseUnreachable) as caught:
        Store.open(Settings(home=tmp_path, database={"url": "postgresql://me:hunter2@127.0.0.1:1/none"}))
    assert "127.0.0.1:1/none" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_database_that_does_not_exist(postgres, tmp_path):
    """A server without the database named is reported as such."""
    url = make_url(postgres()).set(database="no_such_database")
    with pytest.raises(DatabaseUnreachable, match="no_such_database"):
        Store.open(Settings(home=tmp_path, database={"url": url.render_as_string(hide_password=False)}))


def test_opening_a_store_needs_no_alembic(tmp_path):
    """Alembic is imported only when there is something to migrate, not for a new store, and the ORM never."""
    code = (
        "import sys; from pathlib import Path; from auria_bot.settings.loading import Settings;"
        "from auria_bot.store.unit_of_work import Store; Store.open(Settings(home=Path(sys.argv[1]))).close();"
        "print(sorted({'alembic', 'sqlalchemy.orm', 'sqlalchemy.dialects.postgresql', 'torch', 'numpy'} & set(sys.modules)))"
    )
    for _ in ("a new store", "the same again"):
        told = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True)
        assert told.stdout.strip() == "[]"
