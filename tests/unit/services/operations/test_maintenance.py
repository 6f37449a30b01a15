"""What is old and not wanted goes, and nothing else; what is broken is told."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from auria_bot.domain.draft import DraftState
from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.errors import DiskError, StorageAway
from auria_bot.services.operations.maintenance import Maintenance
from auria_bot.store.dump import Dump
from tests.applications import fake_application
from tests.factories import add_draft
from tests.unit.services.corpus.test_corpus_import import POND, SNOW, dump, poems, post

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeClock

_FILES = ("painting.png", "full.png", "post.jpg", "card.jpg")


def _maintenance(application: Application, **changes: float) -> Maintenance:
    values = {"rejected_days": 30, "runs_days": 14, "texts_days": 14, "least_free": 1, **changes}
    return Maintenance(
        home=application.settings.home,
        store=application.store,
        pictures=application.pictures,
        copies=application.picture_copies,
        workspace=application.runs,
        database=Dump(application.settings.database_url),
        clock=application.clock,
        **values,
    )


def _made(application: Application, count: int) -> list[int]:
    """Real drafts by the fakes."""
    return [draft.id for draft in application.studio.make(ArtworkRequest(count=count)).drafts]


def test_pictures_of_old_rejected_drafts_go(application: Application, clock: FakeClock):
    """Not those of the last month, nor of a draft that waits or is approved; the words stay."""
    old, waiting, approved, young = _made(application, 4)
    application.review.reject(old, reason="dull")
    application.review.approve([approved])
    clock.advance(days=20)
    application.review.reject(young)
    clock.advance(days=20)
    maintenance = _maintenance(application)
    with application.store.read() as unit:
        drafts = {draft.id: draft for draft in unit.drafts.list()}
    folders = {number: draft.folder for number, draft in drafts.items()}
    copies = {
        one: application.picture_sizes.file(drafts[one], application.picture_sizes.widths(drafts[one])[0], "jpg")
        for one in (old, waiting)
    }
    planned = maintenance.tidy(dry_run=True)
    assert planned.pictures == (folders[old],)
    assert planned.size > 0
    assert len(application.pictures.sizes()) == 4
    assert maintenance.tidy().pictures == planned.pictures
    assert set(application.pictures.sizes()) == {folders[one] for one in (waiting, approved, young)}
    assert maintenance.tidy().pictures == ()
    assert (copies[old].exists(), copies[waiting].exists()) == (False, True)
    with application.store.read() as unit:
        assert unit.drafts.get(old).state is DraftState.REJECTED
        assert [entry.action for entry in unit.journal.list()].count("tidy") == 1
    assert maintenance.check() == ()


def _begun(application: Application, name: str) -> Path:
    """A run that was begun and left: a real one's folder."""
    folder = application.runs.root / name
    (folder / "01").mkdir(parents=True)
    (folder / "plan.json").write_text("{}")
    return folder


def _age(folder: Path, moment: float) -> None:
    for file in (folder, *folder.rglob("*")):
        os.utime(file, (moment, moment))


def test_runs_that_nobody_went_on_with_go(application: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch):
    """Not a young one, nor one that is being worked on; what cannot be taken away is told."""
    from auria_bot.errors import InvalidTransition, NotFound
    from auria_bot.services.studio.run_store import RunStore

    maintenance = _maintenance(application)
    for name, days in (("old", 20), ("young", 2), ("busy", 20), ("torn", 20)):
        _age(_begun(application, name), clock().timestamp() - days * 86_400)
    _logs = application.settings.home / "logs"
    _logs.mkdir()
    for name, days in (("crash-1.log", 200), ("crash-2.log", 2)):
        (_logs / name).write_text("x" * 100)
        os.utime(_logs / name, (clock().timestamp() - days * 86_400,) * 2)
    discard = RunStore.discard

    def discarding(self: RunStore, name: str, *, wait: float, dry_run: bool) -> None:
        if name == "busy":
            raise InvalidTransition("another process is working on it")
        if name == "torn":
            raise NotFound("it has no plan")
        discard(self, name, wait=wait, dry_run=dry_run)

    monkeypatch.setattr(RunStore, "discard", discarding)
    planned = maintenance.tidy(dry_run=True)
    assert (planned.runs, planned.logs) == (("old",), ("crash-1.log",))
    assert planned.failed == ("it has no plan",)
    assert sorted(application.runs.names()) == ["busy", "old", "torn", "young"]
    done = maintenance.tidy()
    assert (done.runs, done.logs) == (planned.runs, planned.logs)
    assert sorted(application.runs.names()) == ["busy", "torn", "young"]
    assert [file.name for file in _logs.iterdir()] == ["crash-2.log"]


def test_what_vanishes_meanwhile_is_left_out(application: Application, monkeypatch: pytest.MonkeyPatch):
    """A run or a command may finish while files are looked at: here each is gone right after the first look."""
    home, look = application.settings.home, Path.stat
    folder = _begun(application, "old")
    (home / "logs").mkdir()
    vanishing = (
        folder / "01" / "half.png",
        home / "logs" / "crash-1.log",
        home / "before-restore-20200101T000000Z-auria.db",
    )
    for file in vanishing:
        file.write_text("x")
        os.utime(file, (0, 0))

    def seen(path: Path, **options: bool) -> os.stat_result:
        found = look(path, **options)
        if path in vanishing:
            path.unlink()
        return found

    monkeypatch.setattr(Path, "stat", seen)
    assert "old" not in _maintenance(application).tidy().runs  # its plan is young
    assert not any(path.exists() for path in vanishing)


def test_a_folder_that_cannot_go_is_told(application: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch):
    """The others go all the same."""
    with application.store.begin() as unit:
        for number in (1, 2):
            source = application.settings.home / "source"
            source.write_bytes(b"x")
            application.pictures.keep(f"run-{number}", dict.fromkeys(_FILES, source))
            add_draft(unit, number)
    application.review.reject(1)
    application.review.reject(2)
    clock.advance(days=31)
    remove = type(application.pictures).remove

    def removing(self: object, folder: str) -> None:
        if folder == "run-1":
            raise DiskError("read-only")
        remove(self, folder)

    monkeypatch.setattr(type(application.pictures), "remove", removing)
    done = _maintenance(application).tidy()
    assert (done.pictures, done.failed) == (("run-2",), ("read-only",))


def test_what_is_broken_is_told(application: Application):
    """A picture that is gone or is another, and a database that is damaged."""
    first, second, rejected = _made(application, 3)
    application.review.reject(rejected)
    with application.store.read() as unit:
        folders = [application.pictures.root / unit.drafts.get(one).folder for one in (first, second, rejected)]
    maintenance = _maintenance(application)
    assert maintenance.check() == ()
    next(folders[0].glob("*.jpg")).unlink()
    with application.store.read() as unit:
        post = unit.drafts.get(second).artwork.files["post"].name
    (folders[1] / post).write_bytes(b"another")
    shutil.rmtree(folders[2])  # nobody wants a rejected one's
    faults = maintenance.check()
    assert len(faults) == 2
    assert faults[0].startswith(f"draft {first}: ")
    assert "is not the picture that was made" in faults[1]
    application.close()
    file = application.settings.home / "auria.db"
    file.write_bytes(file.read_bytes()[:6000])
    assert maintenance.check() != ()


def test_a_bucket_that_is_away_is_one_fault(application: Application, monkeypatch: pytest.MonkeyPatch):
    """Not one for each draft."""
    with application.store.begin() as unit:
        add_draft(unit, 1)
        add_draft(unit, 2)
    maintenance = _maintenance(application)
    bucket = Mock()
    bucket.check.side_effect = StorageAway("the bucket does not answer")
    monkeypatch.setattr(maintenance, "_pictures", bucket)
    assert maintenance.check() == ("the bucket does not answer",)


def test_room(application: Application, monkeypatch: pytest.MonkeyPatch):
    """When the disk counts as filling, as full, as not far from it, and when it is gone."""
    assert not _maintenance(application).disk_space().filling
    fill, full, tight, roomy = (
        (200_000_000, "filling"),
        (50_000_000, "filling full"),
        (2_400_000_000, "tight"),
        (5_000_000_000, ""),
    )
    for free, states in (fill, full, tight, roomy):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: shutil._ntuple_diskusage(10**11, 0, free))
        room = _maintenance(application, least_free=2_000_000_000).disk_space()
        assert [name for name in ("filling", "full", "tight") if getattr(room, name)] == states.split()

    def gone(_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(shutil, "disk_usage", gone)
    with pytest.raises(DiskError, match="is its disk mounted"):
        _maintenance(application).disk_space()


def test_what_a_restore_kept_aside_goes_after_a_month(application: Application):
    """With its journal files, by the time in its name; other names stay."""
    home = application.settings.home
    stamp = application.clock().strftime("%Y%m%dT%H%M%SZ")
    aside = [home / f"before-restore-{stamp}-auria.db", home / f"before-restore-{stamp}-auria.db-wal"]
    strange = home / "before-restore-99999999T999999Z-auria.db"
    for file in (*aside, strange):
        file.write_bytes(b"x" * 10)
    maintenance = _maintenance(application)
    assert maintenance.tidy().aside == ()
    application.clock.advance(days=31)
    assert maintenance.tidy(dry_run=True).aside == tuple(file.name for file in aside)
    assert all(file.is_file() for file in aside)
    assert maintenance.tidy().size == 20
    assert [file.is_file() for file in (*aside, strange)] == [False, False, True]


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Application]:
    """A home with two verses."""
    with closing(fake_application(tmp_path / "home")) as made:
        made.corpus_importer.import_file(dump(tmp_path, post(1, POND), post(2, SNOW)))
        yield made


def holders(filled: Application, what: str) -> tuple[Path, ...]:
    """Copies that hold a text."""
    keys, digests = filled.corpus_importer.identify([what])
    return filled.erasure.copies(keys=keys, digests=digests).holding


def test_a_restore_does_not_bring_back_what_was_forgotten(filled: Application, tmp_path: Path):
    """Neither the verse nor its source, from which it is not imported again."""
    made = filled.database_administration.back_up().backup.folder
    filled.corpus_importer.forget("a1")
    filled.close()
    done = filled.database_administration.restore(made, force=True)
    assert (done.forgotten, done.remembers) == (1, True)
    again = fake_application(filled.settings.home)
    with closing(again):
        assert poems(again.corpus_importer) == {SNOW}
        report = again.corpus_importer.import_file(dump(tmp_path, post(1, POND)))
        assert report.outcomes == {"forgotten": 1}


def test_a_lost_database_leaves_it_to_the_newer_backups(filled: Application):
    """They know what had been forgotten when they were made."""
    administration = filled.database_administration
    made = administration.back_up().backup.folder
    filled.corpus_importer.forget("u/poet_1")
    filled.clock.advance(days=1)
    administration.back_up()
    filled.close()
    for file in filled.settings.home.glob("auria.db*"):
        file.unlink()
    done = administration.restore(made, force=True)
    assert (done.forgotten, done.remembers) == (1, False)


def test_a_damaged_database_leaves_it_to_the_backups_that_can_be_read(filled: Application):
    """One that cannot is passed over."""
    administration = filled.database_administration
    begin = administration.back_up().backup.made_at
    filled.corpus_importer.forget("u/poet_1")
    for _ in range(2):
        filled.clock.advance(days=1)
        newest = administration.back_up().backup
    (newest.folder / "auria.db").write_bytes(b"no database" * 100)
    filled.close()
    for file in filled.settings.home.glob("auria.db*"):
        file.unlink()
    (filled.settings.home / "auria.db").write_bytes(b"no database" * 100)
    found, remembers = filled.erasure.forgotten(since=begin)
    assert (len(found.keys), remembers) == (1, False)


def test_backups_that_hold_it_are_named_and_rewritten(filled: Application):
    """Also the database that a restore kept aside; every other byte of a backup is as it was."""
    administration = filled.database_administration
    first = administration.back_up().backup.folder
    filled.clock.advance(days=1)
    filled.close()
    aside = administration.restore(first, force=True).restored.aside
    assert aside is not None
    filled = fake_application(filled.settings.home)
    with closing(filled):
        (snow,) = (verse.digest for verse in filled.corpus_importer.sample(9) if "snow" in verse.lines[0])
        filled.corpus_importer.forget(snow)
        assert holders(filled, "a1") == (first, aside)
        assert filled.corpus_importer.forget("a1") == 1
        assert holders(filled, "a1") == (first, aside)
        left = filled.settings.home / ".restoring-left"  # by a process that was killed
        left.mkdir()
        (left / "auria.db").write_bytes(b"frog")
        done = filled.erasure.rewrite((first, aside))
        assert not left.exists()
        assert (done.done, done.failed) == ((first, aside), ())
        assert holders(filled, "a1") == holders(filled, snow) == ()
        assert filled.backups.verify(first).made_at == filled.backups.list()[0].made_at
        for file in (first / "auria.db", aside):
            content = file.read_bytes()
            assert b"frog" not in content
            assert b"neighbour" not in content
            assert (file.stat().st_mode & 0o777) == 0o600
        filled.close()
        assert filled.database_administration.restore(first, force=True).forgotten == 0


def test_copies_that_cannot_be_read_are_named(filled: Application):
    """They may hold it; a rewriting that fails changes nothing."""
    made = filled.database_administration.back_up().backup.folder
    (filled.settings.home / "before-restore-20200101T000000Z-auria.db").write_bytes(b"no database" * 100)
    copies = filled.erasure.copies(keys=[], digests=["0" * 32])
    assert copies.holding == ()
    assert "20200101T000000Z-auria.db" in copies.unreadable[0]
    before = (made / "backup.json").read_bytes()
    (made / "auria.db").write_bytes(b"no database" * 100)
    assert "not" in filled.erasure.rewrite((made,)).failed[0]
    assert (made / "backup.json").read_bytes() == before
    assert [place.name for place in made.parent.iterdir()] == [made.name]


@pytest.mark.parametrize("complete", [False, True])
def test_a_backup_that_was_not_replaced_to_the_end_is_put_back(filled: Application, complete: bool):
    """At the next one: the new version where it is complete, which no longer holds what was forgotten."""
    administration = filled.database_administration
    made = administration.back_up().backup.folder
    fresh = made.with_name(f".staging-{made.name}")
    shutil.copytree(made, fresh)
    (fresh / "new").touch()
    if not complete:
        (fresh / "backup.json").unlink()
    made.rename(made.with_name(f".replaced-{made.name}"))
    filled.clock.advance(days=1)
    administration.back_up()
    assert made.is_dir()
    assert (made / "new").exists() == complete
    assert not [place.name for place in made.parent.iterdir() if place.name.startswith(".")]
