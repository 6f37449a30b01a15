"""The benchmark import-speed: see `tests.scenarios.import_speed`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench import Result
from tests.bench.reference import Stopwatch
from tests.scenarios.import_speed import BAR, MEMORY, RECORDS, imported, kept, killed, speed, write

__all__ = ["run"]


def run(count: int = RECORDS) -> Result:
    """Write a dump, read it, import it whole and killed."""
    with tempfile.TemporaryDirectory(prefix="auria-import-") as scratch:
        place = Path(scratch)
        path = place / "RS_synthetic.zst"
        size = write(path, count)
        watch = Stopwatch()
        fastest, tally = max((speed(path) for _ in range(3)), key=lambda one: one[0])
        watch.sample()
        fastest /= watch.reference.interpreted(1.0)
        memory = imported(place / "whole", path)
        verses, whole = kept(place / "whole")
        left = killed(place / "killed", path, verses // 3)
        memory = max(memory, imported(place / "killed", path))
        again = kept(place / "killed")[1]
        imported(place / "killed", path)
        same = whole == again == kept(place / "killed")[1]
    figures = (
        f"{tally.lines:,} lines, {size / 1e9:.2f} GB, {tally.wanted:,} wanted, {tally.bad} bad: {fastest:,.0f} records a second of processor time on the reference machine;"
        f" {memory:.0f} MB at most; killed at {left:,} of {verses:,} texts and repeated, twice: {'the same' if same else 'DIFFERENT'}"
    )
    bar = f"{BAR:,} records a second a core to decoding and filter, under {MEMORY} MB, killed and repeated the same"
    passed = fastest >= BAR and memory < MEMORY and same and 0 < left < verses
    return Result(name="import-speed", figures=figures, bar=bar, passed=passed)
