"""Tests of auria_bot.art.nets.projected_critic."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.lite0 import Lite0  # noqa: E402 - after the check that torch is there
from auria_bot.art.nets.projected_critic import CriticConfig, ProjectedCritic  # noqa: E402

CONFIG = CriticConfig(height=64, width=96, channels=8, group=2)


@pytest.fixture(scope="module")
def lite0() -> Lite0:
    """A frozen classifier of random weights."""
    torch.manual_seed(1)
    return Lite0().eval().requires_grad_(requires_grad=False)


def test_every_head_scores_every_place(lite0: Lite0) -> None:
    """Four maps and the pixels, of frames of any size; made frames get a gradient, Lite0 none."""
    critic = ProjectedCritic(CONFIG)
    frames = torch.rand(4, 3, 36, 64, requires_grad=True)
    scores = critic(critic.features(lite0, frames))
    assert [one.shape[0] for one in scores] == [4] * 5
    assert all(one.shape[1] >= 1 for one in scores)
    sum(one.sum() for one in scores).backward()
    assert frames.grad is not None
    assert float(frames.grad.abs().sum()) > 0


def test_features_of_real_frames_are_normalised(lite0: Lite0) -> None:
    """After calibration each channel of a mixed map has mean 0 and deviation 1; measured again it stays so."""
    torch.manual_seed(2)
    critic, frames = ProjectedCritic(CONFIG), torch.rand(8, 3, 36, 64) * 2 - 1
    for _ in range(2):
        critic.calibrate(lite0, frames)
        for one in critic.features(lite0, frames)[:-1]:
            assert torch.allclose(one.mean((0, 2, 3)), torch.zeros(8), atol=1e-3)
            assert torch.allclose(one.std((0, 2, 3)), torch.ones(8), atol=0.05)


def test_fixed_convolutions_are_the_same_in_every_critic() -> None:
    """They are drawn from the config's seed, and saved as buffers, not trained."""
    one, other = ProjectedCritic(CONFIG), ProjectedCritic(CONFIG)
    assert torch.equal(one.get_buffer("mix8"), other.get_buffer("mix8"))
    assert "mix8" not in dict(one.named_parameters())


def test_frames_that_are_all_alike_score_otherwise(lite0: Lite0) -> None:
    """A frame's scores depend on how much the frames beside it differ from it."""
    torch.manual_seed(3)
    critic = ProjectedCritic(CONFIG).eval()
    frames = torch.rand(2, 3, 36, 64)
    varied = critic(critic.features(lite0, frames))
    alike = critic(critic.features(lite0, frames[:1].repeat(2, 1, 1, 1)))
    assert not torch.allclose(varied[0][0], alike[0][0])
    assert torch.allclose(varied[-1][0], alike[-1][0], atol=1e-5)  # patches of pixels are judged by themselves
