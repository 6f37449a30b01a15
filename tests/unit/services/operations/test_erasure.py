"""What was forgotten stays forgotten: after a restore, and in backups that are rewritten."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.house import fake_house
from tests.unit.services.corpus.test_corpus_import import POND, SNOW, dump, poems, post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Application]:
    """A home with two verses."""
    with closing(fake_house(tmp_path / "home")) as made:
        made.corpus_importer.import_file(dump(tmp_path, post(1, POND), post(2, SNOW)))
        yield made


def holders(house: Application, what: str) -> tuple[Path, ...]:
    """Copies that hold a text."""
    keys, digests = house.corpus_importer.identify([what])
    return house.erasure.copies(keys=keys, digests=digests).holding


def test_a_restore_does_not_bring_back_what_was_forgotten(house: Application, tmp_path: Path):
    """Neither the verse nor its source, from which it is not imported again."""
    made = house.database_administration.back_up().backup.folder
    house.corpus_importer.forget("a1")
    house.close()
    done = house.database_administration.restore(made, force=True)
    assert (done.forgotten, done.remembers) == (1, True)
    again = fake_house(house.settings.home)
    with closing(again):
        assert poems(again.corpus_importer) == {SNOW}
        report = again.corpus_importer.import_file(dump(tmp_path, post(1, POND)))
        assert report.outcomes == {"forgotten": 1}


def test_a_lost_database_leaves_it_to_the_newer_backups(house: Application):
    """They know what had been forgotten when they were made."""
    administration = house.database_administration
    made = administration.back_up().backup.folder
    house.corpus_importer.forget("u/poet_1")
    house.clock.advance(days=1)
    administration.back_up()
    house.close()
    for file in house.settings.home.glob("auria.db*"):
        file.unlink()
    done = administration.restore(made, force=True)
    assert (done.forgotten, done.remembers) == (1, False)


def test_backups_that_hold_it_are_named_and_rewritten(house: Application):
    """Also the database that a restore kept aside; every other byte of a backup is as it was."""
    administration = house.database_administration
    first = administration.back_up().backup.folder
    house.clock.advance(days=1)
    house.close()
    aside = administration.restore(first, force=True).restored.aside
    assert aside is not None
    house = fake_house(house.settings.home)
    with closing(house):
        (snow,) = (verse.digest for verse in house.corpus_importer.sample(9) if "snow" in verse.lines[0])
        house.corpus_importer.forget(snow)
        assert holders(house, "a1") == (first, aside)
        assert house.corpus_importer.forget("a1") == 1
        assert holders(house, "a1") == (first, aside)
        done = house.erasure.rewrite((first, aside))
        assert (done.done, done.failed) == ((first, aside), ())
        assert holders(house, "a1") == holders(house, snow) == ()
        assert house.backups.verify(first).made_at == house.backups.list()[0].made_at
        for file in (first / "auria.db", aside):
            content = file.read_bytes()
            assert b"frog" not in content
            assert b"neighbour" not in content
            assert (file.stat().st_mode & 0o777) == 0o600
        house.close()
        assert house.database_administration.restore(first, force=True).forgotten == 0


def test_copies_that_cannot_be_read_are_named(house: Application):
    """They may hold it; a rewriting that fails changes nothing."""
    made = house.database_administration.back_up().backup.folder
    (house.settings.home / "before-restore-20200101T000000Z-auria.db").write_bytes(b"no database" * 100)
    copies = house.erasure.copies(keys=[], digests=["0" * 32])
    assert copies.holding == ()
    assert "20200101T000000Z-auria.db" in copies.unreadable[0]
    before = (made / "backup.json").read_bytes()
    (made / "auria.db").write_bytes(b"no database" * 100)
    assert "not" in house.erasure.rewrite((made,)).failed[0]
    assert (made / "backup.json").read_bytes() == before
    assert [place.name for place in made.parent.iterdir()] == [made.name]


def test_a_backup_that_was_not_replaced_to_the_end_is_put_back(house: Application):
    """At the next one."""
    administration = house.database_administration
    made = administration.back_up().backup.folder
    made.rename(made.with_name(f".replaced-{made.name}"))
    house.clock.advance(days=1)
    administration.back_up()
    assert made.is_dir()
