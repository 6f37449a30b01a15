"""Read the weights of a generator in the published layout of stylegan2-ada-pytorch, from a safetensors file.

NVIDIA's own files are pickles, which can run any program when they are read; they are refused.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import torch

from auria_bot.art.checkpoint import load_weights
from auria_bot.art.nets.stylegan2_ada import AdaConfig, AdaGenerator
from auria_bot.art.training.film.export import export
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

__all__ = ["convert", "read_published"]

_PICKLES = {".pkl", ".pickle", ".pt", ".pth", ".ckpt"}
_LEFT_OUT = re.compile(r"\.(?:resample_filter|noise_const)$")  # films bring noise of their own
_BLOCK = re.compile(r"synthesis\.b([1-9][0-9]{0,3})\.conv1\.weight")
_LAYER = re.compile(r"mapping\.fc(\d+)\.weight")
_FILTER = torch.outer(torch.tensor([1.0, 3.0, 3.0, 1.0]), torch.tensor([1.0, 3.0, 3.0, 1.0])) / 64
_SIDES = (8, 1024)  # pixels of the frames


def convert(path: Path, folder: Path) -> AdaConfig:
    """Read published weights and write a film model.

    Args:
        path: see `read_published`.

    Raises:
        InputError, ModelCorrupt, ModelMissing: as `read_published`.
    """
    generator = read_published(path)
    export(generator, folder, facts={"imported": {"layout": generator.config.layout}})
    return generator.config


def read_published(path: Path) -> AdaGenerator:
    """The generator of a file, with sizes inferred from the shapes.

    Args:
        path: the state dict of G_ema as safetensors, its keys as published: `mapping.fc0.weight`,
            `synthesis.b4.const`, and so on.

    Raises:
        InputError: it is a pickle, needs labels, is of another architecture, or holds values that are no numbers.
        ModelMissing, ModelCorrupt: it cannot be read.
    """
    if path.suffix.lower() in _PICKLES:
        raise InputError(
            f"{path.name[:60]!r} is a pickle, which can run any program when it is read, so it is not opened;"
            " convert it where you trust it, with stylegan2-ada-pytorch:"
            " safetensors.torch.save_file({k: v.contiguous() for k, v in G_ema.state_dict().items()},"
            " 'model.safetensors'), and import that"
        )
    weights = load_weights(path)
    config = _config(weights, path.name[:60])
    with torch.device("meta"):  # no memory for sizes that the weights may not have
        generator = AdaGenerator(config)
    kept = {name: value for name, value in weights.items() if not _LEFT_OUT.search(name)}
    wanted = generator.state_dict()
    odd = sorted(wanted.keys() ^ kept.keys())
    odd += [name for name in wanted.keys() & kept.keys() if wanted[name].shape != kept[name].shape]
    if odd:
        raise InputError(
            f"{path.name[:60]!r} is no generator of stylegan2-ada with skip connections:"
            f" {odd[0][:80]} is missing, unknown or of another shape"
        )
    generator.load_state_dict(kept, assign=True)
    return generator.eval()


def _config(weights: dict[str, Tensor], name: str) -> AdaConfig:
    """The sizes, from the shapes."""
    if any(key.startswith("mapping.embed.") for key in weights):
        raise InputError(f"{name!r} makes pictures for labels; only models without labels can make films")
    if any(key.startswith(("synthesis.L0_", "synthesis.input")) for key in weights):
        raise InputError(f"{name!r} is of StyleGAN3; only the layout of stylegan2-ada can be imported")
    for key, value in weights.items():
        if not (value.is_floating_point() and value.numel() and torch.isfinite(value).all()):
            raise InputError(f"{name!r} holds values that are no numbers, or none at all: {key[:80]}")
    blocks = ((_BLOCK.fullmatch(key), value) for key, value in weights.items())
    widths = {int(found[1]): value.shape[0] for found, value in blocks if found and value.ndim}
    layers = sum(1 for key in weights if _LAYER.fullmatch(key))
    sides = sorted(widths)
    regular = sides[:1] == [4] and all(after == 2 * before for before, after in itertools.pairwise(sides))
    if not (regular and layers and _SIDES[0] <= sides[-1] <= _SIDES[1]):
        raise InputError(
            f"{name!r} holds no generator in the layout of stylegan2-ada (keys such as mapping.fc0.weight and"
            f" synthesis.b4.const, frames of {_SIDES[0]} to {_SIDES[1]} pixels); give the state dict of G_ema"
        )
    for key, value in weights.items():
        other = value.shape != _FILTER.shape or not torch.allclose(value, _FILTER, atol=1e-4)
        if key.endswith(".resample_filter") and other:
            raise InputError(f"{name!r} doubles by another filter than 1 3 3 1 ({key[:80]})")
    first: Any = weights.get("mapping.fc0.weight")
    if first is None or first.ndim != 2:
        raise InputError(f"{name!r} has no mapping.fc0.weight of two dimensions")
    return AdaConfig(
        channels=tuple(widths[side] for side in sides), z=first.shape[1], w=first.shape[0], mapping_layers=layers
    )
