"""Rejected poems can be looked at for some days and accepted for good; what was forgotten cannot."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.corpus.item import from_row
from auria_bot.corpus.sources.rows import Row
from auria_bot.errors import InputError, InvalidTransition, NotFound, UsageError
from auria_bot.services.corpus.corpus_import import CorpusImporter
from auria_bot.services.corpus.corpus_versions import VersionBuilder
from auria_bot.services.corpus.rejected_texts import RejectedTexts
from auria_bot.testing import FakeClock
from tests.factories import NOW
from tests.unit.services.corpus.test_corpus_import import POND, SNOW, dump, poems, post

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.store.unit_of_work import Store

MARY = "an old silent pond/mary jumps into the pond/splash! silence again"
MAIL = "an old silent pond/write to frog@pond.example/splash! silence again"


@pytest.fixture
def clock() -> FakeClock:
    """Stands at NOW."""
    return FakeClock(NOW)


@pytest.fixture
def importer(store: Store, clock: FakeClock) -> CorpusImporter:
    """Keeps the lines of rejected poems."""
    return CorpusImporter(store=store, clock=clock, keeps_rejected=True)


@pytest.fixture
def rejected(store: Store, clock: FakeClock) -> RejectedTexts:
    """Two weeks."""
    return RejectedTexts(store=store, clock=clock, days=14)


def digest_of(text: str) -> str:
    """Of its words."""
    return from_row(Row(text=text), origin="").digest


def test_reasons_are_listed_with_their_meaning_and_lines(
    importer: CorpusImporter, rejected: RejectedTexts, tmp_path: Path
):
    """Lines with an address are never kept, and a text without three lines has none."""
    importer.import_file(
        dump(tmp_path, post(1, MARY), post(2, MAIL), post(3, "what is a haiku?"), post(4, POND), post(5, "who knows?"))
    )
    found = {one.name: one for one in rejected.list()}
    assert {name: one.count for name, one in found.items()} == {
        "name of a person": 1,
        "contact data": 1,
        "not three lines": 2,
    }
    assert "corpus.allow_person_names" in found["name of a person"].meaning
    assert ["/".join(text.lines) for one in found.values() for text in one.texts if text.lines] == [MARY]
    assert {text.external_id for text in found["not three lines"].texts} == {"a3", "a5"}
    (one,) = rejected.list(reason="not three lines", sample=1)
    assert len(one.texts) == 1
    assert len(rejected.list(reason="not three lines", sample=0)[0].texts) == 2
    assert rejected.list(reason="profanity") == []
    with pytest.raises(InputError, match="known: not three lines, contact data"):
        rejected.list(reason="boredom")


def test_an_accepted_poem_is_kept_in_imports_and_versions(
    store: Store, importer: CorpusImporter, rejected: RejectedTexts, clock: FakeClock, tmp_path: Path
):
    """It is accepted by its id or its digest, for every copy; undoing it rejects it for the same reason."""
    path = dump(tmp_path, post(1, MARY), post(2, POND))
    importer.import_file(path)
    done = rejected.accept("a1")
    assert (done.digest, done.reason, done.changed) == (digest_of(MARY), "name of a person", True)
    assert rejected.accept(done.digest).changed is False
    assert poems(importer) == {MARY, POND}
    versions = VersionBuilder(store=store, clock=clock, folder=tmp_path / "corpus")
    assert versions.make().verses == 1  # the older of two versions of one poem
    report = importer.import_file(dump(tmp_path, post(7, MARY.upper().lower()), name="again.ndjson"))
    assert (report.kept, report.reasons) == (1, {})
    assert importer.import_file(path, dry_run=True).kept == 2
    assert rejected.undo(done.digest).reason == "name of a person"
    assert poems(importer) == {POND}
    with pytest.raises(InvalidTransition, match="was not accepted"):
        rejected.undo(done.digest)
    assert importer.import_file(path).reasons == {"name of a person": 1}
    assert rejected.list()[0].texts[0].lines  # they are kept again


def test_lines_age_out_and_come_back_when_they_are_read_again(
    importer: CorpusImporter, rejected: RejectedTexts, clock: FakeClock, tmp_path: Path
):
    """A poem that is accepted without its lines is kept at the next import."""
    path = dump(tmp_path, post(1, MARY))
    importer.import_file(path)
    clock.advance(hours=24 * 14 + 1)
    assert rejected.list()[0].texts[0].lines == ()
    importer.import_file(path)
    assert rejected.list()[0].texts[0].lines
    clock.advance(hours=24 * 14 + 1)
    assert rejected.age_out() == 1
    assert rejected.accept("a1").text.lines == ()
    assert poems(importer) == set()
    importer.import_file(path)
    assert poems(importer) == {MARY}


def test_what_is_no_poem_or_not_rejected_is_not_accepted(
    importer: CorpusImporter, rejected: RejectedTexts, tmp_path: Path
):
    """Nor what was forgotten, nor what nobody knows."""
    importer.import_file(dump(tmp_path, post(1, MARY), post(2, "who knows?"), post(3, SNOW)))
    with pytest.raises(InvalidTransition, match="no poem of three lines"):
        rejected.accept("a2")
    with pytest.raises(InvalidTransition, match="it is kept"):
        rejected.accept("a3")
    with pytest.raises(NotFound, match="auria corpus rejected"):
        rejected.accept("a9")
    with pytest.raises(NotFound, match="auria corpus rejected"):
        rejected.accept("f" * 32)
    rejected.accept("a1")
    importer.forget("a1")
    with pytest.raises(NotFound):
        rejected.accept("a1")
    with pytest.raises(InvalidTransition, match="forgotten"):
        rejected.accept(digest_of(MARY))


def test_words_that_name_several_texts_are_answered_with_their_digests(
    importer: CorpusImporter, rejected: RejectedTexts, tmp_path: Path
):
    """An author has many; none is accepted before one is chosen."""
    importer.import_file(dump(tmp_path, post(1, MARY, author="ada"), post(2, MAIL, author="ada")))
    digests = sorted((digest_of(MARY), digest_of(MAIL)))
    with pytest.raises(UsageError, match=f"'u/ada' names several texts; give a digest: {digests[0]}, {digests[1]}"):
        rejected.accept("u/ada")
    assert {one.count for one in rejected.list()} == {1}


def test_without_days_no_lines_are_stored(store: Store, clock: FakeClock, tmp_path: Path):
    """As the operator asked."""
    CorpusImporter(store=store, clock=clock).import_file(dump(tmp_path, post(1, MARY)))
    (one,) = RejectedTexts(store=store, clock=clock, days=0).list()
    assert [text.lines for text in one.texts] == [()]


def test_a_post_whose_rejected_lines_are_kept_is_checked_for_deletion(
    store: Store, importer: CorpusImporter, clock: FakeClock, tmp_path: Path
):
    """And forgetting it deletes them."""
    importer.import_file(dump(tmp_path, post(1, MARY), post(2, MAIL)))
    with store.read() as unit:
        posts = unit.verses.reddit_posts(0, since=None, until=clock() + timedelta(days=1), limit=9)
    assert [name for _, name in posts] == ["a1"]
    assert importer.forget("a1") == 1
    with store.read() as unit:
        assert unit.rejected.counts() == {"contact data": 1}
