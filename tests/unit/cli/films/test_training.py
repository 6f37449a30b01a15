"""`auria train film`: which service it calls, and which options belong to it."""

from __future__ import annotations

import json
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = "auria_bot.art.training.film.train"


def test_a_film_model_becomes_a_version_named_after_its_footage(
    auria: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the size that was asked for, from a folder of videos."""
    asked: dict[str, Any] = {}

    def trained(*, out: Path, **options: Any) -> dict[str, float]:
        asked.update(options)
        out.mkdir(parents=True, exist_ok=True)
        (out / "mapping.onnx").touch()
        return {"fd_lite0": 12.5}

    recipe = ModuleType(RECIPE)
    recipe.train = trained  # type: ignore[attr-defined]
    recipe.settings_of_size = lambda height, width: SimpleNamespace(height=height, width=width)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, RECIPE, recipe)
    monkeypatch.setenv("AURIA_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    videos = tmp_path / "North Sea"
    videos.mkdir()
    code, out, err = auria("train", "film", "--footage", str(videos), "--size", "96x54", "--minutes", "3", "--json")
    assert code == 0, err
    assert json.loads(out)["version"] == "v1"
    assert (asked["data"], asked["minutes"]) == (videos, 3.0)
    assert (asked["settings"].width, asked["settings"].height) == (96, 54)
    assert (home / "registry" / "film-north-sea" / "v1" / "files" / "mapping.onnx").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("film",), 2, "--footage NAME"),
        (("film", "--footage", "baltic"), 5, "no footage named 'baltic'"),
        (("film", "--footage", "./nowhere"), 5, "no folder ./nowhere"),
        (("film", "--footage", "/", "--size", "large"), 2, "such as 112x64"),
        (("poet", "--size", "64x64"), 2, "are for films, not for the poet"),
        (("poet", "--from", "waves"), 2, "are for films, not for the poet"),
        (("film", "--footage", "/", "--from", "baltic"), 5, "no film model baltic"),
    ],
)
def test_options_that_make_no_film(auria: Any, arguments: tuple[str, ...], code: int, message: str) -> None:
    """The message says what is missing."""
    found, _, err = auria("train", *arguments)
    assert message in err
    assert found == code
