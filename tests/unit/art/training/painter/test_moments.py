"""The loss of moments: it moves features to the mean and the covariance of others."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.evaluation.painter_judges import at_side, frechet  # noqa: E402
from auria_bot.art.training.painter.moments import Moments, transport  # noqa: E402

FEATURES = 140  # more than the directions that are compared


class _Features:
    """Stands for Lite0: fixed random sums of an 8 x 8 picture's pixels as features of unequal spread."""

    def __init__(self):
        chance = torch.Generator().manual_seed(2)
        self._sums = torch.randn(192, FEATURES, generator=chance) * torch.linspace(0.2, 2.0, FEATURES) / 14

    def grid(self, pictures):
        small = torch.nn.functional.adaptive_avg_pool2d(pictures, 8)
        return (small.flatten(1) @ self._sums)[:, :, None, None]


def _pictures(count, seed, *, spread=0.3, middle=0.0):
    chance = torch.Generator().manual_seed(seed)
    blocks = middle + spread * torch.randn(count, 3, 8, 8, generator=chance)
    return blocks.repeat_interleave(8, 2).repeat_interleave(8, 3).clamp(-1, 1)


def test_transport_carries_one_covariance_to_the_other():
    """M A M is B, for M symmetric."""
    chance = np.random.default_rng(0)
    one, other = (torch.tensor(np.cov(chance.standard_normal((6, 200)) * chance.uniform(1, 3, (6, 1)))) for _ in "ab")
    carried = transport(one, other).double()
    assert torch.allclose(carried, carried.T, atol=1e-5)
    assert torch.allclose(carried @ one @ carried, other, atol=0.1)


def test_transport_to_itself_is_nothing():
    """Equal covariances leave features where they are."""
    one = torch.diag(torch.tensor([4.0, 1.0, 0.01]))
    assert torch.allclose(transport(one, one), torch.eye(3), atol=1e-4)


def test_there_is_no_loss_before_enough_is_known():
    """The first updates only learn."""
    moments = Moments(_Features(), _pictures(300, 1))
    painted = moments.features(_pictures(10, 2))
    moments.learn(painted, moments.features(_pictures(10, 3)))
    assert not moments.loss(painted).any()
    assert moments.loss(painted).shape == (10,)


def test_features_come_nearer():
    """A step along the loss's gradient brings flat, dark pictures' features to a fraction of their distance."""
    moments = Moments(_Features(), _pictures(600, 1))
    for number in range(170):
        painted = moments.features(_pictures(40, 1000 + number, spread=0.1, middle=-0.3))
        moments.learn(painted, moments.features(_pictures(40, 5000 + number)))
    features = moments.features(_pictures(800, 7, spread=0.1, middle=-0.3)).requires_grad_()
    real = moments.features(_pictures(800, 8)).numpy()
    before = frechet(features.detach().numpy(), real)
    moments.loss(features).sum().backward()
    moved = (features - 0.5 * features.grad).detach().numpy()
    assert frechet(moved, real) < 0.15 * before


def test_nothing_but_the_moments_is_saved():
    """Lite0's weights are no part of a checkpoint."""
    saved = Moments(_Features(), _pictures(300, 1))
    assert set(saved.state_dict()) == {
        "basis",
        "updates",
        "map",
        "real_mean",
        "real_square",
        "painted_mean",
        "painted_square",
    }


def test_pictures_are_shrunk_as_the_judges_do():
    """96 pixels become 64 by the same filter; bytes near black and white would be clipped between its two passes."""
    moments = Moments(_Features(), torch.zeros(4, 3, 96, 96))
    pixels = np.random.default_rng(1).integers(64, 192, (2, 96, 96, 3), np.uint8)
    pictures = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1
    small = (moments.shrink @ pictures @ moments.shrink.T).clamp(-1, 1)
    mine = ((small * 0.5 + 0.5) * 255).permute(0, 2, 3, 1).numpy()
    assert np.abs(mine - at_side(pixels)).max() < 2
