"""Which pictures are typical of their scene."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.training.painter.dataset import LEAST, own_probability  # noqa: E402


def test_wrong_labels_are_found():
    """Rows that carry the label of another cloud get hardly any probability of their own."""
    rng = np.random.default_rng(0)
    truth = np.arange(600) % 3
    features = rng.normal(0, 0.3, (600, 8)).astype(np.float32)
    features[np.arange(600), truth] += 3
    labels = truth.copy()
    labels[:20] = (labels[:20] + 1) % 3
    found = own_probability(features, labels, np.ones(600, bool))
    assert (found[:20] < LEAST).mean() > 0.8
    assert (found[20:] >= LEAST).mean() > 0.95


def test_no_row_is_judged_by_itself():
    """Labels that nothing explains are not learnt by heart: their probability is that of chance."""
    rng = np.random.default_rng(1)
    found = own_probability(rng.normal(size=(400, 4)).astype(np.float32), rng.integers(0, 2, 400), np.ones(400, bool))
    assert found.mean() < 0.5
