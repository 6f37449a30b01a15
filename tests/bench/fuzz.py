"""The benchmark fuzz: see `tests.scenarios.fuzz`."""

from __future__ import annotations

from tests.bench import Result
from tests.scenarios.fuzz import BYTES, FILES, KINDS, SECONDS, worst

__all__ = ["run"]


def run() -> Result:
    """Make files and read them."""
    bar = f"no crash; a file under {SECONDS} s and {BYTES >> 20} MiB"
    slowest, largest = worst(FILES)
    figures = f"{FILES:,} files of {len(KINDS)} kinds, no crash: {slowest:.3f} s and {largest / 2**20:.2f} MiB at most"
    return Result(name="fuzz", figures=figures, bar=bar, passed=slowest < SECONDS and largest < BYTES)
