"""One worker of a training: what it is told, as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from auria_bot.art.stylists import style_import
from auria_bot.services.models.trainer import TrainedModel

if TYPE_CHECKING:
    import pytest
from auria_bot.services.models.training_worker import _unpacked, packed


def test_a_recipes_arguments_travel_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Folders, a painting's file and settings arrive as what they were."""
    monkeypatch.setattr(style_import, "read_file", lambda path: SimpleNamespace(path=path))
    given = {
        "content": tmp_path,
        "painting": SimpleNamespace(path=tmp_path / "a.png"),
        "name": "harbour",
        "settings": TrainedModel(path=Path(), metrics={"width": 3}),
    }
    sent = packed({**given, "settings": None, "minutes": 1.5})
    recipe = SimpleNamespace(StyleSettings=lambda **values: values)
    back = _unpacked(recipe, json.loads(json.dumps({**sent, "settings": {"width": 3}})))
    assert (back["content"], back["painting"].path, back["name"]) == (tmp_path, tmp_path / "a.png", "harbour")
    assert (back["settings"], back["minutes"]) == ({"width": 3}, 1.5)
    assert packed({"settings": given["settings"]})["settings"]["metrics"] == {"width": 3}
