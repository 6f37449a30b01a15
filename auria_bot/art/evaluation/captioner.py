"""Evaluate the captioner on photographs: Flickr8k, beam search, with the exported networks.

`python -m auria_bot.art.evaluation.captioner --data DIR [--model models/captioner] [--split test] [--beams 5]`
`... --tune` tries several length powers on the validation split, never on the test split.

The pictures are the 224 px copies of flickr8k.zip with that archive's own split (764 test pictures), not the original
1,000; so the figures cannot be ranked against published ones.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from auria_bot.art import runtime
from auria_bot.art.captioners.show_attend_tell import CaptionModel
from auria_bot.art.captioners.vocabulary import tokenise
from auria_bot.art.evaluation.caption_metrics import all_figures, bleu
from auria_bot.corpus.language.shipped_tables import models_folder
from auria_bot.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["PUBLISHED", "evaluate", "grids", "read_split", "tune"]

PUBLISHED: Final = {
    "soft attention": {"bleu_1": 0.67, "bleu_2": 0.448, "bleu_3": 0.299, "bleu_4": 0.195, "meteor": 0.1893},
    "hard attention": {"bleu_1": 0.67, "bleu_2": 0.457, "bleu_3": 0.314, "bleu_4": 0.213, "meteor": 0.2030},
}
"""Xu et al. 2015, table 1, Flickr8k: BLEU without brevity penalty, METEOR with synonyms and paraphrases, VGG features,
1,000 test pictures. ROUGE-L and CIDEr are not reported there."""

_ARCHIVE = "flickr8k.zip"
_SIDE = 224  # pixels
_BATCH = 8


def evaluate(
    *,
    data: Path,
    model: Path,
    split: str = "test",
    beams: int = 5,
    length_power: float | None = None,
    limit: int | None = None,
    runtime_name: str = "auto",
    precision: str = "f32",
) -> dict[str, Any]:
    """Caption every picture of a split and compute the metrics.

    Args:
        data: the folder with flickr8k.zip.
        model: the captioner's folder.
        split: "val" or "test".
        beams: of the search.
        length_power: by default the model's own.
        limit: so many pictures only, evenly spread.
        runtime_name: "auto", "openvino" or "onnxruntime".
        precision: "f32" or "bf16".

    Returns:
        The figures of `caption_metrics.all_figures`, pictures, words a caption, distinct captions, seconds a picture
        (search only), and under "published" those of Xu et al. 2015.

    Raises:
        NotFound: the archive is missing.
    """
    rows = _limited(read_split(data, split), limit)
    caption_model = CaptionModel(model, runtime_name=runtime_name, precision=precision)
    image_encoder = runtime.load(models_folder() / "lite0" / "model.onnx", runtime=runtime_name, precision=precision)
    captions: list[list[str]] = []
    seconds = 0.0
    for grid in grids(data, rows, image_encoder):
        began = time.perf_counter()
        best = caption_model.generate(grid, beams=beams, length_power=length_power)[0]
        seconds += time.perf_counter() - began
        captions.append(caption_model.vocabulary.decode(best.numbers))
    figures: dict[str, Any] = dict(all_figures(captions, [_references(row) for row in rows]))
    figures |= {
        "split": split,
        "beams": beams,
        "length_power": caption_model.length_power if length_power is None else length_power,
        "pictures": len(rows),
        "words_a_caption": sum(map(len, captions)) / len(captions),
        "distinct_captions": len({tuple(words) for words in captions}),
        "seconds_a_picture": seconds / len(rows),
        "published": PUBLISHED,
    }
    return figures


def tune(
    *, data: Path, model: Path, powers: Sequence[float] = (0.0, 0.5, 0.7, 0.9), limit: int | None = None
) -> dict[float, float]:
    """BLEU-4 with beam 5 on the validation split, or `limit` pictures of it, for each length power."""
    rows = _limited(read_split(data, "val"), limit)
    caption_model = CaptionModel(model)
    image_encoder = runtime.load(models_folder() / "lite0" / "model.onnx")
    features = list(grids(data, rows, image_encoder))
    given = [_references(row) for row in rows]
    found: dict[float, float] = {}
    for power in powers:
        captions = [
            caption_model.vocabulary.decode(caption_model.generate(grid, length_power=power)[0].numbers)
            for grid in features
        ]
        found[power] = bleu(captions, given)[3]
    return found


def read_split(data: Path, split: str) -> list[dict[str, Any]]:
    """The rows of captions.jsonl that belong to a split.

    Raises:
        NotFound: the archive is missing.
    """
    path = data / _ARCHIVE
    if not path.is_file():
        raise NotFound(f"{path} is not there; give the folder that holds {_ARCHIVE} with --data")
    with zipfile.ZipFile(path) as bundle:
        rows = [json.loads(line) for line in bundle.read("captions.jsonl").splitlines() if line.strip()]
    return [row for row in rows if row["split"] == split]


def grids(data: Path, rows: Sequence[dict[str, Any]], image_encoder: runtime.Network) -> Iterator[NDArray[np.float32]]:
    """The image encoder's grid of each picture, (1, 7, 7, 1280)."""
    with zipfile.ZipFile(data / _ARCHIVE) as bundle:
        for begin in range(0, len(rows), _BATCH):
            pictures = []
            for row in rows[begin : begin + _BATCH]:
                with Image.open(io.BytesIO(bundle.read(f"images/{row['file']}"))) as image:
                    pixels = np.asarray(image.convert("RGB").resize((_SIDE, _SIDE)), dtype=np.float32)
                pictures.append(pixels.transpose(2, 0, 1) / np.float32(255))
            yield from np.split(image_encoder.run({"pictures": np.stack(pictures)})["grid"], len(pictures))


def _references(row: dict[str, Any]) -> list[list[str]]:
    return [tokenise(caption) for caption in row["captions"]]


def _limited(rows: list[dict[str, Any]], limit: int | None) -> list[dict[str, Any]]:
    if limit is None or limit >= len(rows):
        return rows
    return [rows[place * len(rows) // limit] for place in range(limit)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("AURIA_DATA", "../shared/data")))
    parser.add_argument("--model", type=Path, default=Path("models/captioner"))
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--beams", type=int, default=5)
    parser.add_argument("--tune", action="store_true")
    given = parser.parse_args()
    if given.tune:
        result: Any = tune(data=given.data, model=given.model)
    else:
        result = evaluate(data=given.data, model=given.model, split=given.split, beams=given.beams)
    print(json.dumps(result, indent=1))  # noqa: T201 - a command's output
