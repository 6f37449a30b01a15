"""Compare torch, OpenVINO and ONNX Runtime on the same inputs, and measure what bfloat16 costs.

OpenVINO computes in bfloat16 only where the processor supports it; everywhere torch's autocast stands in for it
(products and convolutions in bfloat16, sums in single precision), and `has_bf16` tells whether OpenVINO's own ran too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from auria_bot.art import runtime
from auria_bot.art.captioners.vocabulary import END, PAD, START, UNKNOWN
from auria_bot.art.checkpoint import read_json
from auria_bot.art.evaluation.painter import control
from auria_bot.art.evaluation.stylist import evaluate, invented_scene
from auria_bot.art.nets.show_attend_tell import Encode
from auria_bot.art.nets.word_lstm import INPUTS
from auria_bot.art.painters.attn import AttnPainter
from auria_bot.art.real_esrgan import RealEsrgan
from auria_bot.art.stylists.magenta import Magenta
from auria_bot.errors import InputError
from tests.scenarios.export_pairs import ExportPair, captioner, captioner_step, poet, scenery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "Compared",
    "PictureFigures",
    "bf16_log_probability",
    "compare",
    "greedy_captions",
    "greedy_poems",
    "has_bf16",
    "measure_pictures",
    "worst_loss",
]

_THREADS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Differences of a network's outputs, as shares of their largest magnitude (pictures: of the range 0 to 1)."""

    name: str
    runtimes: float  # OpenVINO against ONNX Runtime, largest difference; of a network in 8 bits root mean square
    torch: float | None  # torch against ONNX Runtime, largest difference; None where there is no torch module
    bf16: float | None  # torch in bfloat16 against torch in float32, root mean square difference
    openvino_bf16: (
        float | None
    )  # OpenVINO's own bfloat16, likewise; None where the processor has none, or it never serves so
    picture: bool  # whether an output is a picture
    quantised: bool = False  # whether it computes in 8 bits


def has_bf16() -> bool:
    """Whether OpenVINO can compute in bfloat16 on this processor."""
    try:
        import openvino
    except ImportError:
        return False
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def compare(pair: ExportPair, models: Path) -> Compared:
    """Run a network everywhere on the same inputs."""
    path = models / pair.file
    onnx, vino = (
        runtime.load(path, runtime=name, threads=_THREADS).run(pair.inputs) for name in ("onnxruntime", "openvino")
    )
    plain = rounded = own = None
    if pair.build is not None:
        module = pair.build()
        plain, rounded = pair.torch(module), pair.torch(module, bf16=True)
    if has_bf16() and pair.rounds and not pair.quantised:
        own = runtime.load(path, runtime="openvino", threads=_THREADS, precision="bf16").run(pair.inputs)

    def apart(mine: Mapping[str, NDArray[Any]], theirs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float64]]:
        return [(mine[name].astype(np.float64) - theirs[name]) / _scale(theirs[name]) for name in pair.outputs]

    def largest(mine: Mapping[str, NDArray[Any]], theirs: Mapping[str, NDArray[Any]]) -> float:
        return max(float(np.abs(each).max()) for each in apart(mine, theirs))

    def typical(mine: Mapping[str, NDArray[Any]], theirs: Mapping[str, NDArray[Any]]) -> float:
        return max(float(np.square(each).mean() ** 0.5) for each in apart(mine, theirs))

    return Compared(
        name=pair.name,
        runtimes=typical(vino, onnx) if pair.quantised else largest(vino, onnx),
        torch=None if plain is None else largest(plain, onnx),
        bf16=None if plain is None or rounded is None else typical(rounded, plain),
        openvino_bf16=None if own is None else typical(own, vino),
        picture=pair.picture is not None,
        quantised=pair.quantised,
    )


def greedy_poems(models: Path, *, poems: int = 8, words: int = 32, seed: int = 0) -> dict[str, NDArray[np.int64]]:
    """Word numbers (poems, words) that each runtime decodes greedily on random themes."""
    config = read_json(models / "poet" / "config.json")["net"]
    rng = np.random.default_rng(seed)
    theme = rng.normal(size=(poems, config["theme"])).astype(np.float32)
    theme /= np.linalg.norm(theme, axis=1, keepdims=True)
    kind = rng.integers(0, config["kinds"], poems)
    state = np.zeros((config["layers"], poems, config["hidden"]), np.float32)

    def write(step: Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]) -> NDArray[np.int64]:
        feeds: dict[str, NDArray[Any]] = {
            "token": np.ones(poems, np.int64),
            "kind": kind,
            "theme": theme,
            "hidden": state,
            "cell": state,
        }
        chosen = []
        for place in range(words):
            position = np.full(poems, place % config["positions"])
            out = step({**feeds, "position": position})
            feeds |= {"token": out["likelihoods"].argmax(1), "hidden": out["hidden_next"], "cell": out["cell_next"]}
            chosen.append(feeds["token"])
        return np.stack(chosen, 1)

    module = poet(models)

    def in_torch(feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        with torch.inference_mode():
            results = module(*(torch.from_numpy(feeds[name]) for name in INPUTS))
        return dict(zip(("likelihoods", "hidden_next", "cell_next"), (r.numpy() for r in results), strict=True))

    path = models / "poet" / "model.onnx"
    nets = {name: runtime.load(path, runtime=name, threads=_THREADS) for name in runtime.RUNTIMES}
    return {"torch": write(in_torch)} | {name: write(net.run) for name, net in nets.items()}


def greedy_captions(models: Path, *, pictures: int = 4, words: int = 16, seed: int = 0) -> dict[str, NDArray[np.int64]]:
    """Word numbers (pictures, words) that each runtime decodes greedily, image encoder included."""
    pictures_shown = scenery(np.random.default_rng(seed), pictures, 224)
    captions: dict[str, NDArray[np.int64]] = {}
    for name in runtime.RUNTIMES:
        image_encoder, encode, step = (
            runtime.load(models / file, runtime=name, threads=_THREADS)
            for file in ("lite0/model.onnx", "captioner/encode.onnx", "captioner/step.onnx")
        )
        chosen = []
        for picture in pictures_shown:
            encoded = encode.run({"grid": image_encoder.run({"pictures": picture[None]})["grid"]})
            feeds = {**encoded, "word": np.array([START])}
            chosen.append(_greedy_caption(step.run, feeds, words))
        captions[name] = np.stack(chosen)
    encode_module, step_module = Encode(captioner(models)).eval(), captioner_step(models)
    image_encoder = runtime.load(models / "lite0" / "model.onnx", runtime="onnxruntime", threads=_THREADS)

    def in_torch(feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        order = ("word", "annotations", "keys", "hidden", "memory")
        with torch.inference_mode():
            results = step_module(*(torch.from_numpy(feeds[name]) for name in order))
        return dict(zip(("scores", "next_hidden", "next_memory"), (r.numpy() for r in results[:3]), strict=True))

    chosen = []
    for picture in pictures_shown:
        grid = torch.from_numpy(image_encoder.run({"pictures": picture[None]})["grid"])
        with torch.inference_mode():
            parts = [part.numpy() for part in encode_module(grid)]
        names = ("annotations", "keys", "hidden", "memory")
        chosen.append(
            _greedy_caption(in_torch, {**dict(zip(names, parts, strict=True)), "word": np.array([START])}, words)
        )
    return {"torch": np.stack(chosen), **captions}


def _greedy_caption(
    step: Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]], feeds: dict[str, NDArray[Any]], words: int
) -> NDArray[np.int64]:
    chosen = []
    for _ in range(words):
        out = step(feeds)
        scores = np.array(out["scores"])
        scores[:, [PAD, START, UNKNOWN, END]] = -np.inf
        feeds = {**feeds, "word": scores.argmax(1), "hidden": out["next_hidden"], "memory": out["next_memory"]}
        chosen.append(int(feeds["word"][0]))
    return np.array(chosen)


def bf16_log_probability(models: Path, tokens: NDArray[np.int64], *, seed: int = 0) -> tuple[float, float]:
    """The poet's mean log-probability per word of given poems (poems, words), in float32 and in bfloat16."""
    module, config = poet(models), read_json(models / "poet" / "config.json")["net"]
    torch.manual_seed(seed)
    poems = len(tokens)
    theme = torch.nn.functional.normalize(torch.randn(poems, config["theme"]), dim=1)
    numbers = torch.from_numpy(tokens)
    found = []
    for rounded in (False, True):
        hidden = cell = torch.zeros(config["layers"], poems, config["hidden"])
        token, kind = torch.ones(poems, dtype=torch.int64), torch.zeros(poems, dtype=torch.int64)
        total = 0.0
        for place in range(numbers.shape[1]):
            position = torch.full((poems,), place % config["positions"])
            with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=rounded):
                scores, hidden, cell = module(token, position, kind, theme, hidden, cell)
            token = numbers[:, place]
            total += scores.float().gather(1, token[:, None]).mean().item()
        found.append(total / numbers.shape[1])
    return found[0], found[1]


def _scale(values: NDArray[Any]) -> float:
    if values.dtype == np.uint8:
        return 255.0
    return max(float(np.abs(values).max()), 1e-6)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFigures:
    """Figures of painter and stylist in one precision."""

    control: Mapping[str, int]  # for how many of `seeds` light, whiteness or warmth is as requested
    seeds: int
    score: float  # the painter's mean matching score, about -1 to 1
    colour_left: float  # share of the distance to the painting, median
    edges: float  # share of edges kept, median


def measure_pictures(models: Path, *, precision: str, seeds: int = 5, pairs: int = 8) -> PictureFigures:
    """Paint and restyle in "f32" or "bf16", both on OpenVINO, so that only the precision differs."""
    options: dict[str, Any] = {"runtime": "openvino", "precision": precision}
    painter = AttnPainter(AttnPainter.Config(**options), models=models)
    texts = ("sea at sunset", "forest in the snow", "a mountain at night", "roses in daylight")
    scores = [painter.imagine(text, seed=seed, count=4)[0].score for text in texts for seed in range(seeds)]
    restyled = evaluate(
        Magenta(Magenta.Config(**options), models),
        RealEsrgan(RealEsrgan.Config(**options), models),
        [invented_scene(seed) for seed in range(pairs)],
    )
    return PictureFigures(
        control=control(painter, seeds=seeds)["control"],
        seeds=seeds,
        score=sum(scores) / len(scores),
        colour_left=restyled.colour_left,
        edges=restyled.edges,
    )


def worst_loss(plain: PictureFigures, rounded: PictureFigures) -> float:
    """The largest loss of a figure, as a share of its range; 0 where none gets worse.

    Raises:
        InputError: the two were not measured on the same seeds.
    """
    if plain.seeds != rounded.seeds or set(plain.control) != set(rounded.control):
        raise InputError("figures of different seeds or prompts cannot be compared; measure both anew")
    falls = [
        *((plain.control[name] - rounded.control[name]) / plain.seeds for name in plain.control),
        plain.score - rounded.score,
        rounded.colour_left - plain.colour_left,
        plain.edges - rounded.edges,
    ]
    return max(0.0, *falls)
