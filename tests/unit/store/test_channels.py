"""A pause stands until it is taken back; a channel that was never paused has none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.post import AURIA, Pause
from tests.factories import NOW

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store


def test_pauses_stand_until_they_are_taken_back(store: Store):
    """Each with its time, who set it and why, by the channel's name."""
    with store.begin() as unit:
        assert unit.channels.paused() == ()
        unit.channels.pause("x", reason="the token is gone", by=AURIA, at=NOW)
        unit.channels.pause("bluesky", reason="a holiday", by="ria", at=NOW)
    with store.begin() as unit:
        assert unit.channels.paused() == (
            Pause(name="bluesky", at=NOW, by="ria", reason="a holiday"),
            Pause(name="x", at=NOW, by="auria", reason="the token is gone"),
        )
        assert unit.channels.resume("x")
        assert not unit.channels.resume("x")
        assert not unit.channels.resume("mastodon")
        assert [pause.name for pause in unit.channels.paused()] == ["bluesky"]


def test_a_newer_pause_replaces_the_older(store: Store):
    """Whether it stands or was taken back."""
    with store.begin() as unit:
        unit.channels.pause("x", reason="first", by=AURIA, at=NOW)
        unit.channels.pause("x", reason="second", by="ria", at=NOW + timedelta(hours=1))
        assert [pause.reason for pause in unit.channels.paused()] == ["second"]
        unit.channels.resume("x")
        unit.channels.pause("x", reason="third", by=AURIA, at=NOW)
        assert unit.channels.paused() == (Pause(name="x", at=NOW, by=AURIA, reason="third"),)
