"""A version holds each stored and allowed poem once, in a file that never changes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.corpus import verses
from auria_bot.corpus.item import from_row, measured
from auria_bot.corpus.quality_filter import FilterRules
from auria_bot.corpus.sources.rows import Row
from auria_bot.errors import DiskError, InputError, NotFound, UsageError
from auria_bot.services.corpus.corpus_versions import VersionBuilder
from auria_bot.testing import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.store.unit_of_work import Store

POEMS = [
    "an old silent pond/a frog jumps into the pond/splash! silence again",
    "an old silent pond/a toad jumps into the pond/splash! silence again",
    "first snow tonight/the neighbour's cat leaves a line/from our door to theirs",
    "harvest moon/the scarecrow's shadow/reaches the road",
    "Jennifer came home/with a basket of apples/and the autumn wind",
]


def fill(store: Store, *poems: str, score: int | None = None) -> None:
    """Keep poems, with a rule that lets names pass."""
    with store.begin() as unit:
        unit.verses.add(
            [from_row(Row(text=poem, score=score), FilterRules(names=True), origin="file") for poem in poems]
        )


@pytest.fixture
def press(store: Store, tmp_path: Path, clock: FakeClock) -> VersionBuilder:
    """A press with a folder of its own."""
    return VersionBuilder(store=store, clock=clock, folder=tmp_path / "corpus")


def test_a_version_has_each_allowed_poem_once(store: Store, press: VersionBuilder, clock: FakeClock):
    """Near-duplicates and what today's rules reject are left out, and counted; training can read it."""
    fill(store, *POEMS)
    made = press.make()
    assert made.verses == 3
    assert made.name == f"{clock():%Y-%m-%d}-{made.sha256[:10]}"
    assert made.settings["left_out"] == {"name of a person": 1, "versions of another": 1}
    assert made.settings["forms"] == {"575": 1, "free": 2}
    found = list(verses.read(press.file(made)))
    assert {(verse.form, verse.tier) for verse in found} == {("575", "poets"), ("free", "poets")}
    assert {len(verse.lines) for verse in found} == {3}
    manifest = json.loads((press.file(made).parent / "manifest.json").read_text())
    assert (manifest["name"], manifest["verses"], manifest["sha256"]) == (made.name, 3, made.sha256)
    assert press.list() == (made,)


def test_the_same_verses_are_the_same_version(store: Store, press: VersionBuilder, clock: FakeClock):
    """On another day too; and a version whose file was lost is written again."""
    fill(store, *POEMS)
    first = press.make()
    clock.now += timedelta(days=3)
    assert press.make() == first
    content = press.file(first).read_bytes()
    press.drop(first.name)
    assert not press.has_file(first)
    with pytest.raises(NotFound, match="was removed"):
        press.file(first)
    assert press.make() == first
    assert press.file(first).read_bytes() == content


def test_versions_are_compared(store: Store, press: VersionBuilder, clock: FakeClock):
    """What came, what went, and how much is the same."""
    fill(store, *POEMS[:3])
    first = press.make()
    with store.begin() as unit:
        gone = next(piece for piece in unit.verses.kept() if piece.lines[0].startswith("first"))
        unit.verses.forget_digest(gone.digest)
    fill(store, POEMS[3])
    clock.now += timedelta(days=1)
    second = press.make()
    change = press.compare(first.name, "newest")
    assert (change.added, change.removed, change.same) == (1, 1, 1)
    assert change.came == [tuple(POEMS[3].split("/"))]
    assert change.went == [tuple(POEMS[2].split("/"))]
    assert press.find("") == press.find(second.name[-10:]) == second
    assert press.find(first.name) == first


def test_unknown_and_doubtful_names_are_told(store: Store, press: VersionBuilder, clock: FakeClock):
    """With those that are known."""
    with pytest.raises(NotFound, match="auria corpus version"):
        press.find()
    with pytest.raises(InputError, match="auria corpus import"):
        press.make()
    fill(store, POEMS[0])
    first = press.make()
    fill(store, POEMS[2])
    press.make()
    with pytest.raises(NotFound, match=first.name):
        press.find("nothing")
    with pytest.raises(UsageError, match=" or "):
        press.find(f"{clock():%Y}")


def test_posts_that_few_liked_are_left_out_when_asked(store: Store, tmp_path: Path, clock: FakeClock):
    """A verse without a score stays."""
    fill(store, POEMS[0], score=0)
    fill(store, POEMS[2], score=5)
    fill(store, POEMS[3])
    made = VersionBuilder(store=store, clock=clock, folder=tmp_path, least_score=3).make()
    assert (made.verses, made.settings["left_out"]) == (2, {"score": 1})


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"])
def test_an_export_can_be_imported_again(store: Store, press: VersionBuilder, tmp_path: Path, name: str):
    """Packed or not, with everything that is known of a verse."""
    from auria_bot.services.corpus.corpus_import import CorpusImporter

    fill(store, *POEMS)
    assert press.export(tmp_path / name) == 5
    report = CorpusImporter(store=store, clock=FakeClock(), rules=FilterRules(names=True)).import_file(tmp_path / name)
    assert (report.kept, report.outcomes["new"], report.tally.bad) == (5, 0, 0)


def test_an_export_for_people(store: Store, press: VersionBuilder, tmp_path: Path):
    """Text has a poem a block, CSV one a row; no cell is a formula."""
    fill(store, *POEMS)
    with store.begin() as unit:
        strange = Row(text="=1+1 is snow/on the old stone bridge tonight/a heron waiting", id="@SUM(1)", licence="-2+3")
        unit.verses.add([from_row(strange, origin="file")])
    assert press.export(tmp_path / "out.txt") == 6
    assert len((tmp_path / "out.txt").read_text().strip().split("\n\n")) == 6
    assert press.export(tmp_path / "out.csv") == 6
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert rows[0].startswith("text,digest,syllables,form,season")
    (row,) = (row for row in rows if row.startswith("'=1+1"))
    assert {"'@SUM(1)", "'-2+3"} <= set(row.split(","))
    with pytest.raises(InputError, match=r"\.jsonl"):
        press.export(tmp_path / "out.pdf")
    assert press.export(tmp_path / "new" / "below" / "out.txt") == 6
    with pytest.raises(DiskError):
        press.export(tmp_path / "out.csv" / "out.txt")
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(DiskError, match=r"folder\.txt"):
        press.export(tmp_path / "folder.txt")
    assert sorted(path.name for path in tmp_path.glob("*out*")) == ["out.csv", "out.txt"]
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_cannot_be_written_is_told(store: Store, tmp_path: Path, clock: FakeClock):
    """And nothing is left behind."""
    fill(store, POEMS[0])
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="file"):
        VersionBuilder(store=store, clock=clock, folder=tmp_path / "file").make()


def test_syllables_follow_the_form_where_they_can():
    """A poem that can be said in 5-7-5 is; others are told as they are commonly said."""
    assert measured(("every fire tonight", "the neighbour's cat leaves a line", "from our door to theirs"))[1] == "575"
    assert measured(("snow", "on the road", "again")) == ((1, 3, 2), "free")
