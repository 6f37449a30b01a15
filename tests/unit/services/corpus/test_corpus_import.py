"""Files of every kind are taken in, once; what was removed or is to be forgotten goes and stays gone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.corpus.item import place_key
from auria_bot.corpus.quality_filter import FilterRules
from auria_bot.errors import InputError, NotFound
from auria_bot.services.corpus import corpus_import as module
from auria_bot.services.corpus.corpus_import import CorpusImporter, ImportReport
from tests.factories import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.store.unit_of_work import Store

POND = "an old silent pond/a frog jumps into the pond/splash! silence again"
SNOW = "first snow tonight/the neighbour's cat leaves a line/from our door to theirs"


@pytest.fixture
def importer(store: Store) -> CorpusImporter:
    """Keeps no names."""
    return CorpusImporter(store=store, clock=lambda: NOW)


def post(number: int, title: str, **changes: Any) -> dict[str, Any]:
    """A record of a dump."""
    return {
        "id": f"a{number}",
        "subreddit": "haiku",
        "title": title,
        "selftext": "",
        "author": f"poet_{number}",
        "score": number,
        "created_utc": 1_500_000_000 + number,
        "over_18": False,
        **changes,
    }


def dump(folder: Path, *records: dict[str, Any], name: str = "dump.ndjson") -> Path:
    """Records on the disk."""
    (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return folder / name


def poems(importer: CorpusImporter) -> set[str]:
    """The stored poems."""
    return {"/".join(piece.lines) for piece in importer.sample(1000)}


def test_a_dump_is_taken_once(importer: CorpusImporter, tmp_path: Path):
    """Poems are stored, rejections counted by reason, other subreddits skipped; a second import changes nothing."""
    path = dump(
        tmp_path,
        post(1, POND),
        post(2, "what is a haiku?"),
        post(3, SNOW, subreddit="poetry"),
        post(4, SNOW, over_18=True),
        post(5, POND.upper()),
        {"subreddit": "haiku"},
    )
    told: list[int] = []
    report = importer.import_file(path, subreddits=["haiku"], tell=told.append)
    assert poems(importer) == {POND}
    assert report.to_json() == {
        "lines": 6,
        "bad": 1,
        "recoded": 0,
        "read": 4,
        "kept": 1,
        "new": 3,
        "better": 0,
        "known": 1,
        "forgotten": 0,
        "removed": 0,
        "buried": 0,
        "rejected": {"not three lines": 1, "for adults": 1, "quality": 1},
        "samples": [{"line": 6, "why": "no id", "text": '{"subreddit": "haiku"}'}],
    }
    assert told[-1] == path.stat().st_size
    before = importer.counts()
    again = importer.import_file(path, subreddits=["haiku"])
    assert (again.outcomes, importer.counts()) == ({"known": 4}, before)


def test_a_dry_run_keeps_nothing(importer: CorpusImporter, tmp_path: Path):
    """It judges all the same."""
    report = importer.import_file(
        dump(tmp_path, post(1, POND), post(2, "x", removed_by_category="deleted")), dry_run=True
    )
    assert (report.kept, report.removed, report.outcomes.total()) == (1, 1, 0)
    assert importer.counts()["state"] == {}


def test_a_listing_and_a_list_are_read_too(importer: CorpusImporter, tmp_path: Path):
    """As the API gives it; and any JSON list of objects."""
    children = [{"kind": "t3", "data": post(1, POND)}, {"kind": "t5", "data": {}}]
    (tmp_path / "a.json").write_text(json.dumps({"kind": "Listing", "data": {"children": children}}))
    (tmp_path / "b.json").write_text(json.dumps([{"poem": SNOW, "poet": "Ria"}]))
    assert importer.import_file(tmp_path / "a.json").to_json()["bad"] == 1
    importer.import_file(tmp_path / "b.json")
    assert poems(importer) == {POND, SNOW}


def test_rows_of_any_file_are_taken(importer: CorpusImporter, tmp_path: Path):
    """With a mapping, and a licence where the file states none; the licensed copy is the better one."""
    importer.import_file(dump(tmp_path, post(1, POND)))
    (tmp_path / "poems.csv").write_text(f'no,words\n1,"{POND}"\n2,{SNOW}\n')
    with pytest.raises(InputError, match="--map text=FIELD"):
        importer.import_file(tmp_path / "poems.csv", mapping={"id": "no"})
    report = importer.import_file(tmp_path / "poems.csv", mapping={"text": "words", "id": "no"}, licence="CC0")
    assert report.outcomes == {"better": 1, "new": 1}
    assert {piece.licence for piece in importer.sample(9)} == {"CC0"}


def test_what_was_removed_goes_whichever_comes_first(importer: CorpusImporter, tmp_path: Path):
    """A later dump takes back what an earlier one gave, and an earlier removal keeps a later copy out."""
    importer.import_file(dump(tmp_path, post(1, POND)))
    gone = dump(tmp_path, post(1, "[deleted by user]"), post(2, "[removed]"), name="later.ndjson")
    report = importer.import_file(gone)
    assert (report.removed, report.buried) == (2, 1)
    assert importer.import_file(dump(tmp_path, post(1, POND), post(2, SNOW))).outcomes == {"forgotten": 2}
    assert importer.counts()["state"] == {"forgotten": 2}


@pytest.mark.parametrize(
    "what",
    [
        "a1",
        "t3_a1",
        "https://www.reddit.com/r/haiku/comments/a1/an_old_silent_pond/",
        "https://redd.it/a1",
        "u/poet_1",
        "/u/Poet_1",
        " A1 ",
    ],
)
def test_a_post_or_an_author_is_forgotten(importer: CorpusImporter, tmp_path: Path, what: str):
    """However they are written."""
    path = dump(tmp_path, post(1, POND), post(2, SNOW))
    importer.import_file(path)
    assert importer.forget(what.lower() if what == " A1 " else what) == 1
    assert importer.forget(what.lower() if what == " A1 " else what) == 0
    assert importer.import_file(path).outcomes == {"known": 1, "forgotten": 1}
    assert poems(importer) == {SNOW}


def test_a_verse_or_a_row_is_forgotten(importer: CorpusImporter, tmp_path: Path):
    """By its digest; by its file and its id; by a poet's whole name."""
    (tmp_path / "poems.csv").write_text(f"id,text,author\n7,{POND},Ria Winter\n8,{SNOW},\n")
    importer.import_file(tmp_path / "poems.csv")
    (snow,) = (piece for piece in importer.sample(9) if piece.lines[0].startswith("first"))
    assert importer.forget(snow.digest) == 1
    assert importer.forget("poems.csv 7") == 1
    assert importer.forget("Ria Winter") == 0
    with pytest.raises(InputError, match="u/NAME"):
        importer.forget("???")


def test_names_are_kept_only_when_asked_for(store: Store, tmp_path: Path):
    """Else an author can still be forgotten."""
    path = dump(tmp_path, post(1, POND))
    CorpusImporter(store=store, clock=lambda: NOW).import_file(path)
    with store.read() as unit:
        assert [one.author for one in unit.verses.kept()] == [""]
    CorpusImporter(store=store, clock=lambda: NOW).forget("u/poet_1")
    named = CorpusImporter(store=store, clock=lambda: NOW, names=True)
    named.import_file(dump(tmp_path, post(2, SNOW)))
    assert [one.author for one in named.sample(9)] == ["poet_2"]


def test_the_rules_are_the_operators(store: Store, tmp_path: Path):
    """A poem with a name passes where names may; looser rules take what stricter ones rejected."""
    named = "the winter evening/Jennifer is walking home/through the falling snow"
    path = dump(tmp_path, post(1, named))
    assert CorpusImporter(store=store, clock=lambda: NOW).import_file(path).reasons == {"name of a person": 1}
    looser = CorpusImporter(store=store, clock=lambda: NOW, rules=FilterRules(names=True))
    assert looser.import_file(path).outcomes == {"better": 1}
    assert poems(looser) == {named}


def test_a_killed_import_is_finished_by_repeating_it(
    importer: CorpusImporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Whole batches stay; the repeat gives the same as an import that was not killed."""
    monkeypatch.setattr(module, "_BATCH", 4)
    path = dump(
        tmp_path,
        *(post(number, f"snow on hill {number}/the heron waits by the reeds/a door closes") for number in range(1, 12)),
    )

    report = ImportReport()
    taken, monkeyed = [], importer._keep_batch

    def third(pieces: Any, *rest: Any, **more: Any) -> None:
        if len(taken) == 2:
            raise KeyboardInterrupt
        taken.append(len(pieces))
        monkeyed(pieces, *rest, **more)

    monkeypatch.setattr(importer, "_keep_batch", third)
    with pytest.raises(KeyboardInterrupt):
        importer.import_file(path, report=report)
    monkeypatch.setattr(importer, "_keep_batch", monkeyed)
    assert importer.counts()["state"] == {"kept": 8}
    assert importer.import_file(path).outcomes == {"known": 8, "new": 3}
    assert importer.counts()["state"] == {"kept": 11}


def test_a_missing_file_is_told(importer: CorpusImporter, tmp_path: Path):
    """By its name."""
    with pytest.raises(NotFound, match=r"none\.zst"):
        importer.import_file(tmp_path / "none.zst")


def test_places_are_the_same_however_they_are_written():
    """With or without the kind in front, in any case."""
    assert place_key("reddit", "t3_A1") == place_key("reddit", "a1") != place_key("file", "a1")
