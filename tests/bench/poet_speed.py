"""How many finished haiku a second the poet writes in a batch of 256."""

from __future__ import annotations

import time
from statistics import median

from auria_bot.art.poets.word_lstm import WordLstm
from auria_bot.corpus.language.words import models_folder
from tests.bench import Result
from tests.bench.reference import Stopwatch

__all__ = ["run"]

_BATCH = 256
_BAR = 50.0  # haiku a second


def run(batch: int = _BATCH, rounds: int = 5) -> Result:
    """Time batches of checked haiku, the first one left out; without torch."""
    poet = WordLstm(WordLstm.Config(), models=models_folder())
    poet.write(seed=0, count=batch)
    watch = Stopwatch()
    seconds, busy = [], []
    for number in range(1, rounds + 1):
        began, computed = time.perf_counter(), time.process_time()
        poet.write(seed=number, count=batch)
        seconds.append(time.perf_counter() - began)
        busy.append(time.process_time() - computed)
    watch.sample()
    speed = batch / watch.reference.computed(median(seconds))
    return Result(
        name="poet-speed",
        figures=f"{speed:.0f} haiku/s on the reference machine ({watch.reference}; here {batch / median(seconds):.0f}/s, median of"
        f" {rounds} batches of {batch}; {median(busy):.2f} s of processor time each)",
        bar=f">= {_BAR:.0f} haiku/s",
        passed=speed >= _BAR,
    )
