"""Evaluate the captioner on photographs: Flickr8k, beam search, with the exported networks.

`python -m auria_bot.art.evaluation.captioner --data DIR [--model models/captioner] [--split test] [--beams 5]`
`... --tune` tries several length powers on the validation split, never on the test split.

The pictures are the 224 px copies of flickr8k.zip with that archive's own split (764 test pictures), not the original
1,000; so the figures cannot be ranked against published ones.

Caption metrics over tokens: BLEU, METEOR, ROUGE-L and CIDEr.

Each function takes `hypotheses`, one token list per picture, and `references`, several token lists per picture.

- BLEU: Papineni et al. 2002, over the whole corpus, clipped counts, the nearest reference length (the shorter of two
  equally near ones), with or without the brevity penalty.
- METEOR: Banerjee and Lavie 2005 (alpha 0.9, beta 3, gamma 0.5), matching equal words and equal stems. WordNet synonyms
  and paraphrases are not used, and its weights differ from METEOR 1.5 in published tables, than which it is about twice
  as high: never compare the two.
- ROUGE-L: Lin 2004, with beta 1.2, the best precision and the best recall among the references.
- CIDEr: Vedantam et al. 2015, the CIDEr-D form (clipped, sigma 6, times 10), document frequencies from `references`.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import time
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from PIL import Image

from auria_bot.art import runtime
from auria_bot.art.captioners.show_attend_tell import CaptionModel
from auria_bot.art.captioners.vocabulary import tokenise
from auria_bot.art.checkpoint import verified
from auria_bot.art.training.captioner.dataset import spread
from auria_bot.corpus.language.words import models_folder
from auria_bot.errors import BackendMissing, InputError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = [
    "PUBLISHED",
    "Corpus",
    "Tokens",
    "all_figures",
    "bleu",
    "cider",
    "evaluate",
    "grids",
    "meteor",
    "read_split",
    "rouge_l",
    "tune",
]

Tokens = list[str]
Corpus = list[list[Tokens]]
_ORDERS = 4


def all_figures(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> dict[str, float]:
    """Every figure by name; each in [0, 1] but CIDEr, which may reach 10."""
    with_penalty, without = bleu(hypotheses, references), bleu(hypotheses, references, brevity_penalty=False)
    figures = {f"bleu_{order}": value for order, value in enumerate(with_penalty, start=1)}
    figures |= {f"bleu_{order}_without_brevity_penalty": value for order, value in enumerate(without, start=1)}
    figures["meteor_exact_stem"] = meteor(hypotheses, references)
    figures["rouge_l"] = rouge_l(hypotheses, references)
    figures["cider_d"] = cider(hypotheses, references)
    return figures


def bleu(
    hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]], *, brevity_penalty: bool = True
) -> tuple[float, float, float, float]:
    """BLEU-1 to BLEU-4 of a corpus."""
    _check(hypotheses, references)
    matched, possible = [0] * _ORDERS, [0] * _ORDERS
    said, wanted = 0, 0
    for hypothesis, given in zip(hypotheses, references, strict=True):
        said += len(hypothesis)
        wanted += min((abs(len(reference) - len(hypothesis)), len(reference)) for reference in given)[1]
        for order in range(_ORDERS):
            counts = _grams(hypothesis, order + 1)
            ceiling: Counter[tuple[str, ...]] = Counter()
            for reference in given:
                ceiling |= _grams(reference, order + 1)
            matched[order] += (counts & ceiling).total()
            possible[order] += counts.total()
    penalty = math.exp(min(0.0, 1 - wanted / said)) if brevity_penalty and said else float(said > 0)
    scores: list[float] = []
    logarithm = 0.0
    for order in range(_ORDERS):
        logarithm += math.log(matched[order] / possible[order]) if matched[order] else -math.inf
        scores.append(penalty * math.exp(logarithm / (order + 1)))
    return scores[0], scores[1], scores[2], scores[3]


def rouge_l(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """The mean over pictures of the F-measure of the longest common subsequence."""
    _check(hypotheses, references)
    beta = 1.2
    total = 0.0
    for hypothesis, given in zip(hypotheses, references, strict=True):
        common = [_common_length(hypothesis, reference) for reference in given]
        precision = max(common) / len(hypothesis) if hypothesis else 0.0
        recall = max(length / len(reference) for length, reference in zip(common, given, strict=True) if reference)
        if precision and recall:
            total += (1 + beta**2) * precision * recall / (recall + beta**2 * precision)
    return total / len(hypotheses)


def cider(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """The mean over pictures of CIDEr-D."""
    _check(hypotheses, references)
    sigma = 6.0
    documents: Counter[tuple[str, ...]] = Counter()
    for given in references:
        orders = range(1, _ORDERS + 1)
        documents.update({gram for reference in given for order in orders for gram in _grams(reference, order)})
    size = math.log(len(references))

    def weigh(tokens: Tokens) -> list[dict[tuple[str, ...], float]]:
        return [
            {gram: n * (size - math.log(max(1, documents[gram]))) for gram, n in _grams(tokens, order).items()}
            for order in range(1, _ORDERS + 1)
        ]

    total = 0.0
    for hypothesis, given in zip(hypotheses, references, strict=True):
        mine = weigh(hypothesis)
        for reference in given:
            near = math.exp(-((len(hypothesis) - len(reference)) ** 2) / (2 * sigma**2))
            theirs = weigh(reference)
            total += 10 * near * sum(map(_clipped_cosine, mine, theirs)) / _ORDERS / len(given)
    return total / len(hypotheses)


def meteor(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """The mean over pictures of the best METEOR among the references, by equal words and stems.

    Raises:
        BackendMissing: the package snowballstemmer is not installed.
    """
    _check(hypotheses, references)
    stem = _stemmer()
    scores = [
        max(_meteor_of(hypothesis, reference, stem) for reference in given)
        for hypothesis, given in zip(hypotheses, references, strict=True)
    ]
    return sum(scores) / len(scores)


def _check(hypotheses: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> None:
    if not hypotheses or len(hypotheses) != len(references) or not all(references):
        raise InputError(
            f"each caption needs one or more references, not {len(hypotheses)} captions and {len(references)} lists"
        )


def _grams(tokens: Tokens, order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[start:] for start in range(order)), strict=False))


def _clipped_cosine(mine: dict[tuple[str, ...], float], theirs: dict[tuple[str, ...], float]) -> float:
    """The cosine of two weighted bags; an n-gram counts at most as in the reference."""
    product = sum(min(weight, theirs[gram]) * theirs[gram] for gram, weight in mine.items() if gram in theirs)
    norms = math.sqrt(sum(w * w for w in mine.values())) * math.sqrt(sum(w * w for w in theirs.values()))
    return product / norms if norms else 0.0


def _common_length(one: Tokens, other: Tokens) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for word in one:
        diagonal = 0
        for column, candidate in enumerate(other, start=1):
            above = row[column]
            row[column] = diagonal + 1 if word == candidate else max(above, row[column - 1])
            diagonal = above
    return row[-1]


def _stemmer() -> Callable[[str], str]:
    try:
        import snowballstemmer
    except ImportError as missing:
        raise BackendMissing("METEOR needs stems: pip install snowballstemmer") from missing
    return cache(snowballstemmer.stemmer("english").stemWord)


class _Alignment(NamedTuple):
    """A partial alignment of the hypothesis with a reference; the fields are ordered for comparison."""

    matches: int
    negative_chunks: int
    used: int  # bit mask of reference positions
    last: int  # reference position of the previous word, -2 when it was not matched


def _meteor_of(hypothesis: Tokens, reference: Tokens, stem: Callable[[str], str]) -> float:
    best = _align(hypothesis, reference, stem)
    if not best.matches:
        return 0.0
    precision, recall = best.matches / len(hypothesis), best.matches / len(reference)
    mean = precision * recall / (0.9 * precision + 0.1 * recall)
    penalty = 0.5 * (-best.negative_chunks / best.matches) ** 3
    return mean * (1 - penalty)


def _align(hypothesis: Tokens, reference: Tokens, stem: Callable[[str], str], width: int = 64) -> _Alignment:
    """The alignment with the most matches and, among those, the fewest chunks; a beam search of `width`."""
    stems = [stem(word) for word in reference]
    beam = [_Alignment(0, 0, 0, -2)]
    for word in hypothesis:
        wanted = stem(word)
        places = [place for place, other in enumerate(stems) if other == wanted or reference[place] == word]
        grown = {state._replace(last=-2) for state in beam}
        for state in beam:
            for place in places:
                if not state.used >> place & 1:
                    fresh = place != state.last + 1
                    grown.add(
                        _Alignment(state.matches + 1, state.negative_chunks - fresh, state.used | 1 << place, place)
                    )
        beam = sorted(grown, reverse=True)[:width]
    return max(beam)


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
        split: "val" or "test".
        limit: so many pictures only, evenly spread.
        runtime_name: "auto", "openvino" or "onnxruntime".
        precision: "f32" or "bf16".

    Returns:
        The figures of `all_figures`, pictures, words a caption, distinct captions, seconds a picture
        (search only), and under "published" those of Xu et al. 2015.

    Raises:
        NotFound: the archive is missing.
    """
    rows = spread(read_split(data, split), limit)
    caption_model = CaptionModel(model, runtime_name=runtime_name, precision=precision)
    lite0 = verified(models_folder() / "lite0" / "model.onnx")
    image_encoder = runtime.load(lite0, runtime=runtime_name, precision=precision)
    captions, seconds = [], 0.0
    for grid in grids(data, rows, image_encoder):
        began = time.perf_counter()
        best = caption_model.attend(grid, beams=beams, length_power=length_power)[0][0]
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


def tune(*, data: Path, model: Path, limit: int | None = None) -> dict[float, float]:
    """BLEU-4 with beam 5 on the validation split, or `limit` pictures of it, for each length power."""
    rows = spread(read_split(data, "val"), limit)
    caption_model = CaptionModel(model)
    image_encoder = runtime.load(verified(models_folder() / "lite0" / "model.onnx"))
    features = list(grids(data, rows, image_encoder))
    given = [_references(row) for row in rows]
    found: dict[float, float] = {}
    for power in (0.0, 0.5, 0.7, 0.9):
        captions = [
            caption_model.vocabulary.decode(caption_model.attend(grid, length_power=power)[0][0].numbers)
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
