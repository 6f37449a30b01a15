"""`auria models` and its commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from auria_bot.services.models.versions import ModelRegistry
from auria_bot.settings.schema import Settings
from tests.factories import NOW

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_versions_are_listed_compared_promoted_and_removed(
    auria: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Every command says what it did, and as JSON; `auria models` alone still lists what is in service."""
    monkeypatch.setenv("AURIA_MODELS", str(tmp_path / "models"))
    for name in ("models/poet", "trained"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "card.md").write_text("- Licence: MIT")
    registry = ModelRegistry(Settings(home=home, models=tmp_path / "models"), clock=lambda: NOW)
    for score in (30.0, 28.0):
        (tmp_path / "trained" / "weights").write_text(str(score))
        registry.register("poet", tmp_path / "trained", metrics={"perplexity_test": score}, data="haiku")
    assert json.loads(auria("models", "compare", "poet", "v1", "v2", "--json")[1])["metrics"] == {
        "perplexity_test": [30.0, 28.0]
    }
    assert "-2" in auria("models", "compare", "poet", "v2", "v1")[1]
    assert "version v2 of the poet is in service" in auria("models", "promote", "poet", "v2")[1]
    listed = {row["name"]: row for row in json.loads(auria("models", "--json")[1])}
    assert listed["poet"]["version"] == "v2"
    assert "perplexity 28.0" in auria("models", "show", "poet")[1]
    assert "v2" in auria("models", "list")[1]
    assert [row["name"] for row in json.loads(auria("models", "show", "poet", "--json")[1])] == [
        "v2",
        "v1",
        "installed",
    ]
    assert auria("models", "remove", "poet", "v2")[0] == 6
    assert json.loads(auria("models", "rollback", "poet", "--json")[1])["name"] == "installed"
    assert "removed 1 version" in auria("models", "remove", "poet", "v2")[1]
    assert auria("models", "promote", "poet", "v7")[0] == 5
    assert auria("models", "--json", "list")[0] == 4
