"""What all services share."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from auria_bot.bootstrap.application import build
from tests.applications import fake_application, fake_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_a_channels_secrets_are_kept_where_its_settings_say(tmp_path: Path) -> None:
    """Each channel has a secret store of its own."""
    application = build(fake_settings(tmp_path))
    application.secret_store("fake").put("token", "t0ken-of-fake")
    assert application.channels["fake"]().secrets.get("token") == "t0ken-of-fake"
    assert application.secret_store("folder").get("token") is None


def test_services_share_one_store(tmp_path: Path) -> None:
    """A service is made once."""
    application = fake_application(tmp_path)
    assert application.store is application.store
    assert application.review is application.review
    assert application.channels["fake"]() is application.channels["fake"]()
    application.close()


def test_an_open_database_can_be_handed_on(tmp_path: Path) -> None:
    """An application of new settings goes on with the connection of the one before."""
    with closing(fake_application(tmp_path)) as first:
        second = build(fake_settings(tmp_path), clock=first.clock, store=first.store)
        assert second.store is first.store
