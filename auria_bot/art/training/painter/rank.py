"""Train the ranker: real paintings and photographs against what a painter paints for training captions.

    python -m auria_bot.art.training.painter.rank --data DIR [--model DIR] [--folder DIR] [--out models/ranker]

Everything is linear on EfficientNet-Lite0's pooled features, so it takes minutes; repeat it for a new painter.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file
from torch.nn import functional as F

from auria_bot.art.checkpoint import write_checksums, write_json
from auria_bot.art.nets.lite0 import Lite0
from auria_bot.art.painters.attn import AttnPainter
from auria_bot.art.painters.ranker import SIDE, RankerWeights, at_side
from auria_bot.art.training.loop import training_folder
from auria_bot.art.training.painter.dataset import prepare
from auria_bot.art.training.painter.match import as_pixels
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["area_under_curve", "fit", "main", "train"]

TRAITS = 24  # components, beside the direction that tells real from painted
_CAPTIONS, _EACH = 800, 8  # captions painted, and candidates of each
_PHOTOGRAPHS = 4000
_PENALTY = 1e-2  # of the squared weights
_FOLDS = 5
_UNFIT = 0.3  # share of nudity above which a painting is left out


def train(
    *,
    data: Path,
    model: Path,
    out: Path | None,
    folder: Path | None = None,
    captions: int = _CAPTIONS,
    limit: int | None = None,
    log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train the ranker and write it to `out`; gives its figures.

    Args:
        data: the folder of the training archives and of paintings.zip.
        model: the painter whose pictures are judged.
        out: the ranker's folder; None writes nothing.
        folder: where the painter's training arrays are kept.
        captions: how many training captions are painted.
        limit: use only about so many training pictures (for tests).
        log: receives progress lines.

    Raises:
        InputError: an archive is missing.
    """
    scenes = prepare(data, folder or training_folder("painter"), limit=limit, log=log)
    painter = AttnPainter(AttnPainter.Config(ranker=False), models=model.parent, folder=model.name)
    rng = np.random.default_rng(12)
    share = scenes.weights()
    rows = rng.choice(len(share), captions, p=share)
    texts = [scenes.texts[scenes.caption[row, int(rng.integers(scenes.caption.shape[1]))]] for row in rows]
    painted = [each.pixels for seed, text in enumerate(texts) for each in painter.imagine(text, seed=seed, count=_EACH)]
    log(f"{len(painted)} pictures painted")
    photographs = scenes.pictures[np.unique(rng.choice(len(share), _PHOTOGRAPHS, p=share)), 0]  # as captions are drawn
    real = [*_paintings(data), *photographs]
    pictures = np.stack([at_side(picture) for picture in [*real, *painted]])
    is_real = np.arange(len(pictures)) < len(real)
    features = _features(pictures)
    weights = fit(features, is_real)
    figures = {
        "real": len(real),
        "painted": len(painted),
        "area_under_curve": round(_held_out(features, is_real), 4),
    }
    if out is not None:
        _write(weights, out, figures)
    log(json.dumps(figures))
    return figures


def fit(features: NDArray[np.float32], is_real: NDArray[np.bool_], *, traits: int = TRAITS) -> RankerWeights:
    """Principal components of the features, and the direction by which a logistic model tells real from painted.

    Args:
        features: (n, d).
        is_real: (n,).
        traits: how many components; the direction is a further trait, the only one with a weight.
    """
    mean, deviation = features.mean(0), features.std(0) + 1e-6
    variances, columns = np.linalg.eigh(np.cov(features - mean, rowvar=False))
    largest = np.argsort(variances)[::-1][:traits]
    components = (columns[:, largest] / np.sqrt(np.maximum(variances[largest], 1e-12))).T
    slope, bias = _logistic((features - mean) / deviation, is_real)
    direction = slope / deviation
    spread = float(((features[~is_real] - mean) @ direction).std()) + 1e-12
    return RankerWeights(
        mean=mean,
        basis=np.vstack([components, direction / spread]).astype(np.float32),
        weight=np.append(np.zeros(len(components), np.float32), np.float32(1.0)),
        bias=bias / spread,
    )


def _logistic(x: NDArray[np.float32], is_real: NDArray[np.bool_]) -> tuple[NDArray[np.float32], float]:
    """Slope (d,) and bias of the penalised logistic model of x (n, d), in which both kinds count alike."""
    rows, target = torch.from_numpy(x), torch.from_numpy(is_real.astype(np.float32))
    balance = torch.where(target > 0, 0.5 / target.mean(), 0.5 / (1 - target.mean()))
    slope, bias = torch.zeros(x.shape[1], requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([slope, bias], max_iter=60)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        error = F.binary_cross_entropy_with_logits(rows @ slope + bias, target, weight=balance)
        total = error + _PENALTY * slope.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return slope.detach().numpy(), float(bias.detach())


def area_under_curve(scores: NDArray[np.float32], is_real: NDArray[np.bool_]) -> float:
    """The probability that a real picture scores higher than a painted one."""
    rank = np.argsort(np.argsort(scores)) + 1
    many, others = int(is_real.sum()), int((~is_real).sum())
    return float((rank[is_real].sum() - many * (many + 1) / 2) / (many * others))


def _held_out(features: NDArray[np.float32], is_real: NDArray[np.bool_]) -> float:
    """The area under the curve, each picture scored by a model that has not seen it."""
    fold = np.random.default_rng(3).integers(0, _FOLDS, len(features))
    scores = np.zeros(len(features), np.float32)
    for number in range(_FOLDS):
        weights = fit(features[fold != number], is_real[fold != number])
        scores[fold == number] = weights.logits(weights.traits(features[fold == number]))
    return area_under_curve(scores, is_real)


@torch.no_grad()
def _features(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    lite0 = Lite0.pretrained()
    parts = [lite0(as_pixels(pictures[at : at + 64]))[0] for at in range(0, len(pictures), 64)]
    return torch.cat(parts).numpy()


def _paintings(data: Path) -> list[NDArray[np.uint8]]:
    """The squares in the middle of the paintings, without nudes."""
    path = data / "paintings.zip"
    if not path.is_file():
        raise InputError(f"{path} is missing; give the folder of the training archives with --data DIR")
    found = []
    with zipfile.ZipFile(path) as archive:
        names = {Path(name).name: name for name in archive.namelist()}
        for row in csv.DictReader(io.StringIO(archive.read(names["metadata.csv"]).decode())):
            if float(row["nsfw"] or 0) > _UNFIT or row["file"] not in names:
                continue
            picture = Image.open(io.BytesIO(archive.read(names[row["file"]]))).convert("RGB")
            side = min(picture.size)
            left, top = (picture.width - side) // 2, (picture.height - side) // 2
            square = picture.crop((left, top, left + side, top + side))
            found.append(np.asarray(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS)))
    return found


def _write(weights: RankerWeights, out: Path, figures: dict[str, Any]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    arrays = {"mean": weights.mean, "basis": weights.basis, "weight": weights.weight, "bias": np.array([weights.bias])}
    save_file({name: array.astype(np.float16) for name, array in arrays.items()}, out / "weights.safetensors")
    write_json(out / "config.json", {"name": "ranker", "side": SIDE, "traits": len(weights.weight)})
    write_json(out / "metrics.json", figures)
    write_checksums(out)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and write the ranker; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m auria_bot.art.training.painter.rank", description=main.__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("AURIA_DATA"), help="folder of the archives")
    parser.add_argument("--model", type=Path, default=Path("models/painter"), help="the painter that is judged")
    parser.add_argument("--folder", type=Path, help="where the painter's training arrays are kept")
    parser.add_argument("--out", type=Path, default=Path("models/ranker"), help="the ranker's folder")
    parser.add_argument("--captions", type=int, default=_CAPTIONS)
    chosen = vars(parser.parse_args(arguments))
    if chosen["data"] is None:
        parser.error("give the folder of the training archives with --data DIR or AURIA_DATA")
    chosen["data"] = Path(chosen["data"])
    log = partial(print, flush=True)
    train(**chosen, log=log)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
