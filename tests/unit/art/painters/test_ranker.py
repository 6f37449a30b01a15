"""The ranker, with made-up weights over the real image encoder."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from auria_bot.art.checkpoint import write_checksums, write_json
from auria_bot.art.painters.attn import AttnPainter
from auria_bot.art.painters.ranker import Ranker, RankerWeights, at_side, read_weights
from auria_bot.domain.artwork import Haiku
from auria_bot.errors import ModelCorrupt, ModelMissing

MODELS = Path(__file__).resolve().parents[4] / "models"
POEM = Haiku(lines=("moon above the sea", "the fishing boats are sleeping", "on a silver road"), syllables=(5, 7, 5))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The shipped models beside a ranker of three random traits."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("lite0", "painter", "minilm"):
        if (MODELS / name).is_dir():
            (folder / name).symlink_to(MODELS / name)
    rng = np.random.default_rng(0)
    arrays = {
        "mean": rng.normal(0.3, 0.1, 1280),
        "basis": rng.normal(0, 0.05, (3, 1280)),
        "weight": np.array([1.0, -0.5, 0.2]),
        "bias": np.array([0.1]),
    }
    (folder / "ranker").mkdir()
    save_file(
        {name: array.astype(np.float16) for name, array in arrays.items()}, folder / "ranker" / "weights.safetensors"
    )
    write_json(folder / "ranker" / "config.json", {"name": "ranker"})
    write_checksums(folder / "ranker")
    return folder


def test_traits_do_not_depend_on_company(models):
    """A picture's traits are the same alone and among others, whatever its size."""
    ranker = Ranker(models)
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 255, (96, 96, 3)).astype(np.uint8) for _ in range(3)]
    together = ranker.traits(pictures)
    assert together.shape == (3, 3)
    assert np.allclose(ranker.traits(pictures[1:2])[0], together[1], atol=1e-3)
    assert at_side(np.zeros((96, 96, 3), np.uint8)).shape == (64, 64, 3)


def test_an_earlier_ranker_reads_pictures_as_it_learned_to(models, tmp_path):
    """At the side in its config.json."""
    for name in ("lite0", "ranker"):
        shutil.copytree(models / name, tmp_path / name)
    write_json(tmp_path / "ranker" / "config.json", {"name": "ranker", "side": 96})
    write_checksums(tmp_path / "ranker")
    picture = np.random.default_rng(1).integers(0, 255, (96, 96, 3)).astype(np.uint8)
    small = at_side(picture)
    assert not np.allclose(Ranker(tmp_path).traits([picture]), Ranker(models).traits([picture]), atol=0.1)
    assert np.allclose(Ranker(models).traits([small]), Ranker(models).traits([picture]))


def test_learned_weights_are_added():
    """They change the logit by their product with the traits; weights of another number of traits are ignored."""
    weights = RankerWeights(
        mean=np.zeros(2, np.float32), basis=np.eye(2, dtype=np.float32), weight=np.ones(2, np.float32), bias=0.5
    )
    traits = np.array([[1.0, 2.0]], np.float32)
    assert weights.logits(traits)[0] == pytest.approx(3.5)
    assert weights.logits(traits, [1.0, -1.0])[0] == pytest.approx(2.5)
    assert weights.logits(traits, [9.0])[0] == pytest.approx(3.5)


def test_the_painter_reports_traits_and_follows_weights(models, tmp_path):
    """Paintings carry their traits, and a heavy weight changes the order; without the ranker there are none."""
    plain = AttnPainter(AttnPainter.Config(candidates=4, ranker=False), models=models)
    ranked = AttnPainter(AttnPainter.Config(candidates=4, approval={"0": 50.0}), models=models)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    without = plain.paint(POEM, seed=3, count=4, folder=tmp_path / "a")
    with_ = ranked.paint(POEM, seed=3, count=4, folder=tmp_path / "b")
    assert {each.traits for each in without} == {()}
    assert all(len(each.traits) == 3 for each in with_)
    assert set(ranked.models()) == {"painter", "minilm", "ranker"}
    changes = {round(b.score - a, 3) for b in with_ for a in (each.score for each in without)}
    assert any(0 < abs(change) <= 0.05 for change in changes)


def test_candidates_stand_by_match_and_liking(models):
    """The best of both first; the ranker adds 0.05 at most, and leaves the matching scores as they are."""
    plain = AttnPainter(AttnPainter.Config(ranker=False), models=models)
    ranked = AttnPainter(AttnPainter.Config(approval={"0": 50.0}), models=models)
    before = {canvas.number: canvas for canvas in plain.imagine("forest in the snow", seed=4, count=5)}
    after = ranked.imagine("forest in the snow", seed=4, count=5)
    sums = [canvas.total for canvas in after]
    assert sums == sorted(sums, reverse=True)
    assert {canvas.liking for canvas in before.values()} == {0.0}
    assert 0.02 < max(abs(canvas.liking) for canvas in after) <= np.float32(0.05)
    assert all(canvas.score == before[canvas.number].score for canvas in after)


def test_missing_and_corrupt(models, tmp_path):
    """A ranker that lacks a tensor or is not there is refused."""
    with pytest.raises(ModelMissing):
        Ranker(tmp_path)
    shutil.copytree(models / "ranker", tmp_path / "ranker")
    save_file({"mean": np.zeros(3, np.float16)}, tmp_path / "ranker" / "weights.safetensors")
    with pytest.raises(ModelCorrupt):
        read_weights(tmp_path / "ranker" / "weights.safetensors")
