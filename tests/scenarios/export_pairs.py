"""Each exported network with the torch module that it was exported from, and inputs to compare them on.

Inputs are drawn by a seed; pictures are coloured noise with structure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from auria_bot.art.checkpoint import load_model_weights, read_json
from auria_bot.art.nets.kuwahara_filter import KuwaharaFilter
from auria_bot.art.nets.lite0 import Lite0
from auria_bot.art.nets.matcher import Matcher, MatcherConfig, Scorer
from auria_bot.art.nets.painter import (
    PAINTER_OUTPUTS,
    SKETCHER_OUTPUTS,
    Painter,
    PainterConfig,
    PainterGraph,
    SketcherGraph,
)
from auria_bot.art.nets.real_esrgan import Srvgg, SrvggConfig
from auria_bot.art.nets.show_attend_tell import Encode, ShowAttendTell, ShowAttendTellConfig, Step
from auria_bot.art.nets.sketcher import Sketcher, SketcherConfig
from auria_bot.art.nets.word_lstm import SteppedWordLstm, WordLstm, WordLstmConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["ExportPair", "captioner", "captioner_step", "export_pairs", "poet", "scenery"]

_STORED_IN_HALF = 64  # values; smaller tensors are exported as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPair:
    """A network in ONNX and, where there is one, in torch."""

    name: str
    file: str  # below models/
    inputs: dict[str, NDArray[Any]]  # in the order of the module's arguments
    outputs: tuple[str, ...]  # the outputs that are compared, the first ones that the module returns
    build: Callable[[], nn.Module] | None  # None: there is no torch module of this project
    picture: str | None = None  # the output that is a picture in [0, 1]
    rounds: bool = True  # whether bfloat16 is allowed; not where pixel positions are computed

    def torch(self, module: nn.Module, *, bf16: bool = False) -> dict[str, NDArray[Any]]:
        """The module's outputs; with `bf16`, matrix products and convolutions are computed in bfloat16."""
        values = tuple(map(torch.from_numpy, self.inputs.values()))
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            result = module(*values)
        results = result if isinstance(result, tuple) else (result,)
        return {name: value.float().numpy() for name, value in zip(self.outputs, results, strict=False)}


def poet(models: Path) -> SteppedWordLstm:
    """The poet's network, one word at a time."""
    config = read_json(models / "poet" / "config.json")["net"]
    return SteppedWordLstm(_loaded(WordLstm(_config(WordLstmConfig, config)), models / "poet")).eval()


def captioner(models: Path) -> ShowAttendTell:
    """The captioner's network."""
    config = read_json(models / "captioner" / "config.json")["net"]
    net: ShowAttendTell = _loaded(ShowAttendTell(_config(ShowAttendTellConfig, config)), models / "captioner")
    return net


def export_pairs(models: Path, *, seed: int = 0) -> list[ExportPair]:
    """Every network used for inference; the word steps of poet and captioner are compared as words instead."""
    inputs = _inputs(models, seed)
    features, encoded = ("pooled", "grid", "middle", "logits"), ("annotations", "keys", "hidden", "memory")

    def pair(
        name: str, file: str, outputs: tuple[str, ...], build: Callable[[], nn.Module] | None, **rest: Any
    ) -> ExportPair:
        return ExportPair(name=name, file=file, inputs=inputs[name], outputs=outputs, build=build, **rest)

    return [
        pair("eye", "lite0/model.onnx", features, _image_encoder),
        pair("captioner-encode", "captioner/encode.onnx", encoded, lambda: Encode(captioner(models))),
        pair("painter-sketch", "painter/sketcher.onnx", SKETCHER_OUTPUTS, lambda: _sketcher_graph(models)),
        pair("painter", "painter/model.onnx", PAINTER_OUTPUTS[:3], lambda: _painter_graph(models), picture="pictures"),
        pair("enlarger", "enlarger/model.onnx", ("enlarged",), lambda: _enlarger(models), picture="enlarged"),
        pair("stylist", "stylist/model.onnx", ("restyled",), None, picture="restyled"),
        pair("stylist-brush", "stylist/brush.onnx", ("brushed",), KuwaharaFilter, rounds=False),
    ]


def _inputs(models: Path, seed: int) -> dict[str, dict[str, NDArray[Any]]]:
    """Random inputs of each network, by its name; in the order of the module's arguments."""
    rng = np.random.default_rng(seed)
    serving = read_json(models / "painter" / "config.json")["serving"]
    pictures = scenery(rng, 2, 224)
    grid = rng.gamma(0.3, 1.0, (1, 7, 7, 1280)).clip(0, 6).astype(np.float32)
    sentence = rng.normal(size=(1, 384)).astype(np.float32)
    sentence /= np.linalg.norm(sentence)
    components = rng.normal(size=(2, serving["components"])).astype(np.float32)
    painter = {
        "components": components,
        "style_noise": rng.normal(size=(2, serving["noise"])).astype(np.float32),
        "grain": rng.normal(size=(2, serving["grain"], 32, 32)).astype(np.float32),
        "sentence": sentence,
        "words": (rng.normal(size=(1, serving["words"], 384)) * 0.4).astype(np.float32),
        "mask": (np.arange(serving["words"])[None] < 9).astype(np.float32),
    }
    small = scenery(rng, 1, 64)
    stylist = {
        "picture": np.ascontiguousarray(pictures[:1].transpose(0, 2, 3, 1)),
        "style": rng.normal(size=(1, 1, 1, 100)).astype(np.float32) * np.float32(0.5),
    }
    return {
        "eye": {"pictures": pictures},
        "captioner-encode": {"grid": grid},
        "painter-sketch": {"components": components, "time": np.array([0.4], np.float32), "sentence": sentence},
        "painter": painter,
        "enlarger": {"picture": small},
        "stylist": stylist,
        "stylist-brush": {"lab": rng.uniform(-40, 90, (1, 3, 64, 80)).astype(np.float32)},
    }


def scenery(rng: np.random.Generator, count: int, side: int) -> NDArray[np.float32]:
    """Pictures (count, 3, side, side) in [0, 1] of noise with a 1/f spectrum."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij"))
    waves = np.fft.rfft2(rng.normal(size=(count, 3, side, side))) / np.maximum(frequency, 1 / side)
    forms = np.fft.irfft2(waves, s=(side, side))
    low, high = forms.min((2, 3), keepdims=True), forms.max((2, 3), keepdims=True)
    pictures: NDArray[np.float32] = ((forms - low) / (high - low)).astype(np.float32)
    return pictures


def captioner_step(models: Path) -> Step:
    """The captioner's network, one word at a time."""
    return Step(captioner(models)).eval()


def _image_encoder() -> nn.Module:
    return _as_stored(Lite0.pretrained())


def _sketcher_graph(models: Path) -> nn.Module:
    config = read_json(models / "painter" / "config.json")
    sketcher = Sketcher(_config(SketcherConfig, config["sketcher"]))
    return SketcherGraph(
        _loaded(sketcher, models / "painter", "sketcher."), guidance=config["serving"]["guidance"]
    ).eval()


def _painter_graph(models: Path) -> nn.Module:
    config, folder = read_json(models / "painter" / "config.json"), models / "painter"
    sketcher = _loaded(Sketcher(_config(SketcherConfig, config["sketcher"])), folder, "sketcher.")
    matcher = _loaded(Matcher(_config(MatcherConfig, config["matcher"])), folder, "matcher.")
    painter = _loaded(Painter(_config(PainterConfig, config["painter"])), folder, "painter.")
    return PainterGraph(sketcher, painter, Scorer(matcher, _as_stored(Lite0.pretrained()))).eval()


def _enlarger(models: Path) -> nn.Module:
    config = read_json(models / "enlarger" / "config.json")
    config.pop("source_sha256", None)
    net: nn.Module = _loaded(Srvgg(_config(SrvggConfig, config)), models / "enlarger")
    return net


def _loaded(module: Any, folder: Path, prefix: str = "") -> Any:
    saved = load_model_weights(folder)
    module.load_state_dict({name: saved[f"{prefix}{name}"] for name in module.state_dict()})
    return module.eval()


def _as_stored(module: Lite0) -> Lite0:
    """The module with its weights rounded as in the exported file."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.numel() >= _STORED_IN_HALF:
                parameter.copy_(parameter.half().float())
    return module


def _config(kind: Any, values: Mapping[str, Any]) -> Any:
    """A network's config from JSON: lists become tuples."""
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
