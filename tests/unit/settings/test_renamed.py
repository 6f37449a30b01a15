"""Former names of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import SettingsError
from auria_bot.settings import renamed
from auria_bot.settings.loading import load
from auria_bot.settings.renamed import current_names, current_path, former_names
from auria_bot.settings.schema import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_said_before() -> None:
    renamed.notify_renamed.cache_clear()


def test_a_settings_file_of_the_version_before_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each former name sets what its current one does, and is named once in the log with the current one."""
    file = tmp_path / "auria.toml"
    file.write_text("""
        [upkeep]
        daily = 3
        [corpus]
        least_english = 0.5
        [corpus.reddit]
        patience = 10
        [channels.x]
        backend = "x"
        vault = "keyring"
    """)
    for _ in range(2):
        settings = load({"AURIA_HOME": str(tmp_path), "AURIA_UPKEEP__FREE_MB": "5"})
    assert (settings.maintenance.daily_backups, settings.maintenance.min_free_mb) == (3, 5)
    assert (settings.corpus.min_english, settings.corpus.reddit.max_wait) == (0.5, 10)
    assert settings.channels["x"].keystore == "keyring"
    said = [record.getMessage() for record in caplog.records]
    assert f"{file}: the setting channels.x.vault is now called channels.x.keystore; the old name works" in "".join(
        said
    )
    assert "AURIA_UPKEEP__FREE_MB: the setting upkeep.free_mb is now called maintenance.min_free_mb" in "".join(said)
    assert len(said) == len(set(said)) == 6


def test_a_wrong_value_under_a_former_name_is_found_in_its_file(tmp_path: Path) -> None:
    """The message gives the file, and the current name."""
    (tmp_path / "auria.toml").write_text("[upkeep]\ndaily = 0\n")
    with pytest.raises(SettingsError, match=r"auria\.toml: maintenance\.daily_backups is 0"):
        load({"AURIA_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("former", "role"),
    [("mood", "mood_reader"), ("gate", "safety_filter"), ("scribe", "text_writer"), ("finisher", "exporter")],
)
def test_roles_under_their_former_names(tmp_path: Path, former: str, role: str) -> None:
    """In a file and in the environment."""
    (tmp_path / "auria.toml").write_text(f'[{former}]\nbackend = "mine"\n')
    settings = load({"AURIA_HOME": str(tmp_path), f"AURIA_{former.upper()}__OPTIONS": "{ a = 1 }"})
    assert (getattr(settings, role).backend, getattr(settings, role).options) == ("mine", {"a": 1})


def test_the_current_name_wins() -> None:
    """Also where both names of a section are given."""
    both = {
        "maintenance": {"daily_backups": 2},
        "upkeep": {"daily": 3, "weekly": 1},
        "corpus": {"min_english": 0.1, "least_english": 0.2},
    }
    assert current_names(both, source="a") == {
        "maintenance": {"daily_backups": 2, "weekly_backups": 1},
        "corpus": {"min_english": 0.1},
    }


def test_options_of_backends_are_left_alone() -> None:
    """An option may be called what a setting was called before."""
    table = {"channels": {"x": {"backend": "x", "options": {"vault": 1}}}}
    assert current_names(table, source="a") == table


def test_paths() -> None:
    """Sections and keys; what was not renamed stays."""
    assert current_path(("upkeep", "programs"), source="a") == ("maintenance", "postgres_programs")
    assert current_path(("studio", "count"), source="a") == ("studio", "count")


def test_every_current_name_is_a_setting() -> None:
    """And no former name is one."""
    for section, names in renamed._RENAMED.items():
        fields = Settings.model_fields
        for part in section.split(".") if section and "*" not in section else ():
            fields = fields[part].annotation.model_fields  # type: ignore[union-attr]
        if "*" not in section:
            assert set(names.values()) <= set(fields)
            assert not set(names) & set(fields)
    assert former_names(("channels", "any")) == {"vault": "keystore"}
