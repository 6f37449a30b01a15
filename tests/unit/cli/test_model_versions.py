"""`auria models` and its commands."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from auria_bot.services.models.folder_registry import FolderRegistry
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
    registry = FolderRegistry(Settings(home=home, models=tmp_path / "models"), clock=lambda: NOW)
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
    assert auria("models", "show", "painting")[0] == 5
    assert auria("models", "--json", "list")[0] == 2


def test_two_versions_are_evaluated_and_plotted(
    auria: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """On the same test split; a plot without two versions, and a folder beside them, are refused."""
    monkeypatch.setenv("AURIA_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    registry = FolderRegistry(Settings(home=home, models=tmp_path / "models"), clock=lambda: NOW)
    for score in (30.0, 28.0):
        (tmp_path / "trained").mkdir(exist_ok=True)
        (tmp_path / "trained" / "weights").write_text(str(score))
        registry.register("poet", tmp_path / "trained", metrics={})
    recipe = ModuleType("auria_bot.art.training.poet.train")
    recipe.evaluate = lambda *, data, model: {"perplexity": float((model / "weights").read_text())}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, recipe.__name__, recipe)
    given = ("evaluate", "poet", "--data", str(tmp_path), "--compare", "v1", "v2")
    code, out, err = auria(*given, "--json", "--plot", str(tmp_path / "plot.svg"))
    assert code == 0, err
    assert json.loads(out)["metrics"] == {"perplexity": [30.0, 28.0]}
    assert "v2 against v1" in (tmp_path / "plot.svg").read_text()
    assert auria("models", "compare", "poet", "v1", "v2", "--plot", str(tmp_path / "b.png"))[0] == 4  # no figures
    assert auria(*given, "--model", str(tmp_path))[0] == 2
    assert "name two versions" in auria("evaluate", "poet", "--plot", "x.png")[2]
