"""Writes models/painter from the checkpoints: safetensors to go on from, one ONNX graph to serve, and the phrases' vectors."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from auria_bot.art.checkpoint import export_onnx, load_weights, read_json, save_weights, write_checksums, write_json
from auria_bot.art.minilm import MiniLM
from auria_bot.art.nets.easel import INPUTS, OUTPUTS, Easel
from auria_bot.art.nets.lite0 import Lite0
from auria_bot.art.nets.matcher import Matcher, MatcherConfig, Scorer
from auria_bot.art.nets.painter import Painter, PainterConfig
from auria_bot.art.nets.sketcher import Sampler, Sketcher, SketcherConfig
from auria_bot.art.painters.prompt import SENTENCES
from auria_bot.art.painters.scenery import SCENES
from auria_bot.art.training.scenes import WORDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["build", "example", "export", "restore_module"]

_STEPS, _GUIDANCE = 4, 2.0  # of the sketch's sampling


def restore_module(module: nn.Module, folder: Path, name: str) -> nn.Module:
    """Load the module called `name` from a stage's newest checkpoint."""
    saved = load_weights(folder / read_json(folder / "latest.json")["file"])
    prefix = f"module.{name}."
    module.load_state_dict({key.removeprefix(prefix): value for key, value in saved.items() if key.startswith(prefix)})
    return module.eval()


def build(folder: Path, *, sketcher: SketcherConfig | None = None) -> Easel:
    """The served graph as a torch module, from the averages of the newest checkpoints under `folder`."""
    sketch, matcher, painter = Sketcher(sketcher or SketcherConfig()), Matcher(MatcherConfig()), Painter(PainterConfig())
    restore_module(sketch, folder / "sketch", "average")
    restore_module(matcher, folder / "match", "net")
    restore_module(painter, folder / "paint", "average")
    return Easel(Sampler(sketch, steps=_STEPS, guidance=_GUIDANCE), painter, Scorer(matcher, _Front(Lite0.pretrained()))).eval()


def example(easel: Easel, count: int, *, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Random inputs of the graph, for export and for comparing runtimes."""
    torch.manual_seed(seed)
    painter = easel.painter
    return (
        torch.randn(count, easel.sampler.net.config.components), torch.randn(count, painter.config.noise),
        torch.randn(count, painter.grain_channels, 32, 32), nn.functional.normalize(torch.randn(1, 384), dim=1),
        torch.randn(1, WORDS, 384) * 0.4, (torch.arange(WORDS)[None] < 9).float(),
    )


def export(folder: Path, out: Path, *, sketcher: SketcherConfig | None = None, log: Callable[[str], None] = print) -> dict[str, Any]:
    """Write weights.safetensors, model.onnx, meanings.safetensors, config.json and SHA256SUMS to `out`; card and metrics stay."""
    from safetensors.numpy import save_file

    easel = build(folder, sketcher=sketcher)
    out.mkdir(parents=True, exist_ok=True)
    nets = {"sketcher": easel.sampler.net, "matcher": easel.scorer.matcher, "painter": easel.painter}
    save_weights(out / "weights.safetensors", {f"{name}.{key}": value for name, net in nets.items() for key, value in net.state_dict().items()}, half=True)
    axes = {name: {0: "count"} for name in (*INPUTS[:3], *OUTPUTS)}
    with torch.no_grad():
        export_onnx(easel, example(easel, 2), out / "model.onnx", input_names=INPUTS, output_names=OUTPUTS, dynamic_axes=axes)
    minilm = MiniLM(threads=1)
    save_file({name: minilm.encode(texts).astype(np.float16) for name, texts in SENTENCES.items()}, out / "meanings.safetensors")
    steps = {stage: read_json(folder / stage / "latest.json")["step"] for stage in ("sketch", "match", "paint")}
    write_json(out / "config.json", {
        "name": "painter", "size": 64, "scenes": list(SCENES), "steps_taken": steps,
        "serving": {
            "components": easel.sampler.net.config.components, "noise": easel.painter.config.noise, "grain": easel.painter.grain_channels,
            "words": WORDS, "midpoint_steps": _STEPS, "guidance": _GUIDANCE,
        },
        "sketcher": asdict(easel.sampler.net.config), "matcher": asdict(easel.scorer.matcher.config), "painter": asdict(easel.painter.config),
    })
    write_checksums(out)
    size = sum(path.stat().st_size for path in out.iterdir())
    log(f"exported to {out}, {size / 1e6:.1f} MB")
    return {"megabytes": size / 1e6, **{f"{stage}_steps": float(step) for stage, step in steps.items()}}


class _Front(nn.Module):
    """Lite0 down to stride 16: the rest is not needed for matching and would only make the graph larger."""

    def __init__(self, eye: Lite0) -> None:
        super().__init__()
        self.eye = eye

    def taps(self, pictures: torch.Tensor, strides: tuple[int, ...]) -> dict[int, torch.Tensor]:
        return self.eye.taps(pictures, strides)
