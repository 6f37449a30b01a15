"""Train the captioner with teacher forcing on frozen EfficientNet-Lite0 features, and export it.

`python -m auria_bot.art.training.captioner.train --data DIR [--minutes N] [--folder DIR] [--out DIR] [--recipe-file
FILE]`

Features are computed once and kept beside the checkpoints; an update takes a few pictures with all their captions, so
that a picture is projected once for five captions. Reads the archives named in `dataset.ARCHIVES`.
"""

from __future__ import annotations

import argparse
import math
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from auria_bot.art import runtime
from auria_bot.art.captioners.vocabulary import END, PAD, START, UNKNOWN, Vocabulary, tokenise
from auria_bot.art.checkpoint import export_onnx, save_weights, verified, write_checksums, write_json
from auria_bot.art.evaluation.captioner import all_figures, evaluate
from auria_bot.art.nets.show_attend_tell import Encode, ShowAttendTell, ShowAttendTellConfig, Step
from auria_bot.art.stylists.magenta import Magenta
from auria_bot.art.training import loop
from auria_bot.art.training.captioner.dataset import (
    CELLS,
    STEP,
    Captioned,
    FeatureStore,
    build_vocabulary,
    colourless,
    read_archive,
    spread,
    without_guesses,
)
from auria_bot.art.training.workers import ALONE
from auria_bot.corpus.language.words import models_folder
from auria_bot.domain.artwork import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from auria_bot.art.training.workers import Workers

__all__ = [
    "CaptionerRecipe",
    "Source",
    "collate",
    "export",
    "greedy",
    "numbered",
    "prepare",
    "read_recipe",
    "to_floats",
    "train",
]

_LONGEST = 20  # words; longer captions (2 %) are not used
_RESTYLED = 224  # pixels
_EVALUATED = 393  # validation pictures captioned greedily at each evaluation


class Source(NamedTuple):
    """Pictures of one kind: features (pictures, views, 49, 1280) uint8, and each picture's captions as numbers."""

    features: NDArray[np.uint8]
    captions: tuple[tuple[tuple[int, ...], ...], ...]


class CaptionerRecipe:
    """What `loop.run` needs to train the captioner."""

    name = "captioner"

    def __init__(
        self,
        *,
        settings: Mapping[str, Any],
        vocabulary: Vocabulary,
        sources: Mapping[str, Source],
        validation: tuple[Source, Sequence[Captioned]],
        workers: Workers = ALONE,
    ) -> None:
        self._workers = workers
        self._settings, self._vocabulary = settings, vocabulary
        self._sources = {name: source for name, source in sources.items() if settings["batch"].get(name)}
        self._validation, self._validated = validation
        self._seed = int(settings["seed"])
        torch.manual_seed(self._seed)
        self.net = ShowAttendTell(ShowAttendTellConfig(words=len(vocabulary), **settings["net"]))
        self._start_from_frequencies()
        self.average = loop.copy_average(self.net)
        decay = settings["optimiser"]["decay"]
        groups = [
            {"params": [p for p in self.net.parameters() if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in self.net.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self._optimiser = torch.optim.AdamW(groups, lr=settings["optimiser"]["rate"], betas=(0.9, 0.98))

    def _start_from_frequencies(self) -> None:
        """Initialise the output's bias with log word frequencies."""
        counts = torch.ones(len(self._vocabulary))
        for source in self._sources.values():
            for captions in source.captions:
                for caption in captions:
                    counts[[*caption, END]] += 1
        counts[[PAD, START]] = 1e-2
        with torch.no_grad():
            self.net.bias.copy_(torch.log(counts / counts.sum()))

    def modules(self) -> dict[str, torch.nn.Module]:
        """The net and its weight average."""
        return {"net": self.net, "average": self.average}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """AdamW over the net."""
        return {"net": self._optimiser}

    def step(self, number: int, total: int) -> dict[str, float]:
        """Make one update on a batch that depends on the seed and the number only."""
        chosen = self._settings["optimiser"]
        for group in self._optimiser.param_groups:
            group["lr"] = chosen["rate"] * _schedule(number, total, chosen["warm_up"], chosen["final"])
        self._workers.seed(self._seed * 1_000_003 + number)
        (grid, owners, tokens, lengths), weight = self._batch(number)
        result = self.net.train()(grid, owners, tokens, lengths)
        loss = functional.cross_entropy(
            result.logits, result.targets, ignore_index=UNKNOWN, label_smoothing=chosen["smoothing"]
        )
        self._optimiser.zero_grad(set_to_none=True)
        (loss + chosen["attention_penalty"] * result.penalty).backward()
        self._workers.average(self.net.parameters(), weight)
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), chosen["clip"])
        self._optimiser.step()
        loop.update_average(self.average, self.net, decay=chosen["average"], step=number)
        return {"loss": loss.item(), "penalty": result.penalty.item(), "norm": norm.item()}

    def evaluate(self) -> dict[str, float]:
        """Cross entropy per word and the metrics of greedy captions on validation pictures, by the weight average."""
        source = self._validation
        losses = count = 0.0
        decoded: list[list[str]] = []
        with torch.no_grad():
            for begin in range(0, min(_EVALUATED, len(source.captions)), 64):
                rows = list(range(begin, min(begin + 64, _EVALUATED, len(source.captions))))
                grid = to_floats(source.features[rows, 0])
                owners, tokens, lengths = collate([source.captions[row] for row in rows])
                result = self.average(grid, owners, tokens, lengths)
                losses += functional.cross_entropy(
                    result.logits, result.targets, ignore_index=UNKNOWN, reduction="sum"
                ).item()
                count += (result.targets != UNKNOWN).sum().item()
                decoded += [self._vocabulary.decode(numbers) for numbers in greedy(self.average, grid)]
        given = [[tokenise(text) for text in picture.captions] for picture in self._validated[: len(decoded)]]
        figures = all_figures(decoded, given)
        shown = ("bleu_1", "bleu_4", "rouge_l", "cider_d")
        return {"validation_loss": losses / count} | {f"greedy_{name}": figures[name] for name in shown}

    def _batch(self, number: int) -> tuple[tuple[Tensor, Tensor, Tensor, list[int]], float]:
        """This worker's share of a batch, and what its words weigh in it."""
        rng = np.random.default_rng((self._seed, number))
        drawn = [
            (source, row, int(rng.integers(source.features.shape[1])))
            for name, source in self._sources.items()
            for row in _rows(len(source.captions), number, self._settings["batch"][name], self._seed)
        ]
        share = self._workers.share(len(drawn))
        own = drawn[share.rows]
        weight = share.weight and _words(own) / _words(drawn)
        grids = np.stack([source.features[row, view] for source, row, view in own])
        owners, tokens, lengths = collate([source.captions[row] for source, row, _ in own])
        return (to_floats(grids), owners, tokens, lengths), weight


def _words(drawn: Sequence[tuple[Source, int, int]]) -> int:
    """How many words of the pictures' captions a loss is computed for."""
    captions = (caption for source, row, _ in drawn for caption in source.captions[row])
    return sum(len(caption) + 1 - caption.count(UNKNOWN) for caption in captions)


def _rows(count: int, number: int, size: int, seed: int) -> list[int]:
    """The rows of batch `number`: epoch after epoch, each in its own random order."""
    places = range(number * size, (number + 1) * size)
    orders = {turn: np.random.default_rng((seed, 1, turn)).permutation(count) for turn in {p // count for p in places}}
    return [int(orders[place // count][place % count]) for place in places]


def to_floats(features: NDArray[np.uint8]) -> Tensor:
    """Stored features as the image encoder's values."""
    return torch.from_numpy(np.ascontiguousarray(features)).float().mul_(STEP)


def collate(captions: Sequence[tuple[tuple[int, ...], ...]]) -> tuple[Tensor, Tensor, list[int]]:
    """Owners, tokens (start, words, end, padding) and lengths, sorted by falling length."""
    rows = sorted(
        ((owner, caption) for owner, own in enumerate(captions) for caption in own), key=lambda row: -len(row[1])
    )
    lengths = [len(caption) + 1 for _, caption in rows]
    tokens = torch.full((len(rows), lengths[0] + 1), PAD, dtype=torch.long)
    for place, (_, caption) in enumerate(rows):
        tokens[place, : len(caption) + 2] = torch.tensor([START, *caption, END])
    return torch.tensor([owner for owner, _ in rows]), tokens, lengths


def greedy(net: ShowAttendTell, grid: Tensor) -> list[list[int]]:
    """Greedy captions for a batch of pictures."""
    picture = net.encode(grid)
    word = torch.full((len(grid),), START)
    decoded: list[Tensor] = []
    for _ in range(_LONGEST):
        embedded = net.embed(word)
        hidden, memory, context, _ = net.advance(picture, net.word_gates(embedded))
        picture = picture._replace(hidden=hidden, memory=memory)
        logits = net.word_logits(embedded, hidden, context)
        logits[:, [PAD, START, UNKNOWN]] = -math.inf
        word = logits.argmax(1)
        decoded.append(word)
    return [[int(number) for number in row] for row in torch.stack(decoded, 1)]


def _schedule(number: int, total: int, warm_up: int, final: float) -> float:
    """The factor of the learning rate: linear warm-up, then half a cosine down to `final`."""
    if number < warm_up:
        return (number + 1) / warm_up
    done = (number - warm_up) / max(1, total - warm_up)
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def numbered(pictures: Sequence[Captioned], vocabulary: Vocabulary) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Each picture's captions as numbers, without those too long (one always stays, cut)."""

    def of(picture: Captioned) -> tuple[tuple[int, ...], ...]:
        every = sorted((tuple(vocabulary.encode(text)) for text in picture.captions), key=len)
        return tuple(caption for caption in every if len(caption) <= _LONGEST) or (every[0][:_LONGEST],)

    return tuple(map(of, pictures))


def export(recipe: CaptionerRecipe, vocabulary: Vocabulary, settings: Mapping[str, Any], out: Path) -> None:
    """Write config.json, weights.safetensors, encode.onnx, step.onnx and SHA256SUMS of the average into `out`."""
    net = recipe.average
    sizes = net.config
    save_weights(out / "weights.safetensors", net.state_dict(), half=True)
    config = {
        "net": {"words": sizes.words, "features": sizes.features, **settings["net"]},
        "vocabulary": list(vocabulary.words),
        "eye": "lite0",
        "longest": _LONGEST,
        "length_power": settings["length_power"],
    }
    write_json(out / "config.json", config)
    with torch.no_grad():
        picture = net.encode(torch.rand(1, CELLS, sizes.features))
    export_onnx(
        Encode(net),
        (torch.rand(1, 7, 7, sizes.features),),
        out / "encode.onnx",
        input_names=("grid",),
        output_names=("annotations", "keys", "hidden", "memory"),
        dynamic_axes={
            "grid": {0: "n", 1: "rows", 2: "columns"},
            **{name: {0: "n", 1: "cells"} for name in ("annotations", "keys")},
            **{name: {0: "n"} for name in ("hidden", "memory")},
        },
    )
    export_onnx(
        Step(net),
        (torch.tensor([START, START]), picture.annotations, picture.keys, *(s.repeat(2, 1) for s in picture[2:])),
        out / "step.onnx",
        input_names=("word", "annotations", "keys", "hidden", "memory"),
        output_names=("scores", "next_hidden", "next_memory", "weights"),
        dynamic_axes={
            "word": {0: "beams"},
            **{name: {1: "cells"} for name in ("annotations", "keys")},
            **{name: {0: "beams"} for name in ("hidden", "memory", "scores", "next_hidden", "next_memory")},
            "weights": {0: "beams", 1: "cells"},
        },
    )
    write_checksums(out)


def _restyler(models: Path, seed: int) -> Callable[[Image.Image, int], Image.Image]:
    """A function that restyles a row's picture as the studio would, with a random painting and strength."""
    stylist = Magenta(Magenta.Config(work=_RESTYLED, threads=torch.get_num_threads()), models)

    def alter(picture: Image.Image, row: int) -> Image.Image:
        rng = np.random.default_rng((seed, 2, row))
        chosen = stylist.bank.paintings[rng.integers(len(stylist.bank.paintings))]
        style = Style(key=chosen.key, title="", artist="", year="", strength=float(rng.uniform(0.4, 0.8)))
        return stylist.restyled(picture.resize((_RESTYLED, _RESTYLED), Image.Resampling.BICUBIC), style)

    return alter


def read_recipe(file: Path | None) -> dict[str, Any]:
    """The settings of a recipe; None: of config/train/captioner.toml."""
    file = file or models_folder().parent / "config" / "train" / "captioner.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def prepare(
    data: Path,
    folder: Path,
    settings: Mapping[str, Any],
    log: Callable[[str], None],
    *,
    vocabulary: Vocabulary | None = None,
    limit: int | None = None,
) -> tuple[Vocabulary, dict[str, Source], tuple[Source, list[Captioned]]]:
    """Read the archives, compute the missing features, build the vocabulary if none is given; not of the test split."""
    everything = {archive: spread(read_archive(data, archive), limit) for archive in ("flickr", "scenes", "flowers")}
    training = {
        name: spread([p for p in rows if p.split == "train"], settings["pictures"].get(name))
        for name, rows in everything.items()
    }
    validated = [picture for picture in everything["flickr"] if picture.split == "val"]
    vocabulary = vocabulary or build_vocabulary(training, settings["minimum_count"])
    models = models_folder()
    image_encoder = runtime.load(verified(models / "lite0" / "model.onnx"), threads=torch.get_num_threads())

    def source(
        name: str, pictures: list[Captioned], views: int, alter: Callable[[Image.Image, int], Image.Image] | None = None
    ) -> Source:
        store = FeatureStore(folder / f"{name}.u8", len(pictures), views)
        store.fill(data, pictures, image_encoder, log, alter=alter)
        return Source(store.open(), numbered(pictures, vocabulary))

    training["scenes"] = [without_guesses(picture) for picture in training["scenes"]]
    views = {"flickr": settings["views"], "scenes": 2, "flowers": 2}
    sources = {name: source(f"{name}-train", rows, views[name]) for name, rows in training.items()}
    if settings["batch"].get("painted"):
        recaptioned = [colourless(picture) for name in ("scenes", "flowers") for picture in training[name]]
        restyled = spread([picture for picture in recaptioned if picture], settings["pictures"]["painted"])
        sources["painted"] = source("painted-train", restyled, 2, _restyler(models, settings["seed"]))
    return vocabulary, sources, (source("flickr-val", validated, 1), validated)


def train(
    *,
    data: Path,
    folder: Path,
    out: Path,
    minutes: float | None = None,
    steps: int | None = None,
    limit: int | None = None,
    log: Callable[[str], None] = print,
    recipe_file: Path | None = None,
    measure: bool = False,
    workers: Workers = ALONE,
) -> dict[str, float]:
    """Train, or continue training, and export the result.

    Args:
        folder: features, checkpoints and the log; an existing run is resumed.
        limit: use only about so many pictures of each archive, to try the code.
        measure: caption the test split at the end and write metrics.json; only for a model that will ship.

    Returns:
        The validation metrics, the steps made and the seconds they took; {} in a worker that is not the first.

    Raises:
        NotFound: an archive is missing.
    """
    settings = read_recipe(recipe_file)
    with workers.first():
        vocabulary, sources, validation = prepare(data, folder, settings, log, limit=limit)
    recipe = CaptionerRecipe(
        settings=settings, vocabulary=vocabulary, sources=sources, validation=validation, workers=workers
    )
    total, every = steps or settings["steps"], settings["evaluate_every"]
    outcome = loop.run(recipe, folder, steps=total, minutes=minutes, evaluate_every=every, log=log, workers=workers)
    if not workers.is_first:
        return {}
    export(recipe, vocabulary, settings, out)
    taken = outcome.metrics | {"steps": outcome.step, "seconds": outcome.seconds}
    if measure:
        log("captioning the test split")
        write_json(out / "metrics.json", {"training": taken, "test": evaluate(data=data, model=out)})
    return taken


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("AURIA_DATA", "../shared/data")))
    parser.add_argument("--folder", type=Path, default=loop.training_folder("captioner"))
    parser.add_argument("--out", type=Path, default=models_folder() / "captioner")
    parser.add_argument("--recipe-file", type=Path, help="by default config/train/captioner.toml")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--measure", action="store_true", help="caption the test split at the end")
    train(**vars(parser.parse_args()))
