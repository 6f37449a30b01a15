"""Export the painter from its checkpoints to models/painter: safetensors, two ONNX graphs, phrase vectors."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn

from auria_bot.art.checkpoint import (
    export_onnx,
    load_model_weights,
    load_weights,
    part_of,
    read_json,
    save_rest,
    write_checksums,
    write_json,
)
from auria_bot.art.minilm import MiniLM
from auria_bot.art.nets.lite0 import Lite0
from auria_bot.art.nets.matcher import Matcher, MatcherConfig, Scorer
from auria_bot.art.nets.painter import (
    PAINTER_INPUTS,
    PAINTER_OUTPUTS,
    SKETCHER_INPUTS,
    SKETCHER_OUTPUTS,
    Painter,
    PainterConfig,
    PainterGraph,
    SketcherGraph,
)
from auria_bot.art.nets.sketcher import Sketcher, SketcherConfig
from auria_bot.art.painters.attn import SHOWN
from auria_bot.art.painters.prompt import SENTENCES
from auria_bot.art.painters.prompt_vocabulary import NOUNS, SCENES
from auria_bot.art.training.painter.dataset import SIZE, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["build", "example", "export", "restore_module"]

_NAMES = 6  # of a scene, whose mean stands for it
_STEPS = 4  # midpoint steps of the sketch's sampling
_MEAN_CONTRAST = 1.15  # by which light is stretched where a mean of two models is served: it has less than either
_GUIDANCE = 1.15  # of it; more follows the words more closely, and makes pictures less like real ones


def restore_module(module: nn.Module, folder: Path, name: str) -> nn.Module:
    """Load the module `name` from a stage's newest checkpoint."""
    saved = load_weights(folder / read_json(folder / "latest.json")["file"])
    module.load_state_dict(part_of(saved, f"module.{name}."))
    return module.eval()


def build(
    folder: Path,
    *,
    sketcher: SketcherConfig | None = None,
    painter: PainterConfig | None = None,
    mean_with: Path | None = None,
) -> PainterGraph:
    """The painting graph as a torch module, from the averages of the newest checkpoints under `folder`.

    Args:
        mean_with: an earlier model's folder, from whose weights the training began. The mean of both keeps much of what
            was learned since, and what the earlier one did well (Wortsman et al. 2022, arXiv:2109.01903).
    """
    sketch, matcher = Sketcher(sketcher or SketcherConfig()), Matcher(MatcherConfig())
    net = Painter(painter or PainterConfig(size=SIZE))
    restore_module(sketch, folder / "paint", "sketcher_average")
    restore_module(matcher, folder / "match", "net")
    restore_module(net, folder / "paint", "average")
    if mean_with is not None:
        earlier = load_model_weights(mean_with)
        for name, module in (("sketcher", sketch), ("painter", net)):
            _average(module, {key: earlier[f"{name}.{key}"] for key in module.state_dict()})
    return PainterGraph(sketch, net, Scorer(matcher, Lite0.pretrained())).eval()


def _average(module: nn.Module, other: Mapping[str, torch.Tensor]) -> None:
    """Give a module the mean of its weights and others; what is counted, not measured, stays."""
    own = module.state_dict()
    mean = {key: (value + other[key].float()) / 2 if value.is_floating_point() else value for key, value in own.items()}
    module.load_state_dict(mean)


def example(graph: PainterGraph, count: int, *, seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Random inputs of the graph, for export and for comparing runtimes."""
    torch.manual_seed(seed)
    painter = graph.painter
    return (
        torch.randn(count, graph.sketcher.config.components),
        torch.randn(count, painter.config.noise),
        torch.randn(count, painter.grain_channels, painter.config.size // 2, painter.config.size // 2),
        nn.functional.normalize(torch.randn(1, 384), dim=1),
        torch.randn(1, WORDS, 384) * 0.4,
        (torch.arange(WORDS)[None] < 9).float(),
    )


def export(
    folder: Path,
    out: Path,
    *,
    sketcher: SketcherConfig | None = None,
    painter: PainterConfig | None = None,
    mean_with: Path | None = None,
    log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Export weights.safetensors, model.onnx, sketcher.onnx, meanings.safetensors, config.json and SHA256SUMS to `out`.

    Card and metrics of an earlier export stay; `mean_with` as in `build`.
    """
    graph = build(folder, sketcher=sketcher, painter=painter, mean_with=mean_with)
    out.mkdir(parents=True, exist_ok=True)
    axes = {name: {0: "count"} for name in (*PAINTER_INPUTS[:3], *PAINTER_OUTPUTS)}
    inputs = example(graph, 2)
    sketcher_graph = SketcherGraph(graph.sketcher, guidance=_GUIDANCE).eval()
    with torch.no_grad():
        how: dict[str, Any] = {"input_names": PAINTER_INPUTS, "output_names": PAINTER_OUTPUTS, "dynamic_axes": axes}
        export_onnx(graph, inputs, out / "model.onnx", **how)
        export_onnx(
            sketcher_graph,
            (inputs[0], torch.full((1,), 0.5), inputs[3]),
            out / "sketcher.onnx",
            input_names=SKETCHER_INPUTS,
            output_names=SKETCHER_OUTPUTS,
            dynamic_axes={"components": {0: "count"}, "velocity": {0: "count"}},
        )
    nets = {"sketcher": graph.sketcher, "matcher": graph.scorer.matcher, "painter": graph.painter}
    every = {f"{name}.{key}": value for name, net in nets.items() for key, value in net.state_dict().items()}
    save_rest(out, every, half=True)
    minilm = MiniLM(threads=1)
    meanings = {name: minilm.encode(texts) for name, texts in SENTENCES.items()}
    meanings |= {f"{SHOWN}{scene}": _shown(graph.scorer.matcher, minilm, scene)[None] for scene in SCENES}
    save_file({name: each.astype(np.float16) for name, each in meanings.items()}, out / "meanings.safetensors")
    steps = {stage: read_json(folder / stage / "latest.json")["step"] for stage in ("sketch", "match", "paint")}
    write_json(out / "config.json", _config_of(graph, steps, contrast=1.0 if mean_with is None else _MEAN_CONTRAST))
    write_checksums(out)
    size = sum(path.stat().st_size for path in out.iterdir())
    log(f"exported to {out}, {size / 1e6:.1f} MB")
    return {"megabytes": size / 1e6, **{f"{stage}_steps": step for stage, step in steps.items()}}


@torch.no_grad()
def _shown(matcher: Matcher, minilm: MiniLM, scene: str) -> NDArray[np.float32]:
    """A scene's vector (width,) in the matcher's space: the mean over its plainest names, of unit length."""
    sentences = torch.from_numpy(minilm.encode(NOUNS[scene][:_NAMES]))
    mean = nn.functional.normalize(matcher.sentence(sentences), dim=1).mean(dim=0)
    return nn.functional.normalize(mean, dim=0).numpy()


def _config_of(graph: PainterGraph, steps: dict[str, int], *, contrast: float) -> dict[str, Any]:
    """The content of config.json."""
    return {
        "name": "painter",
        "size": graph.painter.config.size,
        "scenes": list(SCENES),
        "steps_taken": steps,
        "serving": {
            "components": graph.sketcher.config.components,
            "noise": graph.painter.config.noise,
            "grain": graph.painter.grain_channels,
            "words": WORDS,
            "midpoint_steps": _STEPS,
            "guidance": _GUIDANCE,
            "contrast": contrast,
        },
        "sketcher": asdict(graph.sketcher.config),
        "matcher": asdict(graph.scorer.matcher.config),
        "painter": asdict(graph.painter.config),
    }
