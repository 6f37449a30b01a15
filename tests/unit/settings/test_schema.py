"""All settings as one value."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from auria_bot.settings.loading import load
from auria_bot.settings.schema import _PLACES, _PLACES_BETWEEN, Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home without any file in it."""
    return tmp_path


def _load(home: Path, **variables: str) -> Settings:
    return load({"AURIA_HOME": str(home), **variables})


def test_json_round_trip(home: Path):
    """Settings without secrets survive being shown and read again."""
    settings = _load(home, AURIA_STUDIO__COUNT="4", AURIA_PAINTER__OPTIONS__DEEP="{ a = [1, 2] }")
    again = Settings.model_validate(settings.to_json())
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


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("GMT+2", "Europe/Athens"),
        ("UTC-5", "America/New_York"),
        ("+05:30", "Asia/Kolkata"),
        ("utc\u22128", "America/Los_Angeles"),
        ("GMT+13", "Pacific/Tongatapu"),
        ("UTC+99", "Europe/Paris"),
        ("Europe/Pariss", "Europe/Paris"),
    ],
)
def test_an_offset_is_answered_with_a_place(name: str, place: str) -> None:
    """Never with Etc/GMT+2, which is two hours behind Greenwich."""
    with pytest.raises(ValidationError, match=place) as refused:
        Settings(time_zone=name)
    assert "Etc/" not in str(refused.value)


def test_the_places_have_the_offsets_they_stand_for() -> None:
    """In standard time, which January or July has."""
    for minutes, place in {**{60 * (at - 11): place for at, place in enumerate(_PLACES)}, **_PLACES_BETWEEN}.items():
        seen = [datetime(2026, month, 1, tzinfo=ZoneInfo(place)).utcoffset() for month in (1, 7)]
        assert timedelta(minutes=minutes) in seen, place
