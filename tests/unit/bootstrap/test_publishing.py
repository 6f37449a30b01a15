"""The channels as the settings describe them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from auria_bot.bootstrap.application import build
from auria_bot.channels.folder.channel import FolderChannel
from auria_bot.errors import SettingsError
from auria_bot.settings.sections import ChannelSettings, LearningSettings, TrackingSettings
from tests.applications import fake_application, fake_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_a_channel_has_the_operators_name_for_it(tmp_path: Path) -> None:
    """Two channels of one kind are told apart; a path is seen from the home."""
    channels = {name: ChannelSettings(backend="folder", options={"directory": name}) for name in ("garden", "kitchen")}
    application = build(fake_settings(tmp_path).model_copy(update={"channels": channels}))
    made = application.channels["kitchen"]()
    assert isinstance(made, FolderChannel)
    assert (made.name, made.directory) == ("kitchen", tmp_path / "kitchen")


def test_a_wrong_channel_is_explained_when_it_is_used(tmp_path: Path) -> None:
    """Unknown backends and options are named, with the known ones."""
    channels = {
        "one": ChannelSettings(backend="myspace"),
        "two": ChannelSettings(backend="folder", options={"directroy": "x"}),
    }
    application = build(fake_settings(tmp_path).model_copy(update={"channels": channels}))
    with pytest.raises(SettingsError, match=r"channels.one.backend: no channel named 'myspace'; known: folder"):
        application.channels["one"]()
    with pytest.raises(SettingsError, match="no option 'directroy'; did you mean directory"):
        application.channels["two"]()


def test_a_folder_belongs_to_one_channel(tmp_path: Path) -> None:
    """The second that would publish to it is refused; the first works on."""
    channels = {
        name: ChannelSettings(backend="folder", options={"directory": place})
        for name, place in (("a", "x"), ("b", "./x"))
    }
    application = build(fake_settings(tmp_path).model_copy(update={"channels": channels}))
    with pytest.raises(SettingsError, match=r"the channels a and b both publish to .*; set another directory"):
        application.channels["b"]()
    assert application.channels["a"]().name == "a"


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("settle", "soon", "settle is 'soon'; it must be a number"),
        ("settle", True, "it must be a number"),
        ("allow_urls", "yes", "it must be true or false"),
        ("address", 5, "address is 5; it must be a text"),
        ("name", "other", "there is no option 'name'"),
    ],
)
def test_an_option_of_another_kind_is_told_before_it_fails(
    tmp_path: Path, option: str, value: object, words: str
) -> None:
    """In the middle of publishing it would be too late."""
    channels = {"x": ChannelSettings(backend="x", options={option: value})}
    application = build(fake_settings(tmp_path).model_copy(update={"channels": channels}))
    with pytest.raises(SettingsError, match=words):
        application.channels["x"]()
    channels = {"x": ChannelSettings(backend="x", options={"settle": 3, "allow_urls": True})}
    assert build(fake_settings(tmp_path).model_copy(update={"channels": channels})).channels["x"]().name == "x"


def test_measuring_and_learning_obey_the_settings(tmp_path: Path) -> None:
    """A price stands for every channel of its backend, and what is switched off is off."""
    channels = {name: ChannelSettings(backend="fake") for name in ("mine", "yours")}
    sections = {
        "tracking": TrackingSettings(calls=1, prices={"fake": 0.002}),
        "learning": LearningSettings(enabled=False),
    }
    with closing(fake_application(tmp_path / "home")):
        application = build(fake_settings(tmp_path / "home").model_copy(update={"channels": channels, **sections}))
    with closing(application):
        first, second = application.tracker.measure().results
        assert (first.calls, first.cost, second.cost) == (1, 0.002, 0.002)
        assert [visit.calls for visit in application.tracker.measure().results] == [0, 0]
        assert not application.preferences.preferences().enabled
        assert str(application.engagement_reporter.report().zone) == "UTC"
