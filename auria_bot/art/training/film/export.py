"""Export a film model for serving: mapping and synthesis as ONNX, the weights as safetensors, config and checksums."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from auria_bot.art.checkpoint import export_onnx, save_weights, write_checksums, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from auria_bot.art.nets.stylegan2 import Generator

__all__ = ["export"]


class _MappingGraph(nn.Module):
    """Latent vectors (n, z) and a truncation (1,) to style vectors (n, w)."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.mapping = generator.mapping

    def forward(self, z: Tensor, truncation: Tensor) -> Tensor:
        styles = self.mapping(z)[:, 0]
        mean = self.mapping.mean
        truncated: Tensor = mean + truncation * (styles - mean)
        return truncated


class _SynthesisGraph(nn.Module):
    """Style vectors (n, styles, w) and noise for each layer (n or 1, 1, h, w) to 8-bit frames (n, height, width, 3)."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, styles: Tensor, *noise: Tensor) -> Tensor:
        frames: Tensor = self.generator(styles, noise)
        scaled = (frames.clamp(-1.0, 1.0) * 127.5 + 127.5).round()
        return scaled.permute(0, 2, 3, 1).to(torch.uint8)


@torch.no_grad()
def export(generator: Generator, folder: Path, *, facts: Mapping[str, Any], weights: bool = True) -> None:
    """Write config.json, mapping.onnx, synthesis.onnx, weights.safetensors and SHA256SUMS; a card that is there stays.

    Args:
        generator: usually the weight average of a training.
        folder: of the model, made where it is missing.
        facts: entries of config.json beside the sizes, such as the number of pictures it was trained with.
        weights: also write the weights as safetensors, from which a training can begin.
    """
    generator = generator.eval().float()
    config = generator.config
    noise = generator.noise(0)
    folder.mkdir(parents=True, exist_ok=True)
    export_onnx(
        _MappingGraph(generator),
        (torch.randn(2, config.z), torch.ones(1)),
        folder / "mapping.onnx",
        input_names=("z", "truncation"),
        output_names=("w",),
        dynamic_axes={"z": {0: "count"}, "w": {0: "count"}},
    )
    names = [f"noise{number}" for number in range(len(noise))]
    export_onnx(
        _SynthesisGraph(generator),
        (torch.randn(2, config.styles, config.w), *noise),
        folder / "synthesis.onnx",
        input_names=("styles", *names),
        output_names=("frames",),
        dynamic_axes={"styles": {0: "count"}, "frames": {0: "count"}, **{name: {0: f"{name}_count"} for name in names}},
    )
    if weights:
        save_weights(folder / "weights.safetensors", generator.state_dict(), half=True)
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
