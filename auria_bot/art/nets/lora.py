"""Low-rank adapters: small trained differences beside the frozen linear layers of a language model.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022; the scale by the rank's square root is
from Kalajdzievski, "A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA", 2023.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional as F

from auria_bot.errors import ModelCorrupt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["LowRank", "adapt", "merge"]

_LAYERS = "model.layers."  # what the names of a decoder's blocks begin with in transformers


class LowRank(nn.Module):
    """The difference of one linear layer: up(down(x)) * scale; zero until it is trained."""

    def __init__(self, inputs: int, outputs: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, inputs) / math.sqrt(inputs))
        self.up = nn.Parameter(torch.zeros(outputs, rank))
        self.scale = _scale(rank)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        return F.linear(F.linear(x, self.down), self.up) * self.scale


class _Adapted(nn.Module):
    """A frozen linear layer and its difference."""

    def __init__(self, frozen: nn.Linear, difference: LowRank) -> None:
        super().__init__()
        self.frozen, self.difference = frozen, difference

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        out: Tensor = self.frozen(x) + self.difference(x)
        return out


def _scale(rank: int) -> float:
    """What a difference of this rank is multiplied by."""
    return 8 / math.sqrt(rank)


def adapt(net: nn.Module, *, rank: int, blocks: int) -> nn.ModuleDict:
    """Freeze a decoder of transformers and put an adapter beside every linear layer of its last blocks, in place.

    Args:
        blocks: how many of the last blocks are adapted.

    Returns:
        The adapters by the names of their layers, with "/" for each dot.
    """
    net.requires_grad_(requires_grad=False)
    names = [name for name, module in net.named_modules() if name.startswith(_LAYERS) and isinstance(module, nn.Linear)]
    block = {name: int(name.removeprefix(_LAYERS).split(".")[0]) for name in names}
    adapters = nn.ModuleDict()
    for name in names:
        if block[name] <= max(block.values()) - blocks:
            continue
        parent, _, child = name.rpartition(".")
        frozen: Any = net.get_submodule(name)
        difference = LowRank(frozen.in_features, frozen.out_features, rank)
        adapters[name.replace(".", "/")] = difference
        setattr(net.get_submodule(parent), child, _Adapted(frozen, difference))
    return adapters


@torch.no_grad()
def merge(net: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Add trained adapters to a language model's own weights, in place: it then costs no more than before.

    Args:
        net: the language model, not adapted.
        tensors: the adapters' state, as `adapt` names it.

    Raises:
        ModelCorrupt: the adapters are not those of such a model.
    """
    for key in [key for key in tensors if key.endswith(".down")]:
        name = key.removesuffix(".down")
        try:
            weight = net.get_parameter(name.replace("/", ".") + ".weight")
            down, up = tensors[key].to(weight), tensors[name + ".up"].to(weight)
            weight.add_((up @ down) * _scale(len(down)))
        except (AttributeError, KeyError, RuntimeError) as error:
            raise ModelCorrupt(f"the adapters do not fit the language model at {name}: {error}") from None
