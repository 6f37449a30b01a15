"""Bar `runtime-parity`: torch, OpenVINO and ONNX Runtime on the same inputs, every net under models/.

Words must be the same; outputs may differ by `SAME` of their largest magnitude, and no pixel of a picture by more. bfloat16 must leave
the metrics where they are: the poet's log-probability a word, the captions' BLEU-4, and every picture within `CLOSE` root mean square;
on a processor that has bfloat16 also what the painter's and the stylist's own judges say of pictures made in it.
Not run here: MiniLM and the nudity net come from packages as ONNX alone and have no torch module; MiniLM serves on ONNX Runtime only.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from auria_bot.art import runtime
from auria_bot.art.captioners.vocabulary import Vocabulary, tokenise
from auria_bot.art.checkpoint import read_json
from auria_bot.art.evaluation.captioner import bleu, grids, read_split
from auria_bot.art.training.captioner.train import greedy
from auria_bot.corpus.language.words import models_folder
from tests.bench import Result
from tests.scenarios.export_pairs import captioner, export_pairs
from tests.scenarios.parity import (
    bf16_log_probability,
    compare,
    greedy_captions,
    greedy_poems,
    has_bf16,
    measure_pictures,
    worst_loss,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CLOSE", "QUANTISED", "SAME", "run"]

SAME = 1 / 255  # of the largest magnitude: one step of an 8-bit picture, the largest difference between runtimes
QUANTISED = 0.05  # of the range, rms: two runtimes that each round in 8 bits; models/enlarger-x4plus/card.md says what one costs
CLOSE = 0.02  # of the largest magnitude, root mean square: what bfloat16 may change
_PERPLEXITY = 0.01  # the share by which bfloat16 may change the poet's perplexity
_BLEU = 0.01  # by which bfloat16 may change BLEU-4 of greedy captions
_PICTURES = 96  # validation photographs captioned for it
_WORSE = 0.02  # of its range: by which no measure of painter or stylist may get worse in bfloat16


def run() -> Result:
    """Compare every net, the words of poet and captioner, and what bfloat16 costs."""
    models = models_folder()
    compared = [compare(twin, models) for twin in export_pairs(models)]
    poems, captions = greedy_poems(models), greedy_captions(models)
    same_poems, same_captions = _all_equal(poems), _all_equal(captions)
    apart = max(max(each.runtimes, each.torch or 0.0) for each in compared if not each.quantised)
    quantised = max(each.runtimes for each in compared if each.quantised)
    rounded = {each.name: each.bf16 for each in compared if each.bf16 is not None}
    plain, half = bf16_log_probability(models, poems["torch"])
    perplexity = float(np.exp(plain - half) - 1)
    figures = [
        f"greedy poems {'equal' if same_poems else 'DIFFER'} ({poems['torch'].size} words)",
        f"greedy captions {'equal' if same_captions else 'DIFFER'} ({captions['torch'].size} words)",
        f"{len(compared)} nets: largest difference between runtimes and torch {apart:.1e} of the range (at most {SAME:.1e})",
        f"in 8 bits rms {quantised:.4f}",
        f"bf16 (torch autocast): poet's perplexity {100 * perplexity:+.2f} %, outputs rms {max(rounded.values()):.4f} at most",
    ]
    passed = (
        same_poems and same_captions and apart <= SAME and quantised <= QUANTISED and abs(perplexity) <= _PERPLEXITY
    )
    passed = passed and max(rounded.values()) <= CLOSE
    data = Path(os.environ.get("AURIA_DATA", "../shared/data"))
    if (data / "flickr8k.zip").is_file():
        first, second = _bleu_in_both(data, models)
        figures.append(f"captions' BLEU-4 {100 * first:.1f} f32, {100 * second:.1f} bf16")
        passed = passed and abs(first - second) <= _BLEU
    else:
        figures.append(f"captions' BLEU-4 not measured: no flickr8k.zip in {data}")
    if has_bf16():
        own = max(each.openvino_bf16 or 0.0 for each in compared)
        figures.append(f"OpenVINO bf16 rms {own:.4f} at most")
        passed = passed and own <= CLOSE
        f32, bf16 = (measure_pictures(models, precision=each) for each in ("f32", "bf16"))
        figures.append(
            f"pictures f32 | bf16: control {sum(f32.control.values())} | {sum(bf16.control.values())} of"
            f" {f32.seeds * len(f32.control)}, matching score {f32.score:.3f} | {bf16.score:.3f}, colour distance left"
            f" {f32.colour_left:.3f} | {bf16.colour_left:.3f}, edges kept {f32.edges:.3f} | {bf16.edges:.3f}"
        )
        passed = passed and worst_loss(f32, bf16) <= _WORSE
    else:
        figures.append("OpenVINO's own bf16 was not exercised: this processor has none")
    bar = f"same words; outputs within {SAME:.4f}, in 8 bits rms within {QUANTISED}; bf16: perplexity and BLEU-4 within 1 %, rms within {CLOSE}, no measure of pictures worse by more than {_WORSE}"
    return Result(name="runtime-parity", figures="; ".join(figures), bar=bar, passed=passed)


def _all_equal(found: dict[str, NDArray[np.int64]]) -> bool:
    first, *others = found.values()
    return all(np.array_equal(first, other) for other in others)


def _bleu_in_both(data: Path, models: Path) -> tuple[float, float]:
    """BLEU-4 of greedy captions of validation photographs with the captioner in float32 and in bfloat16."""
    rows = read_split(data, "val")[:_PICTURES]
    eye = runtime.load(models / "lite0" / "model.onnx")
    grid = torch.from_numpy(np.concatenate(list(grids(data, rows, eye)))).flatten(1, 2)
    given = [[tokenise(caption) for caption in row["captions"]] for row in rows]
    net = captioner(models)
    vocabulary = Vocabulary(words=tuple(read_json(models / "captioner" / "config.json")["vocabulary"]))
    found = []
    for rounded in (False, True):
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=rounded):
            said = [vocabulary.decode(numbers) for numbers in greedy(net, grid)]
        found.append(bleu(said, given)[3])
    return found[0], found[1]
