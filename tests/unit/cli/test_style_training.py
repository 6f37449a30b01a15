"""`auria train style`: what it asks for and what it says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.services.models import style_training
from auria_bot.services.models.trainer import TrainedModel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("is_promoted", [True, False])
def test_a_trained_style_is_shown_with_how_to_use_it(
    auria: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_promoted: bool
):
    """By its name where it is in service; else with the command that puts it there."""
    asked: dict[str, Any] = {}

    def train_style(_: object, painting: Path, **given: Any) -> SimpleNamespace:
        asked.update(given, painting=painting)
        trained = TrainedModel(path=tmp_path, metrics={"style": 0.5}, version="v3")
        return SimpleNamespace(style="harbour", model="style-harbour", trained=trained, is_promoted=is_promoted)

    monkeypatch.setattr(style_training, "train_style", train_style)
    code, out, err = auria("train", "style", "harbour.png", "--content", str(tmp_path), "--style-weight", "4")
    assert (code, "style" in out) == (0, True)
    assert (str(asked["painting"]), asked["content"], asked["style_weight"]) == ("harbour.png", tmp_path, 4.0)
    assert ("auria make --style harbour" in err) == is_promoted
    assert ("auria models promote style-harbour v3" in err) != is_promoted


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("style",), "auria train style PAINTING"),
        (("poet", "harbour.png"), "belong to a style, not to the poet"),
        (("painter", "--content", "x"), "belong to a style, not to the painter"),
    ],
)
def test_options_of_a_style_belong_to_styles(auria: Any, arguments: tuple[str, ...], message: str):
    """And a style needs a painting."""
    code, _, err = auria("train", *arguments)
    assert code != 0
    assert message in " ".join(err.split())
