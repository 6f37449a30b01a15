"""The benchmark film-model, over a model that was not trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from auria_bot.art.evaluation import film  # noqa: E402 - after the check that torch is there
from auria_bot.art.nets.stylegan2 import Config, Generator  # noqa: E402
from auria_bot.art.training.film.export import export  # noqa: E402
from tests.bench import film_model  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path


def test_missed_bars_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the line that is printed, and it fails; without VGG's weights it cannot pass."""
    config = Config(height=16, width=28, channels=(4, 4, 4), z=4, w=4, mapping_layers=1)
    export(Generator(config), tmp_path / "film-waves", facts={})
    figures = dict.fromkeys(
        ["fd_lite0", "fd_lite0_floor", "precision", "precision_real", "recall", "recall_real", "layout_spread"], 0.5
    ) | dict.fromkeys(["layout_spread_real", "nearest_most", "nearest_held_out_95", "nearer_than_95", "ppl_lite0"], 0.5)
    met = {"fd_lite0": True, "recall": False}
    monkeypatch.setattr(film, "evaluate", lambda **_: figures | {"thinned_held_out": 9, "met": met})
    monkeypatch.delenv("AURIA_VGG", raising=False)
    result = film_model.run(8, model=tmp_path / "film-waves", footage=tmp_path)
    assert "missed: recall" in result.line()
    assert result.line().endswith("FAIL")
    met["recall"] = True
    assert film_model.run(8, model=tmp_path / "film-waves", footage=tmp_path).passed is False
