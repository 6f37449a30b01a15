"""The benchmark ray-same: see `tests.scenarios.ray_same`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.ray_cluster import REASON, has_ray
from tests.scenarios.ray_same import compare

__all__ = ["run"]


def run(count: int = 20, *, real: bool = True) -> Result:
    """Measure with so many artworks, by the real models or by fakes."""
    bar = "same bytes; at most 1.15 of the time of local work on the same cores"
    if not has_ray():
        return Result(name="ray-same", figures=REASON, bar=bar, passed=False)
    with tempfile.TemporaryDirectory(prefix="auria-ray-") as name:
        found = compare(Path(name), count=count, real=real)
    ratio = found.cluster / found.local
    return Result(
        name="ray-same",
        figures=f"{found.made} of {count} artworks the same, {len(found.differing)} differences"
        f" {', '.join(found.differing[:3])}; {found.local:.1f} s here, {found.cluster:.1f} s on two nodes ({ratio:.2f})",
        bar=bar,
        passed=found.made == count and not found.differing and ratio <= 1.15,
    )
