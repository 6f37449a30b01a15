"""The benchmark ray-scale: see `tests.scenarios.ray_scale`."""

from __future__ import annotations

from tests.bench import Result
from tests.scenarios.ray_cluster import REASON, has_ray
from tests.scenarios.ray_scale import efficiencies, overhead

__all__ = ["run"]


def run(workers: tuple[int, ...] = (1, 2, 4, 8), *, seconds: float = 1.0, each: int = 10) -> Result:
    """Measure with those numbers of workers."""
    bar = "at least 0.85 of linear; at most 2 ms a step beyond Ray's own"
    if not has_ray():
        return Result(name="ray-scale", figures=REASON, bar=bar, passed=False)
    found, (own, bare) = efficiencies(workers, seconds=seconds, each=each), overhead()
    shares = ", ".join(f"{share:.2f} with {count}" for count, share in found.items())
    return Result(
        name="ray-scale",
        figures=f"of linear: {shares}; a step that does nothing {own:.1f} ms, Ray's own call {bare:.1f} ms",
        bar=bar,
        passed=min(found.values()) >= 0.85 and own - bare <= 2.0,
    )
