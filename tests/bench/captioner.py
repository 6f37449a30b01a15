"""Bar `captioner`: Show, Attend and Tell on Flickr8k's test split with beam 5, beside the figures of Xu et al. 2015."""

from __future__ import annotations

import os
from pathlib import Path

from auria_bot.art.evaluation.captioner import PUBLISHED, evaluate
from auria_bot.corpus.language.words import models_folder
from tests.bench import Result

__all__ = ["run"]

_BAR = 0.17  # BLEU-4, with the brevity penalty


def run() -> Result:
    """Caption the whole test split and compare BLEU-4 with the bar."""
    data = Path(os.environ.get("AURIA_DATA", "../shared/data"))
    found = evaluate(data=data, model=models_folder() / "captioner", split="test", beams=5)
    soft = PUBLISHED["soft attention"]
    ours = " ".join(f"{100 * found[f'bleu_{order}']:.1f}" for order in (1, 2, 3, 4))
    bare = " ".join(f"{100 * found[f'bleu_{order}_without_brevity_penalty']:.1f}" for order in (1, 2, 3, 4))
    theirs = " ".join(f"{100 * soft[f'bleu_{order}']:.1f}" for order in (1, 2, 3, 4))
    figures = (
        f"BLEU-1..4 {ours} (without brevity penalty {bare}; Xu et al. 2015 soft attention, without: {theirs}), "
        f"METEOR 2005 form, words and stems {100 * found['meteor_exact_stem']:.1f} (theirs, METEOR 1.5: {100 * soft['meteor']:.1f}), "
        f"ROUGE-L {100 * found['rouge_l']:.1f}, CIDEr-D {found['cider_d']:.3f}, {found['pictures']} pictures, "
        f"{1000 * found['seconds_a_picture']:.0f} ms a search"
    )
    return Result(name="captioner", figures=figures, bar=f"BLEU-4 >= {_BAR}", passed=found["bleu_4"] >= _BAR)
