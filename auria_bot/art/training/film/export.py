"""Export a film model for serving: mapping and synthesis as ONNX, config and checksums."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from auria_bot.art.checkpoint import export_onnx, load_model_weights, read_json, save_rest, write_checksums, write_json
from auria_bot.art.nets.stylegan2 import Config, Generator
from auria_bot.art.nets.stylegan2_ada import LAYOUT, AdaConfig, AdaGenerator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

__all__ = ["export", "load_generator"]

_ONNX = ("mapping.onnx", "synthesis.onnx")
_PREFIX = "generator."  # of the names of weights in synthesis.onnx


class _MappingGraph(nn.Module):
    """Latent vectors (n, z) and a truncation (1,) to style vectors (n, w)."""

    def __init__(self, generator: Generator | AdaGenerator) -> None:
        super().__init__()
        self.mapping = generator.mapping

    def forward(self, z: Tensor, truncation: Tensor) -> Tensor:
        styles = self.mapping(z)[:, 0]
        mean = self.mapping.mean
        truncated: Tensor = mean + truncation * (styles - mean)
        return truncated


class _SynthesisGraph(nn.Module):
    """Style vectors (n, styles, w) and noise for each layer (n or 1, 1, h, w) to 8-bit frames (n, height, width, 3)."""

    def __init__(self, generator: Generator | AdaGenerator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, styles: Tensor, *noise: Tensor) -> Tensor:
        frames: Tensor = self.generator(styles, noise)
        scaled = (frames.clamp(-1.0, 1.0) * 127.5 + 127.5).round()
        return scaled.permute(0, 2, 3, 1).to(torch.uint8)


@torch.no_grad()
def export(generator: Generator | AdaGenerator, folder: Path, *, facts: Mapping[str, Any]) -> None:
    """Write config.json, mapping.onnx, synthesis.onnx and SHA256SUMS; a card that is there stays.

    The ONNX files hold the weights under their names, so that `load_generator` reads them back.

    Args:
        generator: usually the weight average of a training, or one in the published layout.
        folder: of the model, made where it is missing.
        facts: entries of config.json beside the sizes, such as the number of pictures it was trained with.
    """
    generator = generator.eval().float()
    config = generator.config
    noise = generator.noise(0)
    folder.mkdir(parents=True, exist_ok=True)
    export_onnx(
        _MappingGraph(generator),
        (torch.randn(2, config.z), torch.ones(1)),
        folder / _ONNX[0],
        input_names=("z", "truncation"),
        output_names=("w",),
        dynamic_axes={"z": {0: "count"}, "w": {0: "count"}},
        fold=False,
    )
    names = [f"noise{number}" for number in range(len(noise))]
    export_onnx(
        _SynthesisGraph(generator),
        (torch.randn(2, config.styles, config.w), *noise),
        folder / _ONNX[1],
        input_names=("styles", *names),
        output_names=("frames",),
        dynamic_axes={"styles": {0: "count"}, "frames": {0: "count"}, **{name: {0: f"{name}_count"} for name in names}},
        fold=False,
    )
    save_rest(folder, generator.state_dict(), prefix=_PREFIX)  # the exporter keeps one of several equal tensors
    film = {
        "height": config.height,
        "width": config.width,
        "z": config.z,
        "w": config.w,
        "styles": config.styles,
        "noise": [list(one.shape[2:]) for one in noise],
    }
    write_json(folder / "config.json", {"name": folder.name, "film": film, "generator": asdict(config), **facts})
    write_checksums(folder)


def load_generator(folder: Path) -> Generator | AdaGenerator:
    """The network of an exported film model, in eval mode, with the weights as they are stored in half precision.

    Raises:
        ModelMissing, ModelCorrupt: it is missing or damaged.
    """
    stored = read_json(folder / "config.json")["generator"]
    sizes = stored | {"channels": tuple(stored["channels"])}
    generator: Generator | AdaGenerator
    generator = AdaGenerator(AdaConfig(**sizes)) if stored.get("layout") == LAYOUT else Generator(Config(**sizes))
    generator.load_state_dict(load_model_weights(folder, prefix=_PREFIX))
    return generator.eval()
