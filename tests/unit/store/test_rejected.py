"""What was forgotten is found in dumps of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.corpus.item import author_key
from auria_bot.settings.schema import Settings
from auria_bot.store.dump import Dump
from auria_bot.store.rejected import forgotten_in_dump, held_in_dump
from auria_bot.store.unit_of_work import Store
from tests.factories import NOW
from tests.unit.store.test_corpus import item, rejected

if TYPE_CHECKING:
    from pathlib import Path


def test_a_dump_holds_a_verse_until_it_is_forgotten(tmp_path: Path):
    """A rejected one too, whose lines are not stored: the post's id and the author's name are."""
    settings = Settings(home=tmp_path)
    dump, before, after = Dump(settings.database_url), tmp_path / "before.db", tmp_path / "after.db"
    with Store.open(settings) as store:
        with store.begin() as unit:
            unit.verses.add([item(1, "a", author_key=author_key("bo")), rejected(2, "b", author="ria")])
        dump.save(before)
        with store.begin() as unit:
            unit.verses.forget([author_key("ria")], at=NOW)
        dump.save(after)
    wanted = [author_key("ria")]
    assert held_in_dump(dump, before, keys=wanted, digests=()) == 1
    assert held_in_dump(dump, after, keys=wanted, digests=[rejected(2).digest]) == 0
    assert not forgotten_in_dump(dump, before)
    assert set(forgotten_in_dump(dump, after).keys) == set(wanted)
