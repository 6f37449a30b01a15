"""Figures of a style network, with features of random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from auria_bot.art.evaluation import style_network  # noqa: E402
from auria_bot.art.evaluation.style_network import StyleJudge, compare  # noqa: E402
from auria_bot.art.evaluation.stylist import invented_scene  # noqa: E402
from auria_bot.art.nets.vgg16 import Vgg16  # noqa: E402
from auria_bot.art.stylists.magenta import Magenta  # noqa: E402
from tests.style_networks import MODELS, write_inverting_network  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights in place of the package's."""
    torch.manual_seed(0)
    vgg = Vgg16().eval().requires_grad_(requires_grad=False)
    monkeypatch.setattr(style_network, "load_vgg16", lambda: vgg)


def test_the_painting_has_its_own_style_and_a_picture_its_own_content():
    """Both distances are 0 then, and every edge is kept."""
    scene = invented_scene(1, 64)
    painting = torch.from_numpy(np.asarray(scene, np.float32).transpose(2, 0, 1)[None] / 255)
    judge = StyleJudge(painting)
    found = judge.figures([scene], {"same": lambda picture: picture, "turned": lambda picture: picture.rotate(90)})
    same, turned = found["same"], found["turned"]
    assert same.style == pytest.approx(0, abs=1e-6)
    assert (same.content, same.edges) == (0, 1)
    assert min(turned.style, turned.content) > 0
    assert turned.edges < 1


def test_a_network_is_compared_with_the_arbitrary_stylisation_of_the_same_painting(tmp_path: Path):
    """Three ways to paint the same pictures, each with its own figures."""
    for name in ("stylist", "styles"):
        (tmp_path / name).symlink_to(MODELS / name, target_is_directory=True)
    write_inverting_network(tmp_path, "negative")
    stylist = Magenta(Magenta.Config(work=96, strokes=96), tmp_path)
    pictures = [invented_scene(1, 64)]
    found = compare(stylist, "negative", "vincent-van-gogh-irises", torch.rand(1, 3, 64, 64), pictures)
    assert list(found) == ["network", "magenta", "composed"]
    assert len({figures.style for figures in found.values()}) == 3
    assert all(figures.content > 0 for figures in found.values())
