"""The one list of steps and roles."""

from __future__ import annotations

import pytest

from auria_bot import registry
from auria_bot.domain.pipeline import ROLES, STEPS, provenance_name, steps_from
from auria_bot.settings.schema import Settings


def test_every_role_has_its_section_and_its_backends() -> None:
    """Settings and registry follow the list."""
    assert set(ROLES) <= Settings.model_fields.keys()
    assert set(ROLES) == registry.BACKENDS.keys() - {"channel"}


def test_provenance_names_never_change() -> None:
    """They stand in the pictures of every version."""
    assert [provenance_name(role) for role in ROLES] == [
        "poet",
        "mood-reader",
        "painter",
        "gate",
        "enlarger",
        "stylist",
        "captioner",
        "scribe",
        "finisher",
    ]


def test_the_steps_from_one_on() -> None:
    """The step itself is the first."""
    assert [step.name for step in steps_from("caption")] == ["caption", "words", "finish"]
    assert steps_from("poem") == STEPS
    with pytest.raises(ValueError, match="dance"):
        steps_from("dance")
