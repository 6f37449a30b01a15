"""Tests of auria_bot.art.training.film.losses."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.training.film.losses import (  # noqa: E402 - after the check that torch is there
    AugmentationChance,
    Palette,
    PathLength,
    WeightAverage,
    discriminator_loss,
    generator_loss,
    hinge_loss,
    layout_distance,
    r1_penalty,
)
from auria_bot.art.training.painter.picture_losses import soft_clamp  # noqa: E402


def test_losses_fall_as_scores_improve() -> None:
    """The generator's with higher scores of what it makes; the discriminator's with a wider gap."""
    low, high = torch.full((4,), -2.0), torch.full((4,), 2.0)
    assert generator_loss(high) < generator_loss(low)
    assert discriminator_loss(high, low) < discriminator_loss(low, high)
    assert float(discriminator_loss(torch.zeros(3), torch.zeros(3))) == pytest.approx(2 * math.log(2))


def test_the_penalty_of_a_linear_critic_is_known() -> None:
    """Its gradient is the same everywhere: half the weight times its squared norm."""
    slope = torch.randn(3, 4, 5, requires_grad=True)
    penalty = r1_penalty(lambda frames: (frames * slope).sum((1, 2, 3)), torch.randn(6, 3, 4, 5), weight=10.0)
    assert penalty.item() == pytest.approx(5.0 * slope.square().sum().item(), rel=1e-4)
    penalty.backward()
    assert torch.allclose(slope.grad, 10.0 * slope, rtol=1e-3)


def test_a_step_of_even_length_is_not_penalised_for_long() -> None:
    """The usual length follows the lengths, and the penalty has gradients for the generator."""
    torch.manual_seed(1)
    scale, usual = torch.tensor(2.0, requires_grad=True), PathLength(decay=0.2)
    penalties = []
    for _ in range(40):
        styles = torch.randn(64, 1, 192, requires_grad=True)
        penalties.append(usual((scale * styles).reshape(64, 3, 8, 8), styles))
    # The frames are the styles twice as large: a step has the length 2 times that of noise of 3 x 64 values over 8.
    assert float(usual.mean) == pytest.approx(2.0 * math.sqrt(3), rel=0.05)
    assert penalties[-1].item() < 0.1 * penalties[0].item()
    penalties[-1].backward()
    assert scale.grad is not None


def test_average_weights_follow_with_their_half_life() -> None:
    """After as many pictures as the half-life, half of the way is gone; buffers are copied."""
    net = torch.nn.BatchNorm1d(1)
    average = WeightAverage(net, half_life=100.0, ramp=1e9)
    torch.nn.init.constant_(net.weight, 3.0)
    net.running_mean.fill_(7.0)
    for done in range(10):
        average.follow(net, 10, seen=10 * (done + 1))
    assert average.net.weight.item() == pytest.approx(2.0, abs=1e-4)
    assert average.net.running_mean.item() == 7.0
    assert not average.net.weight.requires_grad


def test_the_chance_rises_where_the_discriminator_is_sure() -> None:
    """By its pictures over those of the whole way; it falls where it is not, and stays within its bounds."""
    chance = AugmentationChance(target=0.6, pictures=1000, most=0.8)
    chance.follow(torch.ones(100))
    assert float(chance.value) == pytest.approx(0.1)
    for _ in range(20):
        chance.follow(torch.ones(100))
    assert float(chance.value) == pytest.approx(0.8)
    for _ in range(20):
        chance.follow(-torch.ones(100))
    assert float(chance.value) == 0.0


def test_the_hinge_is_met_where_scores_are_beyond_one() -> None:
    """Real scores above 1 and made ones below -1 cost nothing; heads count equally, however many places they have."""
    sure, unsure = torch.full((2, 6), 1.5), torch.zeros(2, 3)
    assert float(hinge_loss([sure], [-sure])) == 0.0
    assert float(hinge_loss([sure, unsure], [-sure, unsure])) == pytest.approx(1.0)


def test_equal_frames_have_no_distance_of_layouts() -> None:
    """Frames of two opposite greys lie 2 apart; detail that averages out does not count."""
    frames = torch.stack([torch.full((3, 16, 32), value) for value in (-1.0, 1.0)])
    assert float(layout_distance(frames)) == pytest.approx(2.0)
    assert float(layout_distance(frames[:1].repeat(3, 1, 1, 1))) == pytest.approx(0.0, abs=1e-3)
    checks = (torch.arange(16)[:, None] + torch.arange(32)) % 2 * 2.0 - 1.0
    assert float(layout_distance(torch.stack([checks, -checks])[:, None].repeat(1, 3, 1, 1))) < 1e-3


def test_a_palette_does_not_depend_on_places() -> None:
    """Frames turned upside down have the same; other colours have another, with a gradient."""
    torch.manual_seed(1)
    palette, frames = Palette(), torch.rand(4, 3, 16, 32) - 0.5
    palette.calibrate(frames)
    assert float(palette(frames.flip(2))) < 1e-5
    red = (frames + torch.tensor([0.5, 0.0, 0.0])[:, None, None]).requires_grad_()
    distance = palette(red)
    distance.backward()
    assert float(distance.detach()) > 0.1
    assert red.grad is not None


def test_frames_are_clamped_with_a_slope() -> None:
    """Inside the range nothing changes; outside a frame that goes too far still learns to come back."""
    frames = torch.tensor([-3.0, 0.5, 1.4], requires_grad=True)
    clamped = soft_clamp(frames)
    assert torch.allclose(clamped.detach(), torch.tensor([-1.1, 0.5, 1.02]))
    clamped.sum().backward()
    assert frames.grad is not None
    assert torch.allclose(frames.grad, torch.tensor([0.05, 1.0, 0.05]))
