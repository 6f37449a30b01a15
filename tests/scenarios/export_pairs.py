"""Each exported network with the torch module that it was exported from, and inputs to compare them on.

Inputs are drawn by a seed; pictures are coloured noise with structure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from auria_bot.art.checkpoint import load_model_weights, read_json
from auria_bot.art.evaluation.poet import load_net
from auria_bot.art.nets.kuwahara_filter import KuwaharaFilter
from auria_bot.art.nets.lite0 import Lite0
from auria_bot.art.nets.matcher import Matcher, MatcherConfig, Scorer, SentenceScorer
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
from auria_bot.art.nets.word_lstm import SteppedWordLstm
from auria_bot.art.painters.attn import AttnPainter
from auria_bot.art.training.film.export import load_generator
from auria_bot.art.training.poet.marks import PLACES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["AS_WORDS", "ExportPair", "captioner", "captioner_step", "export_pairs", "poet", "scenery"]

AS_WORDS = ("poet/model.onnx", "captioner/step.onnx")
"""Networks that are compared by the words they choose, see `tests.scenarios.parity`."""

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
    quantised: bool = False  # computes in 8 bits, so that each runtime rounds in its own places

    def torch(self, module: nn.Module, *, bf16: bool = False) -> dict[str, NDArray[Any]]:
        """The module's outputs; with `bf16`, matrix products and convolutions are computed in bfloat16."""
        values = tuple(map(torch.from_numpy, self.inputs.values()))
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            result = module(*values)
        results = result if isinstance(result, tuple) else (result,)
        return {name: value.float().numpy() for name, value in zip(self.outputs, results, strict=False)}


def poet(models: Path) -> SteppedWordLstm:
    """The poet's network, one word at a time."""
    net, _ = load_net(models / "poet")
    return SteppedWordLstm(net).eval()


def captioner(models: Path) -> ShowAttendTell:
    """The captioner's network."""
    config = read_json(models / "captioner" / "config.json")["net"]
    net: ShowAttendTell = _loaded(ShowAttendTell(_config(ShowAttendTellConfig, config)), models / "captioner")
    return net


def export_pairs(models: Path, *, seed: int = 0) -> list[ExportPair]:
    """Every network under models/; the word steps of poet and captioner (`AS_WORDS`) are compared as words instead."""
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
        pair("matcher", "matcher/model.onnx", ("scores",), lambda: _sentence_scorer(models)),
        pair("poem-scorer", "poet/critic.onnx", ("logits",), None),
        pair("enlarger", "enlarger/model.onnx", ("enlarged",), lambda: _enlarger(models), picture="enlarged"),
        pair("enlarger-x4plus", "enlarger-x4plus/model.onnx", ("enlarged",), None, picture="enlarged", quantised=True),
        pair("stylist", "stylist/model.onnx", ("restyled",), None, picture="restyled"),
        pair("stylist-brush", "stylist/brush.onnx", ("brushed",), KuwaharaFilter, rounds=False),
        pair("style-great-wave", "style-great-wave/model.onnx", ("restyled",), None, picture="restyled"),
        pair("style-starry-night", "style-starry-night/model.onnx", ("restyled",), None, picture="restyled"),
        pair(
            "film-mapping",
            "film-waves/mapping.onnx",
            ("w",),
            lambda: _MappingGraph(load_generator(models / "film-waves")),
        ),
        pair("film-synthesis", "film-waves/synthesis.onnx", ("frames",), None, picture="frames"),
    ]


def _inputs(models: Path, seed: int) -> dict[str, dict[str, NDArray[Any]]]:
    """Random inputs of each network, by its name; in the order of the module's arguments."""
    rng = np.random.default_rng(seed)
    facts = read_json(models / "painter" / "config.json")
    serving = facts["serving"]
    pictures = scenery(rng, 2, 224)
    grid = rng.gamma(0.3, 1.0, (1, 7, 7, 1280)).clip(0, 6).astype(np.float32)
    sentence = rng.normal(size=(1, 384)).astype(np.float32)
    sentence /= np.linalg.norm(sentence)
    components = rng.normal(size=(2, serving["components"])).astype(np.float32)
    painter = {
        "components": components,
        "style_noise": rng.normal(size=(2, serving["noise"])).astype(np.float32),
        "grain": rng.normal(size=(2, serving["grain"], facts["size"] // 2, facts["size"] // 2)).astype(np.float32),
        "sentence": sentence,
        "words": (rng.normal(size=(1, serving["words"], 384)) * 0.4).astype(np.float32),
        "mask": (np.arange(serving["words"])[None] < 9).astype(np.float32),
    }
    small = scenery(rng, 1, 64)
    words = rng.integers(4, read_json(models / "poet" / "config.json")["net"]["words"], (3, PLACES))
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
        "matcher": {"pictures": scenery(rng, 2, 96), "sentences": sentence},
        "poem-scorer": {"tokens": words},
        "enlarger-x4plus": {"picture": _painting(models)},
        "style-great-wave": {"picture": pictures},
        "style-starry-night": {"picture": pictures},
        **_film_inputs(models, rng),
    }


def _film_inputs(models: Path, rng: np.random.Generator) -> dict[str, dict[str, NDArray[Any]]]:
    """Random inputs of the two networks of the film model."""
    film = read_json(models / "film-waves" / "config.json")["film"]
    noise = {
        f"noise{number}": rng.normal(size=(1, 1, *size)).astype(np.float32) for number, size in enumerate(film["noise"])
    }
    styles = rng.normal(size=(2, film["styles"], film["w"])).astype(np.float32)
    z = rng.normal(size=(2, film["z"])).astype(np.float32)
    return {
        "film-mapping": {"z": z, "truncation": np.array([0.7], np.float32)},
        "film-synthesis": {"styles": styles, **noise},
    }


def scenery(rng: np.random.Generator, count: int, side: int) -> NDArray[np.float32]:
    """Pictures (count, 3, side, side) in [0, 1] of noise with a 1/f spectrum."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij"))
    waves = np.fft.rfft2(rng.normal(size=(count, 3, side, side))) / np.maximum(frequency, 1 / side)
    forms = np.fft.irfft2(waves, s=(side, side))
    low, high = forms.min((2, 3), keepdims=True), forms.max((2, 3), keepdims=True)
    pictures: NDArray[np.float32] = ((forms - low) / (high - low)).astype(np.float32)
    return pictures


@cache
def _painting(models: Path) -> NDArray[np.float32]:
    """A painting (1, 3, height, width) in [0, 1] by the painter: what the enlarger's 8 bits were made for."""
    painter = AttnPainter(AttnPainter.Config(runtime="onnxruntime"), models=models)
    pixels = painter.imagine("forest in daylight", seed=1, count=1)[0].pixels
    shown: NDArray[np.float32] = (pixels.transpose(2, 0, 1)[None] / 255).astype(np.float32)
    return shown


class _MappingGraph(nn.Module):
    """Latent vectors and a truncation to style vectors, as the film model's export has it."""

    def __init__(self, generator: Any) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, z: torch.Tensor, truncation: torch.Tensor) -> torch.Tensor:
        """(n, z) and (1,) to (n, w)."""
        found: torch.Tensor = self.generator.mapping(z, truncation=float(truncation))[:, 0]
        return found


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


def _sentence_scorer(models: Path) -> nn.Module:
    """As it was made: with the painter's matcher."""
    config, folder = read_json(models / "painter" / "config.json"), models / "painter"
    matcher = _loaded(Matcher(_config(MatcherConfig, config["matcher"])), folder, "matcher.")
    return SentenceScorer(matcher, _as_stored(Lite0.pretrained())).eval()


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
