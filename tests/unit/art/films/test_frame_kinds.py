"""Kinds of frames, learnt from a few labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.films.frame_kinds import FEATURES, accuracy, frame_features, learn, relative_features
from auria_bot.errors import InputError, PictureError
from tests.style_networks import MODELS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def clouds(count: int, *, seed: int = 0) -> tuple[NDArray[np.float32], list[str]]:
    """Features of three kinds in turn, far apart for their noise, on a large part that all share."""
    rng = np.random.default_rng(seed)
    centres, kinds = np.random.default_rng(99).normal(0, 1, (3, 40)), ("calm", "storm", "dusk")
    given = [place % 3 for place in range(count)]
    features = 5 + centres[given] + rng.normal(0, 0.7, (count, 40))
    return relative_features(features.astype(np.float32)), [kinds[one] for one in given]


def test_a_few_labels_name_the_other_frames() -> None:
    """With shares that sum to 1; the same labels give the same result."""
    features, kinds = clouds(120)
    model = learn(features[:12], kinds[:12])
    shares = model.probabilities(features)
    assert model.kinds == ("calm", "dusk", "storm")
    assert np.allclose(shares.sum(axis=1), 1)
    right = [model.kinds[int(row.argmax())] == kind for row, kind in zip(shares, kinds, strict=True)]
    assert np.mean(right[12:]) > 0.9
    assert np.array_equal(learn(features[:12], kinds[:12]).weights, model.weights)


def test_a_kind_with_many_labels_does_not_swallow_the_others() -> None:
    """Each kind counts alike."""
    features, kinds = clouds(150)
    chosen = [place for place, kind in enumerate(kinds) if kind == "calm" or place < 9]
    model = learn(features[chosen], [kinds[place] for place in chosen])
    found = [model.kinds[int(row.argmax())] for row in model.probabilities(features[9:])]
    assert np.mean([one == kind for one, kind in zip(found, kinds[9:], strict=True)]) > 0.85


def test_accuracy_is_that_of_held_out_labels() -> None:
    """Near 1 where kinds are apart, near chance where they are not; None where nothing can be held out."""
    features, kinds = clouds(60)
    assert (accuracy(features, kinds) or 0) > 0.9
    noise = relative_features(np.random.default_rng(1).normal(0, 1, (60, 40)).astype(np.float32))
    assert (accuracy(noise, kinds) or 0) < 0.6
    assert accuracy(features[:4], ["calm", "calm", "calm", "storm"]) is None
    assert accuracy(features[:4], ["calm"] * 4) is None


def test_one_kind_teaches_nothing() -> None:
    """The message names it."""
    features, _ = clouds(3)
    with pytest.raises(InputError, match="labels of calm alone"):
        learn(features, ["calm"] * 3)


def test_features_are_of_the_shipped_network(tmp_path: Path) -> None:
    """Of frames of any size; a damaged one is named."""
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    Image.new("RGB", (64, 48), "navy").save(paths[0])
    Image.new("RGB", (300, 300), "white").save(paths[1])
    done: list[int] = []
    found = frame_features(paths, MODELS, progress=done.append)
    assert (found.shape, done) == ((2, FEATURES), [1, 2])
    assert not np.array_equal(found[0], found[1])
    paths[1].write_bytes(b"text")
    with pytest.raises(PictureError, match=r"b\.png"):
        frame_features(paths, MODELS)
