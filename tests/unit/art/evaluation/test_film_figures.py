"""Tests of auria_bot.art.evaluation.film_figures."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.evaluation.film_figures import (  # noqa: E402 - after the check that torch is there
    Lite0Features,
    layout_spread,
    nearest,
    precision_recall,
)
from auria_bot.art.nets.lite0 import Lite0  # noqa: E402


def test_precision_and_recall_tell_quality_from_variety() -> None:
    """Made features within one of two clusters of real ones are precise, and recall half; far ones are neither."""
    rng = np.random.default_rng(1)
    left, right = rng.standard_normal((2, 60, 4)).astype(np.float32) * 0.1
    real, made = np.concatenate([left - 5, right + 5]), rng.standard_normal((60, 4)).astype(np.float32) * 0.1 - 5
    precision, recall = precision_recall(real, made)
    assert precision > 0.8
    assert 0.35 < recall < 0.55
    assert precision_recall(real, made + 100) == (0.0, 0.0)


def test_the_spread_of_layouts_is_that_of_averages() -> None:
    """Black and white frames lie 255 apart, equal ones 0, whatever their size."""
    frames = np.stack([np.zeros((18, 32, 3), np.uint8), np.full((18, 32, 3), 255, np.uint8)])
    assert layout_spread(frames) == pytest.approx(255.0)
    assert layout_spread(frames[[1, 1, 1]]) == 0.0


def test_the_nearest_training_frame_is_found() -> None:
    """A copy has the similarity 1 with its original, at any length of the features."""
    rng = np.random.default_rng(2)
    training = rng.random((20, 8)).astype(np.float32)
    similarity, which = nearest(3.0 * training[[7, 2]], training)
    assert which.tolist() == [7, 2]
    assert np.allclose(similarity, 1.0, atol=1e-5)


def test_features_are_pooled_from_frames_of_any_size() -> None:
    """(n, 1280), whether or not their sides are multiples of 32."""
    measure = Lite0Features(Lite0().eval())
    assert measure(np.random.default_rng(3).integers(0, 256, (2, 18, 32, 3), np.uint8)).shape == (2, 1280)
