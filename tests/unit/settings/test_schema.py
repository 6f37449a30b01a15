"""All settings as one value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from auria_bot.settings.loading import load
from auria_bot.settings.schema import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home without any file in it."""
    return tmp_path


def _load(home: Path, **variables: str) -> Settings:
    return load({"AURIA_HOME": str(home), **variables})


def test_json_round_trip(home: Path):
    """Settings without secrets survive being written and read; a step's process sees what its parent saw."""
    settings = _load(home, AURIA_STUDIO__COUNT="4", AURIA_PAINTER__OPTIONS__DEEP="{ a = [1, 2] }")
    again = Settings.from_json(settings.to_json())
    assert again.studio == settings.studio
    assert again.painter.options == {"deep": {"a": [1, 2]}}
    assert again.database_url == settings.database_url


def test_settings_are_frozen(home: Path):
    """Nothing changes a setting after it was read."""
    settings = _load(home)
    with pytest.raises(ValidationError):
        settings.time_zone = "UTC"  # type: ignore[misc]


def test_the_database_is_seen_from_the_home(home: Path, tmp_path: Path):
    """No URL is auria.db in the home; a relative one is seen from the home, an absolute one is itself."""
    odd = tmp_path / "a?b#c%20d"
    assert _load(home).database_url == f"sqlite:///{home}/auria.db"
    assert _load(home, AURIA_DATABASE__URL="sqlite:///x.db").database_url == f"sqlite:///{home}/x.db"
    assert _load(home, AURIA_DATABASE__URL="sqlite:////srv/x.db").database_url == "sqlite:////srv/x.db"
    assert _load(odd).database_url == f"sqlite:///{tmp_path}/a%3Fb%23c%2520d/auria.db"
