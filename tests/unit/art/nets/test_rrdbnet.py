"""Tests of auria_bot.art.nets.rrdbnet."""

from __future__ import annotations

import torch

from auria_bot.art.nets.rrdbnet import Rrdbnet, RrdbnetConfig


def test_a_picture_becomes_four_times_as_large() -> None:
    """In any shape."""
    net = Rrdbnet(RrdbnetConfig(channels=4, growth=3, blocks=2)).eval()
    with torch.no_grad():
        assert net(torch.rand(2, 3, 9, 7)).shape == (2, 3, 36, 28)


def test_the_published_size() -> None:
    """The default shape has the 16,697,987 parameters of x4plus."""
    assert sum(each.numel() for each in Rrdbnet(RrdbnetConfig()).parameters()) == 16_697_987
