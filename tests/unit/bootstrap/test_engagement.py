"""Engagement as the settings describe it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from auria_bot.bootstrap.application import build
from auria_bot.settings.sections import ChannelSettings, LearningSettings, TrackingSettings
from tests.house import fake_house, fake_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_measuring_and_learning_obey_the_settings(tmp_path: Path) -> None:
    """A price stands for every channel of its backend, and what is switched off is off."""
    channels = {name: ChannelSettings(backend="fake") for name in ("mine", "yours")}
    sections = {
        "tracking": TrackingSettings(calls=1, prices={"fake": 0.002}),
        "learning": LearningSettings(enabled=False),
    }
    with closing(fake_house(tmp_path / "home")):
        house = build(fake_settings(tmp_path / "home").model_copy(update={"channels": channels, **sections}))
    with closing(house):
        first, second = house.tracker.measure().results
        assert (first.calls, first.cost, second.cost) == (1, 0.002, 0.002)
        assert [visit.calls for visit in house.tracker.measure().results] == [0, 0]
        assert not house.preferences.preferences().enabled
        assert str(house.engagement_reporter.report().zone) == "UTC"
