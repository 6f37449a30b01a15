"""The benchmark serve-scale: see `tests.scenarios.serve_scale`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.ray_cluster import REASON
from tests.scenarios.serve_scale import has_serve, measure

__all__ = ["run"]

_LONGEST = 30.0  # seconds


def run() -> Result:
    """Measure."""
    bar = "replicas follow within 30 s; 0 failed requests"
    if not has_serve():
        return Result(name="serve-scale", figures=REASON, bar=bar, passed=False)
    with tempfile.TemporaryDirectory(prefix="auria-serve-") as folder:
        done = measure(Path(folder))
    for failure in done.failures[:10]:
        print(f"  {failure}", file=sys.stderr)
    return Result(
        name="serve-scale",
        figures=(
            f"1 to 3 replicas in {done.rise:.1f} s, a killed one replaced in {done.replaced:.1f} s, a promoted version in service"
            f" everywhere in {done.promoted:.1f} s, back to 1 in {done.fall:.1f} s; {done.answers} captions,"
            f" {len(done.failures)} failed"
        ),
        bar=bar,
        passed=not done.failures and len(done.versions) == 2 and max(done.rise, done.replaced, done.fall) <= _LONGEST,
    )
