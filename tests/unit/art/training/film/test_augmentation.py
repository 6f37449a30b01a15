"""Tests of auria_bot.art.training.film.augmentation."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.training.film.augmentation import augment, diff_augment  # noqa: E402 - after the torch check


def test_without_a_chance_nothing_changes() -> None:
    """The very same frames come back."""
    frames = torch.rand(2, 3, 9, 16)
    assert augment(frames, 0.0) is frames


def test_augmented_frames_differ_each_in_its_way() -> None:
    """Equal frames become different ones of the same size, and gradients pass."""
    torch.manual_seed(1)
    frames = (2 * torch.rand(1, 3, 18, 32) - 1).expand(8, -1, -1, -1).clone().requires_grad_()
    seen = augment(frames, 0.8)
    assert seen.shape == frames.shape
    assert (seen[:-1] - seen[1:]).abs().mean((1, 2, 3)).min().item() > 0.01
    seen.sum().backward()
    assert torch.isfinite(frames.grad).all()
    assert float(frames.grad.abs().sum()) > 0


def test_a_low_chance_leaves_most_frames_alone() -> None:
    """At one in a hundred, hardly any of a hundred frames change by much."""
    torch.manual_seed(2)
    frames = 2 * torch.rand(100, 3, 8, 8) - 1
    changed = (augment(frames, 0.01) - frames).abs().mean((1, 2, 3)) > 0.02
    assert 0 < int(changed.sum()) < 25


def test_each_frame_is_augmented_in_its_own_way() -> None:
    """Equal frames become different ones of the same size, partly grey, and gradients pass."""
    torch.manual_seed(2)
    frames = torch.full((6, 3, 18, 32), 0.5).requires_grad_()
    seen = diff_augment(frames)
    assert seen.shape == frames.shape
    grey = (seen == 0).all(1).float().mean((1, 2))
    assert 0.0 < float(grey.max()) < 0.7
    assert len({round(float(one.mean()), 6) for one in seen.detach()}) == 6
    seen.sum().backward()
    assert frames.grad is not None
