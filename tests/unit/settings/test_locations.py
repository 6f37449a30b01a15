"""Where the home, the settings file and the shipped folders are."""

from __future__ import annotations

from pathlib import Path

import pytest

from auria_bot.errors import SettingsError
from auria_bot.settings import locations as module
from auria_bot.settings.locations import default_home, own_file, shipped


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home without any file in it."""
    return tmp_path


def test_the_home_follows_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """AURIA_HOME wins; else XDG's folder, a relative one ignored, else the user's own."""
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_home({"AURIA_HOME": "~/art"}) == tmp_path / "art"
    assert default_home({"XDG_DATA_HOME": "/xdg"}) == Path("/xdg/auria")
    assert default_home({"XDG_DATA_HOME": "xdg"}) == tmp_path / ".local/share/auria"
    monkeypatch.setattr(module.sys, "platform", "darwin")
    assert default_home({}) == tmp_path / "Library/Application Support/auria"
    monkeypatch.setattr(module.sys, "platform", "win32")
    assert default_home({"LOCALAPPDATA": "/local"}) == Path("/local/auria")


def test_the_installation_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What ships is found in a wheel first, then in a checkout; where it lacks, the message says so."""
    package = tmp_path / "auria_bot"
    package.mkdir()
    (tmp_path / "models").mkdir()
    monkeypatch.setattr(module, "__file__", str(package / "settings" / "loading.py"))
    assert shipped("models") == tmp_path / "models"
    (package / "_data" / "models").mkdir(parents=True)
    assert shipped("models") == package / "_data" / "models"
    with pytest.raises(SettingsError, match="'config' is missing"):
        shipped("config")


def test_the_operators_own_file(home: Path):
    """The home's, or the one that AURIA_CONFIG names, whether it is there or not."""
    assert own_file({"AURIA_HOME": str(home)}) == home / "auria.toml"
    assert own_file({"AURIA_HOME": str(home), "AURIA_CONFIG": str(home / "my.toml")}) == home / "my.toml"
