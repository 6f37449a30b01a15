"""Perplexity of the poet on the test split, beside a 5-gram Kneser-Ney model of the same vocabulary."""

from __future__ import annotations

import os
from pathlib import Path

from auria_bot.corpus.language.words import models_folder
from tests.bench import Result

__all__ = ["data_folder", "run"]

_BAR = "at least 20 % under a 5-gram Kneser-Ney model"


def data_folder() -> Path:
    """The folder with the verse: AURIA_DATA, else shared/data beside the checkout."""
    given = os.environ.get("AURIA_DATA")
    return Path(given) if given else Path(__file__).resolve().parents[3] / "shared" / "data"


def run() -> Result:
    """Measure both models, over words, line breaks and ends of all test haiku."""
    data = data_folder()
    if not data.is_dir():
        return Result(name="poet-perplexity", figures=f"no data in {data}; set AURIA_DATA", bar=_BAR, passed=False)
    from auria_bot.art.evaluation.poet import evaluate

    found = evaluate(data=data, model=models_folder() / "poet")
    figures = (
        f"poet {found['perplexity_test']}, 5-gram of the haiku {found['perplexity_5gram_haiku']}, of all verse "
        f"{found['perplexity_5gram_all']}: {found['below_5gram']:.1%} under the better one ({found['test_haiku']} haiku)"
    )
    return Result(name="poet-perplexity", figures=figures, bar=_BAR, passed=found["below_5gram"] >= 0.2)
