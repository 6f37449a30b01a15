"""Backups are noted, a restore holds back what may be out, and a running daemon forbids it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from auria_bot.errors import InvalidTransition, NotFound, StorageAway
from auria_bot.files import sha256_of
from auria_bot.services.operations import backups, database
from auria_bot.services.operations.backup_files import UNFINISHED, unfinished_restore
from auria_bot.services.operations.database import schema_versions, upgrade_schema
from auria_bot.services.schedule.job_scheduler import LeaderElection
from tests.applications import fake_application, fake_settings
from tests.factories import add_draft

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


_FILES = ("painting.png", "full.png", "post.jpg", "card.jpg")


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """A home with a draft."""
    with closing(fake_application(tmp_path / "home")) as made:
        source = tmp_path / "source"
        source.write_bytes(b"a picture")
        made.pictures.keep("run-1", dict.fromkeys(_FILES, source))
        with made.store.begin() as unit:
            add_draft(unit, picture_sha256=sha256_of(source))
        yield made


def test_a_backup_is_noted_and_old_ones_are_deleted(application: Application, tmp_path: Path):
    """In the usual folder, those of the schedule; a backup elsewhere deletes nothing."""
    administration = application.database_administration
    first = administration.back_up(by_hand=False)
    assert (first.deleted, first.backup.folder.parent.name) == ((), "backups")
    application.clock.advance(seconds=5)
    second = administration.back_up(by_hand=False)
    assert second.deleted == (first.backup.folder,)
    application.clock.advance(seconds=5)
    assert administration.back_up(tmp_path / "elsewhere").deleted == ()
    assert [entry.action for entry in administration.journal()] == ["backup"] * 3
    assert len(administration.journal(limit=1)) == 1
    assert administration.journal(draft_id=1) == ()
    with pytest.raises(NotFound):
        administration.journal(draft_id=9)


def test_a_backup_by_hand_is_kept_as_long_as_daily_ones(application: Application):
    """Later ones of the same day delete it neither by hand nor by the schedule."""
    administration = application.database_administration
    first = administration.back_up().backup.folder
    for by_hand in (False, True, False):
        application.clock.advance(minutes=1)
        administration.back_up(by_hand=by_hand)
    assert [backup.by_hand for backup in application.backups.list()] == [False, True, True]
    for _ in range(6):
        application.clock.advance(days=1)
        assert administration.back_up(by_hand=False).deleted == ()
    application.clock.advance(days=1)
    assert first in administration.back_up(by_hand=False).deleted


def test_the_backup_last_restored_from_is_kept(application: Application):
    """Until another one is restored."""
    administration = application.database_administration
    first = administration.back_up(by_hand=False).backup.folder
    application.clock.advance(minutes=1)
    application.close()
    administration.restore(first, force=True)
    for _ in range(60):
        application.clock.advance(days=1)
        newest = administration.back_up(by_hand=False)
        assert first not in newest.deleted
    application.close()
    administration.restore(newest.backup.folder, force=True)
    application.clock.advance(days=1)
    assert first in administration.back_up(by_hand=False).deleted


def test_a_backup_of_a_state_with_faults_replaces_no_sound_one(application: Application):
    """However many follow it; it is kept for itself, and the operator may say that all is as it should be."""
    administration = application.database_administration
    sound = administration.back_up(by_hand=False).backup
    assert (sound.drafts, sound.faults) == (1, ())
    (application.pictures.root / "run-1" / "post.jpg").unlink()
    for _ in range(40):
        application.clock.advance(days=1)
        broken = administration.back_up(by_hand=False)
    assert broken.problem == "the picture of draft 1 is missing"
    kept = application.backups.list()
    assert len(kept) == 8
    assert kept[-1].folder == sound.folder
    application.clock.advance(days=1)
    assert administration.back_up(by_hand=False, trust=True).problem == ""
    assert [backup.faults for backup in application.backups.list()] == [(), ()]


def test_a_rejected_draft_needs_no_picture(application: Application):
    """It is deleted after a month; a backup without it is as it should be."""
    application.review.reject(1)
    (application.pictures.root / "run-1" / "post.jpg").unlink()
    assert application.database_administration.back_up().problem == ""


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (None, ""),
        (StorageAway("the bucket does not answer"), ""),
        (NotFound("it has no such file"), "the picture of draft 1 is missing"),
    ],
)
def test_a_picture_in_a_bucket_is_not_missed(
    application: Application, monkeypatch: pytest.MonkeyPatch, error: Exception | None, problem: str
):
    """One that is away is taken to be there; one that the bucket does not have is a fault."""
    (application.pictures.root / "run-1" / "post.jpg").unlink()
    administration = application.database_administration
    bucket = Mock(address="s3://bucket/auria", root=application.pictures.root)
    bucket.check.side_effect = error
    monkeypatch.setattr(administration, "_pictures", bucket)
    done = administration.back_up()
    assert (done.problem, done.elsewhere) == (problem, "s3://bucket/auria")


def test_a_database_that_lost_its_drafts_replaces_none(application: Application):
    """As when its file was lost and began anew; after a restore fewer drafts are no fault."""
    administration = application.database_administration
    early = administration.back_up().backup.folder
    application.clock.advance(minutes=1)
    with application.store.begin() as unit:
        add_draft(unit, 2, picture_sha256=sha256_of(application.pictures.root / "run-1" / "post.jpg"))
    application.pictures.keep("run-2", {name: application.pictures.root / "run-1" / name for name in _FILES})
    full = administration.back_up().backup
    assert (full.drafts, full.faults) == (2, ())
    application.close()
    application.clock.advance(minutes=1)
    for file in application.settings.home.glob("auria.db*"):
        file.unlink()
    upgrade_schema(application.settings)
    assert administration.back_up().problem == f"the database has 0 drafts, and {full.folder.name} has 2"
    administration.restore(early, force=True)
    application.clock.advance(minutes=1)
    assert administration.back_up().problem == ""


def test_nothing_is_deleted_when_the_newest_backup_is_damaged(
    application: Application, monkeypatch: pytest.MonkeyPatch
):
    """The older ones stay, and the reason is given."""
    administration = application.database_administration
    first = administration.back_up(by_hand=False).backup.folder
    application.clock.advance(minutes=1)
    read = backups.read_backup

    def read_and_damage(place: Path) -> object:
        if place != first:
            (place / "pictures" / "run-1" / "post.jpg").write_bytes(b"x")
        return read(place)

    monkeypatch.setattr(backups, "read_backup", read_and_damage)
    done = administration.back_up(by_hand=False)
    assert done.deleted == ()
    assert "post.jpg is damaged" in done.problem
    assert first.is_dir()


def test_a_missing_backup_is_said_to_be_missing(application: Application, tmp_path: Path):
    """Not that it is none."""
    with pytest.raises(NotFound, match=f"there is no {tmp_path / 'nowhere'}; auria db backups lists"):
        application.database_administration.restore(tmp_path / "nowhere", force=True)


def test_a_restore_holds_back_approved_drafts(application: Application):
    """They are to be approved again; the journal says that a backup was restored."""
    application.review.approve([1], channels=("folder",))
    administration = application.database_administration
    made = administration.back_up().backup.folder
    application.close()
    done = administration.restore(made, force=True)
    assert done.held.drafts == (1,)
    assert "restore" in [entry.action for entry in administration.journal()]


def test_nothing_is_published_until_an_interrupted_restore_is_repeated(
    application: Application, monkeypatch: pytest.MonkeyPatch
):
    """What it would have held back may be out; and what was forgotten since the backup is forgotten all the same."""
    application.review.approve([1], channels=("folder",))
    administration = application.database_administration
    made = administration.back_up().backup.folder
    with application.store.begin() as unit:
        unit.verses.forget(["a" * 32], at=application.clock())
    with monkeypatch.context() as killed:
        killed.setattr(database, "hold_back", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            administration.restore(made, force=True)
    with pytest.raises(InvalidTransition, match=f"auria db restore {made} --force"):
        application.publisher.publish()
    application.clock.advance(minutes=1)
    held = administration.restore(made, force=True).held
    assert (held.drafts, len(held.posts)) == ((1,), 0)
    assert application.publisher.publish().posts == ()
    with application.store.read() as unit:
        assert "a" * 32 in unit.forgotten.all().keys


def test_a_restore_that_is_refused_stops_no_publishing(application: Application):
    """The database is as it was."""
    application.review.approve([1], channels=("folder",))
    administration = application.database_administration
    made = administration.back_up().backup.folder
    with pytest.raises(InvalidTransition, match="not empty"):
        administration.restore(made, force=False)
    assert len(application.publisher.publish().posts) == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"{}"])
def test_a_damaged_note_of_a_restore_counts_as_one(tmp_path: Path, content: bytes):
    """A power cut may leave it so."""
    (tmp_path / UNFINISHED).write_bytes(content)
    assert unfinished_restore(tmp_path)["keys"] == {}


def test_a_running_daemon_forbids_it(application: Application):
    """Until it is stopped, or its lease has run out."""
    administration = application.database_administration
    made = administration.back_up().backup.folder
    leader = LeaderElection(store=application.store, clock=application.clock, holder="vm:7")
    leader.heartbeat()
    with pytest.raises(InvalidTransition, match="a daemon is running: vm:7"):
        administration.restore(made, force=True)
    application.clock.advance(hours=1)
    assert administration.restore(made, force=True).restored.backup.folder == made


def test_a_lease_of_a_clock_that_was_ahead_forbids_nothing(application: Application):
    """The daemon that wrote it is gone: one that lives renews it by the clock as it is now."""
    administration = application.database_administration
    made = administration.back_up().backup.folder
    application.clock.advance(hours=3)
    LeaderElection(store=application.store, clock=application.clock, holder="vm:7").heartbeat()
    application.clock.advance(hours=-3)
    assert not application.job_scheduler.is_led()
    assert not application.health.report().is_well
    assert administration.restore(made, force=True).restored.backup.folder == made


def test_a_database_that_cannot_tell_forbids_nothing(application: Application, tmp_path: Path):
    """Neither one that is not there, nor one that is damaged."""
    administration = application.database_administration
    made = administration.back_up().backup.folder
    application.close()
    database = application.settings.home / "auria.db"
    database.write_bytes(b"no database")
    assert administration._leader() == ""
    database.unlink()
    assert administration.restore(made, force=False).restored.aside is None


def test_schemas_are_told_and_brought_up_to_date(tmp_path: Path):
    """Asking creates no database."""
    settings = fake_settings(tmp_path)
    found, newest = schema_versions(settings)
    assert (found, (tmp_path / "auria.db").exists()) == (None, False)
    assert upgrade_schema(settings) == newest
    assert schema_versions(settings) == (newest, newest)
