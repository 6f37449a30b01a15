"""Backups are noted, a restore holds back what may be out, and a running daemon forbids it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import InvalidTransition, NotFound
from auria_bot.services.operations.database import schema_versions, upgrade_schema
from auria_bot.services.schedule.job_scheduler import LeaderElection
from tests.factories import add_draft
from tests.house import fake_house, fake_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Application]:
    """A home with a draft."""
    with closing(fake_house(tmp_path / "home")) as made:
        source = tmp_path / "source"
        source.write_bytes(b"a picture")
        made.pictures.keep("run-1", dict.fromkeys(("painting.png", "full.png", "post.jpg", "card.jpg"), source))
        with made.store.begin() as unit:
            add_draft(unit)
        yield made


def test_a_backup_is_noted_and_old_ones_are_deleted(house: Application, tmp_path: Path):
    """In the usual folder; a backup elsewhere deletes nothing."""
    administration = house.database_administration
    first = administration.back_up()
    assert (first.deleted, first.backup.folder.parent.name) == ((), "backups")
    house.clock.advance(seconds=5)
    second = administration.back_up()
    assert second.deleted == (first.backup.folder,)
    house.clock.advance(seconds=5)
    assert administration.back_up(tmp_path / "elsewhere").deleted == ()
    assert [entry.action for entry in administration.journal()] == ["backup"] * 3
    assert len(administration.journal(limit=1)) == 1
    assert administration.journal(draft_id=1) == ()
    with pytest.raises(NotFound):
        administration.journal(draft_id=9)


def test_a_restore_holds_back_approved_drafts(house: Application):
    """They are to be approved again; the journal says that a backup was restored."""
    house.review.approve([1], channels=("folder",))
    administration = house.database_administration
    made = administration.back_up().backup.folder
    house.close()
    done = administration.restore(made, force=True)
    assert done.held.drafts == (1,)
    assert "restore" in [entry.action for entry in administration.journal()]


def test_a_running_daemon_forbids_it(house: Application):
    """Until it is stopped, or its lease has run out."""
    administration = house.database_administration
    made = administration.back_up().backup.folder
    leader = LeaderElection(store=house.store, clock=house.clock, holder="vm:7")
    leader.heartbeat()
    with pytest.raises(InvalidTransition, match="a daemon is running: vm:7"):
        administration.restore(made, force=True)
    house.clock.advance(hours=1)
    assert administration.restore(made, force=True).restored.backup.folder == made


def test_a_database_that_cannot_tell_forbids_nothing(house: Application, tmp_path: Path):
    """Neither one that is not there, nor one that is damaged."""
    administration = house.database_administration
    made = administration.back_up().backup.folder
    house.close()
    database = house.settings.home / "auria.db"
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
