"""The benchmark near-duplicates: see `tests.scenarios.near_duplicates`."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

from auria_bot.corpus import verses
from tests.bench import Result
from tests.scenarios.near_duplicates import PRECISION, RECALL, planted, score

__all__ = ["run"]


def run() -> Result:
    """Plant, look, and time it."""
    path = Path(os.environ.get("AURIA_DATA", "../shared/data")) / "haiku.jsonl.zst"
    counted = None
    if path.is_file():
        counted = Counter(word for verse in verses.read(path) for line in verse.tokens for word in line)
    poems, pairs = planted(50_000, counted=counted)
    begun = time.process_time()
    precision, recall = score(poems, pairs)
    spent = time.process_time() - begun
    figures = (
        f"{len(pairs):,} versions planted among {len(poems):,} poems: recall {recall:.4f}, precision {precision:.4f},"
        f" {len(poems) / spent:,.0f} poems a second"
    )
    return Result(
        name="near-duplicates",
        figures=figures,
        bar=f"recall at least {RECALL} at precision at least {PRECISION}",
        passed=recall >= RECALL and precision >= PRECISION,
    )
