"""Perceptual losses."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.vgg16 import Vgg16  # noqa: E402
from auria_bot.art.training.style.losses import (  # noqa: E402
    PerceptualLosses,
    colour_difference,
    gram,
    relative_difference,
    style_distance,
    total_variation,
)


def test_a_gram_matrix_does_not_depend_on_size_or_place():
    """Features that are moved or repeated have the same."""
    features = torch.rand(1, 5, 4, 6)
    assert torch.allclose(gram(features), gram(features.roll(2, 3)))
    assert torch.allclose(gram(features), gram(features.repeat(1, 1, 2, 2)))


def test_style_distance_is_relative():
    """0 for the painting itself, 1 a layer for features that are nothing."""
    wanted = [gram(torch.rand(1, 4, 3, 3)), gram(10 * torch.rand(1, 4, 3, 3))]
    assert style_distance(wanted, wanted).item() == 0
    assert style_distance([0 * each for each in wanted], wanted).item() == pytest.approx(2)


def test_the_painting_itself_has_its_style_and_an_unchanged_picture_its_content():
    """And both differences are 0 then; gradients reach the restyled picture."""
    torch.manual_seed(0)
    painting, picture = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    losses = PerceptualLosses(Vgg16().requires_grad_(requires_grad=False), painting)
    assert losses.of(picture, painting).style.item() == pytest.approx(0, abs=1e-6)
    changed = picture.clone().requires_grad_()
    same = losses.of(picture, changed)
    assert (same.content.item(), same.colour.item()) == (0, 0)
    assert same.style.item() > 0
    same.style.backward()
    assert changed.grad.abs().sum() > 0


def test_colours_are_compared_without_detail():
    """Stripes within a square are no difference; a darker picture is."""
    grey = torch.full((1, 3, 32, 32), 0.5)
    stripes = grey.clone()
    stripes[..., ::2], stripes[..., 1::2] = 0.4, 0.6
    assert colour_difference(grey, stripes).item() == pytest.approx(0, abs=1e-6)
    assert colour_difference(grey, grey - 0.1).item() == pytest.approx(1, rel=1e-3)


def test_variation_and_relative_difference():
    """A flat picture has no variation; features that are nothing differ by the whole."""
    assert total_variation(torch.ones(1, 3, 8, 8)).item() == 0
    assert relative_difference(torch.zeros(1, 2, 2, 2), torch.ones(1, 2, 2, 2)).item() == 1
