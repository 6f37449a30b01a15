"""How often two days bring the same line: distinct lines over separate calls that know nothing of each other."""

from __future__ import annotations

import time
from collections import Counter

from auria_bot.art.poets.word_lstm import WordLstm
from auria_bot.corpus.language.words import models_folder
from tests.bench import Result
from tests.bench.reference import Stopwatch

__all__ = ["run"]

_BAR = 0.95  # share of first lines that are distinct
_CPU = 0.45  # seconds of processor time a poem


def run(count: int = 1000) -> Result:
    """Write one haiku for each of `count` seeds at default settings, with no theme, in a warm process."""
    poet = WordLstm(WordLstm.Config(), models=models_folder())
    poet.compose(seed=0)
    watch = Stopwatch()
    began = time.process_time()
    poems = [poet.compose(seed=seed)[0].haiku for seed in range(1, count + 1)]
    spent = (time.process_time() - began) / count
    watch.sample()
    scaled = watch.reference.computed(spent)
    counts = [Counter(poem.lines[number] for poem in poems) for number in range(3)]
    share, second, third = (len(lines) / count for lines in counts)
    line, times = counts[0].most_common(1)[0]
    return Result(
        name="poet-variety",
        figures=f"{count} separate calls: {share:.1%} of the first lines distinct ({line!r} came {times} times), {second:.1%} of the second, "
        f"{third:.1%} of the third, {len({poem.text for poem in poems})} different haiku, {spent:.2f} s of processor time each, {scaled:.2f} s on the reference machine",
        bar=f">= {_BAR:.0%} distinct, <= {_CPU:.2f} s",
        passed=share >= _BAR and scaled <= _CPU,
    )
