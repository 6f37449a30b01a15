"""The benchmark ray-faults: see `tests.scenarios.ray_faults`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.ray_cluster import REASON, has_ray, ray_nodes
from tests.scenarios.ray_faults import measure

__all__ = ["run"]


def run(count: int = 200, kills: int = 3) -> Result:
    """Measure with so many artworks, and kills of driver processes and of programs."""
    bar = "nothing lost, nothing twice, resumed each time"
    if not has_ray():
        return Result(name="ray-faults", figures=REASON, bar=bar, passed=False)
    with tempfile.TemporaryDirectory(prefix="auria-faults-") as name, ray_nodes((1, 1, 1)) as nodes:
        found = measure(Path(name), nodes, count=count, kills=kills)
    wrong = "; ".join([*found.lost[:3], *found.twice[:3]])
    return Result(
        name="ray-faults",
        figures=f"{found.same} of {count} artworks the same in {found.seconds:.0f} s, while {found.workers} workers,"
        f" {found.nodes} nodes of three, {found.drivers} drivers and {found.resumed} programs were killed, and each program resumed; {found.repeated} steps begun again, {len(found.lost)} lost, {len(found.twice)} twice, {found.stayed}"
        f" workers left over {wrong}".rstrip(),
        bar=bar,
        passed=found.same == count and found.is_whole,
    )
