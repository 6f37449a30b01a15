"""The training of a style network, with features that are quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art import runtime  # noqa: E402
from auria_bot.art.checkpoint import verify  # noqa: E402
from auria_bot.art.evaluation.stylist import invented_scene  # noqa: E402
from auria_bot.art.nets.vgg16 import Vgg16  # noqa: E402
from auria_bot.art.stylists.style_import import PaintingFile  # noqa: E402
from auria_bot.art.stylists.style_networks import StyleNetworks  # noqa: E402
from auria_bot.art.training.style import train as module  # noqa: E402
from auria_bot.errors import InputError, PictureError  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

QUICK = module.StyleSettings(
    batch=1, side=32, large_side=32, painting_side=48, width=4, blocks=1, evaluate_every=2, bfloat16=False
)


@pytest.fixture
def painting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PaintingFile:
    """A painting, a folder of photographs beside it, and features of random weights."""
    torch.manual_seed(0)
    vgg = Vgg16().eval().requires_grad_(requires_grad=False)
    monkeypatch.setattr(module, "load_vgg16", lambda: vgg)
    monkeypatch.setattr(module, "_SAMPLES", 1)
    monkeypatch.setattr(module, "_SAMPLE_SIDE", 32)
    (tmp_path / "photographs").mkdir()
    for number in range(3):
        invented_scene(number, 64).save(tmp_path / "photographs" / f"{number}.png")
    invented_scene(9, 64).save(tmp_path / "painting.png")
    return PaintingFile(path=tmp_path / "painting.png", title="A Painting", artist="Somebody")


def run(tmp_path: Path, painting: PaintingFile, folder: str, **options: object) -> dict[str, float]:
    """Train into tmp_path/FOLDER."""
    given = {"painting": painting, "name": "a-painting", "content": tmp_path / "photographs", "settings": QUICK}
    return module.train(
        **given, folder=tmp_path / folder, out=tmp_path / folder / "style-a-painting", log=lambda _: None, **options
    )


def test_a_training_is_resumed_exports_and_is_then_a_style(tmp_path: Path, painting: PaintingFile):
    """Steps in two calls give the bytes of steps in one; the export paints as the network does, under its name."""
    figures = run(tmp_path, painting, "whole", steps=4)
    assert (figures["steps"], figures["sample_style"] > 0) == (4, True)
    assert (tmp_path / "whole" / "samples.png").is_file()
    run(tmp_path, painting, "parts", steps=4, minutes=1e-6)
    run(tmp_path, painting, "parts", steps=4)
    one, other = (tmp_path / name / "style-a-painting" for name in ("whole", "parts"))
    assert verify(one) == verify(other)
    networks = StyleNetworks(tmp_path / "whole")
    (known,) = networks.paintings()
    assert (known.key, known.title, known.artist, bool(known.emotions)) == (
        "a-painting",
        "A Painting",
        "Somebody",
        True,
    )
    network = runtime.load(one / "model.onnx", threads=1)
    restyled = network.run({"picture": torch.rand(2, 3, 36, 28).numpy()})["restyled"]
    assert restyled.shape == (2, 3, 36, 28)


def test_a_run_of_another_painting_is_not_continued(tmp_path: Path, painting: PaintingFile):
    """The message names the folder."""
    run(tmp_path, painting, "run", steps=1)
    invented_scene(4, 64).save(painting.path)
    with pytest.raises(InputError, match="another painting"):
        run(tmp_path, painting, "run", steps=2)


def test_a_painting_that_is_too_narrow_is_refused(tmp_path: Path, painting: PaintingFile):
    """Nothing would be left of it at the scale at which strokes are learnt."""
    invented_scene(4, 64).resize((8, 2000)).save(painting.path)
    with pytest.raises(PictureError, match=r"painting\.png: is too narrow"):
        run(tmp_path, painting, "run", steps=1)


def test_a_painting_is_taken_without_its_edges_and_at_most_so_large(tmp_path: Path):
    """A small one is not enlarged."""
    assert module.painting_tensor(invented_scene(1, 200), 100).shape == (1, 3, 100, 100)
    assert module.painting_tensor(invented_scene(1, 50), 100).shape == (1, 3, 48, 48)
