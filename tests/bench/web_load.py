"""The benchmark web-load: see `tests.scenarios.web_load`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.web_load import load

__all__ = ["run"]

MOST_SECONDS, LEAST_PAGES, MOST_MEMORY, MOST_BYTES = 0.05, 300.0, 90.0, 40_000


def run(works: int = 10_000, seconds: float = 60.0) -> Result:
    """Measure fifty readers, who together ask for a little more than 300 pages a second."""
    root = Path(tempfile.mkdtemp(prefix="auria-web-load-"))
    try:
        found = load(root, works=works, readers=50, rate=6.4, seconds=seconds)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    slow = found.percentile(0.99)
    figures = (
        f"{works:,} works: p50 {found.percentile(0.5) * 1000:.1f} ms, p99 {slow * 1000:.1f} ms, {found.pages_per_second:.0f} pages/s,"
        f" {found.failures} failures, largest page {found.largest / 1000:.1f} kB, {found.at_rest:.0f} MB at rest, {found.after:.0f} MB after;"
        f" processor time of a page under load {found.server * 1000:.2f} ms, the readers' {found.readers * 1000:.2f} ms;"
        f" a new page {found.first * 1000:.2f} ms, a kept one {found.kept * 1000:.2f} ms"
    )
    passed = (
        slow < MOST_SECONDS
        and found.pages_per_second >= LEAST_PAGES
        and not found.failures
        and found.at_rest < MOST_MEMORY
        and found.largest < MOST_BYTES
    )
    bar = f"p99 under {MOST_SECONDS * 1000:.0f} ms, {LEAST_PAGES:.0f} pages/s, 0 failures, under {MOST_BYTES / 1000:.0f} kB and {MOST_MEMORY:.0f} MB"
    return Result(name="web-load", figures=figures, bar=bar, passed=passed)
