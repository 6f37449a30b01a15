"""The studio as the settings describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot import registry
from auria_bot.domain.pipeline import ROLES
from auria_bot.settings.schema import Settings
from tests.applications import fake_application

if TYPE_CHECKING:
    from pathlib import Path


def test_every_role_of_the_studio_has_a_backend_in_the_registry() -> None:
    """The default settings name classes that are there."""
    settings = Settings()
    assert {role: getattr(settings, role).backend in registry.names(role) for role in ROLES} == dict.fromkeys(
        ROLES, True
    )


def test_the_operators_style_banks_are_offered(tmp_path: Path) -> None:
    """Every folder under styles in the home that holds a bank; one without, of an addition that failed, is none."""
    for name in ("mine", "unfinished"):
        (tmp_path / "styles" / name).mkdir(parents=True)
    (tmp_path / "styles" / "mine" / "bank.json").touch()
    assert fake_application(tmp_path)._shared_options()["banks"] == [str(tmp_path / "styles" / "mine")]
