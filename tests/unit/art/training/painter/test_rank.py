"""The training of the ranker."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.painters.ranker import read_weights  # noqa: E402
from auria_bot.art.training.painter import rank  # noqa: E402
from auria_bot.errors import InputError  # noqa: E402


@pytest.fixture(scope="module")
def clouds():
    """Features of 200 real and 300 painted pictures, which differ in one direction."""
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (500, 40)).astype(np.float32)
    features[:200, 7] += 2.5
    return features, np.arange(500) < 200


def test_real_pictures_score_higher(clouds):
    """The fitted model tells them apart, on pictures it has not seen too."""
    features, is_real = clouds
    weights = rank.fit(features, is_real, traits=12)
    scores = weights.logits(weights.traits(features))
    assert rank.area_under_curve(scores, is_real) > 0.9
    assert rank._held_out(features, is_real) > 0.85


def test_traits_have_unit_variance(clouds):
    """So that learned weights of traits are comparable."""
    features, is_real = clouds
    weights = rank.fit(features, is_real, traits=5)
    traits = weights.traits(features)
    assert np.allclose(traits[:, :-1].std(axis=0), 1, atol=0.05)
    assert traits[~is_real, -1].std() == pytest.approx(1, abs=0.05)


def test_only_what_tells_real_from_painted_has_a_weight(clouds):
    """The components are for the operator's decisions."""
    weights = rank.fit(*clouds, traits=5)
    assert weights.weight.tolist() == [0, 0, 0, 0, 0, 1]


def test_area_under_curve():
    """It is 1 for a perfect order, 0 for the reverse."""
    is_real = np.array([True, True, False, False])
    assert rank.area_under_curve(np.array([4.0, 3, 2, 1], np.float32), is_real) == 1
    assert rank.area_under_curve(np.array([1.0, 2, 3, 4], np.float32), is_real) == 0


def test_written_weights_are_read(clouds, tmp_path):
    """The folder is complete and gives the same scores."""
    features, is_real = clouds
    weights = rank.fit(features, is_real, traits=5)
    rank._write(weights, tmp_path / "ranker", {"real": 200})
    again = read_weights(tmp_path / "ranker" / "weights.safetensors")
    assert np.allclose(again.traits(features), weights.traits(features), atol=0.05)
    assert {path.name for path in (tmp_path / "ranker").iterdir()} == {
        "weights.safetensors",
        "config.json",
        "metrics.json",
        "SHA256SUMS",
    }


def test_missing(tmp_path):
    """Missing paintings are named."""
    with pytest.raises(InputError, match="paintings"):
        rank._paintings(tmp_path)
