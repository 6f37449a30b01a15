"""Tests of auria_bot.art.evaluation.film, with a model that was not trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from auria_bot.art.evaluation.film import evaluate, path_length, verdict  # noqa: E402 - after the torch check
from auria_bot.art.nets.lite0 import Lite0  # noqa: E402
from auria_bot.art.nets.stylegan2 import Config, Generator  # noqa: E402
from auria_bot.art.training.film.export import export  # noqa: E402
from tests.unit.art.training.film.test_frames import footage_set  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

TINY = Config(height=16, width=28, channels=(8, 8, 4), z=8, w=8, mapping_layers=1)


@pytest.fixture(scope="module")
def lite0() -> Lite0:
    """A frozen classifier of random weights."""
    torch.manual_seed(1)
    return Lite0().eval().requires_grad_(requires_grad=False)


def test_every_figure_stands_beside_that_of_real_frames(tmp_path: Path, lite0: Lite0) -> None:
    """And the sheet of nearest frames is written."""
    torch.manual_seed(2)
    export(Generator(TINY), tmp_path / "film-waves", facts={})
    footage = footage_set(tmp_path / "waves", size=(32, 18), count=30)
    sheet = tmp_path / "sheet.png"
    found = evaluate(data=footage, model=tmp_path / "film-waves", sheet=sheet, count=12, lite0=lite0)
    assert {"fd_lite0", "fd_lite0_floor", "precision", "precision_real", "recall", "recall_real"} <= set(found)
    assert min(found["fd_lite0"], found["fd_lite0_floor"]) > 0
    assert found["ppl_lite0"] > 0
    assert sheet.is_file()


def test_even_ways_have_a_short_path(lite0: Lite0) -> None:
    """A generator whose frames hardly depend on the style has a shorter path than one whose frames do."""
    torch.manual_seed(3)
    strong = Generator(TINY).eval()
    weak = Generator(TINY).eval()
    weak.load_state_dict(strong.state_dict())
    with torch.no_grad():
        for layer in [*weak.layers, *weak.colours]:
            conv = getattr(layer, "conv", layer)
            conv.affine.weight.mul_(0.1)
    assert path_length(weak, lite0, pairs=16) < path_length(strong, lite0, pairs=16)


def test_each_bar_is_judged_by_itself() -> None:
    """Figures like those of real frames meet every bar; a distance of three floors does not meet its own."""
    good = {
        "fd_lite0": 100.0,
        "fd_lite0_floor": 50.0,
        "precision": 0.5,
        "precision_real": 0.6,
        "recall": 0.2,
        "recall_real": 0.6,
        "layout_spread": 40.0,
        "layout_spread_real": 50.0,
        "nearest_most": 0.9,
        "nearest_held_out_95": 0.95,
    }
    assert all(verdict(good).values())
    assert verdict(good | {"fd_lite0": 150.0})["fd_lite0"] is False
    assert verdict(good | {"fd_vgg": 10.0, "fd_vgg_floor": 5.0})["fd_vgg"] is True
    assert verdict(good | {"nearest_most": 0.99})["memorisation"] is False
