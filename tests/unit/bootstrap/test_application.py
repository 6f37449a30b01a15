"""Joining the concrete classes."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from auria_bot import registry
from auria_bot.bootstrap.application import build
from auria_bot.channels.folder.channel import FolderChannel
from auria_bot.domain.pipeline import ROLES
from auria_bot.errors import SettingsError
from auria_bot.settings.schema import Settings
from auria_bot.settings.sections import ChannelSettings, LearningSettings, TrackingSettings
from tests.house import fake_house, fake_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_building_opens_nothing(tmp_path: Path) -> None:
    """No file is made before a service is used."""
    house = build(Settings(home=tmp_path / "home"))
    assert house.backend_spec("poet").name == "word-lstm"
    assert house.channels.keys() == {"folder"}
    house.close()
    assert not (tmp_path / "home").exists()


def test_every_role_of_the_studio_has_a_backend_in_the_registry() -> None:
    """The default settings name classes that are there."""
    settings = Settings()
    assert {role: getattr(settings, role).backend in registry.names(role) for role in ROLES} == dict.fromkeys(
        ROLES, True
    )


def test_services_share_one_store(tmp_path: Path) -> None:
    """A service is made once."""
    house = fake_house(tmp_path)
    assert house.store is house.store
    assert house.review is house.review
    assert house.channels["fake"]() is house.channels["fake"]()
    house.close()


def test_a_channel_has_the_operators_name_for_it(tmp_path: Path) -> None:
    """Two channels of one kind are told apart; a path is seen from the home."""
    channels = {name: ChannelSettings(backend="folder", options={"directory": name}) for name in ("garden", "kitchen")}
    house = build(fake_settings(tmp_path).model_copy(update={"channels": channels}))
    made = house.channels["kitchen"]()
    assert isinstance(made, FolderChannel)
    assert (made.name, made.directory) == ("kitchen", tmp_path / "kitchen")


def test_a_wrong_channel_is_explained_when_it_is_used(tmp_path: Path) -> None:
    """Unknown backends and options are named, with the known ones."""
    channels = {
        "one": ChannelSettings(backend="myspace"),
        "two": ChannelSettings(backend="folder", options={"directroy": "x"}),
    }
    house = build(fake_settings(tmp_path).model_copy(update={"channels": channels}))
    with pytest.raises(SettingsError, match=r"channels.one.backend: no channel named 'myspace'; known: folder"):
        house.channels["one"]()
    with pytest.raises(SettingsError, match="no option 'directroy'; did you mean directory"):
        house.channels["two"]()


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
    house = build(fake_settings(tmp_path).model_copy(update={"channels": channels}))
    with pytest.raises(SettingsError, match=words):
        house.channels["x"]()
    channels = {"x": ChannelSettings(backend="x", options={"settle": 3, "allow_urls": True})}
    assert build(fake_settings(tmp_path).model_copy(update={"channels": channels})).channels["x"]().name == "x"


def test_a_channels_secrets_are_kept_where_its_settings_say(tmp_path: Path) -> None:
    """Each channel has a vault of its own."""
    house = build(fake_settings(tmp_path))
    house.secret_store("fake").put("token", "t0ken-of-fake")
    assert house.channels["fake"]().secrets.get("token") == "t0ken-of-fake"
    assert house.secret_store("folder").get("token") is None


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


def test_the_operators_style_banks_are_offered(tmp_path: Path) -> None:
    """Every folder under styles in the home is a bank."""
    (tmp_path / "styles" / "mine").mkdir(parents=True)
    assert fake_house(tmp_path)._shared_options()["banks"] == [str(tmp_path / "styles" / "mine")]


def test_importing_bootstrap_is_light() -> None:
    """Neither pydantic, SQLAlchemy nor a runtime comes with it."""
    script = (
        "import sys, auria_bot.bootstrap.application\n"
        "print([n for n in ('pydantic', 'sqlalchemy', 'numpy', 'onnxruntime', 'openvino', 'torch') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
