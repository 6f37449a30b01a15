"""The painter's training on a handful of pictures: every stage runs, resumes and is exported."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.checkpoint import load_model_weights  # noqa: E402
from auria_bot.art.nets.painter import PainterConfig  # noqa: E402
from auria_bot.art.nets.sketcher import Sketcher, SketcherConfig  # noqa: E402
from auria_bot.art.painters.attn import AttnPainter  # noqa: E402
from auria_bot.art.training import loop  # noqa: E402
from auria_bot.art.training.painter import export as exporting  # noqa: E402
from auria_bot.art.training.painter import train as training  # noqa: E402
from auria_bot.art.training.painter.dataset import cache_of, prepare  # noqa: E402
from auria_bot.art.training.painter.export import build, example, restore_module  # noqa: E402
from auria_bot.art.training.painter.sketch import SketchRecipe, cells_of  # noqa: E402
from auria_bot.art.training.workers import Workers  # noqa: E402
from auria_bot.errors import InputError, ModelMissing, UnknownName  # noqa: E402

DATA = Path(os.environ.get("AURIA_DATA", Path(__file__).resolve().parents[6] / "shared" / "data"))
LIMIT = 90
TINY = training.PainterSettings(
    sketch_steps=3,
    sketch_batch=8,
    match_steps=2,
    match_batch=12,
    paint_steps=2,
    paint_batch=6,
    sampled=0.34,
    sketch_cool=2,
    paint_cool=2,
    sketcher=SketcherConfig(components=12, width=16, hidden=16, blocks=1),
    painter=PainterConfig(size=96, residual=(1, 0), noise=8, grain=2, style=8, attention=4, widths=(8, 8, 8), last=4),
)

needs_data = pytest.mark.skipif(
    not (DATA / "pictures.zip").is_file(), reason="the training archives are not here; set AURIA_DATA"
)
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*(onnx|Constant folding|Converting a tensor|TracerWarning).*", "ignore::DeprecationWarning"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Arrays of a few pictures."""
    made = tmp_path_factory.mktemp("train")
    prepare(DATA, made, limit=LIMIT, log=lambda _: None)
    return made


@pytest.fixture(scope="module")
def trained(folder):
    """All stages, run for a few updates and exported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return training.train(
            data=DATA, folder=folder, out=folder / "models" / "painter", settings=TINY, limit=LIMIT, log=lambda _: None
        )


@needs_data
def test_scenes(folder):
    """Every split and light source is there, captions are four each, and weights leave other splits out."""
    scenes = prepare(DATA, folder, limit=LIMIT)
    assert scenes.pictures.shape[1:] == (2, 96, 96, 3)
    assert scenes.caption.shape == (len(scenes.pictures), 4)
    assert set(scenes.split) == {0, 1, 2}
    assert not scenes.relit[scenes.split != 0].any()
    assert scenes.weights()[scenes.split != 0].sum() == 0
    assert np.isclose(scenes.weights().sum(), 1)
    assert np.allclose(np.linalg.norm(scenes.sentences.astype(np.float32), axis=1), 1, atol=1e-2)


@needs_data
def test_texts_are_padded(folder):
    """A text's word pieces come first, their mask counts them, and the rest is zero."""
    sentences, words, mask = prepare(DATA, folder, limit=LIMIT).text_inputs(np.array([0, 5, 5]))
    assert words.shape == (3, 24, 384)
    assert (mask.sum(axis=1) > 0).all()
    assert not words[mask == 0].any()
    assert np.array_equal(words[1], words[2])
    assert np.array_equal(sentences[1], sentences[2])


@needs_data
def test_a_stopped_preparation_continues(folder, tmp_path):
    """Parts that are there are not made again, and the arrays are the same."""
    log = []

    def stop(line):
        log.append(line)
        if "pictures" in line and "relit" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(DATA, tmp_path, limit=LIMIT, log=stop)
    made = len(log)
    again = prepare(DATA, tmp_path, limit=LIMIT, log=log.append)
    assert not any(line.startswith("pictures") for line in log[made:])
    assert np.array_equal(again.pictures, prepare(DATA, folder, limit=LIMIT).pictures)
    assert not (cache_of(tmp_path, LIMIT) / "parts").exists()


@needs_data
def test_an_earlier_model_is_gone_on_with(trained, folder, tmp_path):
    """Stages without a checkpoint begin with the weights of --from."""
    (tmp_path / cache_of(folder, LIMIT).name).symlink_to(cache_of(folder, LIMIT))
    earlier = folder / "models" / "painter"
    training.train(
        data=DATA,
        folder=tmp_path,
        stage="sketch",
        steps=1,
        settings=TINY,
        limit=LIMIT,
        earlier=earlier,
        log=lambda _: None,
    )
    net = restore_module(Sketcher(TINY.sketcher), tmp_path / "sketch", "net")
    before = load_model_weights(earlier)
    assert torch.equal(net.basis.half(), before["sketcher.basis"].half())


def test_an_earlier_model_without_weights(tmp_path):
    """A folder that holds no weights is named."""
    with pytest.raises(ModelMissing, match="nowhere"):
        load_model_weights(tmp_path / "nowhere")


def test_a_batch_has_no_more_workers_than_pictures(tmp_path):
    """Refused before anything is read: of 6 pictures of a batch 4 have captions of their own."""
    with pytest.raises(InputError, match="5 workers cannot share the painter's batches; at most 4 can"):
        training.train(
            data=tmp_path, folder=tmp_path, settings=TINY, workers=Workers(rank=0, size=5, device="cpu"), log=print
        )


@needs_data
def test_cells(folder):
    """A sketch is the mean of each 6 x 6 block, channels first, on [-1, 1]."""
    pictures = np.asarray(prepare(DATA, folder, limit=LIMIT).pictures[:3, 0])
    cells = cells_of(pictures)
    assert cells.shape == (3, 3, 16, 16)
    assert np.isclose(cells[1, 2, 0, 3], pictures[1, 0:6, 18:24, 2].mean() / 127.5 - 1, atol=1e-5)


@needs_data
def test_sketch_learns(folder):
    """Thirty updates lower the validation loss."""
    recipe = SketchRecipe(prepare(DATA, folder, limit=LIMIT), TINY.sketcher, batch=32)
    before = recipe.evaluate()["validation_loss"]
    for number in range(30):
        recipe.step(number, 30)
    assert recipe.evaluate()["validation_loss"] < before


@needs_data
def test_trains_and_resumes(trained, folder):
    """Every stage reports figures; a second run finds them finished and takes no further step."""
    assert trained["sketch_steps"] == 3
    assert np.isfinite(
        [
            trained["sketch_validation_loss"],
            trained["match_right_of_100"],
            trained["paint_matching"],
            trained["paint_likeness"],
        ]
    ).all()
    again = training.train(data=DATA, folder=folder, stage="paint", settings=TINY, limit=LIMIT, log=lambda _: None)
    assert again["paint_steps"] == 2


@needs_data
def test_exported_model_paints(trained, folder):
    """The exported model is complete, paints through both graphs, and equals torch."""
    model = folder / "models" / "painter"
    assert {path.name for path in model.iterdir()} == {
        "config.json",
        "meanings.safetensors",
        "model.onnx",
        "sketcher.onnx",
        "weights.safetensors",
        "SHA256SUMS",
    }
    assert AttnPainter(AttnPainter.Config(candidates=2), models=model.parent).imagine("a blue sea", seed=1, count=2)[
        0
    ].pixels.shape == (96, 96, 3)
    from auria_bot.art.nets.painter import PAINTER_INPUTS
    from auria_bot.art.runtime import load

    easel = build(folder, sketcher=TINY.sketcher, painter=TINY.painter)
    inputs = example(easel, 3)
    with torch.no_grad():
        pictures, scores, _, _ = easel(*inputs)
    served = load(model / "model.onnx").run(
        {name: value.numpy() for name, value in zip(PAINTER_INPUTS, inputs, strict=True)}
    )
    assert np.abs(served["pictures"] - pictures.numpy()).max() < 0.02
    assert np.abs(served["scores"] - scores.numpy()).max() < 0.01


@needs_data
def test_the_mean_with_an_earlier_model(trained, folder, monkeypatch):
    """Sketcher and painter are half-way between both; with a model of zeros, halves of what was trained."""
    plain = build(folder, sketcher=TINY.sketcher, painter=TINY.painter)
    nets = {"sketcher": plain.sketcher, "painter": plain.painter}
    zeros = {
        f"{name}.{key}": torch.zeros_like(value)
        for name, net in nets.items()
        for key, value in net.state_dict().items()
    }
    monkeypatch.setattr(exporting, "load_model_weights", lambda _: zeros)
    mixed = build(folder, sketcher=TINY.sketcher, painter=TINY.painter, mean_with=folder)
    for name, net in nets.items():
        half = getattr(mixed, name).state_dict()
        for key, value in net.state_dict().items():
            assert torch.equal(half[key], value / 2 if value.is_floating_point() else value), key


def test_unknown_stage(tmp_path):
    """An unknown stage is named beside the known ones."""
    with pytest.raises(UnknownName, match="sketch, match, paint, export"):
        training.train(data=tmp_path, folder=tmp_path, stage="frame")


def test_missing_archive(tmp_path):
    """A missing archive is named."""
    with pytest.raises(InputError, match="intel_scenes"):
        training.train(data=tmp_path, folder=tmp_path)


def test_settings_file():
    """config/train/painter.toml is the default recipe."""
    file = Path(__file__).resolve().parents[5] / "config" / "train" / "painter.toml"
    assert loop.read_settings(training.PainterSettings, file) == training.PainterSettings()
