"""The pointing game over words of captions: does a word's attention peak lie where its thing is?

labels/caption_regions.json names 100 pictures of the captioned test split, in each a word that at least three of five
people used for it, and a box around the thing in percent of the picture: left, top, right, bottom. The pictures were
chosen by these captions alone, evenly over the split, without knowing the attention; left out were those where the place
cannot be told: the thing is not seen, there are several, or it fills more than half of the picture. The boxes were drawn
by eye on a grid of tenths.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from auria_bot.art import runtime
from auria_bot.art.captioners.attention import peak
from auria_bot.art.captioners.show_attend_tell import CaptionModel
from auria_bot.art.captioners.vocabulary import tokenise
from auria_bot.corpus.language.words import models_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["LABELS", "Pointing", "labels", "play"]

LABELS = Path(__file__).parents[1] / "labels" / "caption_regions.json"
_SIDE = 224  # pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointing:
    """How often the peak lay in the box."""

    pictures: int
    said: int  # pictures whose caption says the word; for the others a person's caption is followed
    right: float  # share
    right_said: float  # share of those whose caption says it
    chance: float  # of a random point: the mean share of the boxes
    centre: float  # of the picture's centre, which things often cover


def labels() -> list[dict[str, Any]]:
    """The labelled words."""
    found: list[dict[str, Any]] = json.loads(LABELS.read_text(encoding="utf-8"))
    return found


def play(data: Path, *, model: Path | None = None, limit: int | None = None) -> Pointing:
    """Caption the pictures of flickr8k.zip in `data`, and look where each labelled word was seen."""
    chosen = labels()[:limit]
    caption_model = CaptionModel(model or models_folder() / "captioner")
    image_encoder = runtime.load(models_folder() / "lite0" / "model.onnx")
    hits: list[tuple[bool, bool]] = []
    with zipfile.ZipFile(data / "flickr8k.zip") as bundle:
        captions = {row["file"]: row["captions"] for row in map(json.loads, bundle.read("captions.jsonl").splitlines())}
        for label in chosen:
            with Image.open(io.BytesIO(bundle.read(f"images/{label['file']}"))) as image:
                small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
            pixels = np.asarray(small, np.float32).transpose(2, 0, 1)[None] / np.float32(255)
            grid = image_encoder.run({"pictures": pixels})["grid"]
            attention, is_said = _attention(caption_model, grid, label["word"], captions[label["file"]])
            hits.append((_inside(peak(attention), label["box"]), is_said))
    boxes = [label["box"] for label in chosen]
    said = [hit for hit, is_said in hits if is_said]
    return Pointing(
        pictures=len(chosen),
        said=len(said),
        right=sum(hit for hit, _ in hits) / len(hits),
        right_said=sum(said) / max(1, len(said)),
        chance=sum((box[2] - box[0]) * (box[3] - box[1]) / 10_000 for box in boxes) / len(boxes),
        centre=sum(_inside((0.5, 0.5), box) for box in boxes) / len(boxes),
    )


def _attention(
    model: CaptionModel, grid: NDArray[np.float32], word: str, human: Sequence[str]
) -> tuple[NDArray[np.float32], bool]:
    """A word's attention: in the model's own caption where that says it, else in the first of people's that does."""
    found, attention = model.attend(grid)
    words = model.vocabulary.decode(found[0].numbers)
    if word in words:
        return attention[0][words.index(word)], True
    caption = next(text for text in human if word in tokenise(text))
    at = tokenise(caption).index(word)
    return model.follow(grid, model.vocabulary.encode(caption)[: at + 1])[at], False


def _inside(point: tuple[float, float], box: Sequence[int]) -> bool:
    x, y = point
    return box[0] <= 100 * x <= box[2] and box[1] <= 100 * y <= box[3]
