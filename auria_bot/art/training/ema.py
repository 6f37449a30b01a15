"""A running average of a net's weights: what is evaluated and shipped instead of the last step's weights."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, TypeVar

import torch

if TYPE_CHECKING:
    from torch import nn

__all__ = ["average_of", "follow"]

Net = TypeVar("Net", bound="nn.Module")


def average_of(net: Net) -> Net:
    """A frozen copy of a net, to be moved along by `follow`."""
    return copy.deepcopy(net).eval().requires_grad_(requires_grad=False)


@torch.no_grad()
def follow(average: nn.Module, net: nn.Module, *, decay: float, step: int) -> None:
    """Move the average towards the net; early on faster, so that the first weights are soon forgotten.

    Buffers (batch norm's statistics) are averaged too where they are floats, else copied.
    """
    keep = min(decay, (1.0 + step) / (10.0 + step))
    ours, theirs = list(average.state_dict().values()), list(net.state_dict().values())
    floats = [(mine, other) for mine, other in zip(ours, theirs, strict=True) if mine.is_floating_point()]
    torch._foreach_lerp_([mine for mine, _ in floats], [other for _, other in floats], 1.0 - keep)
    for mine, other in zip(ours, theirs, strict=True):
        if not mine.is_floating_point():
            mine.copy_(other)
