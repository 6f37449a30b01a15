"""Continue the training of a captioner with ratings of its captions, and compare the result with what it began as.

Each update takes rated pictures beside the photographs of the recipe, so that what was learnt before is not lost. A
caption with more stars, and a better caption that somebody wrote, are repeated and so weigh more. Every fifth picture,
by its hash, is not trained on: the captions that people liked or wrote for these decide, with the validation split,
whether the result is better.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch.nn import functional

from auria_bot.art import runtime
from auria_bot.art.captioners.vocabulary import UNKNOWN, Vocabulary
from auria_bot.art.checkpoint import load_weights, read_json, verified
from auria_bot.art.evaluation.captioner import evaluate
from auria_bot.art.pictures import open_picture
from auria_bot.art.training import loop
from auria_bot.art.training.captioner.dataset import CELLS, STEP, picture_view
from auria_bot.art.training.captioner.train import (
    CaptionerRecipe,
    Source,
    collate,
    export,
    prepare,
    read_recipe,
    to_floats,
)
from auria_bot.corpus.language.words import models_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.art.nets.show_attend_tell import ShowAttendTell

__all__ = ["RatedPicture", "TunedCaptioner", "describe", "tune"]

_VIEWS: Final = 2  # as it is, and mirrored
_COMPARED: Final = 200  # validation pictures captioned by beam search
_LOSS: Final = 0.005  # of CIDEr-D on the validation split that better captions of rated pictures may cost


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedPicture:
    """A picture that may be kept, and the captions to learn for it."""

    path: Path
    captions: tuple[tuple[str, int], ...]  # each with how often it counts
    is_held_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedCaptioner:
    """What a training with ratings came to."""

    before: Mapping[str, float]  # figures of the captioner that it began with
    after: Mapping[str, float]
    steps: int
    seconds: float

    @property
    def is_better(self) -> bool:
        """Whether captions of rated pictures became likelier and the others kept their quality.

        Without a rated picture that was held out, the others must have become better.
        """
        gain = self.after["cider_d"] - self.before["cider_d"]
        if "rated_loss" not in self.after:
            return gain > 0
        return self.after["rated_loss"] < self.before["rated_loss"] and gain >= -_LOSS


def tune(
    *,
    data: Path,
    folder: Path,
    start: Path,
    rated: Sequence[RatedPicture],
    out: Path,
    minutes: float | None = None,
    steps: int | None = None,
    log: Callable[[str], None] = print,
    recipe_file: Path | None = None,
    compared: int = _COMPARED,
) -> TunedCaptioner:
    """Train on, export, and compare.

    Args:
        data: the folder of the archives that the captioner was trained on.
        folder: features, checkpoints and the log; an existing run is resumed.
        start: the captioner to begin with.
        rated: at least one picture that is not held out.
        steps: updates in all; the recipe's by default.
        recipe_file: by default config/train/captioner.toml.
        compared: validation pictures that both caption.

    Raises:
        NotFound: an archive is missing.
        ModelError: the captioner to begin with cannot be used.
    """
    settings = read_recipe(recipe_file)
    config = read_json(start / "config.json")
    vocabulary = Vocabulary(words=tuple(config["vocabulary"]))
    chosen = settings["ratings"]
    sizes = {name: config["net"][name] for name in settings["net"]}
    settings |= {"net": sizes, "length_power": config["length_power"]}
    settings["batch"] |= {"rated": chosen["pictures"]}
    settings["optimiser"] |= {"rate": chosen["rate"]}
    _, sources, validation = prepare(data, folder.parent, settings, log, vocabulary=vocabulary)
    learnt = _source([picture for picture in rated if not picture.is_held_out], vocabulary)
    held_out = _source([picture for picture in rated if picture.is_held_out], vocabulary)
    given = {**sources, "rated": learnt}
    recipe = CaptionerRecipe(settings=settings, vocabulary=vocabulary, sources=given, validation=validation)
    recipe.net.load_state_dict(load_weights(start / "weights.safetensors"))
    recipe.average.load_state_dict(recipe.net.state_dict())
    first = copy.deepcopy(recipe.average)
    outcome = loop.run(recipe, folder, steps=steps or chosen["steps"], minutes=minutes, log=log)
    export(recipe, vocabulary, settings, out)
    log("comparing with the captioner in service")
    figures = []
    for net, model in ((first, start), (recipe.average, out)):
        found = evaluate(data=data, model=model, split="val", limit=compared)
        loss = {"rated_loss": _loss(net, held_out)} if held_out.captions else {}
        figures.append({name: float(found[name]) for name in ("cider_d", "bleu_4")} | loss)
    return TunedCaptioner(before=figures[0], after=figures[1], steps=outcome.step, seconds=outcome.seconds)


def _source(pictures: Sequence[RatedPicture], vocabulary: Vocabulary) -> Source:
    """The pictures' features, (pictures, views, cells, channels), and their captions as numbers, repeated by weight."""
    image_encoder = runtime.load(verified(models_folder() / "lite0" / "model.onnx"), threads=torch.get_num_threads())
    features: list[NDArray[np.uint8]] = []
    for number, picture in enumerate(pictures):
        whole = open_picture(picture.path)
        views = [picture_view(whole, view, np.random.default_rng((number, view))) for view in range(_VIEWS)]
        grid = image_encoder.run({"pictures": np.stack(views)})["grid"].reshape(_VIEWS, CELLS, -1)
        features.append(np.rint(grid / STEP).astype(np.uint8))
    captions = tuple(
        tuple(tuple(vocabulary.encode(text)) for text, weight in picture.captions for _ in range(weight))
        for picture in pictures
    )
    return Source(np.stack(features) if features else np.empty((0, _VIEWS, CELLS, 1280), np.uint8), captions)


@torch.no_grad()
def _loss(net: ShowAttendTell, source: Source) -> float:
    """Cross entropy of a word, over all captions; unknown words are left out."""
    total = count = 0.0
    for row, captions in enumerate(source.captions):
        owners, tokens, lengths = collate([captions])
        result = net(to_floats(source.features[row : row + 1, 0]), owners, tokens, lengths)
        total += functional.cross_entropy(result.logits, result.targets, ignore_index=UNKNOWN, reduction="sum").item()
        count += (result.targets != UNKNOWN).sum().item()
    return total / max(1.0, count)


def describe(done: TunedCaptioner, counts: Mapping[str, int]) -> str:
    """What a card says about a training with ratings."""
    rows = "\n".join(f"| {name} | {done.before[name]:.3f} | {done.after[name]:.3f} |" for name in sorted(done.after))
    return (
        f"\n**Trained on with ratings.** {counts['ratings']} ratings of {counts['pictures']} pictures,"
        f" {counts['corrections']} of them with a better caption; {counts['held_out']} pictures were held out."
        f" {done.steps} updates in {done.seconds / 60:.1f} minutes.\n\n"
        f"| figure | before | after |\n|---|---|---|\n{rows}\n"
    )
